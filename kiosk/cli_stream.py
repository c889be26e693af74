"""`platypus stream ...` and `platypus agenda ...`: the organizer's part of the command line."""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from pathlib import Path

import click
import msgspec

from hardware.checks import as_table
from kiosk.cli_options import CONFIG, JSON
from kiosk.news import StreamOrder
from stream.health import StreamState

_KEY_CHARS = 10_000  # more than any key has


@click.group(invoke_without_command=True)
@CONFIG
@click.pass_context
def stream(context: click.Context, config_path: Path) -> None:
    """Record the talk and push it to its destinations; or tell the process that does what viewers should see."""
    context.obj = config_path
    if context.invoked_subcommand is None:
        from kiosk.log_ring import keep_log  # noqa: PLC0415
        from kiosk.services.stream import run_stream  # noqa: PLC0415

        keep_log(config_path, "stream")
        run_stream(config_path)
    else:
        logging.getLogger("kiosk.bus").setLevel(logging.WARNING)  # one question: its coming and going is no news


def _stream_command(name: str, do: StreamOrder, says: str) -> None:
    @click.pass_obj
    def ask(config_path: Path, *, as_json: bool) -> None:
        from kiosk import remote  # noqa: PLC0415

        _show_stream(remote.order_stream(config_path, do), as_json=as_json)

    stream.command(name, help=says)(JSON(ask))


_stream_command("start", "start", "Go live with the camera, without a slate before.")
_stream_command("go-live", "go_live", "Go live with the slate before the start.")
_stream_command("next", "next_talk", "Introduce the next talk by its slate, then show the camera.")
_stream_command("camera", "camera", "Show the camera: the way back from every slate.")
_stream_command("break", "take_break", "Show the slate of a break.")
_stream_command("end", "end", "Thank the viewers; the stream stays until stop.")
_stream_command("hide", "hide_camera", "Hide the camera and the sound of the room, at once.")
_stream_command("undo", "undo", "Back to before the last of these commands; nothing when there is none.")
_stream_command("stop", "stop", "End the stream and close the recording.")
_stream_command("retry", "retry", "Try again now, wherever it waits to.")


@stream.command("talk")
@click.argument("talk")
@click.option("--next", "is_next", is_flag=True, help="Not on stage yet: the next one.")
@JSON
@click.pass_obj
def stream_talk(config_path: Path, talk: str, *, is_next: bool, as_json: bool) -> None:
    """Say which talk is on stage now, by its id or its number in the agenda; viewers go on seeing what they see."""
    from kiosk import remote  # noqa: PLC0415

    do: StreamOrder = "make_next" if is_next else "put_on_stage"
    _show_stream(remote.order_stream(config_path, do, talk), as_json=as_json)


@stream.command("preflight")
@JSON
@click.pass_obj
def stream_preflight(config_path: Path, *, as_json: bool) -> None:
    """Try camera, sound, disk and each destination (with a slate, for seconds) before the doors; exit 1 when one fails.

    Takes half a minute. A platform that goes live by itself when it gets a picture will do so.
    """
    from kiosk import remote  # noqa: PLC0415

    readiness = remote.preflight(config_path)
    click.echo(msgspec.json.encode(readiness) if as_json else as_table(readiness.checks))
    if any(check.state == "bad" for check in readiness.checks):
        sys.exit(1)


@stream.command("status")
@JSON
@click.pass_obj
def stream_status(config_path: Path, *, as_json: bool) -> None:
    """Say what viewers see, and how each leg is."""
    from kiosk import remote  # noqa: PLC0415

    _show_stream(remote.stream_state(config_path), as_json=as_json)


def _show_stream(state: StreamState, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(state))
        return
    talk = f"; talk: {state.talk.title}" if state.talk else ""
    after = f"; next: {state.next_talk.title}" if state.next_talk else ""
    click.echo(f"live: {state.program}{talk}{after}" if state.order == "live" else "stopped")
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


@click.group()
def agenda() -> None:
    """The talks of the evening."""


