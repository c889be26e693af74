"""The `platypus` command: one subcommand a process, and the tools around them.

Answers for people go to stdout, logs and errors to stderr; `--json` gives one object for programs. Exit codes:
0 done, 1 something is wrong (one sentence on stderr says what and what to do), 2 wrong usage.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import click
import msgspec

from hardware.checks import as_table
from hardware.clock import SystemClock
from hardware.errors import PlatypusError
from kiosk.cli_backup import backup, restore
from kiosk.cli_options import CONFIG, JSON
from kiosk.cli_paper import tickets_paper, tickets_ticks
from kiosk.cli_pretix import pretix
from kiosk.cli_privacy import privacy
from kiosk.cli_stream import agenda, stream
from kiosk.cli_support import support
from kiosk.cli_tickets import tickets

if TYPE_CHECKING:
    from kiosk.ledger import Event

_PEOPLE = click.IntRange(0, 1_000_000)
_TIME_FORMAT = "%Y-%m-%dT%H:%M%z"
_TIME = click.DateTime([_TIME_FORMAT])


def time_or_minutes(text: str) -> datetime | int:
    """A time, or minutes after the start; the name is what a wrong value is told to be."""
    if text.isdigit() and len(text) <= 4:
        return int(text)
    try:
        return datetime.strptime(text, _TIME_FORMAT)  # noqa: DTZ007  # the format has a zone
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a time such as 2026-11-26T19:30+0100 nor minutes") from None


def main() -> NoReturn:
    """Run the command; errors we foresaw become one sentence."""
    os.umask(0o077)  # what we write has names, codes and keys in it
    try:
        cli(standalone_mode=False)
    except PlatypusError as error:
        click.echo(f"platypus: {error}", err=True)
        sys.exit(1)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("platypus: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, as in `platypus ... | head`
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a file or a disk; what it was about stands in its log above
        logging.getLogger(__name__).debug("event=failed", exc_info=True)
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"platypus: {where}{error.strerror or error}. Check the path, its rights and the disk.", err=True)
        sys.exit(1)
    sys.exit(0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.version_option(package_name="platypus-venue")
def cli(*, verbose: bool) -> None:
    """The door and the livestream of a community event."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("alembic", "fontTools", "fpdf", "PIL", "libav"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


cli.add_command(stream)
cli.add_command(agenda)
cli.add_command(tickets)
tickets.add_command(tickets_paper)
tickets.add_command(tickets_ticks)
cli.add_command(privacy)
cli.add_command(pretix)
cli.add_command(backup)
cli.add_command(restore)
cli.add_command(support)

# -- the other processes ----------------------------------------------------------------------------------------------


@cli.command()
@CONFIG
def door(config_path: Path) -> None:
    """Read tickets, decide, drive the panel."""
    from kiosk.log_ring import keep_log  # noqa: PLC0415  # each command loads only what it needs
    from kiosk.services.door import run_door  # noqa: PLC0415

    keep_log(config_path, "door")
    run_door(config_path)


@cli.group(invoke_without_command=True)
@CONFIG
@click.option("--new-login", is_flag=True, help="Print a one-time link for an organizer, new or with a forgotten PIN.")
@click.pass_context
def dashboard(context: click.Context, config_path: Path, *, new_login: bool) -> None:
    """Serve the organizers' page and the attendees' screen."""
    from kiosk.log_ring import keep_log  # noqa: PLC0415
    from kiosk.services.dashboard import login_link, run_dashboard, show_code  # noqa: PLC0415

    context.obj = config_path
    if context.invoked_subcommand is not None:
        return
    if new_login:
        link = login_link(config_path)
        click.echo(link)
        show_code(link)
        return
    keep_log(config_path, "dashboard")
    run_dashboard(config_path)


@dashboard.command("token")
@click.argument("name")
@click.option("--role", type=click.Choice(["viewer", "door", "organizer"]), default="viewer", show_default=True)
@click.pass_obj
def dashboard_token(config_path: Path, name: str, role: Literal["viewer", "door", "organizer"]) -> None:
    """Make a token for a program, such as a ticket wall, and print it this once; the page People revokes it."""
    from kiosk.services.dashboard import make_token  # noqa: PLC0415

    click.echo(make_token(config_path, name, role))


