"""What may be asked of the stream: the port, and the fake that plays it for the tests and demos of others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypedDict

from hardware.checks import Check
from hardware.clock import Clock
from stream.alarms import Alarm, worst_first
from stream.errors import IsLive
from stream.health import Health, LegKind, LegState, Readiness, SourceState, StreamState
from stream.order import Order, Scene
from stream.program import STOPPED, Command, obey, undo_words, upcoming
from stream.talks import FixedTalks, TalkInfo, Talks


class StreamControl(ABC):
    """What others may ask of the stream; Director does it, FakeDirector plays it.

    Every command but `retry` is an order: it holds over a power cut, and given twice it is given once (program.py has
    the table). Each raises OrderNotKept when it is obeyed but could not be written down, and StreamClosed; those that
    need a live stream raise NotLive.
    """

    def start(self) -> None:
        """Go live with the camera at once; from any slate, back to the camera."""
        self._obey("start")

    def go_live(self) -> None:
        """Go live with the slate before the start, which counts down to the next talk."""
        self._obey("go_live")

    def next_talk(self) -> None:
        """Introduce the next talk by its slate for some seconds, then show the camera. Raises NoNextTalk, too."""
        self._obey("next_talk")

    def camera(self) -> None:
        """Show the camera, from any slate."""
        self._obey("camera")

    def take_break(self) -> None:
        """Show the slate of a break, which counts down to the next talk."""
        self._obey("take_break")

    def end(self) -> None:
        """Show the last slate; the stream stays until `stop`."""
        self._obey("end")

    def hide_camera(self) -> None:
        """Neither picture nor sound of the room any more, at once; `camera` or `undo` is the way back."""
        self._obey("hide_camera")

    def put_on_stage(self, talk_id: str) -> None:
        """This talk is on stage now; viewers see the same program. Raises NoSuchTalk, too."""
        self._obey("put_on_stage", talk_id)

    def make_next(self, talk_id: str) -> None:
        """The next talk will be this one. Raises NoSuchTalk, too."""
        self._obey("make_next", talk_id)

    def undo(self) -> None:
        """Back to the program and the talks before the last order."""
        self._obey("undo")

    def stop(self) -> None:
        """End stream and recording; takes as long as the legs take to end in good order."""
        self._obey("stop")

    @abstractmethod
    def retry(self) -> None:
        """Every leg that waits to try again does so now."""

    @abstractmethod
    def preflight(self) -> None:
        """Begin to try camera, sound and destinations; `state().readiness` tells what was found. Raises IsLive."""

    @abstractmethod
    def state(self) -> StreamState:
        """Everything about the stream; never waits for a command in progress."""

    @abstractmethod
    def _obey(self, command: Command, talk_id: str = "") -> None:
        """Do and keep what program.py makes of a command."""


class ProgramState(TypedDict):
    """The fields of a StreamState that follow from the order alone."""

    order: str
    since: str | None
    program: str
    talk: TalkInfo | None
    next_talk: TalkInfo | None
    undo: str


def program_state(order: Order | None, talks: Talks) -> ProgramState:
    """What a StreamState says of an order."""
    order = order or STOPPED
    return {
        "order": order.do,
        "since": order.since or None,
        "program": order.program if order.do == "live" else "",
        "talk": talks.talk(order.talk) if order.talk is not None and order.do == "live" else None,
        "next_talk": upcoming(order.scene if order.do == "live" else Scene(), talks),
        "undo": undo_words(order, talks),
    }


class FakeDirector(StreamControl):
    """A stream without cameras and servers: does as told at once, for the tests and demos of others.

    `fail_with` is raised by the next command; `set_leg` lets a leg be whatever a page should show, `set_alarms` what
    is wrong.
    """

    def __init__(self, clock: Clock, destinations: tuple[str, ...] = ("hall",), talks: Talks | None = None) -> None:
        self._clock = clock
        self._talks = talks or FixedTalks()
        self._order: Order | None = None
        self._overrides: dict[str, LegState] = {}
        self._names = destinations
        self._readiness: Readiness | None = None
        self._alarms: tuple[Alarm, ...] = ()
        self.commands: list[str] = []
        self.fail_with: Exception | None = None

    def introduced(self) -> None:
        """As if the time of the next talk's slate were over."""
        self._obey("introduced")

    def retry(self) -> None:
        """Forget what `set_leg` said."""
        self._note("retry")
        self._overrides.clear()

    def preflight(self) -> None:
        """Everything is fine but the disk."""
        if self._order is not None and self._order.do == "live":
            raise IsLive("The stream is live already.")
        self._note("preflight")
        checks = (
            Check("disk", "attention", "room for 3.1 hours of recording", "delete old recordings"),
            Check("camera", "ok", "1280x720, 30 pictures a second"),
            *(Check(f"to {name}", "ok", "the key is accepted") for name in self._names),
        )
        begun = self._clock.stamp().wall.isoformat(timespec="seconds")
        self._readiness = Readiness(begun=begun, is_complete=True, checks=checks)

    def set_leg(self, leg: LegState) -> None:
        """Show this for the leg of this name until the next retry."""
        self._overrides[leg.name] = leg

    def set_alarms(self, *alarms: Alarm) -> None:
        """From now on this is wrong; nothing when none is given."""
        self._alarms = worst_first(alarms)

    def state(self) -> StreamState:
        """As ordered, with what was set."""
        order = self._order or STOPPED
        is_live = order.do == "live"
        health = Health.LIVE if is_live else Health.STOPPED
        legs = [LegState(name="recording", kind=LegKind.RECORDING, state=health)]
        legs += [LegState(name=name, kind=LegKind.DESTINATION, state=health) for name in self._names]
        on_air = "camera" if order.program == "camera" else "slate"
        return StreamState(
            source=SourceState(state=health),
            legs=tuple(self._overrides.get(leg.name, leg) for leg in legs),
            recording="2026-11-24_185500.ts" if is_live else None,
            readiness=self._readiness,
            on_air=on_air if is_live else "",
            alarms=self._alarms,
            **program_state(self._order, self._talks),
        )

    def _obey(self, command: Command, talk_id: str = "") -> None:
        self._note(command)
        now = self._clock.stamp().wall.isoformat(timespec="seconds")
        self._order = obey(self._order or STOPPED, command, self._talks, now, talk_id)

    def _note(self, command: str) -> None:
        if self.fail_with is not None:
            error, self.fail_with = self.fail_with, None
            raise error
        self.commands.append(command)
