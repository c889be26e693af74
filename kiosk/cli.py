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
from typing import Any, NoReturn

import click
import msgspec

from hardware.clock import SystemClock
from hardware.errors import PlatypusError
from kiosk.news import StreamOrder
from stream.health import StreamState

_CONFIG = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PLATYPUS_CONFIG",
    default=Path("/etc/platypus/platypus.toml"),
    show_default=True,
    help="platypus.toml; secrets.toml lies beside it.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
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


_EVENT = click.option("--event", "slug", required=True, help="The event's short name.")


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


# -- the three processes ----------------------------------------------------------------------------------------------


@cli.command()
@_CONFIG
def door(config_path: Path) -> None:
    """Read tickets, decide, drive the panel."""
    from kiosk import services  # noqa: PLC0415  # each command loads only what it needs

    services.run_door(config_path)


@cli.group(invoke_without_command=True)
@_CONFIG
@click.pass_context
def stream(context: click.Context, config_path: Path) -> None:
    """Record the talk and push it to its destinations; or tell the process that does what viewers should see."""
    from kiosk import services  # noqa: PLC0415

    context.obj = config_path
    if context.invoked_subcommand is None:
        services.run_stream(config_path)
    else:
        logging.getLogger("kiosk.bus").setLevel(logging.WARNING)  # one question: its coming and going is no news


def _stream_command(name: str, do: StreamOrder, says: str) -> None:
    @click.pass_obj
    def ask(config_path: Path, *, as_json: bool) -> None:
        from kiosk import services  # noqa: PLC0415

        _show_stream(services.order_stream(config_path, do), as_json=as_json)

    stream.command(name, help=says)(_JSON(ask))


_stream_command("go-live", "go_live", "Go live with the slate before the start.")
_stream_command("next", "next_talk", "Introduce the next talk by its slate, then show the camera.")
_stream_command("camera", "camera", "Show the camera: the way back from every slate.")
_stream_command("break", "take_break", "Show the slate of a break.")
_stream_command("end", "end", "Thank the viewers; the stream stays until stop.")
_stream_command("hide", "hide_camera", "Hide the camera and the sound of the room, at once.")
_stream_command("undo", "undo", "Back to before the last of these commands.")
_stream_command("stop", "stop", "End the stream and close the recording.")
_stream_command("retry", "retry", "Try again now, wherever it waits to.")


@stream.command("status")
@_JSON
@click.pass_obj
def stream_status(config_path: Path, *, as_json: bool) -> None:
    """Say what viewers see, and how each leg is."""
    from kiosk import services  # noqa: PLC0415

    _show_stream(services.stream_state(config_path), as_json=as_json)


def _show_stream(state: StreamState, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(state))
        return
    talk = f"; talk: {state.talk.title}" if state.talk else ""
    click.echo(f"live: {state.program}{talk}" if state.order == "live" else "stopped")
    if state.program_cause:
        click.echo(f"  {state.program_cause}")
    for alarm in state.alarms:
        click.echo(f"  ! {alarm.cause}: {alarm.action[:1].lower()}{alarm.action[1:]}")
    parts = [("camera", state.source.state, state.source.cause)]
    parts += [(leg.name, leg.state, leg.cause) for leg in state.legs]
    for name, health, cause in parts:
        click.echo(f"  {name}: {health}" + (f" ({cause})" if cause else ""))
    if state.undo:
        click.echo(f"  undo: {state.undo}")


@cli.command()
@_CONFIG
@click.option("--new-login", is_flag=True, help="Print a fresh one-time login link and exit; for a forgotten PIN.")
def dashboard(config_path: Path, *, new_login: bool) -> None:
    """Serve the organizers' page and the attendees' screen."""
    from kiosk import services  # noqa: PLC0415

    if new_login:
        click.echo(services.login_link(config_path))
        return
    services.run_dashboard(config_path)


@cli.group()
def agenda() -> None:
    """The talks of the evening."""


@agenda.command("import")
@_CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--room", help="Which room is the stage, when the file has several.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day of a CSV's times that have none.")
def agenda_import(config_path: Path, file: Path, room: str | None, day: datetime | None) -> None:
    """Take the talks of a schedule.json (pretalx, frab), an .ics or a .csv in place of those there were."""
    from kiosk import services  # noqa: PLC0415

    taken = services.import_agenda(config_path, file, room, day.date() if day else None)
    click.echo(f"{len(taken.talks)} talks" + (f" of {taken.event}" if taken.event else ""))


