"""What ffmpeg says of its own progress (`-progress`), block by block."""

from __future__ import annotations

from typing import NamedTuple


class Progress(NamedTuple):
    """One block. Counters are of this process; -1 where ffmpeg said N/A."""

    frame: int = 0
    out_time_us: int = -1
    total_bytes: int = -1
    is_end: bool = False


class ProgressReader:
    """Takes the lines one by one and gives a Progress at the end of each block."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    def take(self, line: str) -> Progress | None:
        """One `key=value` line. A value that is not a number counts as not said."""
        key, is_pair, value = line.strip().partition("=")
        if not is_pair:
            return None
        self._fields[key] = value.strip()
        if key != "progress":
            return None
        fields, self._fields = self._fields, {}
        return Progress(
            frame=_number(fields.get("frame"), 0),
            out_time_us=max(_number(fields.get("out_time_us"), -1), -1),  # -2^63 before the first packet
            total_bytes=_number(fields.get("total_size"), -1),
            is_end=value.strip() == "end",
        )


def _number(text: str | None, otherwise: int) -> int:
    try:
        return int(text) if text is not None else otherwise
    except ValueError:
        return otherwise
