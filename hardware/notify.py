"""What a service tells systemd: that it is ready, that it is well, that it ends. The protocol is sd_notify(3)'s.

Without systemd, or in a unit that is not Type=notify, it tells nobody.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

QUIET_LIMIT_S = 15.0  # a part not seen well for longer is stuck; some seconds pass while a child ends or a disk waits


class Notifier:
    """One process' line to its service manager. A manager that does not listen is no trouble of ours."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address

    @property
    def is_heard(self) -> bool:
        """Whether a service manager started us and listens."""
        return bool(self._address)

    def ready(self, status: str = "") -> None:
        """It does its work from now on; `status` is one line for `systemctl status`."""
        self._tell("READY=1", *([f"STATUS={status}"] if status else []))

    def well(self) -> None:
        """Every part was seen well a moment ago. Not said for longer than the unit's WatchdogSec, it is begun anew."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """It ends in good order."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            return  # the watchdog of a manager that hears nothing says so itself