@agenda.command("import")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--room", help="Which room is the stage, when the file has several.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day of a CSV's times that have none.")
@JSON
def agenda_import(config_path: Path, file: Path, room: str | None, day: datetime | None, *, as_json: bool) -> None:
    """Take the talks of a schedule.json (pretalx, frab), an .ics or a .csv in place of those there were."""
    from kiosk import office  # noqa: PLC0415

    taken = office.import_agenda(config_path, file, room, day.date() if day else None)
    said = f"{len(taken.talks)} talk{'s' * (len(taken.talks) != 1)}" + (f" of {taken.event}" if taken.event else "")
    click.echo(msgspec.json.encode(taken) if as_json else said)


@agenda.command("show")
@CONFIG
@JSON
def agenda_show(config_path: Path, *, as_json: bool) -> None:
    """The talks in their order, each with the number that `platypus stream talk` takes."""
    from kiosk import office  # noqa: PLC0415

    kept, zone = office.agenda_of(config_path)
    if as_json:
        click.echo(msgspec.json.encode(kept))
        return
    for number, talk in enumerate(kept.talks, start=1):
        at = f"{talk.starts_at.astimezone(zone):%a %H:%M}" if talk.starts_at else ""
        click.echo(f"{number:3}  {at:9} {talk.title}" + (f" · {talk.speaker}" if talk.speaker else ""))
    if not kept.talks:
        click.echo("no talks yet: platypus agenda import FILE")


@stream.group("destinations", invoke_without_command=True)
@JSON
@click.pass_context
def destinations(context: click.Context, *, as_json: bool) -> None:
    """Where the stream goes; `add`, `key` and `remove` change it. The stream process learns of it when it starts."""
    if context.invoked_subcommand is not None:
        return
    from kiosk import destinations as files  # noqa: PLC0415

    if as_json:
        _done(context.obj, "", as_json=True)
        return
    found = files.listed(context.obj)
    for each in found:
        key = "key known" if each.has_key else f"no key: platypus stream destinations key {each.name}"
        click.echo(f"{each.name}: {each.url} ({key})")
    if not found:
        click.echo("none: only the recording. platypus stream destinations add NAME URL")


@destinations.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--ca-file", type=click.Path(path_type=Path, exists=True), help="Who signs the server's certificate.")
@JSON
@click.pass_obj
def destinations_add(config_path: Path, name: str, url: str, ca_file: Path | None, *, as_json: bool) -> None:
    """A new one, such as `add youtube rtmps://a.rtmps.youtube.com/live2`. The key is asked for, or read from stdin."""
    from kiosk import destinations as files  # noqa: PLC0415

    files.add(config_path, name, url, _key(), str(ca_file.resolve()) if ca_file else None)
    said = f"{name} is written down; start the stream process again, then: platypus stream preflight"
    _done(config_path, said, as_json=as_json)


@destinations.command("key")
@click.argument("name")
@JSON
@click.pass_obj
def destinations_key(config_path: Path, name: str, *, as_json: bool) -> None:
    """A new key for one there is; asked for, or read from stdin."""
    from kiosk import destinations as files  # noqa: PLC0415

    if all(each.name != name for each in files.listed(config_path)):
        raise click.UsageError(f"there is no destination {name!r}: platypus stream destinations add {name} URL")
    files.set_key(config_path, name, _key())
    _done(config_path, f"the key of {name} is written down; start the stream process again", as_json=as_json)


@destinations.command("remove")
@click.argument("name")
@JSON
@click.pass_obj
def destinations_remove(config_path: Path, name: str, *, as_json: bool) -> None:
    """Take one out, and its key."""
    from kiosk import destinations as files  # noqa: PLC0415

    files.remove(config_path, name)
    _done(config_path, f"{name} is gone; start the stream process again", as_json=as_json)


def _done(config_path: Path, words: str, *, as_json: bool) -> None:
    """The answer: `words` for people, for programs all destinations as they are now."""
    from kiosk import destinations as files  # noqa: PLC0415

    listed = {"destinations": [each._asdict() for each in files.listed(config_path)]}
    click.echo(msgspec.json.encode(listed) if as_json else words)


def _key() -> str:
    """A stream key: never an argument, which others could see in the list of processes."""
    if sys.stdin.isatty():
        return str(click.prompt("stream key", hide_input=True))
    return sys.stdin.read(_KEY_CHARS).removesuffix("\n")  # all of it: half of a key is none
