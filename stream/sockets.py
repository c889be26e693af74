"""How much the kernel still has to send for a process: the truth of a connection, which no counter of ffmpeg tells."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

log = logging.getLogger(__name__)


def unsent_bytes(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Bytes in the TCP send queues of process `pid` that the other side's kernel has not acknowledged.

    None when it has no connection (yet). From tx_queue of /proc/PID/net/tcp, else tcp6, in proc(5): a pusher has one
    connection, and the kernel walks through all of a machine's for each table (1 ms and more).
    """
    inodes = _sockets(pid, proc)
    total: int | None = None
    for table in ("tcp", "tcp6"):
        if total is not None:
            break
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # no IPv6, or the process just ended
            for line in (proc / str(pid) / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[9] in inodes and fields[3] == "01":  # ESTABLISHED
                    total = (total or 0) + int(fields[4].partition(":")[0], 16)
    return total


def _sockets(pid: int, proc: Path) -> set[str]:
    """Inodes of the sockets a process has open."""
    found: set[str] = set()
    try:
        for entry in (proc / str(pid) / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended
    except PermissionError:  # one that has just ended belongs to root until it is waited for; else: /proc is closed
        log.warning("pid=%d event=send-queue-unreadable", pid)
    return found
