"""What a page shows, composed from facts: one struct for the organizer's page, one for the attendee screen.

The same struct fills the template at first and travels as JSON afterwards, so that a page says one thing only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from hardware.checks import Check
from kiosk.dashboard import screen_words, talks_view, words
from kiosk.dashboard.curve import CurveView, curve
from kiosk.dashboard.language import _, day_and_time, ngettext, say_later
from kiosk.dashboard.next_press import Press, next_press
from kiosk.dashboard.ports import DESK_GATE, PHONE_GATE, PROGRAM_GATE, EventFacts, NewsNow
from kiosk.dashboard.stream_view import StatusLine, StreamView, status, stream_view
from kiosk.dashboard.told import told
from kiosk.dashboard.words import Status, Tone
from kiosk.ledger import HeadCount, KnownTime, Movement, Reason, ScanRow, Seats, Waiting
from kiosk.ledger.records import PAPER

_UNKNOWN = "?"
_SOMEBODY = say_later("A guest")  # where names are not told
_WARN: Tone = "warn"
_CALM: Tone = "calm"
ANSWER_SHOWN_S = 5.0  # how long the screen keeps an answer before it invites the next guest
HOME_ROWS = 8  # on the organizer's page; the desk shows all that the facts hold


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known at one moment."""

    event: EventFacts | None = None
    people: HeadCount | None = None  # None: the ledger cannot be read
    scans: Sequence[ScanRow] = ()  # newest first
    movements: Sequence[Movement] = ()  # of the whole evening
    seats: Seats | None = None  # for people without a ticket; None: the ledger cannot be read
    waiting: Sequence[Waiting] = ()  # first come first
    news: NewsNow = NewsNow()
    time: KnownTime | None = None
    machine: Sequence[Check] = ()  # of the machine this page comes from
    trouble: str = ""  # why the ledger cannot be read
    camera_trouble_s: Mapping[str, float] = {}  # by gate: how long its camera has not been well
    fresh: Mapping[str, tuple[ScanRow, float]] = {}  # by gate: its newest answer, and seconds since we first saw it


class People(msgspec.Struct, frozen=True, kw_only=True):
    inside: str = _UNKNOWN
    of: str = ""
    value: int = 0
    maximum: int = 1
    tone: Tone = "calm"
    room: str = ""
    admitted: str = _UNKNOWN
    refused: str = _UNKNOWN
    tickets: str = _UNKNOWN


class AnswerLine(msgspec.Struct, frozen=True, kw_only=True):
    key: int
    time: str
    tone: Tone
    short: str
    who: str
    note: str
    attention: str = ""  # what the ticket says a volunteer must see; amber
    is_undone: bool = False
    can_undo: bool = False


class SeatsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk says of the seats, and when its page has to be read anew."""

    text: str = "?"
    is_full: bool = False  # nobody without a ticket finds a seat
    has_kept: bool = False
    version: str = ""  # differs when a row, a seat or the waiting list did


class HomeView(msgspec.Struct, frozen=True, kw_only=True):
    """The organizer's page."""

    event: str
    when: str  # it starts; empty when unknown
    trouble: str
    has_no_time: bool  # nobody vouches for this machine's clock
    has_hand_time: bool  # a phone set it; it may have been wrong
    people: People
    curve: CurveView
    seats: SeatsView
    doors: tuple[StatusLine, ...]
    stream: StreamView
    press: Press  # what to press next
    answers: tuple[AnswerLine, ...]
    is_quiet: bool  # no answer yet
    clock: StatusLine  # what time it is, and who says so
    machine: tuple[StatusLine, ...]  # the machine this page comes from
    panels: tuple[StatusLine, ...]  # what shines now, at each gate
    talks_version: str = ""  # differs when the page of the talks has to be read anew


class ScreenView(msgspec.Struct, frozen=True, kw_only=True):
    """What attendees see. Carries a name only when the organizer allows it."""

    event: str
    mode: str  # idle, answer, "answer offer" (with the stream's address), closed
    tone: Tone
    title: str
    advice: str
    name: str = ""
    people: str = ""
    stream_page: str = ""
    answer: int = 0  # the scan it is about
    shows_for_s: float = 0.0  # how much longer the answer stays


