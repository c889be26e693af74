"""What the kernel still has to send for a child, asked of its socket and read from the table."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stream.sockets import queue_bytes, unsent_bytes

_CONNECTS = """
import socket, sys
udp, alone = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.setblocking(False)
    try:
        while True:
            connection.send(bytes(100_000))
    except BlockingIOError:
        print("full", flush=True)
    sys.stdin.read()
"""


def forbidden(pid: int, number: int) -> int | None:
    raise PermissionError(pid, number)


def test_the_send_queue_is_read_from_the_kernels_table(tmp_path: Path) -> None:
    (tmp_path / "7" / "fd").mkdir(parents=True)
    (tmp_path / "7" / "net").mkdir()
    (tmp_path / "7" / "fd" / "3").symlink_to("socket:[4711]")
    (tmp_path / "7" / "fd" / "4").symlink_to("pipe:[1]")
    row = "  0: 0100007F:A1B2 0100007F:078F {} {}:00000000 01:00000014 00000000     0        0 {} 1\n"
    table = "  sl  local_address rem_address   st tx_queue\n" + "".join(
        row.format(state, queue, inode)
        for state, queue, inode in (("01", "0002ABCD", 4711), ("01", "00000FFF", 99), ("06", "00000001", 4711))
    )
    (tmp_path / "7" / "net" / "tcp").write_text(table)
    assert unsent_bytes(7, ask=forbidden, proc=tmp_path) == 0x2ABCD
    assert unsent_bytes(8, ask=forbidden, proc=tmp_path) is None


def test_a_childs_socket_and_the_kernels_table_say_the_same_of_its_send_queue() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        argv = [sys.executable, "-c", _CONNECTS, str(server.getsockname()[1])]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            connection, _ = server.accept()  # which reads nothing
            assert child.stdout.readline() == b"full\n"
            unsent = unsent_bytes(child.pid)
            assert unsent == unsent_bytes(child.pid, ask=forbidden)
            assert unsent is not None
            assert unsent > 0
            child.communicate(b"")
            connection.close()
            assert unsent_bytes(child.pid) is None, "it has ended"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        assert unsent_bytes(child.pid) is None, "it has no connection"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_number_that_is_no_socket_any_more_is_none_and_is_given_back() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        try:
            queue_bytes(child.pid, 0)
        except PermissionError:
            pytest.skip("descriptors of another process may not be borrowed here, as in many containers")
        before = open_descriptors()
        assert [queue_bytes(child.pid, 0) for _ in range(20)] == [None] * 20  # its stdin, a pipe
        assert queue_bytes(child.pid, 99) is None
        assert open_descriptors() == before
        child.kill()
        child.wait()
        assert queue_bytes(child.pid, 0) is None


def test_a_look_at_a_childs_socket_does_not_keep_its_connection_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        argv = [sys.executable, "-c", _CONNECTS, str(server.getsockname()[1])]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            connection, _ = server.accept()
            connection.settimeout(5)
            assert child.stdout is not None
            child.stdout.readline()
            assert unsent_bytes(child.pid)
            child.kill()
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(1 << 20):
                    continue
            connection.close()
