"""nginx in front of the dashboard: HTTPS for the phones of the room.

It holds the certificate, takes the time of those who send slowly, and passes whole requests on over a unix socket. The
dashboard itself listens to this machine only. It runs as a child of ours and is begun anew when it ends.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import TracebackType
from typing import Self

from hardware.clock import Clock
from hardware.errors import PlatypusError
from hardware.programs import find_program
from hardware.worker import Worker
from kiosk.dashboard.certificate import Certificate
from kiosk.dashboard.server import LARGEST_REQUEST_BYTES
from kiosk.dashboard.settings import HttpsSettings
from stream.backoff import Backoff
from stream.process import Child

log = logging.getLogger(__name__)

_LOOK_PERIOD_S = 0.5
_WELL_AFTER_S = 10.0
_CONFIG = """\
daemon off;
master_process off;
worker_processes 1;
error_log stderr error;
pid "{folder}/nginx.pid";
events {{ worker_connections 512; }}
http {{
  access_log off;
  server_tokens off;
  client_body_temp_path "{folder}/body";
  proxy_temp_path "{folder}/proxy";
  fastcgi_temp_path "{folder}/fastcgi";
  uwsgi_temp_path "{folder}/uwsgi";
  scgi_temp_path "{folder}/scgi";
  client_header_timeout 10s;
  client_body_timeout 10s;
  client_max_body_size {largest_bytes};
  large_client_header_buffers 4 8k;
  keepalive_timeout 30s;
  send_timeout 15s;
  server {{
    listen {address}:{port} ssl http2{dual};
    ssl_certificate "{chain}";
    ssl_certificate_key "{key}";
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:TLS:1m;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header X-Forwarded-Host "";
    proxy_set_header X-Forwarded-Port "";
    proxy_set_header X-Forwarded-By "";
    proxy_set_header Forwarded "";
    proxy_connect_timeout 5s;
    proxy_read_timeout 60s;
    error_page 497 =301 https://$http_host$request_uri;
    # Of files alone: a page holds a token, and how well it compresses would tell of it (BREACH, CVE-2013-3587).
    location /static/ {{
      proxy_pass http://unix:{socket}:;
      gzip on;
      gzip_proxied any;
      gzip_comp_level 6;
      gzip_types text/css text/javascript application/javascript application/wasm image/svg+xml;
    }}
    location / {{
      proxy_pass http://unix:{socket}:;
    }}
  }}
}}
"""


class Front:
    """nginx, kept running between `start` and `stop`. A context manager that ends it.

    Raises MissingProgram without nginx, OSError when `run_dir` cannot be written, ValueError for paths that nginx does
    not take.
    """

    def __init__(self, settings: HttpsSettings, certificate: Certificate, run_dir: Path, clock: Clock) -> None:
        self.certificate = certificate
        self.upstream = run_dir.absolute() / "dashboard.sock"
        self._program = find_program("nginx")
        self._folder = run_dir.absolute() / "https"
        self._clock = clock
        self._backoff = Backoff((1.0, 2.0, 5.0), ((60.0, 15.0),))
        self._config = nginx_config(settings, certificate, self.upstream, self._folder)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / "nginx.conf").write_text(self._config, encoding="utf-8")
        self.worker = Worker("dashboard-https", self._run)
        self.cause = "not begun"  # why it does not listen now, in plain words; "" while it does

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen: from now on requests come to the dashboard's socket `upstream`."""
        self.worker.start()

    def stop(self) -> None:
        """End it. Safe to call twice."""
        self.worker.stop()

    def _run(self, worker: Worker) -> None:
        while not worker.is_stopping:
            begun_s = self._clock.monotonic()
            self.cause = self._serve(worker)
            if not worker.wait(0):
                return
            if self._clock.monotonic() - begun_s > _WELL_AFTER_S:
                self._backoff.reset()
            wait_s = self._backoff.next_wait_s(self._clock.monotonic())
            log.error('https event=ended cause="%s" next_try_s=%.0f', self.cause, wait_s)
            worker.wait(wait_s)

    def _serve(self, worker: Worker) -> str:
        """One nginx from start to end. Returns why it ended."""
        argv = [self._program, "-p", str(self._folder), "-c", str(self._folder / "nginx.conf"), "-e", "stderr"]
        try:
            child = Child("nginx", argv)
        except PlatypusError as error:
            return str(error)
        with child:
            while not worker.is_stopping and child.wait(_LOOK_PERIOD_S) is None:
                worker.tick()
                self.cause = ""
        said = [line for line in child.last_lines if "[emerg]" in line]
        return said[0].partition("[emerg]")[2].strip() if said else f"nginx ended ({child.exit_code})"


def nginx_config(settings: HttpsSettings, certificate: Certificate, upstream: Path, folder: Path) -> str:
    """What nginx is told. Raises ValueError for a path that its file cannot hold."""
    for path in (certificate.chain, certificate.key, upstream, folder):
        if not str(path).isprintable() or set(str(path)) & set("\"'$;{}: \\"):
            raise ValueError(f"{path} has a character in it that nginx does not take: choose another folder")
    is_everywhere = settings.host in {"", "::"}
    has_ipv6 = Path("/proc/net/if_inet6").exists()
    everywhere = "[::]" if has_ipv6 else "0.0.0.0"  # noqa: S104
    host = everywhere if is_everywhere else f"[{settings.host}]" if ":" in settings.host else settings.host
    return _CONFIG.format(
        folder=folder,
        address=host,
        port=settings.port,
        dual=" ipv6only=off" if is_everywhere and has_ipv6 else "",
        chain=certificate.chain,
        key=certificate.key,
        socket=upstream,
        largest_bytes=LARGEST_REQUEST_BYTES,
    )
