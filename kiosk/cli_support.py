"""`platypus support`: one file to show to somebody who helps."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from kiosk.cli_options import CONFIG, JSON


@click.command()
@CONFIG
@JSON
@click.argument("file", required=False, type=click.Path(path_type=Path))
def support(config_path: Path, file: Path | None, *, as_json: bool) -> None:
    """Make one file that says how everything is, without names, codes or keys.

    FILE is where, or a folder; without it, the state folder.
    """
    from kiosk.doctor import examine  # noqa: PLC0415
    from kiosk.support import write_support  # noqa: PLC0415

    made = write_support(config_path, examine(config_path), file)
    if as_json:
        click.echo(msgspec.json.encode({"file": str(made), "bytes": made.stat().st_size}))
        return
    click.echo(made)
    click.echo("Names, codes and keys were taken out; read it all the same before you give it away.", err=True)
