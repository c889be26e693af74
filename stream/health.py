"""The truth of the stream, as states a person understands with the numbers under them.

These are the facts the stream process publishes; nothing here measures, see legs.py and sources.py.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from hardware.checks import Check
from stream.alarms import Alarm
from stream.talks import TalkInfo

FIRST_PICTURE: Final = "waiting for the first picture"


class Health(StrEnum):
    """What a leg or a source is doing now."""

    WAITING = "waiting"  # nothing to send yet
    CONNECTING = "connecting"
    LIVE = "live"  # bytes have been taken by the other side for 3 s
    BEHIND = "behind"  # taken, but slower than they are made
    REFUSED = "refused"  # the other side said no: check the key
    LOST = "lost"  # gone; tried again by itself
    STOPPED = "stopped"  # nobody wants it


class LegKind(StrEnum):
    """Where the bytes of a leg go."""

    RECORDING = "recording"
    DESTINATION = "destination"
    PREVIEW = "preview"  # for the organizer, and the room next door


class LegState(msgspec.Struct, frozen=True, kw_only=True):
    """One output of the hub. Never carries an address or a key."""

    name: str
    kind: LegKind
    state: Health
    cause: str = ""  # plain words of what is wrong or waited for; empty when live or stopped
    frames_sent: int = 0  # video frames since the process started, all connections together
    reconnects: int = 0
    dropped_frames: int = 0  # video frames left out because this leg was behind
    queue_bytes: int = 0  # wait in the hub
    unsent_bytes: int = 0  # wait in the kernel, or are on their way and not acknowledged
    written_s: float = 0.0  # seconds of film written to this connection, or to all files: they advance while it works
    bit_rate_kbps: int = 0  # over the last 10 s
    retry_in_s: float | None = None
    is_low_rate: bool = False  # its viewers get a smaller bit rate: the network carries no more
    rate_changes: int = 0  # to the low rate and back
    action: str = ""  # the one thing a person can do about the cause; "" when there is nothing to do but wait


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """The encoder of the stage camera."""

    state: Health
    cause: str = ""  # as a leg's
    frames: int = 0  # video frames that left the encoder since the process started
    restarts: int = 0


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What the pre-flight has found until now."""

    begun: str  # ISO 8601, UTC
    is_complete: bool
    checks: tuple[Check, ...] = ()


class FilmsState(msgspec.Struct, frozen=True, kw_only=True):
    """Recordings on their way from what is safe to write (TS) to what is easy to play (MP4)."""

    finished: int = 0  # since the process started
    working_on: str | None = None  # the name of one
    waiting: int = 0  # those that are closed and not finished, with the one in work
    cause: str = ""  # why one of them cannot be finished, in plain words; tried again by itself


class SoundState(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of the room, over the last second. dBFS: 0 is full scale, -100 nothing at all."""

    peak_db: float | None = None  # None: there is no sound to measure
    rms_db: float | None = None  # of its loudest twentieth of a second
    on_air: bool = False  # whether viewers hear it
    cause: str = ""  # why there is none, in plain words


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the stream process says of itself."""

    online: bool = True  # False is said by the broker, when the process is gone
    order: str = "stopped"  # what the organizer wants: "live" or "stopped"
    since: str | None = None  # when that was ordered, ISO 8601 UTC
    source: SourceState = msgspec.field(default_factory=lambda: SourceState(state=Health.STOPPED))
    sound: SoundState = msgspec.field(default_factory=SoundState)
    legs: tuple[LegState, ...] = ()
    recording: str | None = None  # name of the file being written
    films: FilmsState = FilmsState()
    program: str = ""  # what the organizer wants viewers to see: "camera" or a slate's kind (order.Program); "" stopped
    on_air: str = ""  # what they do see: "camera", "slate", or "" nothing
    program_cause: str = ""  # why that is something else, in plain words
    talk: TalkInfo | None = None  # on stage now
    next_talk: TalkInfo | None = None  # whom "next" would introduce
    undo: str = ""  # what undo would do, in plain words; "" when nothing
    readiness: Readiness | None = None  # None: nobody asked since the process started
    alarms: tuple[Alarm, ...] = ()  # what is wrong beside the states of source and legs, the worst first