@agenda.command("show")
@_CONFIG
@_JSON
def agenda_show(config_path: Path, *, as_json: bool) -> None:
    """The talks in their order."""
    from kiosk import services  # noqa: PLC0415

    kept, zone = services.agenda_of(config_path)
    if as_json:
        click.echo(msgspec.json.encode(kept))
        return
    for talk in kept.talks:
        at = f"{talk.starts_at.astimezone(zone):%a %H:%M}" if talk.starts_at else "        "
        click.echo(f"{at:9} {talk.title}" + (f" · {talk.speaker}" if talk.speaker else ""))
    if not kept.talks:
        click.echo("no talks yet: platypus agenda import FILE")


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
@_CONFIG
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
def event_create(config_path: Path, slug: str, name: str, capacity: int, **choices: Any) -> None:
    """Make an event and its secret."""
    from kiosk import services  # noqa: PLC0415

    made = services.create_event(config_path, slug, name, capacity, **choices)
    click.echo(f"event {made.slug} ({made.name}), {made.capacity} seats")


@event.command("change")
@_CONFIG
@click.argument("slug")
@click.option("--name")
@click.option("--capacity", type=_PEOPLE)
@click.option("--fire-limit", type=_PEOPLE)
@click.option("--starts", "starts_at", type=_TIME)
@click.option("--release-no-shows", "release_no_shows_at", type=time_or_minutes)
@click.option("--return/--no-return", "may_return", default=None)
@click.option("--stream-page")
def event_change(config_path: Path, slug: str, **changes: Any) -> None:
    """Change what is named of an event; tickets and scans stay. A running door learns of it when it starts again."""
    from kiosk import services  # noqa: PLC0415

    made = services.change_event(
        config_path, slug, **{key: value for key, value in changes.items() if value is not None}
    )
    click.echo(f"event {made.slug} ({made.name}), {made.capacity} seats")


@event.command("report")
@_CONFIG
@click.argument("slug")
@_JSON
def event_report(config_path: Path, slug: str, *, as_json: bool) -> None:
    """What happened at the door, and what the caterer needs to know."""
    from kiosk import services  # noqa: PLC0415
    from kiosk.ledger.report import as_text  # noqa: PLC0415

    told = services.event_report(config_path, slug)
    click.echo(json.dumps(told._asdict(), default=str) if as_json else as_text(told))


@cli.group()
def ledger() -> None:
    """The record of who is in."""


@ledger.command("check")
@_CONFIG
def ledger_check(config_path: Path) -> None:
    """Prove that the occupancy follows from the rows; exit 1 and say what is wrong when it does not."""
    from kiosk import services  # noqa: PLC0415

    wrong = services.check_ledger(config_path)
    for line in wrong or ["the ledger is sound: occupancy, visits, undos and the database itself"]:
        click.echo(line)
    if wrong:
        sys.exit(1)


@cli.group()
def tickets() -> None:
    """Tickets: our own, and those of others."""


@tickets.command("issue")
@_CONFIG
@_EVENT
@click.argument("people", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the tickets.")
def tickets_issue(config_path: Path, slug: str, people: Path, out: Path) -> None:
    """Make a ticket for each person of a CSV list: PNG, SVG and one PDF; the same list again prints the same ones."""
    from kiosk import services  # noqa: PLC0415

    sheet, done, files, absent = services.issue_tickets(config_path, slug, people, out)
    _say_columns(sheet.columns)
    click.echo(f"{done.new} new, {done.changed} changed, {done.unchanged} as before; {len(files)} files in {out}")
    if absent:
        numbers = ", ".join(str(number) for number in absent[:20]) + (" ..." if len(absent) > 20 else "")
        click.echo(f"{len(absent)} ticket(s) issued before are not in this list and stay good: no. {numbers}")


@tickets.command("import")
@_CONFIG
@_EVENT
@click.argument("listing", type=click.Path(path_type=Path, dir_okay=False), metavar="LIST")
@click.option("--code-column", help="The heading of the code, when the guess is wrong.")
def tickets_import(config_path: Path, slug: str, listing: Path, code_column: str | None) -> None:
    """Take the tickets of a CSV list that somebody else made; all or nothing."""
    from kiosk import services  # noqa: PLC0415

    sheet, done = services.import_tickets(config_path, slug, listing, code_column)
    _say_columns(sheet.columns)
    click.echo(f"{done.new} new, {done.changed} changed, {done.unchanged} as before")


def _say_columns(columns: Any) -> None:
    click.echo("columns: " + ", ".join(f"{ours} from {heading!r}" for ours, heading in columns.items()))


@cli.group()
def config() -> None:
    """platypus.toml and secrets.toml."""


@config.command("check")
@_CONFIG
def config_check(config_path: Path) -> None:
    """Say whether both files are good."""
    from kiosk import services  # noqa: PLC0415

    for line in services.check_config(config_path):
        click.echo(line)


@cli.command()
@_CONFIG
@_JSON
def doctor(config_path: Path, *, as_json: bool) -> None:
    """Say what works on this machine; exit 1 when something the door or the stream needs does not."""
    import kiosk.doctor as examining  # noqa: PLC0415

    checks = examining.examine(config_path)
    if as_json:
        click.echo(json.dumps({"checks": [check._asdict() for check in checks]}))
    else:
        click.echo(examining.as_table(checks))
    if any(check.state == "bad" for check in checks):
        sys.exit(1)
