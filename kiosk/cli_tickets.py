"""`platypus tickets ...`: our own, and those of others."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from click.core import ParameterSource

from hardware.clock import SystemClock
from kiosk.cli_options import CONFIG, EVENT, JSON

if TYPE_CHECKING:
    from kiosk.ledger.plan import Plan
    from kiosk.ticket_lists import Looked
    from kiosk.tickets.columns_file import Choice
    from kiosk.tickets.sheet import Sheet

_SHOWN = 10  # of a kind; the rest is counted
_DOUBTS = {
    "same_person": "{count} with name and e-mail of another one: one person's for a group?",
    "other_event": "{count} with the code of another event's ticket: is it the right list?",
    "inside": "{count} whose people are inside now: they will not be good for coming back",
    "many_gone": "{count} tickets of this source are not in it, most of them: is it the whole list?",
    "stays_refused": "{count} were revoked here, or cancelled and it does not say what they are worth: they stay so",
    "none_good": "not one of its {count} tickets is worth anything: is the column of the status right?",
}


@click.group()
def tickets() -> None:
    """Tickets: our own, and those of others."""


@tickets.command("issue")
@CONFIG
@EVENT
@click.argument("people", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the tickets.")
def tickets_issue(config_path: Path, slug: str, people: Path, out: Path) -> None:
    """Make a ticket for each person of a list: PNG, SVG and one PDF; the same list again prints the same ones."""
    from kiosk import office  # noqa: PLC0415

    sheet, done, files, absent = office.issue_tickets(config_path, slug, people, out)
    _say_columns(sheet)
    click.echo(f"{done.new} new, {done.changed} changed, {done.unchanged} as before; {len(files)} files in {out}")
    if absent:
        numbers = _some([str(number) for number in absent])
        click.echo(f"{len(absent)} ticket(s) issued before are not in this list and stay good: no. {numbers}")


@tickets.command("import")
@CONFIG
@EVENT
@click.argument("listing", type=click.Path(path_type=Path, dir_okay=False), metavar="LIST")
@click.option("--preview", is_flag=True, help="Say what would change, and write nothing.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="WORD=HEADING",
    help='What a column is, when the guess is wrong, such as code="Bracelet"; no heading: the list has none.',
)
@click.option(
    "--source", default="", help="Whose list it is, when the guess is wrong; `list` for nobody's in particular."
)
@click.option("--by-name", is_flag=True, help="Its people have no codes of their own: give them tickets of ours.")
@click.option("--cancel-gone", "cancels_gone", is_flag=True, help="Cancel the source's tickets that it does not name.")
@JSON
def tickets_import(
    config_path: Path,
    slug: str,
    listing: Path,
    columns: Sequence[str],
    source: str,
    *,
    preview: bool,
    by_name: bool,
    cancels_gone: bool,
    as_json: bool,
) -> None:
    """Take the tickets of a list that somebody else made, CSV or XLSX; all or nothing.

    Known by their headings: pretix, Hi.Events, Billetweb, HelloAsso, Eventbrite, Weezevent, Meetup. What is chosen
    here is remembered for the next list with the same headings. The same list twice changes nothing; a later one
    updates. Scans are never lost.
    """
    from kiosk import office  # noqa: PLC0415

    choice = _choice(columns, source, by_name=by_name)
    if preview:
        looked = office.look_at_tickets(config_path, slug, listing, choice)
        if as_json:
            click.echo(msgspec.json.encode(_as_object(looked)))
            return
        _say_list(looked.sheet, is_remembered=looked.is_remembered)
        _say_plan(looked.plan)
        click.echo("Nothing was written: give the command again without --preview.")
        return
    taken = office.import_tickets(config_path, slug, listing, choice, cancels_gone=cancels_gone)
    if as_json:
        click.echo(msgspec.json.encode({"source": taken.sheet.source.name, **taken.done._asdict()}))
        return
    _say_list(taken.sheet, is_remembered=taken.is_remembered)
    done = taken.done
    cancelled = f", {done.cancelled} cancelled" if done.cancelled else ""
    click.echo(f"{done.new} new, {done.changed} changed, {done.unchanged} as before{cancelled}")
    _say_doubts(done.doubts)


_NUMBER = click.argument("number", type=click.IntRange(1, 2_147_483_647))


@tickets.command("revoke")
@CONFIG
@EVENT
@_NUMBER
def tickets_revoke(config_path: Path, slug: str, number: int) -> None:
    """Make a ticket good for nothing, whatever a later list says."""
    from kiosk import office  # noqa: PLC0415

    ticket = office.revoke_ticket(config_path, slug, number)
    click.echo(f"no. {ticket.number} {ticket.holder or ''} is revoked: the door refuses it from now on")


@tickets.command("give-back")
@CONFIG
@EVENT
@_NUMBER
def tickets_give_back(config_path: Path, slug: str, number: int) -> None:
    """Make a revoked ticket good again."""
    from kiosk import office  # noqa: PLC0415

    ticket = office.give_back_ticket(config_path, slug, number)
    click.echo(f"no. {ticket.number} {ticket.holder or ''} is good again")


@tickets.command("print")
@CONFIG
@EVENT
@_NUMBER
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the ticket.")
def tickets_print(config_path: Path, slug: str, number: int, out: Path) -> None:
    """Print one ticket of ours again; it has the same code."""
    from kiosk import office  # noqa: PLC0415

    files = office.print_ticket(config_path, slug, number, out)
    click.echo(f"{len(files)} files in {out}")


@tickets.command("replace")
@CONFIG
@EVENT
@_NUMBER
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the new ticket."
)
@click.option("--name", "holder", help="Whom it is for now, when it is passed on.")
@click.option("--email", help="Their e-mail.")
def tickets_replace(
    config_path: Path, slug: str, number: int, out: Path, holder: str | None, email: str | None
) -> None:
    """Make a new ticket in the place of one of ours, with another code; the old one is revoked."""
    from kiosk import office  # noqa: PLC0415

    heir, files = office.replace_ticket(config_path, slug, number, out, holder=holder, email=email)
    click.echo(f"no. {heir.number} {heir.holder or ''} takes the place of no. {number}; {len(files)} files in {out}")


@tickets.command("verify")
@click.argument("code")
@click.option(
    "--pretix-key",
    "pretix_keys",
    multiple=True,
    metavar="KEY_OR_FILE",
    help="A public key of the event in pretix (valid_keys, pretix_sig1), or a file of some; say it again for another.",
)
@CONFIG
@JSON
@click.pass_context
def tickets_verify(
    context: click.Context, code: str, pretix_keys: tuple[str, ...], config_path: Path, *, as_json: bool
) -> None:
    """Say what a ticket code is: whose, of which ticket, and whether pretix signed it; CODE - reads it from stdin.

    Exit 1 when it is neither a ticket of the door's event nor signed with one of the keys. It lets nobody in, and says
    nothing of whether the door would: a canceled ticket is known too.
    """
    from kiosk import verification  # noqa: PLC0415

    raw = _from_stdin(verification.MAX_CODE_BYTES) if code == "-" else os.fsencode(code)
    is_default = context.get_parameter_source("config_path") is ParameterSource.DEFAULT
    known_config = None if is_default and not config_path.exists() else config_path  # keys alone verify a signature
    keys = verification.keys_of(pretix_keys)
    told = verification.verify(known_config, raw, keys, SystemClock().stamp().wall)
    click.echo(msgspec.json.encode(told) if as_json else verification.as_text(told))
    if not told.is_good:
        sys.exit(1)


def _from_stdin(most: int) -> bytes:
    """A code: never an argument, which the shell's history and the list of processes would keep."""
    if sys.stdin.isatty():
        return os.fsencode(str(click.prompt("code")))
    return sys.stdin.buffer.read(most + 1)


