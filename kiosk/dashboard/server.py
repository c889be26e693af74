"""The web server: waitress on one socket of ours, with threads for pages beside those that live pages hold."""

from __future__ import annotations

import copy
import errno
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import flask
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser

from hardware.errors import PlatypusError
from hardware.notify import QUIET_LIMIT_S, Notifier
from hardware.worker import Worker
from kiosk.dashboard.live import Live
from kiosk.dashboard.uploads import LARGEST_BYTES, PATHS

log = logging.getLogger(__name__)

# A live page holds a thread for as long as it is open (measured: 40 of them cost 0.2 MiB with waitress), and five
# would starve a pool of four. 64 live pages leave 12 threads for everything else.
THREADS = 76
MOST_CONNECTIONS = 200
# A phone that went out of reach acknowledges nothing: the kernel ends such a connection, or one whose reader does
# not read, after this long (tcp(7), TCP_USER_TIMEOUT); without it a thread would be held for a quarter of an hour.
UNREAD_LIMIT_MS = 15_000
LARGEST_BODY_BYTES = 64 * 1024
LARGEST_REQUEST_BYTES = LARGEST_BYTES + LARGEST_BODY_BYTES
UNSENT_BYTES = 64 * 1024  # kept for one page by waitress before its thread waits for the page to read


_WsgiApp = Callable[[dict[str, Any], Any], Any]


class PortTaken(PlatypusError, OSError):
    """The dashboard cannot listen where it was told to."""

    code = "port_taken"


class _Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """A request whose body is refused by its length before it is read, unless it goes where files are taken."""

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.path in PATHS.values():
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = LARGEST_REQUEST_BYTES


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Request


class DashboardServer:
    """Listens from construction (so that `port` is known), serves between `start` and `stop`. A context manager."""

    def __init__(
        self, app: flask.Flask, host: str, port: int, *, threads: int = THREADS, upstream: Path | None = None
    ) -> None:
        self._socket = _listen(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._sockets: dict[int, Any] = {}
        self._upstream = upstream
        common = {
            "map": self._sockets,
            "connection_limit": MOST_CONNECTIONS,
            "channel_timeout": 30,
            "max_request_header_size": 16 * 1024,
            "max_request_body_size": LARGEST_BODY_BYTES,
            "outbuf_high_watermark": UNSENT_BYTES,
            "ident": None,
        }
        self._server = create_server(
            app,
            sockets=[self._socket],
            threads=threads,
            clear_untrusted_proxy_headers=False,  # is_on_this_machine wants to see them; nothing else trusts them
            **common,
        )
        self._server.channel_class = _Channel
        if upstream is not None:
            behind = create_server(
                _known_front(app.wsgi_app),
                unix_socket=str(upstream),
                unix_socket_perms="600",
                trusted_proxy="localhost",  # as waitress calls whoever comes by a unix socket
                trusted_proxy_headers="x-forwarded-for x-forwarded-proto",
                clear_untrusted_proxy_headers=True,
                _dispatcher=self._server.task_dispatcher,  # one pool of threads for both
                **common,
            )
            behind.channel_class = _Channel
        self.worker = Worker("dashboard-web", self._run)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    def start(self) -> None:
        """Serve, in a thread of its own."""
        self.worker.start()
        log.info("dashboard event=listening host=%s port=%d", self.host, self.port)

    def stop(self) -> None:
        """Stop listening and serving; end live pages first (`Live.stop`). Safe to call twice."""
        self.worker.ask_to_stop()
        if self.worker.is_alive:
            self._server.pull_trigger()
            self.worker.stop()
        self._server.task_dispatcher.shutdown(timeout=3)
        for each in list(self._sockets.values()):
            if isinstance(each, HTTPChannel):
                each.handle_close()  # with the files that were being sent
        wasyncore.close_all(self._sockets, ignore_all=True)
        self._socket.close()
        if self._upstream is not None:
            self._upstream.unlink(missing_ok=True)

    def _run(self, worker: Worker) -> None:
        while not worker.is_stopping:
            wasyncore.loop(timeout=1.0, use_poll=True, map=self._sockets, count=1)
            worker.tick()


def serve(
    app: flask.Flask,
    live: Live,
    host: str,
    port: int,
    *,
    stopping: threading.Event,
    started: Callable[[DashboardServer], None] | None = None,
    threads: int = THREADS,
    upstream: Path | None = None,
) -> None:
    """Serve until `stopping` is set (by a signal handler or another thread). Raises PortTaken.

    `started` is called once, when requests are answered. `upstream` is a unix socket to listen on too, for front.py.
    """
    with DashboardServer(app, host, port, threads=threads, upstream=upstream) as server, live:
        if started is not None:
            started(server)
        manager = Notifier()
        manager.ready()
        workers = (server.worker, live.worker)
        while not stopping.wait(1.0):
            for worker in workers:
                if worker.failure is not None or not worker.is_alive:
                    raise PlatypusError(f"{worker.name} ended by itself; see the log above.") from worker.failure
            if max(worker.quiet_s for worker in workers) < QUIET_LIMIT_S:
                manager.well()
        manager.stopping()


def _known_front(app: _WsgiApp) -> _WsgiApp:
    """What comes by our own nginx is a browser's own request: waitress has put its address and https in their place."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        for name in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"):
            environ.pop(name, None)
        return app(environ, start_response)

    return answer


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise PortTaken(f"The dashboard cannot listen on {host!r}: {error}. Correct host under [dashboard].") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_LIMIT_MS)  # accepted ones inherit it
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"Port {port} is taken by another program. Stop it, or choose another port under [dashboard] "
                "in platypus.toml."
            ) from error
        if error.errno == errno.EACCES:
            raise PortTaken(
                f"Port {port} needs rights we do not have. Choose one above 1023 under [dashboard] in platypus.toml."
            ) from error
        raise PortTaken(
            f"The dashboard cannot listen on {host} port {port}: {error.strerror}. Correct host under [dashboard]."
        ) from error
    return listener