@cli.command()
@click.option("--for", "seconds", type=click.FloatRange(min=5), help="Stop after so many seconds.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("venue-demo"),
    show_default=True,
    help="Everything the demo writes is in here.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Of the dashboard; 0: any."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Who comes to the door, and how they hold it.")
def demo(seconds: float | None, folder: Path, port: int, seed: int) -> None:
    """Run a simulated venue: visitors at the door, a talk on stage, a real RTMP server."""
    from kiosk.demo import run_demo  # noqa: PLC0415

    report, is_well = run_demo(folder.resolve(), port=port, seed=seed, seconds=seconds)
    click.echo(json.dumps(report))
    if not is_well:
        sys.exit(1)


# -- tools ------------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--stats", is_flag=True, help="End with a line that counts how often each step ran, and won.")
def read(files: tuple[Path, ...], *, stats: bool) -> None:
    """Read the QR codes of pictures with the door's own reader, one JSON line each."""
    from hardware.cameras.pictures import load_luma  # noqa: PLC0415
    from kiosk.door.reader import Reader  # noqa: PLC0415

    reader = Reader(SystemClock())
    has_failed = False
    for file in files:
        begun = time.perf_counter()
        line: dict[str, Any] = {"file": str(file)}
        try:
            reads = reader.read_still(load_luma(file))
        except PlatypusError as error:
            has_failed = True
            line["error"] = str(error)
        else:
            line["codes"] = [
                {
                    "text": read.data.decode("utf-8", errors="replace"),
                    "base64": base64.b64encode(read.data).decode("ascii"),
                    "reader": read.reader,
                }
                for read in reads
            ]
        line["ms"] = round((time.perf_counter() - begun) * 1000, 1)
        click.echo(json.dumps(line, ensure_ascii=False))
    if stats:
        click.echo(json.dumps({"steps": dict(reader.steps)}))
    if has_failed:
        sys.exit(1)


@cli.group()
def event() -> None:
    """Evenings."""


@event.command("create")
@CONFIG
@click.argument("slug")
@click.option("--name", required=True, help="As people call it.")
@click.option("--capacity", type=_PEOPLE, default=50, show_default=True, help="Seats.")
@click.option("--fire-limit", type=_PEOPLE, help="People, never more; without it the seats.")
@click.option("--starts", "starts_at", type=_TIME, help="Such as 2026-11-26T19:00+0100.")
@click.option(
    "--release-no-shows",
    "release_no_shows_at",
    type=time_or_minutes,
    help="From then on nobody's seat is kept: a time, or minutes after the start.",
)
@click.option(
    "--return/--no-return",
    "may_return",
    default=True,
    show_default=True,
    help="Whether a guest who left may come in again.",
)
@click.option("--stream-page", help="Where viewers watch, for those who find the room full.")
@click.option("--venue", help="Where it is, as tickets say.")
def event_create(config_path: Path, slug: str, name: str, capacity: int, **choices: Any) -> None:
    """Make an event and its secret."""
    from kiosk import office  # noqa: PLC0415

    made = office.create_event(config_path, slug, name, capacity, **choices)
    click.echo(_event_line(made))


@event.command("change")
@CONFIG
@click.argument("slug")
@click.option("--name")
@click.option("--capacity", type=_PEOPLE)
@click.option("--fire-limit", type=_PEOPLE)
@click.option("--starts", "starts_at", type=_TIME)
@click.option("--release-no-shows", "release_no_shows_at", type=time_or_minutes)
@click.option("--return/--no-return", "may_return", default=None)
@click.option("--stream-page")
@click.option("--venue")
def event_change(config_path: Path, slug: str, **changes: Any) -> None:
    """Change what is named of an event; tickets and scans stay.

    Seats, fire limit, release and return count at once; name, start and stream page show when door and dashboard start
    again; tickets that are printed from then on say name, start and venue. With the start the release of kept seats
    moves too, and with the seats a fire limit that was as many.
    """
    from kiosk import office  # noqa: PLC0415

    made = office.change_event(config_path, slug, **{key: value for key, value in changes.items() if value is not None})
    click.echo(_event_line(made))


def _event_line(made: Event) -> str:
    line = f"event {made.slug} ({made.name}), {made.capacity} seats, at most {made.fire_limit} people"
    if made.release_no_shows_at is None:
        return line
    return f"{line}, kept seats released at {made.release_no_shows_at:%Y-%m-%d %H:%M} UTC"


@event.command("report")
@CONFIG
@click.argument("slug")
@JSON
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write a table here.")
@click.option("--pdf", "pdf_file", type=click.Path(path_type=Path, dir_okay=False), help="Write one page of A4 here.")
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Of the PDF.")
def event_report(
    config_path: Path,
    slug: str,
    *,
    as_json: bool,
    csv_file: Path | None,
    pdf_file: Path | None,
    language: Literal["en", "fr"],
) -> None:
    """What happened at the door, without names: who came when, no-shows, walk-ins, gates, and notes such as diets."""
    from kiosk import office  # noqa: PLC0415
    from kiosk.ledger import report_forms  # noqa: PLC0415

    told = office.event_report(config_path, slug)
    if csv_file is not None:
        office.write_report(csv_file, report_forms.as_csv(told))
    if pdf_file is not None:
        office.write_report(pdf_file, office.report_sheet(config_path, told, language))
    if as_json:
        click.echo(json.dumps(report_forms.as_json(told)))
    elif csv_file is None and pdf_file is None:
        click.echo(report_forms.as_text(told))


@cli.group()
def ledger() -> None:
    """The record of who is in."""


@ledger.command("check")
@CONFIG
def ledger_check(config_path: Path) -> None:
    """Prove that the occupancy follows from the rows; exit 1 and say what is wrong when it does not."""
    from kiosk import office  # noqa: PLC0415

    wrong = office.check_ledger(config_path)
    for line in wrong or ["the ledger is sound: occupancy, visits, undos and the database itself"]:
        click.echo(line)
    if wrong:
        sys.exit(1)


@cli.group()
def config() -> None:
    """platypus.toml and secrets.toml."""


@config.command("check")
@CONFIG
def config_check(config_path: Path) -> None:
    """Say whether both files are good."""
    from kiosk import office  # noqa: PLC0415

    for line in office.check_config(config_path):
        click.echo(line)


@cli.command()
@CONFIG
@JSON
def doctor(config_path: Path, *, as_json: bool) -> None:
    """Say what works on this machine; exit 1 when something the door or the stream needs does not."""
    from kiosk.doctor import examine  # noqa: PLC0415

    checks = examine(config_path)
    click.echo(msgspec.json.encode({"checks": checks}) if as_json else as_table(checks))
    if any(check.state == "bad" for check in checks):
        sys.exit(1)
