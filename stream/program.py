"""What each command of the organizer makes of the order: the rules of the program, without anything that runs.

    command        stopped                  live
    start          live, camera             camera
    go_live        live, "starting" slate   "starting" slate
    next_talk      NotLive                  "next" slate with the next talk; pressed again on that slate: nothing
    introduced     -                        camera, when it was "next" (the time for the slate is over)
    camera         NotLive                  camera: also the way back from "hidden" and the others
    take_break     NotLive                  "break" slate
    end            NotLive                  "end" slate
    hide_camera    NotLive                  "hidden" slate
    stop           nothing                  stopped
    undo           live as before the stop  the scene before the last command; nothing when that is gone or was undone

One that changes nothing leaves undo as it is, so that a button pressed twice is a button pressed once. Who goes live
after a stop begins a new evening, without a talk; a stop by mistake is undone.

    program                     viewers see                             viewers hear
    camera                      the camera; a slate while it fails      the room, whatever becomes of the picture
    next                        a slate                                 the room: the host is introducing whom it names
    starting, break, end        a slate                                 silence: people talk among themselves
    hidden                      a slate                                 silence
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from stream.errors import NoNextTalk, NotLive
from stream.order import Order, Program, Scene
from stream.talks import Talks

Command = Literal[
    "start", "go_live", "next_talk", "introduced", "camera", "take_break", "end", "hide_camera", "stop", "undo"
]
STOPPED: Final = Order(do="stopped", since="")
_PROGRAMS: Final[dict[Command, Program]] = {
    "start": "camera",
    "go_live": "starting",
    "camera": "camera",
    "take_break": "break",
    "end": "end",
    "hide_camera": "hidden",
}
_WORDS: Final[dict[Program, str]] = {
    "starting": "the slate before the start",
    "camera": "the camera",
    "next": "the slate of the next talk",
    "break": "the break",
    "end": "the slate at the end",
    "hidden": "the hidden camera",
}


def obey(order: Order, command: Command, talks: Talks, now: str) -> Order:
    """The order after `command`, at `now` (ISO 8601, UTC). Raises NotLive, NoNextTalk."""
    match command:
        case "stop":
            if order.do == "stopped":
                return order
            return msgspec.structs.replace(order, do="stopped", since=now, before=order.scene)
        case "undo":
            return _undone(order, now)
        case "introduced":
            is_over = order.do == "live" and order.program == "next"
            return msgspec.structs.replace(order, program="camera") if is_over else order
        case "start" | "go_live" if order.do == "stopped":
            return Order(do="live", since=now, program=_PROGRAMS[command])
        case _ if order.do == "stopped":
            raise NotLive("The stream is stopped, nobody would see it: press Go live first.")
        case "next_talk":
            return _with(order, _next_scene(order, talks))
        case _:
            return _with(order, Scene(_PROGRAMS[command], order.talk))


def undo_words(order: Order, talks: Talks) -> str:
    """What undo would do, "" when nothing."""
    scene = order.before
    if scene is None:
        return ""
    back = "live again with" if order.do == "stopped" else "back to"
    talk = talks.talk(scene.talk) if scene.talk is not None and scene.talk != order.talk else None
    return f"{back} {_WORDS[scene.program]}" + (f": {talk.title}" if talk else "")


def _with(order: Order, scene: Scene) -> Order:
    if scene == order.scene:
        return order
    return msgspec.structs.replace(order, program=scene.program, talk=scene.talk, before=order.scene)


def _undone(order: Order, now: str) -> Order:
    scene = order.before
    if scene is None:
        return order
    since = order.since if order.do == "live" else now
    return Order(do="live", since=since, program=scene.program, talk=scene.talk)


def _next_scene(order: Order, talks: Talks) -> Scene:
    if order.program == "next":
        return order.scene
    talk = talks.next_after(order.talk)
    if talk is None and order.talk is not None and talks.talk(order.talk) is not None:
        raise NoNextTalk("That was the last talk of the agenda: press Camera to go on with the camera, or End.")
    return Scene("next", talk.id if talk else None)