def home(facts: Facts, zone: ZoneInfo, now: datetime | None = None, *, names: bool = True) -> HomeView:
    """The first page of this moment; times in `zone`. `now`: which talk the clock says is on.

    Without `names` it says of each answer what it was, and nothing of whom it was given to or by.
    """
    many = len(facts.news.doors) > 1
    doors = [
        status(
            heard.state.gate,
            _("Door · %(gate)s", gate=heard.state.gate) if many else _("Door"),
            words.door(heard, facts.camera_trouble_s.get(heard.state.gate, 0.0)),
        )
        for heard in facts.news.doors
    ]
    if not doors:
        doors = [
            status("", _("Door"), Status("warn", _("No news of the door"), _("Its program has not been heard yet.")))
        ]
    return HomeView(
        event=facts.event.name if facts.event else _("Event"),
        when=_when(facts.event, zone),
        trouble=told(facts.trouble),
        has_no_time=facts.time is not None and not facts.time.is_known,
        has_hand_time=facts.time is not None and facts.time.told_by == "hand",
        people=_people(facts.people),
        curve=curve(facts.movements, facts.people.capacity if facts.people else 0, now, zone),
        seats=_seats(facts),
        doors=tuple(doors),
        stream=stream_view(facts.news, now, zone),
        press=next_press(facts.event, facts.news, now),
        answers=tuple(line(row if names else _nameless(row), zone) for row in facts.scans[:HOME_ROWS]),
        is_quiet=not facts.scans,
        clock=status("clock", _("Clock"), words.clock(facts.time, zone)),
        machine=_machine(facts.machine) if names else (),
        panels=tuple(
            status(heard.state.gate, _("Gate %(name)s", name=heard.state.gate), words.panel(heard))
            for heard in facts.news.doors
        ),
        talks_version=talks_view.version(facts.news, now),
    )


def screen(facts: Facts, gate: str | None, *, show_names: bool) -> ScreenView:
    """The attendee screen of this moment, of one gate or of all together."""
    people = _people(facts.people)
    event = facts.event.name if facts.event else ""
    page = (facts.event.stream_page or "") if facts.event else ""
    count = people.inside if facts.people else ""
    if facts.people and facts.people.capacity:
        count = _("%(inside)s of %(seats)s", inside=people.inside, seats=facts.people.capacity)
    answers = [fresh for name, fresh in facts.fresh.items() if gate in {None, name} and fresh[1] < ANSWER_SHOWN_S]
    if answers:
        row, age_s = min(answers, key=lambda fresh: fresh[1])
        said = screen_words.movement(row)
        is_full = row.reason == Reason.FULL
        return ScreenView(
            event=event,
            mode="answer offer" if is_full and page else "answer",
            tone=words.movement(row).tone,
            title=said.title,
            advice=screen_words.REFUSED.said().advice if is_full and not page else said.advice,
            name=(row.holder or "") if show_names and row.is_admitted else "",
            people=count,
            stream_page=page,
            answer=row.scan_id,
            shows_for_s=round(ANSWER_SHOWN_S - age_s, 2),
        )
    heard = [door for door in facts.news.doors if gate in {None, door.state.gate} and not words.is_gone(door)]
    cameras = {door.state.camera for door in heard}
    mode, tone, said = "closed", _WARN, screen_words.CLOSED
    if "ok" in cameras and not facts.trouble:
        mode, tone, said = "idle", _CALM, screen_words.IDLE
    elif "starting" in cameras and not facts.trouble:
        mode, tone, said = "closed", _CALM, screen_words.STARTING
    return ScreenView(
        event=event,
        mode=mode,
        tone=tone,
        title=said.said().title,
        advice=said.said().advice,
        people=count,
        stream_page=page,
    )


def is_for_screen(row: ScanRow) -> bool:
    """Whether attendees at the row's gate should see it: who passes there, and nothing that was put right by hand.

    An entry by hand belongs on a screen only when the person stands at that gate, and never when it was made on the
    volunteer's page: that guest stands elsewhere, and a sudden green would greet the wrong one. Nor does one that a
    phone or a program read: they have a face of their own.
    """
    if row.gate.startswith((f"{PHONE_GATE} ", f"{PROGRAM_GATE} ")) or is_from_paper(row):
        return False
    if row.kind == "entry":
        return row.actor is None or row.gate != DESK_GATE
    return row.kind == "exit" and row.actor is None


def clock_time(at: datetime, zone: ZoneInfo) -> str:
    """A time of day at the venue."""
    return at.astimezone(zone).strftime("%H:%M:%S")


