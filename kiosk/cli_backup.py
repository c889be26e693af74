"""`platypus backup` and `platypus restore`: everything another Pi needs, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kiosk.cli_options import CONFIG, JSON

if TYPE_CHECKING:
    from kiosk.backup.manifest import Manifest
    from kiosk.safekeeping import Foreseen

_FILE = click.Path(path_type=Path)
_CAUTION = (
    "It holds stream keys, the key of the certificate and names: keep it as you keep keys. Recordings are not in it."
)
_CAUTION_WITHOUT_KEYS = (
    "It holds the key of the certificate and names: keep it as you keep keys. secrets.toml is not in it, since the "
    "dashboard may not read it (a file of your own has it: sudo platypus backup FILE), and recordings are not."
)


@click.command()
@CONFIG
@JSON
@click.argument("file", required=False, type=_FILE)
@click.option("--before-upgrade", is_flag=True, help="Only when the ledger is of an older Platypus.")
def backup(config_path: Path, file: Path | None, *, as_json: bool, before_upgrade: bool) -> None:
    """Put everything another Pi needs into one file, and check it; the door and the stream may go on.

    FILE is where, or a folder; without it, the folder of backups, where the newest ten are kept. Recordings are not in
    it.
    """
    from kiosk import safekeeping  # noqa: PLC0415

    if before_upgrade and file is not None:
        raise click.UsageError("--before-upgrade chooses its file itself")
    made = safekeeping.make_before_upgrade(config_path) if before_upgrade else safekeeping.make(config_path, file)
    if made is None:
        click.echo(msgspec.json.encode({"file": None}) if as_json else "no backup is needed: the ledger is up to date")
        return
    if as_json:
        click.echo(msgspec.json.encode({"file": str(made.path), "bytes": made.size, **_told(made.manifest)}))
        return
    click.echo(f"{made.path}: {_size(made.size)}, {len(made.manifest.files)} files, written and read back")
    click.echo(_CAUTION_WITHOUT_KEYS if made.manifest.left_out else _CAUTION)
    for line in _names(made.manifest):
        click.echo(line)


@click.command()
@CONFIG
@JSON
@click.argument("file", type=_FILE)
@click.option("--check", "only_check", is_flag=True, help="Prove the file and say what it would do; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--with-config", is_flag=True, help="Take its platypus.toml and secrets.toml in place of those here.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="On a machine without platypus.toml: the folder of the state, when not the backup's.",
)
def restore(
    config_path: Path,
    file: Path,
    *,
    as_json: bool,
    only_check: bool,
    yes: bool,
    with_config: bool,
    state_dir: Path | None,
) -> None:
    """Put a backup in the place of what is here. What is here goes aside and is not deleted.

    Stop the door, the stream and the dashboard first. platypus.toml and secrets.toml stay as they are where there are
    any, unless --with-config; folders are this machine's own.
    """
    from kiosk import safekeeping  # noqa: PLC0415

    if as_json and not (yes or only_check):
        raise click.UsageError("--json asks nothing: give --yes or --check too")
    foreseen = safekeeping.foresee(config_path, file, with_config=with_config, state_dir=state_dir)
    if not as_json:
        for line in _foreseen(file, foreseen):
            click.echo(line)
    if only_check:
        if as_json:
            click.echo(msgspec.json.encode({"is_restored": False, **_plan(foreseen)}))
        return
    if not yes:
        click.confirm("Restore it?", abort=True)
    done, notes = safekeeping.put_back(config_path, file, foreseen)
    if as_json:
        aside = None if done.aside is None else str(done.aside)
        click.echo(msgspec.json.encode({"is_restored": True, **_plan(foreseen), "aside": aside, "notes": notes}))
        return
    click.echo(f"restored into {foreseen.places.state_dir}")
    if done.aside is not None:
        click.echo(f"what was there is in {done.aside}")
    for note in notes:
        click.echo(f"note: {note}")


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": manifest.made_at,
        "is_clock_trusted": manifest.is_clock_trusted,
        "host": manifest.host,
        "version": manifest.version,
        "schema": manifest.schema,
        "names": manifest.names,
        "erase_by": manifest.erase_by,
        "files": manifest.files,
        "left_out": manifest.left_out,
    }


def _plan(foreseen: Foreseen) -> dict[str, Any]:
    return {
        **_told(foreseen.manifest),
        "state_dir": str(foreseen.places.state_dir),
        "migrates": foreseen.migrates,
        "writes": sorted(map(str, foreseen.files)),
        "keeps": sorted(map(str, foreseen.kept)),
        "notes": foreseen.notes,
    }


def _foreseen(file: Path, foreseen: Foreseen) -> Sequence[str]:
    manifest = foreseen.manifest
    doubt = "" if manifest.is_clock_trusted else " (that clock was not set by a time server)"
    state = foreseen.places.state_dir
    lines = [
        f"{file} is whole: {len(manifest.files)} files, {_size(manifest.size)} unpacked",
        f"made {manifest.made_at:%Y-%m-%d %H:%M} UTC{doubt} on {manifest.host} by Platypus {manifest.version}",
        *_names(manifest),
        f"it goes to {state}; what is there goes aside, to a folder before-restore-... in it",
    ]
    if foreseen.migrates:
        lines.append("its ledger is of an older Platypus and is brought up to date")
    lines += [f"it writes {path}" for path in sorted(foreseen.files)]
    lines += [f"it keeps {path} as it is (--with-config takes the backup's)" for path in sorted(foreseen.kept)]
    return lines + [f"note: {note}" for note in foreseen.notes]


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, size // 1000)} kB"


def _names(manifest: Manifest) -> Sequence[str]:
    if not manifest.names:
        return ["There are no names in it."]
    events = ", ".join(each.event for each in manifest.names)
    if manifest.erase_by is None:
        return [f"Names of {events} are in it."]
    by = f"{manifest.erase_by:%Y-%m-%d}"
    return [f"Names of {events} are in it: delete copies elsewhere by {by}. On this machine that happens by itself."]
