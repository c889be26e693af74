"""What each command of the organizer makes of the order: the rules of the program, without anything that runs.

    command        stopped                  live
    start          live, camera             camera
    go_live        live, "starting" slate   "starting" slate
    next_talk      NotLive                  "next" slate with the next talk; pressed again on that slate: nothing
    introduced     -                        camera, when it was "next" (the time for the slate is over)
    camera         NotLive                  camera: also the way back from "hidden" and the others
    take_break     NotLive                  "break" slate
    end            NotLive                  "end" slate
    put_on_stage   NotLive                  the same program with this talk on stage; the agenda goes on after it
    make_next      NotLive                  the same program and talk; then comes this talk
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

The two that choose a talk never put another program on air. Only a slate that names it says something else afterwards:
"next" names the talk put on stage (and is shown for its full time again), "starting" and "break" name the next one.
A talk made the next one stays that until it is introduced or any is put on stage; once deleted from the agenda, it is
the agenda again that says who is next.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from stream.errors import NoNextTalk, NoSuchTalk, NotLive
from stream.order import Order, Program, Scene
from stream.talks import TalkInfo, Talks

Command = Literal[
    "start",
    "go_live",
    "next_talk",
    "introduced",
    "camera",
    "take_break",
    "end",
    "hide_camera",
    "put_on_stage",
    "make_next",
    "stop",
    "undo",
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


def obey(order: Order, command: Command, talks: Talks, now: str, talk_id: str = "") -> Order:
    """The order after `command`, at `now` (ISO 8601, UTC); `talk_id` for those that choose a talk.

    Raises NotLive, NoNextTalk, NoSuchTalk.
    """
    return remembering(_obeyed(order, command, talks, now, talk_id), order, talks)


def remembering(order: Order, earlier: Order, talks: Talks) -> Order:
    """`order` with its talks as the agenda has them; one that it has no more, as `earlier` remembered it."""
    ids = dict.fromkeys((order.talk, order.before.talk if order.before else None))
    known = (talks.talk(each) or earlier.remembers(each) for each in ids if each is not None)
    return msgspec.structs.replace(order, remembered=tuple(each for each in known if each is not None))


def _obeyed(order: Order, command: Command, talks: Talks, now: str, talk_id: str) -> Order:
    match command:
        case "stop":
            if order.do == "stopped":
                return order
            return msgspec.structs.replace(order, do="stopped", since=now, then=None, before=order.scene)
        case "undo":
            return _undone(order, now)
        case "introduced":
            return _introduced(order) if order.do == "live" and order.program == "next" else order
        case "start" | "go_live" if order.do == "stopped":
            return Order(do="live", since=now, program=_PROGRAMS[command])
        case _ if order.do == "stopped":
            raise NotLive("The stream is stopped, nobody would see it: press Go live first.")
        case "next_talk":
            return _with(order, _next_scene(order, talks))
        case "put_on_stage":
            return _with(order, Scene(order.program, _known(talk_id, talks)))
        case "make_next":
            return _with(order, Scene(order.program, order.talk, _known(talk_id, talks)))
        case _:
            return _with(order, Scene(_PROGRAMS[command], order.talk, order.then))


def upcoming(scene: Scene, talks: Talks) -> TalkInfo | None:
    """The talk after the one on stage: the one made so, else the agenda's."""
    chosen = talks.talk(scene.then) if scene.then is not None else None
    return chosen or talks.next_after(scene.talk)


def undo_words(order: Order, talks: Talks) -> str:
    """What undo would do, "" when nothing."""
    scene = order.before
    if scene is None:
        return ""
    if order.do == "live" and (scene.program, scene.talk) == (order.program, order.talk):
        talk = upcoming(scene, talks)
        return f"next is again: {talk.title}" if talk else "next is again what the agenda says"
    back = "live again with" if order.do == "stopped" else "back to"
    talk = talks.talk(scene.talk) if scene.talk is not None and scene.talk != order.talk else None
    is_alone = order.do == "live" and scene.program == order.program and scene.talk is None
    return f"{back} {_WORDS[scene.program]}" + (f": {talk.title}" if talk else ", nobody on stage" * is_alone)


def _with(order: Order, scene: Scene) -> Order:
    if scene == order.scene:
        return order
    return msgspec.structs.replace(order, program=scene.program, talk=scene.talk, then=scene.then, before=order.scene)


def _introduced(order: Order) -> Order:
    """The camera; undo does not bring back a slate whose time is over."""
    before = order.before
    if before is not None and before.program == "next":
        before = msgspec.structs.replace(before, program="camera")
    return msgspec.structs.replace(order, program="camera", before=before)


def _known(talk_id: str, talks: Talks) -> str:
    if talks.talk(talk_id) is None:
        raise NoSuchTalk(f"The agenda has no talk {talk_id[:64]!r}: it may have been deleted. Look at the talks again.")
    return talk_id


def _undone(order: Order, now: str) -> Order:
    scene = order.before
    if scene is None:
        return order
    since = order.since if order.do == "live" else now
    return Order(do="live", since=since, program=scene.program, talk=scene.talk, then=scene.then)


def _next_scene(order: Order, talks: Talks) -> Scene:
    if order.program == "next":
        return order.scene
    talk = upcoming(order.scene, talks)
    if talk is None and order.talk is not None and talks.talk(order.talk) is not None:
        raise NoNextTalk("That was the last talk of the agenda: press Camera to go on with the camera, or End.")
    return Scene("next", talk.id if talk else None)