def _when(event: EventFacts | None, zone: ZoneInfo) -> str:
    if event is None or event.starts_at is None:
        return ""
    when = day_and_time(event.starts_at.astimezone(zone), "EEEE d MMMM, HH:mm")
    return when[:1].upper() + when[1:]


def _machine(checks: Sequence[Check]) -> tuple[StatusLine, ...]:
    """What is wrong comes first."""
    worst = sorted(checks, key=lambda found: ("bad", "attention", "ok").index(found.state))
    return tuple(status(found.name, words.check_name(found), words.machine(found)) for found in worst)


def _people(count: HeadCount | None) -> People:
    if count is None:
        return People()
    free = count.capacity - count.inside
    tone: Tone = "calm"
    room = ""
    if count.capacity:
        tone = "no" if free < 0 else "warn" if free == 0 else "calm"
        if free == 0:
            room = _("Full")
        elif free < 0:
            room = ngettext("%(num)s too many", "%(num)s too many", -free)
        else:
            room = ngettext("%(num)s free", "%(num)s free", free)
    return People(
        inside=str(count.inside),
        of=_("of %(seats)s", seats=count.capacity) if count.capacity else _("inside"),
        value=max(0, min(count.inside, count.capacity or 1)),
        maximum=count.capacity or 1,
        tone=tone,
        room=room,
        admitted=str(count.admitted),
        refused=str(count.refused),
        tickets=str(count.tickets),
    )


def _seats(facts: Facts) -> SeatsView:
    seats = facts.seats
    if seats is None:
        return SeatsView(version=f"unreadable {facts.trouble}")
    parts = [ngettext("%(num)s free for walk-ins", "%(num)s free for walk-ins", seats.free)]
    if seats.kept:
        parts.append(
            ngettext(
                "%(num)s kept for ticket holders until released",
                "%(num)s kept for ticket holders until released",
                seats.kept,
            )
        )
    if seats.waiting:
        parts.append(ngettext("%(num)s waiting", "%(num)s waiting", seats.waiting))
    newest = facts.scans[0].scan_id if facts.scans else 0
    listed = "-".join(str(guest.id) for guest in facts.waiting)
    return SeatsView(
        text=", ".join(parts),
        is_full=seats.free == 0,
        has_kept=seats.kept > 0,
        version=f"{newest}/{seats.free}/{seats.kept}/{listed}",
    )


def line(row: ScanRow, zone: ZoneInfo) -> AnswerLine:
    """A row of the ledger as a line of a list."""
    said = words.movement(row)
    moved = abs(row.delta)
    notes = [
        words.product(row.product) if row.holder or row.product != words.WALK_IN else "",
        words.people(moved) if moved > 1 and row.kind in {"entry", "exit"} else "",
        _("%(count)s inside", count=words.signed(row.delta)) if row.kind == "undo" and row.delta else "",
        *(words.caveat(code) for code in row.caveats),
        _("from the paper") if is_from_paper(row) else "",
        _("by %(name)s", name=told(row.actor)) if row.actor else "",
        _("the clock said %(time)s", time=_to_the_second(row.raw_at, zone)) if row.raw_at else "",
    ]
    return AnswerLine(
        key=row.scan_id,
        time=clock_time(row.at, zone),
        tone="calm" if row.is_undone else said.tone,
        short=_("%(answer)s, then undone", answer=said.short) if row.is_undone else said.short,
        who=words.who(row),
        note=" · ".join(note for note in notes if note),
        attention=(row.note or "") if row.kind == "entry" and not row.is_undone else "",
        is_undone=row.is_undone,
        can_undo=row.is_admitted and row.kind not in {"undo", "clock"} and not row.is_undone,
    )


def is_from_paper(row: ScanRow) -> bool:
    """Whether it was typed in from the paper list, long after somebody stood there."""
    return row.gate.partition(" ")[0] == PAPER


def without_names(row: ScanRow) -> ScanRow:
    """A row for whoever may not know who comes, nor who stands at the door."""
    product = row.product if row.product == words.WALK_IN else None
    kind = row.gate.partition(" ")[0]
    gate = kind if kind in {PHONE_GATE, PROGRAM_GATE} else row.gate  # behind it stands whose it is
    return row._replace(holder=None, guest=None, product=product, actor=None, note=None, gate=gate)


def _nameless(row: ScanRow) -> ScanRow:
    somebody = _(_SOMEBODY) if row.holder or row.guest else None
    return without_names(row)._replace(holder=somebody)


def _to_the_second(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
