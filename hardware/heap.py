"""The C library's heap, told to give memory back: a process of ours runs for days beside others."""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # of mallopt(3), from glibc's malloc.h
_LARGE_BYTES = 128 * 1024  # glibc's own first value
_ARENAS = 1  # instead of eight a core: our threads mostly wait, and what one has freed another takes


def keep_heap_lean() -> None:
    """Give freed blocks of 128 kB and more back to the system, always; before threads are started.

    glibc raises that threshold to whatever was freed, up to 32 MB: after an hour of faults half of the stream's heap
    was free and kept. Does nothing where the C library knows no mallopt.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_ARENA_MAX, _ARENAS)
