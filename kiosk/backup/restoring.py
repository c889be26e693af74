"""A backup is put back: unpacked and tried beside the state, which it replaces as a whole, or not at all."""

from __future__ import annotations

import errno
import itertools
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from hardware.clock import Stamp
from hardware.durable import is_shared, make_folder, sync_folder, write_durably
from hardware.errors import PlatypusError
from kiosk.backup.archive import Archive, opened
from kiosk.backup.errors import BadBackup, RestoreError, why
from kiosk.backup.in_use import nobody_works_on
from kiosk.backup.manifest import UNKNOWN, Manifest, Names
from kiosk.backup.places import ABOUT_ASIDE, ASIDE, LEDGER, LEDGER_FILES, Places
from kiosk.backup.snapshot import look_at_ledger
from kiosk.backup.swap import STAGING, STAGING_ASIDE, Move, Plan, commit, finish, is_there, remove
from kiosk.ledger.database import Database
from kiosk.version import own_version
from stream.order import Order

log = logging.getLogger(__name__)

_SPARE_BYTES = 20_000_000  # that stay free beside what is unpacked
_ORDER = "stream-order.json"
_FOR_GROUP = (_ORDER, "agenda.json", "agenda.before.json")  # where the programs have a user each


class Restored(NamedTuple):
    """What was put back."""

    manifest: Manifest
    aside: Path | None  # a folder: what was there before; None: nothing was
    was_live: bool  # the stream was on air then; it is not now


def check(path: Path) -> tuple[Manifest, Mapping[str, bytes]]:
    """Prove that a backup is whole, and that its ledger opens. Returns it, and its files of the configuration.

    Nothing is left behind. Raises BadBackup, NewerBackup, OSError.
    """
    with opened(path) as archive, tempfile.TemporaryDirectory(prefix="platypus-check-", dir=_roomy()) as folder:
        config = {}
        for member in archive.manifest.files:
            if member.name == LEDGER:
                archive.unpack(member, Path(folder) / LEDGER)
            elif member.name.startswith("config/"):
                config[member.name] = b"".join(archive.chunks(member))
            else:
                for _ in archive.chunks(member):
                    pass
        _prove_ledger(Path(folder) / LEDGER, archive.manifest)
        return archive.manifest, config


def restore(path: Path, places: Places, config: Mapping[Path, bytes], stamp: Stamp) -> Restored:
    """Put a backup in the place of the state at `places`; `config` are files to write beside it, with their content.

    What was there goes aside. Raises BadBackup and NewerBackup for the file, InUse while programs run, RestoreError;
    then nothing has changed.
    """
    try:
        with opened(path) as archive, nobody_works_on(places.state_dir):
            elsewhere = (places.config_path.parent, places.look_path)
            finish(places.state_dir, elsewhere)  # one that was interrupted
            with _cleared(places, config):
                plan, aside, was_live = _prepared(archive, places, config, stamp)
            commit(places.state_dir, plan)
            finish(places.state_dir, elsewhere)
    except OSError as error:
        if isinstance(error, PlatypusError):
            raise
        raise RestoreError(
            f"{path.name} cannot be put back: {why(error)}. Nothing was changed. Is there room, and may we write "
            f"there? As another user: sudo platypus restore {path}"
        ) from error
    log.info("backup event=restored file=%s aside=%s", path.name, aside.name if aside else "-")
    return Restored(archive.manifest, aside, was_live)


@contextmanager
def _cleared(places: Places, config: Mapping[Path, bytes]) -> Iterator[None]:
    """What was unpacked goes when it comes to nothing."""
    elsewhere = [_beside(places.look_path), *map(_beside, config)]
    for left in elsewhere:  # of one that was killed
        remove(left)
    try:
        yield
    except BaseException:
        for left in (places.state_dir / STAGING, places.state_dir / STAGING_ASIDE, *elsewhere):
            remove(left)
        raise


def _prepared(
    archive: Archive, places: Places, config: Mapping[Path, bytes], stamp: Stamp
) -> tuple[Plan, Path | None, bool]:
    manifest, state = archive.manifest, places.state_dir
    staging = state / STAGING
    free = shutil.disk_usage(state).free
    if free < 2 * manifest.size + _SPARE_BYTES:  # an older ledger is written anew
        raise RestoreError(
            f"{free / 1e6:.0f} MB are free at {state}, and {(2 * manifest.size + _SPARE_BYTES) / 1e6:.0f} MB are "
            "needed: free some space. Nothing was changed."
        )
    is_look_inside = places.look_path.is_relative_to(state)
    look = staging / places.look_path.relative_to(state) if is_look_inside else _beside(places.look_path)
    if is_there(staging):
        raise FileExistsError(errno.EEXIST, "it is left of another user's restore", str(staging))
    make_folder(staging)  # killed from here on, whoever the state belongs to may remove it
    for member in manifest.files:
        kind, _, rest = member.name.partition("/")
        if kind == "config":
            continue
        to = {"state": staging / rest, "look": look / rest}.get(kind, staging / LEDGER)
        make_folder(to.parent)
        archive.unpack(member, to)
    _prove_ledger(staging / LEDGER, manifest)
    Database(staging / LEDGER).close()  # brought to the newest step
    (staging / LEDGER).with_suffix(".lock").unlink(missing_ok=True)
    was_live = _not_on_air(staging / _ORDER)
    enter = [Move(str(each), str(state / each.name)) for each in sorted(staging.iterdir())]
    old = [*places.own_entries(), *(path for name in LEDGER_FILES if is_there(path := state / name))]
    replaced = [Move(str(_stage_file(path, content, state)), str(path)) for path, content in config.items()]
    there = [path for path in config if path.exists()]
    aside = None
    if old or there:
        aside = _free_name(state / ASIDE, stamp)
        _write_aside(places, stamp, there)
        replaced.append(Move(str(state / STAGING_ASIDE), str(aside)))
    moves = [Move(str(path), str(aside / path.name)) for path in old] if aside else []
    if not is_look_inside and look.exists():
        enter.append(Move(str(look), str(places.look_path)))
        if is_there(places.look_path):
            gone = _free_name(places.look_path.with_name(f"{places.look_path.name}-{ASIDE}"), stamp)
            moves.append(Move(str(places.look_path), str(gone)))
    blocked = [each.target for each in enter if is_there(each.target)]
    if stuck := sorted(set(blocked) - {each.source for each in moves}):
        raise RestoreError(f"{stuck[0]} is in the way and not of the state: move it elsewhere. Nothing was changed.")
    _share_all(staging, look, state)
    _make_durable(staging, state)
    if not is_look_inside and look.exists():
        _make_durable(look, state)
    return Plan(replaced=tuple(replaced), aside=tuple(moves), enter=tuple(enter)), aside, was_live


