"""The one table of the API's routes: what is served, what the OpenAPI file says, and what the rights are asked for.

A route is called as the press of the page that does the same, so that it needs the same role and leaves the same line
in the list of changes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from kiosk.dashboard.api import bodies, facts
from kiosk.dashboard.api.report_facts import EveningReport
from kiosk.dashboard.orders import ORDERS

BASE = "/api/v1"

Writes = Literal["", "ledger", "paper", "stream"]


class Route(NamedTuple):
    """One method of one address."""

    name: str  # with rights.API before it: its line in the table of rights
    method: Literal["GET", "POST"]
    path: str  # behind BASE, as Flask writes it
    summary: str
    answer: type[msgspec.Struct] | None = None  # None: no struct, and served by itself
    body: type[msgspec.Struct] | None = None
    asked: type[msgspec.Struct] | None = None  # behind the question mark
    writes: Writes = ""  # to the ledger, by an Idempotency-Key or by the paper's numbers; or to the stream
    names: Literal["", "ticket"] = ""  # what its body names, which there may not be


def _get(
    name: str, path: str, summary: str, answer: type[msgspec.Struct], asked: type[msgspec.Struct] | None = None
) -> Route:
    return Route(name, "GET", path, summary, answer, asked=asked)


def _press(name: str, path: str, body: type[msgspec.Struct], answer: type[msgspec.Struct], summary: str) -> Route:
    return Route(f"door_{name}", "POST", path, summary, answer, body, writes="ledger")


def _talk(name: str, path: str, summary: str, body: type[msgspec.Struct] = bodies.Nothing) -> Route:
    return Route(f"talks_{name}", "POST", path, summary, facts.Done, body, writes="stream")


def _ticket(name: str, body: type[msgspec.Struct], summary: str) -> Route:
    return Route(f"tickets_{name}", "POST", f"/tickets/{name}", summary, facts.Ticket, body, names="ticket")


_ORDER_SAYS = {
    "start": "Go live with the camera, without a slate before.",
    "go-live": "Go live with the slate before the start.",
    "next": "Introduce the next talk by its slate, then show the camera.",
    "camera": "Show the camera: the way back from every slate.",
    "break": "Show the slate of a break.",
    "end": "Thank the viewers; the stream stays until stop.",
    "hide": "Hide the camera and the sound of the room, at once.",
    "undo": "Back to before the last order.",
    "stop": "End the stream and close the recording.",
    "retry": "Try again now, wherever it waits to.",
    "preflight": "Try camera, sound, disk and each destination; what is found appears in the stream's state.",
}

ROUTES: tuple[Route, ...] = (
    Route("openapi", "GET", "/openapi.json", "This very document."),
    _get("evening", "/evening", "Everything that is known at this moment.", facts.Evening),
    Route("events", "GET", "/events", "The evening as server-sent events: a snapshot when something changes."),
    _get("stream", "/stream", "What the stream does.", facts.Stream),
    _get("scans", "/scans", "The newest rows of the ledger.", facts.Scans, bodies.ScansAsked),
    Route("tickets", "POST", "/tickets/search", "Search tickets.", facts.Tickets, bodies.TicketsAsked),
    _get("ticket_list", "/tickets", "Tickets by number, some at a time.", facts.TicketLeaf, bodies.LeafAsked),
    _ticket("revoke", bodies.TicketNumber, "From now on a ticket is good for nothing; who is inside by it stays."),
    _ticket("give-back", bodies.TicketNumber, "A ticket that was revoked here is what it was before."),
    _ticket("replace", bodies.Replaced, "Another ticket in the place of one of ours; the old one is revoked."),
    _get("report", "/report", "The evening in numbers, so far or as it was.", EveningReport),
    _get("waiting", "/waiting", "Who waits for a seat.", facts.WaitingList),
    _get("talks", "/talks", "The agenda, who is on stage, who is next.", facts.TalksNow),
    _get("changes", "/changes", "What was changed, by whom and when.", facts.ChangeList, bodies.ChangesAsked),
    _get("backups", "/backups", "The backups on this machine, newest first.", facts.Backups),
    Route(
        "backup_make", "POST", "/backups", "Make a backup, and read it back.", facts.Backup, bodies.Nothing
    ),
    _get("system", "/system", "How the machine is: each thing ok, attention or bad, with what to do.", facts.System),
    Route("system_off", "POST", "/system/off", "Switch the machine off.", facts.Done, bodies.Nothing),
    Route("system_anew", "POST", "/system/anew", "Restart the machine.", facts.Done, bodies.Nothing),
    Route("system_program", "POST", "/system/program", "Restart a program of ours.", facts.Done, bodies.ProgramNamed),
    _press("check-in", "/check-in", bodies.CheckIn, facts.Answer, "Let a ticket's people in."),
    _press("check-out", "/check-out", bodies.CheckOut, facts.Answer, "Let a ticket's people out."),
    _press("walk-in", "/walk-in", bodies.WalkIn, facts.Answer, "Let in people without a ticket."),
    _press("wait", "/waiting", bodies.Wait, facts.Waits, "Put somebody at the end of the waiting list."),
    _press("admit-waiting", "/waiting/admit", bodies.AdmitWaiting, facts.Answer, "Let in a guest of the waiting list."),
    _press("stop-waiting", "/waiting/remove", bodies.StopWaiting, facts.Done, "Take a guest off the waiting list."),
    _press("correct", "/corrections", bodies.Correction, facts.Counted, "Count somebody who passed unseen."),
    _press("undo", "/undo", bodies.Undo, facts.Counted, "Take back a row of the ledger."),
    _press("release", "/release", bodies.Nothing, facts.Seats, "Keep nobody's seat any more."),
    _press("set-clock", "/clock", bodies.SetClock, facts.Done, "Set the clock of a machine that has none."),
    _press("read-code", "/scan", bodies.Scan, facts.Answer, "Decide on a code that was read elsewhere."),
    Route(
        *("tickets_paper-look", "POST", "/paper/look", "What typing in ticks of the paper list would do."),
        *(facts.PaperTold, bodies.PaperTicks),
    ),
    Route(
        *("tickets_paper-take", "POST", "/paper/take", "Type in ticks of the paper list; said twice they count once."),
        *(facts.PaperTold, bodies.PaperTicks),
        writes="paper",
    ),
    *(
        Route(
            f"stream_{do}", "POST", f"/stream/{path}", _ORDER_SAYS[path], facts.Done, bodies.Nothing, writes="stream"
        )
        for path, do in ORDERS.items()
    ),
    _talk("add", "/talks", "One more talk, in the place of its time.", bodies.TalkSent),
    _talk("edit", "/talks/<talk>/edit", "Another text or time for a talk, whole.", bodies.TalkSent),
    _talk("remove", "/talks/<talk>/remove", "Take a talk out of the agenda.", bodies.Seen),
    _talk("up", "/talks/<talk>/up", "Move a talk up by one place.", bodies.Seen),
    _talk("down", "/talks/<talk>/down", "Move a talk down by one place.", bodies.Seen),
    _talk("undo", "/talks/undo", "Take back the last change of the agenda.", bodies.Seen),
    _talk("stage", "/talks/<talk>/stage", "Say which talk is on stage now; viewers go on seeing what they saw."),
    _talk("next", "/talks/<talk>/next", "Say which talk is the next one."),
    _talk("undo-stage", "/talks/undo-stage", "Take back the last order, also who is on stage."),
)  # fmt: skip
