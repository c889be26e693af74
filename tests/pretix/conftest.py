"""One pretix server for the tests of a file; a door of one's own for each test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pretix_door import PretixDoor
from pretix_peer import ENVIRONMENT, Line, Peer, peer

from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A real pretix, with 60 tickets in each of two events."""
    if not (ENVIRONMENT / "bin" / "gunicorn").exists():
        pytest.skip(f"there is no pretix in {ENVIRONMENT}: ./install.sh test puts it there")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with peer(tmp_path_factory.mktemp("pretix"), port, 60) as running:
        yield running


@pytest.fixture
def line(server: Peer) -> Iterator[Line]:
    """The line to it."""
    with Line(server.url) as line:
        yield line


@pytest.fixture
def door(server: Peer, line: Line, tmp_path: Path) -> Iterator[PretixDoor]:
    """A door that is enrolled at the other end of the line, and nothing chosen."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield PretixDoor(ledger, tmp_path, server.handshake(line.url))
        assert audit(ledger) == []