def _choice(columns: Sequence[str], source: str, *, by_name: bool) -> Choice | None:
    from kiosk.tickets.columns_file import Choice  # noqa: PLC0415

    if not columns and not source and not by_name:
        return None
    chosen = {}
    for each in columns:
        word, is_said, heading = each.partition("=")
        if not is_said:
            raise click.UsageError(f"--column {each!r} is not like code=Bracelet")
        chosen[word.strip()] = heading.strip()
    return Choice(columns=chosen, source=source, by_name=by_name)


def _say_list(sheet: Sheet, *, is_remembered: bool) -> None:
    whose = "" if sheet.source.name == "list" else f" of {sheet.source.name}"
    known = " (columns as chosen before)" if is_remembered else ""
    click.echo(f"{sheet.size} tickets{whose}{known}")
    _say_columns(sheet)
    left_out = [heading for heading in sheet.headings if heading and heading not in sheet.columns.values()]
    if left_out:
        click.echo("left out: " + _some([repr(heading) for heading in left_out]))
    if sheet.source.doubt:
        click.echo(f"note: {sheet.source.doubt}")


def _say_columns(sheet: Sheet) -> None:
    click.echo("columns: " + ", ".join(f"{ours} from {heading!r}" for ours, heading in sheet.columns.items()))


def _say_plan(plan: Plan) -> None:
    click.echo(f"{len(plan.new)} new, {len(plan.changed)} changed, {plan.unchanged} as before")
    for each in plan.changed[:_SHOWN]:
        words = ", ".join(f"{name} {_word(old)} -> {_word(new)}" for name, (old, new) in each.words.items())
        click.echo(f"  no. {each.ticket.number} {each.ticket.holder or ''}: {words}")
    if len(plan.changed) > _SHOWN:
        click.echo(f"  and {len(plan.changed) - _SHOWN} more")
    if plan.gone:
        numbers = _some([str(ticket.number) for ticket in plan.gone])
        click.echo(
            f"{len(plan.gone)} not in the list, which stay good unless --cancel-gone says otherwise: no. {numbers}"
        )
    _say_doubts(plan.doubts)


def _say_doubts(doubts: Mapping[Any, int]) -> None:
    for doubt, count in doubts.items():
        click.echo(f"look twice: {_DOUBTS[doubt].format(count=count)}")


def _word(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return "none" if value is None else str(value)


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[: 2 * _SHOWN]) + (" ..." if len(words) > 2 * _SHOWN else "")


def _as_object(looked: Looked) -> Mapping[str, Any]:
    sheet, plan = looked.sheet, looked.plan
    return {
        "source": sheet.source.name,
        "note": sheet.source.doubt,
        "columns": sheet.columns,
        "is_remembered": looked.is_remembered,
        "new": len(plan.new),
        "changed": [{"number": each.ticket.number, "words": each.words} for each in plan.changed],
        "unchanged": plan.unchanged,
        "gone": [ticket.number for ticket in plan.gone],
        "doubts": plan.doubts,
    }