def _free_name(beginning: Path, stamp: Stamp) -> Path:
    """With the time of day; a clock may show the same one twice."""
    first = beginning.with_name(f"{beginning.name}{stamp.wall:%Y-%m-%d-%H%M%S}")
    names = itertools.chain([first], (first.with_name(f"{first.name}-{n}") for n in itertools.count(2)))
    return next(each for each in names if not is_there(each))


def _write_aside(places: Places, stamp: Stamp, config: list[Path]) -> None:
    """The folder for what was there, with a copy of the configuration, and a word on whose names are in it."""
    folder = places.state_dir / STAGING_ASIDE
    schema = ""
    names: tuple[Names, ...] = ()
    if places.ledger.exists():
        try:
            schema, _, names = look_at_ledger(places.ledger)
        except BadBackup:  # perhaps that is why a backup is put back
            log.warning("backup event=old-ledger-unreadable next=goes-aside-as-it-is")
            names = (Names(event=UNKNOWN, since=stamp.wall if stamp.is_trusted else None),)
    about = Manifest(
        made_at=stamp.wall,
        is_clock_trusted=stamp.is_trusted,
        host=os.uname().nodename,
        version=own_version(),
        schema=schema,
        names=names,
    )
    write_durably(folder / ABOUT_ASIDE, msgspec.json.format(msgspec.json.encode(about)) + b"\n")
    make_folder(folder / f"{ASIDE}config")
    for path in config:  # the stream keys stay of whom they are, though the folder is not
        _write_like(folder / f"{ASIDE}config" / path.name, path.read_bytes(), path)


def _stage_file(path: Path, content: bytes, owner: Path) -> Path:
    """A file beside the one it will replace, with that one's rights; a new one is for the owner of the state alone."""
    staged = _beside(path)
    staged.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _write_like(staged, content, path if path.exists() else owner)  # by this name the next restore finds and removes it
    return staged


def _write_like(to: Path, content: bytes, like: Path) -> None:
    """A new file, of the owner of `like`, and of its mode when that is a file."""
    status = like.stat()
    with to.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        if os.geteuid() == 0:
            os.fchown(file.fileno(), status.st_uid, status.st_gid)
        if stat.S_ISREG(status.st_mode):
            os.fchmod(file.fileno(), status.st_mode & 0o777)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _beside(path: Path) -> Path:
    return path.with_name(f"{STAGING}-{path.name}")


def _prove_ledger(path: Path, manifest: Manifest) -> None:
    """Raises BadBackup."""
    if (found := look_at_ledger(path)).schema != manifest.schema:
        raise BadBackup(f"the ledger in it is at step {found.schema}, and it says {manifest.schema}")


def _not_on_air(path: Path) -> bool:
    """The stream does not go on air by itself with an order of another day or another Pi. Returns whether it was."""
    if not path.exists():
        return False
    try:
        order = msgspec.json.decode(path.read_bytes(), type=Order)
    except msgspec.MsgspecError:
        return False  # the stream takes it for none
    if order.do != "live":
        return False
    write_durably(path, msgspec.json.encode(msgspec.structs.replace(order, do="stopped")))
    return True


def _share_all(staging: Path, look: Path, state: Path) -> None:
    """More than one program reads the talks, the order and the look."""
    if not is_shared(state):
        return
    for path in (*(staging / name for name in _FOR_GROUP), look, *look.rglob("*")):
        if path.exists() and not path.is_symlink():
            path.chmod(0o750 if path.is_dir() else 0o640)


def _make_durable(folder: Path, like: Path) -> None:
    """Names and owners of all that was unpacked; what is in the files is on the disk already."""
    _own_all(folder, like)
    for here, _, _ in os.walk(folder):
        sync_folder(Path(here))


def _own_all(folder: Path, like: Path) -> None:
    """What root unpacked belongs to whom the state belongs to."""
    if os.geteuid() != 0:
        return
    owner = like.stat()
    for here, _, files in os.walk(folder, topdown=False):  # whoever has the folder may put links in the place of files
        for each in (*(os.path.join(here, file) for file in files), here):  # noqa: PTH118  # as os.walk gives them
            os.chown(each, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _roomy() -> str | None:
    """Where a large file may lie for a moment: on the disk, when /tmp is in memory."""
    return "/var/tmp" if os.access("/var/tmp", os.W_OK) else None  # noqa: S108  # a private folder is made in it
