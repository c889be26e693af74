"""Other programs of the machine, found where Debian puts them."""

from __future__ import annotations

import shutil

from hardware.errors import PlatypusError


class MissingProgram(PlatypusError, FileNotFoundError):
    """A program that is needed is not installed."""

    code = "missing_program"


def find_program(name: str) -> str:
    """Its path. Servers are in sbin, which is not on everybody's PATH. Raises MissingProgram."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if path is None:
        raise MissingProgram(f"{name} is not installed: apt install {name}")
    return path
