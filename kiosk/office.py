"""What an organizer prepares before the evening: events, tickets, the agenda; and what is told of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from hardware.clock import SystemClock
from hardware.errors import PlatypusError
from kiosk.backup.shelf import Copy
from kiosk.config import (
    Config,
    ConfigError,
    event_secret,
    is_name,
    load_config,
    load_secrets,
    mail_password,
    make_event_secret,
    secrets_path,
)
from kiosk.evening import evening_report
from kiosk.forgetting import Forgetting
from kiosk.ledger import Event, NewTicket, Ticket
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.privacy import Kept, kept
from kiosk.ledger.records import Imported
from kiosk.ledger.report import Report
from kiosk.ledger.ticket_book import CannotChange, TicketBook
from kiosk.pretix.desk import PretixDesk
from kiosk.pretix.links import Links
from kiosk.safekeeping import shelf_of
from kiosk.ticket_lists import Looked, Taken, TicketLists
from kiosk.tickets import codes
from kiosk.tickets.columns_file import Choice, ColumnsFile
from kiosk.tickets.sheet import Sheet
from kiosk.tickets.status import Status
from kiosk.tickets.table import read_table
from stream.agenda import Agenda, AgendaFile

if TYPE_CHECKING:
    from kiosk.ticket_press import Printed, Wish


class Issued(NamedTuple):
    """What `issue_tickets` did."""

    sheet: Sheet
    done: Imported
    printed: Printed
    absent: Sequence[int]  # numbers of tickets of ours that the list does not name; they stay good


class ReportError(PlatypusError, OSError):
    """A report cannot be written."""

    code = "report"


def import_agenda(config_path: Path, file: Path, room: str | None, day: date | None) -> Agenda:
    """Take the talks of a file in place of those there were; a running stream has them within a second."""
    from stream.agenda_files import read_agenda  # noqa: PLC0415

    config = load_config(config_path)
    agenda = read_agenda(file, config.dashboard.zone, room=room, day=day)
    AgendaFile(config.agenda_path).write(agenda)
    return agenda


def agenda_of(config_path: Path) -> tuple[Agenda, ZoneInfo]:
    """The talks, and the venue's zone to tell their times in."""
    config = load_config(config_path)
    return AgendaFile(config.agenda_path).read(), config.dashboard.zone


def create_event(config_path: Path, slug: str, name: str, capacity: int, **choices: Any) -> Event:
    """Make an event in the ledger, and its secret beside the configuration; `choices` are Ledger.create_event's."""
    config = load_config(config_path)
    if not is_name(slug):
        raise ConfigError(f"{slug!r} is no short name: small letters, digits and - only, such as talks-2026-11")
    _refuse_bad_words(name=name, **choices)
    choices = _with_times(choices, choices.get("starts_at"))
    make_event_secret(config, slug)  # first: an event without one could issue no ticket
    with Ledger(config.ledger_path) as ledger:
        return ledger.create_event(slug, name, capacity, **choices)


def change_event(config_path: Path, slug: str, **changes: Any) -> Event:
    """Change what is given of an event; its tickets and scans stay."""
    _refuse_bad_words(**changes)
    with Ledger(load_config(config_path).ledger_path) as ledger:
        event = ledger.event(slug)
        changes = _with_times(changes, changes.get("starts_at") or event.starts_at)
        starts_at, planned = changes.get("starts_at"), event.release_no_shows_at
        if starts_at and event.starts_at and planned and "release_no_shows_at" not in changes:
            changes["release_no_shows_at"] = planned + (starts_at - event.starts_at)  # it keeps its distance
        return ledger.change_event(event, **changes)


def _with_times(choices: dict[str, Any], starts_at: datetime | None) -> dict[str, Any]:
    """`choices` with minutes after the start made a time. Raises ConfigError when there is no start."""
    minutes = choices.get("release_no_shows_at")
    if not isinstance(minutes, int):
        return choices
    if starts_at is None:
        raise ConfigError(f"{minutes} minutes after which start? Give --starts too, or a time.")
    return {**choices, "release_no_shows_at": starts_at + timedelta(minutes=minutes)}


def _refuse_bad_words(name: str | None = None, stream_page: str | None = None, **_others: Any) -> None:
    if name is not None and not name.strip():
        raise ConfigError("an event needs a name, as people call it")
    if stream_page and not stream_page.startswith(("https://", "http://")):
        raise ConfigError(f"{stream_page!r} is no page that viewers could open: it begins with https://")


