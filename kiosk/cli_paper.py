"""`platypus tickets paper` and `platypus tickets ticks`: the list for the night the Pi dies, and its way back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Literal, TextIO

import click
import msgspec

from kiosk.cli_options import CONFIG, EVENT, JSON

_MOST_WALK_INS = 500
_EVERYBODY = "all"


@click.command("paper")
@CONFIG
@EVENT
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The PDF.")
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)
def tickets_paper(config_path: Path, slug: str, out: Path, language: Literal["en", "fr"]) -> None:
    """Write the paper list: every ticket by family name with a box to tick, on A4. Shred it afterwards."""
    from kiosk import paper_office  # noqa: PLC0415

    told = paper_office.write_paper(config_path, slug, language, out)
    click.echo(f"{len(told.lines)} tickets in {out}")


@click.command("ticks")
@CONFIG
@EVENT
@click.argument("numbers", nargs=-1)
@click.option("--file", type=click.File(encoding="utf-8"), help="Read them from here; - is standard input.")
@click.option("--gate", default="", metavar="NAME", help="Whose paper it is, where each gate has one.")
@click.option("--at", metavar="HH:MM", help="When those came who have no time behind their number.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Of an event of several days; else that of its start.")
@click.option(
    "--walk-ins",
    type=click.IntRange(0, _MOST_WALK_INS),
    default=0,
    help="How many came without a ticket by this gate's paper, all together.",
)
@click.option(
    "--did-get-in",
    "did_get_in",
    multiple=True,
    metavar="NUMBER",
    help="They are in though the rules say no, and it is noted so; `all` for everybody.",
)
@click.option("--preview", is_flag=True, help="Say what would be done, and write nothing.")
@JSON
def tickets_ticks(
    config_path: Path,
    slug: str,
    numbers: Sequence[str],
    file: TextIO | None,
    gate: str,
    at: str | None,
    day: datetime | None,
    walk_ins: int,
    did_get_in: Sequence[str],
    *,
    preview: bool,
    as_json: bool,
) -> None:
    """Type the ticks of the paper list back in: 12-4 13-7 18-1, with "12-4 19:05" a time, with "12-4 x2" how many came.

    The same sheet twice counts once. Exit 1 when a number is mistyped or somebody refused; all others are taken.
    """
    from kiosk import paper_office  # noqa: PLC0415
    from kiosk.paper_list import Given  # noqa: PLC0415

    text = " ".join(numbers)
    if file is not None:
        text = f"{text} {_text_of(file)}"
    if not text.strip() and not walk_ins:
        raise click.UsageError("no numbers: give them, or --file FILE (- for standard input), or --walk-ins")
    given = Given(
        text=text,
        walk_ins=walk_ins,
        at=None if at is None else _time(at),
        day=None if day is None else day.date(),
        gate=gate,
        did_get_in=None if _EVERYBODY in did_get_in else did_get_in,
    )
    told = paper_office.type_ticks(config_path, slug, given, only_looks=preview)
    if as_json:
        click.echo(msgspec.json.encode(told.facts))
    else:
        click.echo("\n".join(told.lines))
        if preview:
            click.echo("Nothing was written: give the command again without --preview.")
    if not told.is_all_taken:
        sys.exit(1)


def _text_of(file: TextIO) -> str:
    try:
        return str(file.read())
    except UnicodeDecodeError:
        raise click.UsageError(f"{file.name} is no text in UTF-8") from None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text!r} is no time such as 19:05") from None
