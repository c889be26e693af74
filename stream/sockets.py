"""How much the kernel still has to send for a process: the truth of a connection, which no counter of ffmpeg tells."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import logging
import os
import socket
import stat
import struct
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_PIDFD_GETFD = 438  # the system call's number, the same on every machine (Linux 5.6)
_ESTABLISHED = 1  # first byte of struct tcp_info, tcp(7)
_libc = ctypes.CDLL(None, use_errno=True)


def queue_bytes(pid: int, number: int) -> int | None:
    """What waits in the socket that our child `pid` has as descriptor `number`; None when that is no open TCP
    connection (any more), or is gone.

    Raises PermissionError when we may not look, or the kernel does not know how.
    """
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    try:
        borrowed = _libc.syscall(_PIDFD_GETFD, process, number, 0)
        failed = ctypes.get_errno()
    finally:
        os.close(process)
    if borrowed < 0:
        if failed in (errno.ESRCH, errno.EBADF):
            return None
        forbidden = failed in (errno.EPERM, errno.EACCES, errno.ENOSYS)
        raise (PermissionError if forbidden else OSError)(failed, os.strerror(failed))
    if not stat.S_ISSOCK(os.fstat(borrowed).st_mode):  # closed since it was found, and its number taken by a file
        os.close(borrowed)
        return None
    with socket.socket(fileno=borrowed) as lent:
        if lent.family not in (socket.AF_INET, socket.AF_INET6) or lent.type != socket.SOCK_STREAM:
            return None
        if lent.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED:
            return None
        return int.from_bytes(fcntl.ioctl(lent, termios.TIOCOUTQ, bytes(struct.calcsize("i"))), sys.byteorder)


def unsent_bytes(
    pid: int, *, ask: Callable[[int, int], int | None] = queue_bytes, proc: Path = Path("/proc")
) -> int | None:
    """Bytes in the TCP send queues of our child `pid` that the other side's kernel has not acknowledged.

    None when it has no connection (yet). Each socket is borrowed for a moment and asked (SIOCOUTQ, tcp(7)). Where that
    is forbidden, the table in /proc tells the same: but for that the kernel walks through all there could be, 1 to 5 ms
    each time.
    """
    sockets = dict(_sockets(pid, proc))
    if not sockets:
        return None
    try:
        queues = [ask(pid, number) for number in sockets.values()]
    except PermissionError:
        return _told(pid, set(sockets), proc)
    known = [queue for queue in queues if queue is not None]
    return sum(known) if known else None


def _told(pid: int, inodes: set[str], proc: Path) -> int | None:
    """The same by tx_queue of /proc/PID/net/tcp, else tcp6, in proc(5): a pusher has one connection."""
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


def _sockets(pid: int, proc: Path) -> Iterator[tuple[str, int]]:
    """The sockets a process has open: inode and descriptor."""
    folder = proc / str(pid) / "fd"
    try:
        for entry in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1], int(entry.name)
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended
    except PermissionError:  # one that has just ended belongs to root until it is waited for; else: /proc is closed
        log.warning("pid=%d event=send-queue-unreadable", pid)
