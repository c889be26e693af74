"""What the stream process is told to do, and what a no means: for the buttons of pages and for programs."""

from __future__ import annotations

from collections.abc import Mapping

from hardware.errors import PlatypusError
from kiosk.dashboard.ports import News
from kiosk.news import Reply, StreamCommand, StreamOrder

ANSWER_S = 5.0  # how long a press waits for the stream process
ORDERS: Mapping[str, StreamOrder] = {  # by the last part of their addresses
    "start": "start",
    "go-live": "go_live",
    "next": "next_talk",
    "camera": "camera",
    "break": "take_break",
    "end": "end",
    "hide": "hide_camera",
    "undo": "undo",
    "stop": "stop",
    "retry": "retry",
    "preflight": "preflight",
}


class NotDone(PlatypusError, RuntimeError):
    """The stream process said no; its text says why."""

    code = "not_done"


def give(news: News, command: StreamCommand) -> Reply:
    """Have the stream process do something. Raises NotDone, and BusError when nobody answers."""
    reply = news.command(command, ANSWER_S)
    if not reply.ok:
        raise NotDone(reply.error or "The stream said no, and not why; see its log.")
    return reply
