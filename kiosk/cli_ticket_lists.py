"""`platypus tickets import`: lists of other systems, and what is said of any list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kiosk.cli_options import CONFIG, EVENT, JSON

if TYPE_CHECKING:
    from kiosk.ledger.plan import Plan
    from kiosk.ticket_lists import Looked
    from kiosk.tickets.columns_file import Choice
    from kiosk.tickets.sheet import Sheet

_SHOWN = 10  # of a kind; the rest is counted
_DOUBTS = {
    "same_person": "{count} with name and e-mail of another one: one person's for a group?",
    "have_one": "{count} for people who have a good ticket already, of another list: both would let them in",
    "other_event": "{count} with the code of another event's ticket: is it the right list?",
    "inside": "{count} whose people are inside now: they will not be good for coming back",
    "many_gone": "{count} tickets of this source are not in it, most of them: is it the whole list?",
    "stays_refused": "{count} were revoked here, or cancelled and it does not say what they are worth: they stay so",
    "none_good": "not one of its {count} tickets is worth anything: is the column of the status right?",
}


@click.command("import")
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
    say_columns(sheet)
    left_out = [heading for heading in sheet.headings if heading and heading not in sheet.columns.values()]
    if left_out:
        click.echo("left out: " + some([repr(heading) for heading in left_out]))
    if sheet.doubtful_letters:
        click.echo(
            f"look twice: the file does not say how it writes letters, and was read as {sheet.encoding}. Is this name "
            f"right: {sheet.doubtful_letters}? If not, save it as CSV UTF-8, or as XLSX"
        )
    if sheet.source.doubt:
        click.echo(f"note: {sheet.source.doubt}")


def say_columns(sheet: Sheet) -> None:
    """Which column was taken for what."""
    click.echo("columns: " + ", ".join(f"{ours} from {heading!r}" for ours, heading in sheet.columns.items()))


def _say_plan(plan: Plan) -> None:
    click.echo(f"{len(plan.new)} new, {len(plan.changed)} changed, {plan.unchanged} as before")
    for each in plan.changed[:_SHOWN]:
        words = ", ".join(f"{name} {_word(old)} -> {_word(new)}" for name, (old, new) in each.words.items())
        click.echo(f"  no. {each.ticket.number} {each.ticket.holder or ''}: {words}")
    if len(plan.changed) > _SHOWN:
        click.echo(f"  and {len(plan.changed) - _SHOWN} more")
    if plan.gone:
        numbers = some([str(ticket.number) for ticket in plan.gone])
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


def some(words: Sequence[str]) -> str:
    """The first of them."""
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
