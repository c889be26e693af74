"""What each route does, through the ports of the pages: the same ledger, the same stream, the same rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.backup.shelf import Shelf
from kiosk.dashboard.api import bodies, facts
from kiosk.dashboard.api.paper import PaperDesk
from kiosk.dashboard.api.report_facts import EveningReport, evening_report
from kiosk.dashboard.changes import Changes
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import Later, later
from kiosk.dashboard.live import Live
from kiosk.dashboard.noting import note
from kiosk.dashboard.orders import DONE, ORDERS, StreamBusy, give
from kiosk.dashboard.ports import PROGRAM_GATE, FrontDesk, News, Press
from kiosk.dashboard.presses import one_line
from kiosk.dashboard.talk_changes import TalkChanges
from kiosk.dashboard.talks_view import standing
from kiosk.dashboard.ticket_office import Changed, TicketOffice
from kiosk.dashboard.tokens import Program
from kiosk.dashboard.upkeep import ANEW, NOTED, OFF, Upkeep
from kiosk.ledger.paper import Fate
from kiosk.news import StreamCommand, StreamOrder
from stream.agenda import Talk, plain_words

_Given = TypeVar("_Given")
_MOST_ORDERS = 2  # threads that may wait for the stream process: it may take its 5 s, and pages need theirs
_PATIENCE_S = 1.0
_REPORT_PATIENCE_S = 5.0


class NoName(PlatypusError, ValueError):
    """Nothing to call a guest by."""

    code = "no_name"


class Call(NamedTuple):
    """One request, read."""

    body: Any  # the route's struct
    asked: Any
    talk: str  # in the address; "" where there is none
    program: Program
    sees_names: bool
    nonce: str  # "" where nothing is counted

    @property
    def press(self) -> Press:
        """What the ledger is told."""
        return Press(self.program.signature, self.nonce)


class Calls:
    """The routes' deeds. They raise what the ports raise."""

    def __init__(
        self,
        live: Live,
        news: News,
        desk: FrontDesk,
        changes: Changes,
        turns: Turns,
        office: TicketOffice,
        shelf: Shelf,
        upkeep: Upkeep,
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        self._live = live
        self._news = news
        self._desk = desk
        self._changes = changes
        self._paper = PaperDesk(office.paper, clock, zone)
        self._office = office
        self._zone = zone  # of the venue
        self._reports = Turns(1, _REPORT_PATIENCE_S)
        self._talks = TalkChanges(news)
        self._shelf = shelf
        self._upkeep = upkeep
        self._turns = turns  # the pages' own: a ledger that hangs holds no more threads than before
        self._orders = Turns(_MOST_ORDERS, _PATIENCE_S, StreamBusy)

    def by_name(self) -> Mapping[str, Callable[[Call], msgspec.Struct]]:
        """Each by the name of its route."""
        return {
            "evening": lambda call: facts.evening(self._live.now(), names=call.sees_names),
            "stream": lambda _: facts.stream(self._news.latest().stream),
            "scans": self._scans,
            "tickets": self._tickets,
            "ticket_list": self._leaf,
            "tickets_revoke": lambda call: self._change(lambda: self._office.revoke(call.body.number)),
            "tickets_give-back": lambda call: self._change(lambda: self._office.give_back(call.body.number)),
            "tickets_replace": self._replace,
            "report": self._report,
            "waiting": lambda _: facts.WaitingList(guests=tuple(map(facts.guest, self._read(self._desk.waiting_list)))),
            "talks": self._talks_now,
            "changes": self._changes_now,
            "backups": self._backups,
            "backup_make": self._make_backup,
            "system": lambda _: facts.System(checks=tuple(self._live.now().facts.machine)),
            "system_off": lambda _: self._switch(OFF, self._upkeep.power.switch_off),
            "system_anew": lambda _: self._switch(ANEW, self._upkeep.power.start_anew),
            "system_program": self._restart,
            "door_check-in": self._check_in,
            "door_check-out": lambda call: self._decide(lambda: self._desk.check_out(call.body.ticket, call.press)),
            "door_walk-in": self._walk_in,
            "door_wait": self._wait,
            "door_admit-waiting": self._admit_waiting,
            "door_stop-waiting": self._stop_waiting,
            "door_correct": lambda call: self._count(lambda: self._desk.correct(call.body.delta, call.press)),
            "door_undo": lambda call: self._count(lambda: self._desk.undo(call.body.scan, call.press)),
            "door_release": lambda call: facts.seats_of(self._write(lambda: self._desk.release_no_shows(call.press))),
            "door_set-clock": self._set_clock,
            "door_read-code": self._read_code,
            "tickets_paper-look": self._look_at_paper,
            "tickets_paper-take": self._take_paper,
            **{f"stream_{do}": self._order(do) for do in ORDERS.values()},
            "talks_add": lambda call: self._told(lambda: self._talks.add(_put_in(call.body), call.body.revision)),
            "talks_edit": lambda call: self._told(
                lambda: self._talks.edit(call.talk, _put_in(call.body), call.body.revision)
            ),
            "talks_remove": lambda call: self._told(lambda: self._talks.remove(call.talk, call.body.revision)),
            "talks_up": lambda call: self._told(lambda: self._talks.move(call.talk, call.body.revision, up=True)),
            "talks_down": lambda call: self._told(lambda: self._talks.move(call.talk, call.body.revision, up=False)),
            "talks_undo": lambda call: self._told(lambda: self._talks.undo(call.body.revision)),
            "talks_stage": lambda call: self._told(lambda: self._talks.stage(call.talk)),
            "talks_next": lambda call: self._told(lambda: self._talks.next(call.talk)),
            "talks_undo-stage": lambda _: self._told(self._talks.undo_stage),
        }

    # -- reading --------------------------------------------------------------------------------------------------

    def _scans(self, call: Call) -> facts.Scans:
        rows = self._read(lambda: self._desk.recent_scans(call.asked.limit))
        return facts.Scans(scans=facts.rows(rows, names=call.sees_names))

    def _tickets(self, call: Call) -> facts.Tickets:
        asked: bodies.TicketsAsked = call.body
        found = self._read(lambda: self._desk.find(asked.search, asked.limit + 1))
        return facts.Tickets(
            tickets=tuple(facts.found(each) for each in found[: asked.limit]), is_more=len(found) > asked.limit
        )

    def _leaf(self, call: Call) -> facts.TicketLeaf:
        asked: bodies.LeafAsked = call.asked
        found = self._read(lambda: self._office.book.leaf("", asked.show, start=asked.start, most=asked.limit))
        return facts.leaf(found)

    def _report(self, _call: Call) -> EveningReport:
        with self._reports.taken():  # counted anew for everybody: one at a time
            return evening_report(self._desk.report(self._zone))

    def _talks_now(self, _call: Call) -> facts.TalksNow:
        now = standing(self._news.latest(), self._live.now().at)
        return facts.TalksNow(
            revision=now.revision,
            event=now.agenda.event,
            talks=now.agenda.talks,
            on_stage=now.on_stage,
            next=now.following,
            is_live=now.is_live,
            undo=now.undo,
            trouble=now.trouble,
        )

    def _changes_now(self, call: Call) -> facts.ChangeList:
        newest = self._changes.newest(call.asked.limit)
        return facts.ChangeList(changes=tuple(newest.changes), unreadable=newest.unreadable)

    def _backups(self, _call: Call) -> facts.Backups:
        after = self._shelf.after
        return facts.Backups(
            backups=tuple(
                facts.backup(each.path.name, each.size, each.manifest, after, each.trouble)
                for each in self._shelf.backups()
            )
        )

    def _make_backup(self, _call: Call) -> facts.Backup:
        made = self._shelf.make()
        note(later("the backup %(file)s is made", file=made.path.name).source)
        return facts.backup(made.path.name, made.size, made.manifest, self._shelf.after)

    def _switch(self, what: str, act: Callable[[], None]) -> facts.Done:
        act()
        said = later(NOTED[what]).source
        note(said)
        return facts.Done(said=said)

    def _restart(self, call: Call) -> facts.Done:
        program: str = call.body.program
        return self._switch(program, lambda: self._upkeep.power.start_program_anew(program))

    def _read(self, ask: Callable[[], _Given]) -> _Given:
        with self._turns.taken():
            return ask()

    # -- tickets --------------------------------------------------------------------------------------------------

    def _replace(self, call: Call) -> facts.Ticket:
        sent: bodies.Replaced = call.body
        holder, email = one_line(sent.holder or ""), one_line(sent.email or "")
        return self._change(lambda: self._office.replace(sent.number, holder, email))

    def _change(self, act: Callable[[], Changed]) -> facts.Ticket:
        done = self._write(act)
        note(done.said.source)
        return facts.ticket(done.ticket)

    # -- the door -------------------------------------------------------------------------------------------------

    def _check_in(self, call: Call) -> facts.Answer:
        sent: bodies.CheckIn = call.body
        return self._decide(
            lambda: self._desk.check_in(sent.ticket, call.press, persons=sent.persons, override=sent.override)
        )

    def _walk_in(self, call: Call) -> facts.Answer:
        sent: bodies.WalkIn = call.body
        name = one_line(sent.name or "")
        return self._decide(
            lambda: self._desk.walk_in(call.press, name=name, persons=sent.persons, override=sent.override)
        )

    def _wait(self, call: Call) -> facts.Waits:
        sent: bodies.Wait = call.body
        name = one_line(sent.name)
        if name is None:
            raise NoName("Who waits needs a name to be called by, with something to read in it.")
        return facts.Waits(waiting=self._write(lambda: self._desk.wait(name, sent.persons, call.press)))

    def _admit_waiting(self, call: Call) -> facts.Answer:
        sent: bodies.AdmitWaiting = call.body
        return self._decide(lambda: self._desk.admit_waiting(sent.waiting, call.press, override=sent.override))

    def _stop_waiting(self, call: Call) -> facts.Done:
        self._write(lambda: self._desk.stop_waiting(call.body.waiting, call.press))
        return facts.Done(said="Off the waiting list.")

    def _set_clock(self, call: Call) -> facts.Done:
        self._write(lambda: self._desk.set_clock(call.body.wall, call.press))
        return facts.Done(said="The clock is set.")

    def _read_code(self, call: Call) -> facts.Answer:
        sent: bodies.Scan = call.body
        gate = f"{PROGRAM_GATE} {call.program.token.name}"
        return self._decide(lambda: self._desk.scan(sent.code, sent.mode, call.press, gate))

    def _look_at_paper(self, call: Call) -> facts.PaperTold:
        told = self._read(lambda: self._paper.look(call.body, call.program.signature))
        note(f"{len(told.ticks)} ticks of the paper were looked at")
        return told

    def _take_paper(self, call: Call) -> facts.PaperTold:
        told = self._write(lambda: self._paper.take(call.body, call.program.signature))
        came = sum(each.persons for each in told.ticks if each.fate in {Fate.ENTERS, Fate.CAME_AND_LEFT})
        note(
            f"the paper was typed in: people by tickets {came}, without {told.walk_ins}, "
            f"not understood {len(told.wrong)}"
        )
        return told

    def _decide(self, act: Callable[[], Any]) -> facts.Answer:
        return facts.answer(self._write(act))

    def _count(self, act: Callable[[], int]) -> facts.Counted:
        return facts.Counted(inside=self._write(act))

    def _write(self, act: Callable[[], _Given]) -> _Given:
        with self._turns.taken():
            done = act()
        self._live.nudge()
        return done

    # -- stream and talks -----------------------------------------------------------------------------------------

    def _order(self, do: StreamOrder) -> Callable[[Call], facts.Done]:
        def carry_out(_call: Call) -> facts.Done:
            with self._orders.taken():
                give(self._news, StreamCommand(do=do))
            return facts.Done(said=DONE[do])

        return carry_out

    def _told(self, act: Callable[[], Later]) -> facts.Done:
        with self._orders.taken():
            said = act().source
        note(said)
        return facts.Done(said=said)


def _put_in(sent: bodies.TalkSent) -> Callable[[Talk], Talk]:
    """What was sent, in the place of what a talk has."""
    return lambda talk: msgspec.structs.replace(
        talk,
        title=plain_words(sent.title),
        speaker=plain_words(sent.speaker),
        starts_at=sent.starts_at,
        minutes=sent.minutes,
        room=plain_words(sent.room),
        do_not_record=sent.do_not_record,
    )
