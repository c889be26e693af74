"""`platypus privacy ...`: what is known of persons, and forgetting it."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from kiosk.cli_options import CONFIG, JSON


@click.group()
def privacy() -> None:
    """Names, e-mails and notes: what is kept, and for how long."""


@privacy.command("show")
@CONFIG
@JSON
def privacy_show(config_path: Path, *, as_json: bool) -> None:
    """Say what is kept of persons, by event and in backups, and when it goes."""
    from kiosk import office  # noqa: PLC0415
    from kiosk.backup.manifest import goes_at  # noqa: PLC0415

    after, known, copies = office.personal_data(config_path)
    if as_json:
        told = [
            {
                "event": each.event.slug,
                "tickets": each.tickets,
                "waiting": each.waiting,
                "rows": each.rows,
                "goes_at": each.goes_at(after) if after is not None else None,
            }
            for each in known
        ]
        backups = [
            {
                "file": str(each.path),
                "events": [] if each.manifest is None else [names.event for names in each.manifest.names],
                "goes_at": None if each.manifest is None else goes_at(each.manifest.names, after),
                "trouble": each.trouble,
            }
            for each in copies
        ]
        click.echo(msgspec.json.encode({"events": told, "backups": backups}))
        return
    for each in known:
        if each.is_nothing:
            click.echo(f"{each.event.slug}: nothing of anybody")
            continue
        at = each.goes_at(after) if after is not None else None
        if at is not None:
            goes = f"goes on {at:%Y-%m-%d}"
        elif after is not None:
            goes = f"goes {after.days} day(s) after the first ticket is shown, since nobody said when the evening is"
        else:
            goes = "stays until platypus privacy erase"
        click.echo(
            f"{each.event.slug}: {each.tickets} ticket(s) with a name, e-mail, order or note, {each.waiting} name(s) "
            f"on the waiting list, {each.rows} row(s) that say who did them: {goes}"
        )
    for copy in copies:
        if copy.manifest is None:
            click.echo(f"{copy.path}: names may be in it, it cannot be read ({copy.trouble}): delete it by hand")
        elif copy.manifest.names:
            at = goes_at(copy.manifest.names, after)
            goes = f"deleted on {at:%Y-%m-%d}" if at is not None else "stays until platypus privacy erase"
            events = ", ".join(names.event for names in copy.manifest.names)
            click.echo(f"{copy.path}: names of {events}: {goes}")


@privacy.command("erase")
@CONFIG
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
def privacy_erase(config_path: Path, slug: str, *, yes: bool) -> None:
    """Erase names, e-mails, orders and notes of an event now, and delete backups with them. Cannot be undone.

    What was counted stays. Where no backup would be left, one without those names is made.
    """
    from kiosk import office  # noqa: PLC0415

    if not yes:
        asked = f"Erase all names of {slug}? Nobody can be found by name at its door afterwards"
        click.confirm(f"{asked}, and backups with them are deleted", abort=True)
    gone, copies = office.erase_personal_data(config_path, slug)
    click.echo(f"{slug}: erased on {gone.tickets} ticket(s), {gone.waiting} of the waiting list, {gone.rows} row(s)")
    for copy in copies:
        click.echo(f"{copy.path} is deleted: those names were in it")
    click.echo("Backups that were taken elsewhere are yours to delete.")
