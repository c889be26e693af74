"""What the stream process is told to do, and what a no means: for the buttons of pages and for programs."""

from __future__ import annotations

from collections.abc import Mapping

from hardware.errors import PlatypusError
from kiosk.dashboard.language import say_later
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

DONE: Mapping[StreamOrder, str] = {
    "start": say_later("Asked to start. It is live when the line below says so."),
    "go_live": say_later("Going live with the slate before the start."),
    "next_talk": say_later("The next talk is introduced; the camera follows by itself."),
    "camera": say_later("The camera is shown from its next full picture on."),
    "take_break": say_later("Viewers see the break."),
    "end": say_later("Viewers are thanked. The stream goes on until you stop it."),
    "hide_camera": say_later("The camera and the room's sound are hidden."),
    "undo": say_later("Undone."),
    "stop": say_later("The stream is stopping."),
    "retry": say_later("Trying again now."),
    "preflight": say_later("Checking: what is found appears below."),
}


class NotDone(PlatypusError, RuntimeError):
    """The process that was asked said no; its text says why."""

    code = "not_done"


class StreamBusy(PlatypusError, TimeoutError):
    """Too many programs wait for the stream process already; this one did nothing."""

    code = "stream_busy"

    def __init__(self) -> None:
        super().__init__("Other orders wait for the stream's program: this one was not given. Wait a moment.")


def give(news: News, command: StreamCommand) -> Reply:
    """Have the stream process do something. Raises NotDone, and BusError when nobody answers."""
    reply = news.command(command, ANSWER_S)
    if not reply.ok:
        raise NotDone(reply.error or "The stream said no, and not why; see its log.")
    return reply
