"""What the three processes tell each other: the messages of the bus, as frozen structs encoded in JSON."""

from __future__ import annotations

from typing import Literal

import msgspec

from hardware.errors import PlatypusError
from stream.agenda import Agenda
from stream.health import StreamState

STREAM_STATE = "platypus/stream/state"
STREAM_COMMAND = "platypus/stream/command"
STREAM_AGENDA = "platypus/stream/agenda"
EVERY_DOOR_STATE = "platypus/door/+/state"
EVERY_SCAN = "platypus/door/+/scan"


class BusError(PlatypusError, TimeoutError):
    """Nobody answered a command in time, or the broker is away."""

    code = "bus"


def door_state_topic(gate: str) -> str:
    """Where a gate's DoorState is kept (retained)."""
    return f"platypus/door/{gate}/state"


def door_command_topic(gate: str) -> str:
    """Where a gate takes DoorCommands."""
    return f"platypus/door/{gate}/command"


def scan_topic(gate: str) -> str:
    """Where a gate's scans are told, one message each."""
    return f"platypus/door/{gate}/scan"


class ScanNews(msgspec.Struct, frozen=True, kw_only=True):
    """One answer given at a gate. Carries no name, no code: whoever may know asks the ledger for `scan_id`."""

    scan_id: int
    gate: str
    at: str  # ISO 8601, UTC
    is_admitted: bool
    reason: str | None  # a refusal reason of design's list, None when admitted
    caveats: tuple[str, ...] = ()  # what a green could not check
    inside: int
    capacity: int


class DoorState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the door process says of itself."""

    gate: str
    online: bool = True  # False is said by the broker, when the process is gone
    event: str = ""
    # unclear: it gives pictures and sees nothing in them
    camera: Literal["ok", "unclear", "stalled", "lost", "starting"] = "starting"
    cause: str = ""  # plain words, empty when all is well
    panel: str = "idle"  # the signal that shines now
    inside: int = 0
    capacity: int = 0
    frames: int = 0  # frames the reader has seen
    frames_per_s: float = 0.0
    passed_in: int = 0  # people the beam pair saw, since the process started
    passed_out: int = 0
    passage: str = ""  # what is wrong with the doorway, in words
    scanner: str = ""  # and with the barcode scanner
    steps: dict[str, int] = {}  # how often each step of the reader ran, and won ("step:read")


PanelPart = Literal["lights", "counter", "strike"]


class DoorCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an organizer wants of a gate: to see whether a part of its panel works. No guest is answered by it."""

    try_part: PanelPart


class AgendaNews(msgspec.Struct, frozen=True, kw_only=True):
    """The agenda that the stream goes by; said when it changes."""

    revision: str  # of its content; who changes it says from which one
    agenda: Agenda
    undo: str = ""  # what undo_agenda would do, in plain words; "" when nothing


StreamOrder = Literal[
    # the methods of stream.control.StreamControl
    "start",
    "go_live",
    "next_talk",
    "camera",
    "take_break",
    "end",
    "hide_camera",
    "put_on_stage",
    "make_next",
    "undo",
    "stop",
    "retry",
    "preflight",
    # and of stream.kept_talks.KeptTalks
    "replace_agenda",
    "undo_agenda",
]


class StreamCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an organizer wants of the stream."""

    do: StreamOrder
    talk: str = ""  # its id, for put_on_stage and make_next
    agenda: Agenda | None = None  # the whole new one, for replace_agenda
    made_from: str = ""  # the revision that replace_agenda and undo_agenda were decided on; refused when it is old


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command: the new state, or an error a person can read."""

    ok: bool
    error: str | None = None
    state: StreamState | None = None
