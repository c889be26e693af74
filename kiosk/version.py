"""Which Platypus this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """As it was installed; "?" of a checkout that was not."""
    try:
        return version("platypus-venue")
    except PackageNotFoundError:
        return "?"
