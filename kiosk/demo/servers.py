"""The servers of a venue, started for ourselves alone: Mosquitto on a unix socket, nginx as the RTMP platform."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from hardware.errors import PlatypusError
from hardware.programs import MissingProgram, find_program
from stream.process import Child

# Debian's path of the module; other systems compile it in or keep it elsewhere.
_RTMP_MODULES = (Path("/usr/lib/nginx/modules/ngx_rtmp_module.so"), Path("/usr/share/nginx/modules/ngx_rtmp_module.so"))
_LONGEST_SOCKET_PATH = 107  # bytes, unix(7)

# One process (master_process off): a worker would outlive a master that is killed.
_NGINX = """\
daemon off;
master_process off;
load_module {module};
worker_processes 1;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
rtmp {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    application live {{ live on; record off; }}
  }}
}}
"""

_MOSQUITTO = """\
listener 0 {socket}
allow_anonymous true
persistence false
{user}
log_type error
log_type warning
"""


class FolderTooDeep(PlatypusError, ValueError):
    """A unix socket's path would be too long."""

    code = "folder_too_deep"


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mosquitto(folder: Path) -> tuple[Child, Path]:
    """The message broker, for this user alone; and its socket."""
    path = folder / "bus.sock"
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise FolderTooDeep(
            f"{path} is too long for a socket ({len(os.fsencode(path))} bytes, {_LONGEST_SOCKET_PATH} fit): "
            "choose a shorter folder with --dir."
        )
    path.unlink(missing_ok=True)  # what a killed broker left behind would be "in use"
    config = folder / "mosquitto.conf"
    config.write_text(_MOSQUITTO.format(socket=path, user=f"user {getpass.getuser()}"), encoding="utf-8")
    return _start("mosquitto", ["-c", str(config)]), path


def nginx(folder: Path, port: int) -> Child:
    """An RTMP server on loopback: rtmp://127.0.0.1:PORT/live/KEY takes and gives."""
    folder.mkdir(exist_ok=True)
    module = next((path for path in _RTMP_MODULES if path.exists()), None)
    if module is None:
        raise MissingProgram("nginx has no RTMP module: apt install libnginx-mod-rtmp")
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, module=module, port=port), encoding="utf-8")
    return _start("nginx", ["-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")])


def _start(name: str, arguments: Sequence[str]) -> Child:
    return Child(name, [find_program(name), *arguments])
