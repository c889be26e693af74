"""What may be chosen about a barcode scanner: a frozen struct, filled from platypus.toml."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class ScannerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A USB scanner that types what it reads. Found by its path or by a part of its name; exactly one of them."""

    path: str | None = None  # best one under /dev/input/by-id/, which stays the same in another socket
    name: str | None = (
        None  # part of what the scanner calls itself, any case: see `cat /sys/class/input/event*/device/name`
    )
    layout: Literal["us", "fr"] = "us"  # the keyboard it believes to be; most are "us" until told otherwise
    grab: bool = True  # nobody else gets what it types: else a code is also typed into whatever screen has the focus
    forget_s: Annotated[float, msgspec.Meta(ge=0.1, le=10.0)] = 1.0  # a code that stops half way is forgotten

    def __post_init__(self) -> None:
        if (self.path is None) is (self.name is None):
            raise ValueError("a scanner is found by its path or by a part of its name: give one of path and name")
        if not (self.path or self.name):
            raise ValueError("an empty path or name fits no scanner, or every keyboard: write it out")