def event_report(config_path: Path, slug: str) -> Report:
    """What happened at the door of an event."""
    config = load_config(config_path)
    with Ledger(config.ledger_path) as ledger:
        now, zone = SystemClock().stamp(), config.dashboard.zone
        return evening_report(ledger, ledger.event(slug), now, zone, config.logbook_path)


def report_sheet(config_path: Path, told: Report, language: Literal["en", "fr"]) -> bytes:
    """The report as one page of A4, in PDF."""
    from kiosk.dashboard.language import speaking  # noqa: PLC0415
    from kiosk.dashboard.report_sheet import sheet  # noqa: PLC0415
    from kiosk.dashboard.report_view import report_view  # noqa: PLC0415

    zone = load_config(config_path).dashboard.zone
    with speaking(language):
        return sheet(report_view(told, zone), told, zone)


def write_report(path: Path, content: bytes) -> None:
    """Keep it as a file, in place of one that was there. Raises ReportError."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ReportError(f"the report cannot be written to {path}: {error.strerror or error}") from error


def check_ledger(config_path: Path) -> list[str]:
    """What is wrong with the ledger; nothing when all is well. Raises ConfigError when there is none."""
    path = load_config(config_path).ledger_path
    if not path.exists():  # a check makes nothing
        raise ConfigError(f"there is no ledger at {path}: is state_dir right, and was an event made?")
    with Ledger(path) as ledger:
        return audit(ledger)


def issue_tickets(config_path: Path, slug: str, people: Path, out: Path, wish: Wish) -> Issued:
    """A ticket of our own for each person of a list, written to `out`; a person who has one keeps it.

    People are told apart by name and e-mail; the second Jean Dupont of a list is the second in the ledger too.
    """
    config = _config(config_path, wish)
    table = read_table(people)
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(slug)
        lists = _lists(config, ledger, event)
        taken = lists.take(table, Choice(by_name=True))
        named = {ticket.number for ticket in taken.tickets}
        good = [ticket for ticket in lists.tickets() if ticket.is_own and ticket.status is Status.PAID]
        absent = [ticket.number for ticket in good if ticket.number not in named and not ticket.is_walk_in]
    printed = _print(config, event, [ticket for ticket in good if ticket.number in named], out, wish)
    return Issued(taken.sheet, taken.done, printed, absent)


def look_at_tickets(config_path: Path, slug: str, listing: Path, choice: Choice | None) -> Looked:
    """What taking a list of tickets would do; nothing is written."""
    config = load_config(config_path)
    table = read_table(listing)
    with Ledger(config.ledger_path) as ledger:
        return _lists(config, ledger, ledger.event(slug)).look(table, choice)


def import_tickets(
    config_path: Path, slug: str, listing: Path, choice: Choice | None, *, cancels_gone: bool = False
) -> Taken:
    """Take the tickets of a list that somebody else made; `choice` is remembered for the next with its headings."""
    config = load_config(config_path)
    table = read_table(listing)
    with Ledger(config.ledger_path) as ledger:
        lists = _lists(config, ledger, ledger.event(slug))
        taken = lists.take(table, choice, cancels=cancels_gone)
        lists.remember(table, taken.choice)
    return taken


def personal_data(config_path: Path) -> tuple[timedelta | None, Sequence[Kept], Sequence[Copy]]:
    """After how long names go by themselves, what is kept of persons, by event, and all backups there are."""
    config = load_config(config_path)
    with Ledger(config.ledger_path) as ledger:
        return config.privacy.after, kept(ledger), shelf_of(config, config_path, SystemClock()).copies()


def erase_personal_data(config_path: Path, slug: str) -> tuple[Kept, Sequence[Copy]]:
    """Forget the persons of an event now. Returns what there was, and the backups that went with it."""
    config, clock = load_config(config_path), SystemClock()
    shelf = shelf_of(config, config_path, clock)
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(slug)
        copies = shelf.holding(slug)
        links = Links(config.pretix_path)
        forgetting = Forgetting(
            ledger, config.reports_path, links, clock, None, config.dashboard.zone, shelf, config.logbook_path
        )
        return forgetting.forget(event), copies


@contextmanager
def pretix_desk(config_path: Path, slug: str) -> Iterator[PretixDesk]:
    """What can be done about pretix, for an event."""
    config = load_config(config_path)
    with Ledger(config.ledger_path) as ledger:
        links = Links(config.pretix_path)
        yield PretixDesk.of(ledger, ledger.event(slug), links, SystemClock(), config.dashboard.language)


def revoke_ticket(config_path: Path, slug: str, number: int) -> Ticket:
    """From now on the door refuses it. Raises UnknownTicket, CannotChange."""
    with _book(config_path, slug) as (book, _):
        return book.revoke(number)


def give_back_ticket(config_path: Path, slug: str, number: int) -> Ticket:
    """A revoked ticket is good again. Raises UnknownTicket, CannotChange."""
    with _book(config_path, slug) as (book, _):
        return book.give_back(number)


def replace_ticket(
    config_path: Path, slug: str, number: int, out: Path, wish: Wish, *, holder: str | None, email: str | None
) -> tuple[Ticket, Printed]:
    """Another ticket in the place of one of ours, written to `out`. Raises UnknownTicket, CannotChange, OSError."""
    from kiosk.tickets.printing import PrintingError  # noqa: PLC0415

    config = _config(config_path, wish)
    secret = event_secret(config, slug)
    with _book(config_path, slug) as (book, event):
        heir = book.replace(
            number,
            lambda fresh: codes.digest(codes.own_code(secret, slug, fresh).encode()),
            holder=holder,
            email=email,
        )
    try:
        return heir, _print(config, event, [heir], out, wish)
    except OSError as error:
        raise PrintingError(
            f"no. {heir.number} was made in the place of no. {number}, but {error}. Then: platypus tickets print "
            f"{heir.number}"
        ) from error


def print_ticket(config_path: Path, slug: str, number: int, out: Path, wish: Wish) -> Printed:
    """Write one ticket of ours to `out` again. Raises UnknownTicket, CannotChange, PrintingError."""
    config = _config(config_path, wish)
    with _book(config_path, slug) as (book, event):
        ticket = book.ticket(number).ticket
    if not ticket.is_own or ticket.is_walk_in:
        raise CannotChange(f"ticket no. {number} is not one of ours: whoever issued it can print it.")
    if ticket.status is not Status.PAID:
        raise CannotChange(f"ticket no. {number} is {ticket.status}: the door would refuse what is printed.")
    return _print(config, event, [ticket], out, wish)


def _config(config_path: Path, wish: Wish) -> Config:
    """The configuration, before anything is changed for a wish that it cannot fulfil. Raises ConfigError."""
    config = load_config(config_path)
    if wish.letters and config.mail is None:
        raise ConfigError(
            f"{config_path} does not say whom letters are from: write from = "
            '"Tickets <tickets@example.org>" under [mail]'
        )
    return config


@contextmanager
def _book(config_path: Path, slug: str) -> Iterator[tuple[TicketBook, Event]]:
    with Ledger(load_config(config_path).ledger_path) as ledger:
        event = ledger.event(slug)
        yield TicketBook(ledger, event), event


def _print(config: Config, event: Event, tickets: Sequence[Ticket | NewTicket], out: Path, wish: Wish) -> Printed:
    """Write tickets of ours. Raises PrintingError, FontError."""
    from kiosk.ticket_press import TicketPress  # noqa: PLC0415  # loads what draws

    secret = event_secret(config, event.slug)
    language = wish.language or config.dashboard.language
    with TicketPress.of(event, secret, config.look_path, config.dashboard.zone, language) as press:
        return press.write(tickets, out, wish, config.mail, SystemClock().stamp().wall)


def _lists(config: Config, ledger: Ledger, event: Event) -> TicketLists:
    secret, columns = partial(event_secret, config, event.slug), ColumnsFile(config.columns_path)
    return TicketLists(ledger, event, secret, columns, config.dashboard.zone)


def check_config(config_path: Path) -> list[str]:
    """What is to be said of both files. Raises ConfigError for the first thing that is wrong."""
    config = load_config(config_path)
    secrets = load_secrets(secrets_path(config_path))
    lines = [f"{config_path} is good: gate {config.door.gate}, event {config.door.event}"]
    for destination in config.stream.destinations:
        if destination.name not in secrets.stream_keys:
            raise ConfigError(
                f'destination {destination.name!r} has no key: write {destination.name} = "..." '
                f"under [stream_keys] in {secrets_path(config_path)}"
            )
    mail_password(config, config_path)
    lines.append(f"{secrets_path(config_path)} is good: {len(secrets.stream_keys)} key(s)")
    if not config.ledger_path.exists():  # a check makes nothing
        raise ConfigError(f"there is no ledger at {config.ledger_path}: platypus event create {config.door.event} ...")
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(config.door.event)  # first: one that was never made has no secret either
        event_secret(config, event.slug)
        lines.append(f"{config.ledger_path} knows {event.name!r}: {ledger.head_count(event).tickets} tickets")
    return lines
