"""`platypus pretix ...`: this machine as a device of a pretix server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kiosk.cli_options import CONFIG, EVENT, JSON

if TYPE_CHECKING:
    from kiosk.ledger.pretix_copy import Conflict
    from kiosk.pretix.sync import SyncState

_MOST_CHARS = 2_000


@click.group()
def pretix() -> None:
    """An event whose tickets are in pretix: copied here, and told what happens at the door."""


@pretix.command("enrol")
@CONFIG
@EVENT
def pretix_enrol(config_path: Path, slug: str) -> None:
    """Make this machine a device. Reads what the QR code of a new one holds from standard input, or asks for it.

    In pretix: organizer, devices, connect a device; security profile pretixSCAN. The code is good once.
    """
    from kiosk import office  # noqa: PLC0415

    if sys.stdin.isatty():
        text = click.prompt("What its QR code holds (not shown)", hide_input=True)
    else:
        text = sys.stdin.read(_MOST_CHARS)
    with office.pretix_desk(config_path, slug) as desk:
        link = desk.enrol(text)
    click.echo(f"enrolled at {link.url} as {link.name} (device {link.device_id})")
    if link.is_chosen:
        click.echo(f"tickets of: {link.event_name}, {link.list_name}")
    else:
        click.echo("now choose a check-in list: platypus pretix lists, then platypus pretix choose")


@pretix.command("lists")
@CONFIG
@EVENT
@JSON
def pretix_lists(config_path: Path, slug: str, *, as_json: bool) -> None:
    """The check-in lists that can be chosen."""
    from kiosk import office  # noqa: PLC0415

    with office.pretix_desk(config_path, slug) as desk:
        choices = desk.choices()
    if as_json:
        click.echo(msgspec.json.encode({"lists": [each._asdict() for each in choices]}))
        return
    for each in choices:
        click.echo(
            f"{each.event} {each.checkin_list}: {each.event_name}, {each.starts_at:%Y-%m-%d %H:%M}, {each.list_name}"
        )


@pretix.command("choose")
@CONFIG
@EVENT
@click.argument("theirs", metavar="PRETIX_EVENT")
@click.argument("checkin_list", metavar="LIST", type=int)
@click.option("--yes", is_flag=True, help="Do not ask when another event was chosen before.")
def pretix_choose(config_path: Path, slug: str, theirs: str, checkin_list: int, *, yes: bool) -> None:
    """Take the tickets of a check-in list; those of another event, had before, are cancelled."""
    from kiosk import office  # noqa: PLC0415

    with office.pretix_desk(config_path, slug) as desk:
        before = desk.sync.state().link
        if before is not None and before.event not in ("", theirs) and not yes:
            click.confirm(f"Cancel the tickets of {before.event_name}, which were taken before?", abort=True)
        link = desk.choose(theirs, checkin_list)
        click.echo(f"tickets of: {link.event_name}, {link.list_name}")
        phase = desk.sync.round()
        _say(desk.sync.state(), [])
    if phase != "current":
        sys.exit(1)


@pretix.command("status")
@CONFIG
@EVENT
@JSON
def pretix_status(config_path: Path, slug: str, *, as_json: bool) -> None:
    """How old the copy is, what pretix has yet to be told, and what a person is to look at. Asks pretix nothing."""
    from kiosk import office  # noqa: PLC0415

    with office.pretix_desk(config_path, slug) as desk:
        state, conflicts = desk.sync.state(), desk.conflicts()
    if as_json:
        click.echo(msgspec.json.encode(_as_json(state, conflicts)))
    else:
        _say(state, conflicts)


@pretix.command("sync")
@CONFIG
@EVENT
@JSON
def pretix_sync(config_path: Path, slug: str, *, as_json: bool) -> None:
    """Take all orders and tell what happened, now. Exit code 1 when pretix is not to be had."""
    from kiosk import office  # noqa: PLC0415

    with office.pretix_desk(config_path, slug) as desk:
        desk.sync.ask_now(whole=True)
        phase = desk.sync.round()
        state, conflicts = desk.sync.state(), desk.conflicts()
    if as_json:
        click.echo(msgspec.json.encode(_as_json(state, conflicts)))
    else:
        _say(state, conflicts)
    if phase != "current":
        sys.exit(1)


@pretix.command("seen")
@CONFIG
@EVENT
@click.argument("scans", metavar="ROW...", type=click.IntRange(1, 2**31 - 1), nargs=-1, required=True)
def pretix_seen(config_path: Path, slug: str, scans: tuple[int, ...]) -> None:
    """Say that you looked at these conflicts, by the numbers that `status` gives them."""
    from kiosk import office  # noqa: PLC0415

    with office.pretix_desk(config_path, slug) as desk:
        for scan in scans:
            desk.see(scan)
        click.echo(f"{len(desk.conflicts())} left")


@pretix.command("leave")
@CONFIG
@EVENT
@click.option("--yes", is_flag=True, help="Do not ask.")
def pretix_leave(config_path: Path, slug: str, *, yes: bool) -> None:
    """Be a device no more. The tickets stay as they are; what pretix was not told waits for the next device."""
    from kiosk import office  # noqa: PLC0415

    with office.pretix_desk(config_path, slug) as desk:
        untold = desk.sync.state().untold
        if not yes:
            click.confirm(f"Leave pretix? {untold} scan(s) were not told yet", abort=True)
        why = desk.leave()
    click.echo(f"left, and pretix does not know it: {why}" if why else "left")


def _as_json(state: SyncState, conflicts: Sequence[Conflict]) -> dict[str, Any]:
    link = state.link
    return {
        "phase": state.phase,
        "server": link.url if link else None,
        "event": link.event if link else None,
        "list": link.list_name if link else None,
        "age_s": state.age_s,
        "copied_at": state.copied_at,
        "untold": state.untold,
        "cause": state.cause,
        "conflicts": [each._asdict() for each in conflicts],
    }


def _say(state: SyncState, conflicts: Sequence[Conflict]) -> None:
    link = state.link
    if link is None:
        click.echo("this machine is no device of pretix: platypus pretix enrol")
        return
    click.echo(f"{link.url}, {link.organizer}, as {link.name} (device {link.device_id}): {state.phase}")
    click.echo(f"tickets of: {link.event_name}, {link.list_name}" if link.is_chosen else "no check-in list is chosen")
    if state.copied_at is not None:
        age = f", {state.age_s / 60:.0f} min old" if state.age_s is not None else ", of before this machine was started"
        click.echo(f"copy of {state.copied_at:%Y-%m-%d %H:%M} UTC{age}; {state.untold} scan(s) not told yet")
    elif link.is_chosen:
        click.echo("no whole copy yet: the dashboard makes one by itself, or: platypus pretix sync")
    if state.cause:
        click.echo(state.cause)
    for each in conflicts:
        who = f"ticket no. {each.number}" if each.number else "nobody's ticket"
        other = f", in at {each.other_at:%H:%M} UTC elsewhere" if each.other_at else ""
        click.echo(f"look: row {each.scan_id}, {each.at:%H:%M} UTC at {each.gate}, {who}: {each.reason}{other}")
