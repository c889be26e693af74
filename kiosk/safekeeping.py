"""Backups as the command line and the services ask for them: what the configuration says about where everything is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from hardware.clock import Clock, SystemClock
from hardware.errors import PlatypusError
from kiosk.backup.errors import BadBackup, RestoreError, why
from kiosk.backup.manifest import Manifest
from kiosk.backup.places import SECRETS, Places
from kiosk.backup.restoring import Restored, check, restore
from kiosk.backup.shelf import Shelf
from kiosk.backup.snapshot import schema_of
from kiosk.backup.writing import Made, write_backup
from kiosk.config import Config, ConfigError, load_config, read_config, secrets_path
from kiosk.dashboard.changes import Changes, ChangesError
from kiosk.ledger import migrations
from kiosk.ledger.peek import event_name

_TOML = "config/platypus.toml"


class Foreseen(NamedTuple):
    """What restoring a file would do."""

    manifest: Manifest
    places: Places
    files: Mapping[Path, bytes]  # of the configuration, which would be written
    kept: Sequence[Path]  # of the configuration, which stay as they are
    notes: Sequence[str]  # what a person should know of it

    @property
    def migrates(self) -> bool:
        """Whether the ledger is of an older Platypus."""
        return self.manifest.schema != migrations.HEAD


def places_of(config: Config, config_path: Path) -> Places:
    """Where everything of an installation is."""
    state, stream, https = Path(config.state_dir), config.stream, config.dashboard.https
    named = [https.certificate, https.key, *(each.ca_file for each in stream.destinations)]
    folders = [stream.recordings_dir or state / "recordings", stream.spare_recordings_dir, config.run_dir]
    return Places(
        state_dir=state,
        config_path=config_path,
        secrets_path=secrets_path(config_path),
        look_path=config.look_path,
        beside=tuple(dict.fromkeys(path for each in named if each and (path := Path(each)).exists())),
        never=(config.backups_path, *(Path(each) for each in folders if each)),
    )


def shelf_of(config: Config, config_path: Path, clock: Clock) -> Shelf:
    """The folder where backups are kept."""
    places = places_of(config, config_path)
    return Shelf(places, config.backups_path, config.backup.keep, clock, config.privacy.after)


def make(config_path: Path, to: Path | None = None) -> Made:
    """Make a backup: at `to`, or in its folder when it is one; or on the shelf. Raises BackupError, ConfigError."""
    config, clock = load_config(config_path), SystemClock()
    if to is None:
        return shelf_of(config, config_path, clock).make()
    stamp = clock.stamp()
    if to.is_dir():
        to /= f"platypus-backup-{stamp.wall:%Y-%m-%d-%H%M%S}.zip"
    return write_backup(places_of(config, config_path).for_file_in(to.parent), to, stamp, config.privacy.after)


def make_before_upgrade(config_path: Path) -> Made | None:
    """A backup when the ledger is about to be brought to a newer step; None when there is nothing to bring there."""
    config = load_config(config_path)
    if not config.ledger_path.exists() or schema_of(config.ledger_path) == migrations.HEAD:
        return None
    return shelf_of(config, config_path, SystemClock()).make()


def foresee(config_path: Path, file: Path, *, with_config: bool = False, state_dir: Path | None = None) -> Foreseen:
    """Prove a file, and say what restoring it would do. Raises BadBackup, NewerBackup, ConfigError, RestoreError."""
    try:
        manifest, config = check(file)
    except BadBackup as error:
        raise type(error)(f"{file}: {error}. Nothing was changed.") from error
    except OSError as error:
        raise RestoreError(f"{file} cannot be read: {why(error)}. Nothing was changed.") from error
    own = _own(config_path, is_needed=not with_config)
    takes_config = _TOML in config and (own is None or with_config)
    if own is None and not takes_config:
        raise ConfigError(f"there is no {config_path}, and none in {file}: write one first")
    if state_dir is not None and own is not None and state_dir != Path(own.state_dir):
        raise ConfigError(f"{config_path} says state_dir = {own.state_dir!r}: change it there")
    files: dict[Path, bytes] = {}
    used = own
    if takes_config:
        text = _with_folders(config[_TOML], own, state_dir, file)
        files[config_path] = text.encode()
        used = read_config(text, config_path)
    assert used is not None  # noqa: S101  # one of both
    places = places_of(used, config_path)
    others = {SECRETS: places.secrets_path} | {
        name: config_path.with_name(name.removeprefix("config/")) for name in config if name not in (_TOML, SECRETS)
    }
    for name, path in others.items():
        if name in config and (with_config or not path.exists()):
            files[path] = config[name]
    kept = [path for path in (config_path, *others.values()) if path.exists() and path not in files]
    return Foreseen(manifest, places, files, kept, _notes(used, files, takes_config=takes_config))


def put_back(config_path: Path, file: Path, foreseen: Foreseen) -> tuple[Restored, Sequence[str]]:
    """Do it. Returns what was done, and what a person should know. Raises what `restoring.restore` raises."""
    try:
        done = restore(file, foreseen.places, foreseen.files, SystemClock().stamp())
    except BadBackup as error:
        raise type(error)(f"{file}: {error}. Nothing was changed.") from error
    notes = list(foreseen.notes)
    config = load_config(config_path)
    try:  # the list of changes went back in time, too: it should say why
        Changes(Path(config.state_dir), SystemClock()).add(
            "The command line", f"Backup: the backup {file.name} is restored"
        )
    except ChangesError as error:
        notes.append(str(error))
    try:
        event_name(config.ledger_path, config.door.event)
    except PlatypusError as error:
        notes.append(f"{config_path} names the event {config.door.event!r}: {error}")
    if done.was_live:
        notes.append("the stream was on air when the backup was made; it is stopped now: press Go live when it is time")
    return done, notes


def _own(config_path: Path, *, is_needed: bool) -> Config | None:
    """The configuration there is; None when there is none, or a broken one that is to be replaced."""
    if not config_path.exists():
        return None
    try:
        return load_config(config_path)
    except ConfigError:
        if is_needed:
            raise
        return None


def _with_folders(raw: bytes, own: Config | None, state_dir: Path | None, file: Path) -> str:
    """The backup's platypus.toml with this machine's own folders, when it has any. Raises BadBackup."""
    try:
        text = raw.decode("utf-8")
        read_config(text, Path(f"platypus.toml in {file.name}"))
        tree = tomllib.loads(text)
    except (ConfigError, UnicodeDecodeError) as error:
        raise BadBackup(
            f"{error}. Nothing was changed. Write a platypus.toml for this machine first: it is kept, and the rest is "
            "taken from the backup"
        ) from error
    wanted: dict[str, Any] = dict(tree)
    if own is not None:
        wanted |= {"state_dir": own.state_dir, "run_dir": own.run_dir}
        wanted["bus"] = {**tree.get("bus", {}), "socket": own.bus.socket}
    elif state_dir is not None:
        wanted["state_dir"] = str(state_dir.absolute())
    if wanted == tree:
        return text
    changed = text
    for table, key in (("", "state_dir"), ("", "run_dir"), ("bus", "socket")):
        found = (wanted.get(table, {}) if table else wanted).get(key)
        if found is not None:
            changed = _with_line(changed, table, key, found)
    try:
        is_meant = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        is_meant = False
    return changed if is_meant else tomli_w.dumps(wanted)  # a person's comments are lost: better than a wrong folder


def _with_line(text: str, table: str, key: str, value: str) -> str:
    line = tomli_w.dumps({key: value})
    head = re.search(rf"^\[{table}\].*\n", text, re.MULTILINE) if table else None
    if table and head is None:
        return f"{text.rstrip()}\n\n[{table}]\n{line}"
    begin = head.end() if head else 0
    rest = text[begin:]
    end = next_table.start() if (next_table := re.search(r"^\[", rest, re.MULTILINE)) else len(rest)
    body, count = re.subn(rf"^{key} *=.*\n", lambda _: line, rest[:end], flags=re.MULTILINE)
    return text[:begin] + (body if count else line + rest[:end]) + rest[end:]


def _notes(config: Config, files: Mapping[Path, bytes], *, takes_config: bool) -> list[str]:
    notes = []
    if takes_config:
        https = config.dashboard.https
        named = {
            each for each in (https.certificate, https.key, *(d.ca_file for d in config.stream.destinations)) if each
        }
        names = {path.name: path for path in files}
        notes += [
            f"platypus.toml names {each}, and here it lies at {names[Path(each).name]}: write that there"
            for each in sorted(named)
            if not Path(each).exists() and Path(each).name in names and names[Path(each).name] != Path(each)
        ]
    return notes
