"""Something made by a program of its own: what makes it takes 50 MB and more, which a long-lived one would keep all
evening; and what it reads may be hostile, which costs that program only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import kiosk
from hardware.errors import PlatypusError

_PACKAGES = Path(kiosk.__file__).parents[1]  # where it finds our packages
_ENVIRONMENT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


class ApartError(PlatypusError, RuntimeError):
    """It could not be made; its text says why."""

    code = "apart"


def made_apart(module: str, order: bytes, limit_s: float, begins: bytes = b"") -> bytes:
    """What `python -m module` makes of `order`, which it reads from a pipe; what it gives `begins` so.

    Raises ApartError.
    """
    surroundings = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=order,
            capture_output=True,
            timeout=limit_s,
            check=False,
            cwd=_PACKAGES,
            env=surroundings | {"LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ApartError(str(error)) from error
    if done.returncode or not done.stdout or not done.stdout.startswith(begins):
        raise ApartError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or "it said nothing")
    return done.stdout
