"""What a backup says of itself: when and where it was made, which files are in it, and whose names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from kiosk.backup.errors import BadBackup, NewerBackup
from kiosk.ledger import migrations

FORMAT = 1
UNKNOWN = "?"  # in the place of an event, where a ledger could not be read


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file in it."""

    name: str
    size: int  # bytes, unpacked
    sha256: str


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """An event of which it holds names, e-mails, orders or notes."""

    event: str  # slug
    since: datetime | None  # aware: when the event was, as far as it is known


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The file manifest.json of a backup."""

    platypus_backup: int = FORMAT
    made_at: datetime  # aware
    is_clock_trusted: bool
    host: str
    version: str
    schema: str  # the step of the ledger's tables
    names: tuple[Names, ...] = ()
    erase_by: datetime | None = None  # when the first of them has to be gone; None: nobody's, or nobody knows
    files: tuple[Member, ...] = ()
    left_out: tuple[str, ...] = ()  # what there was, and is not in it

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        return sum(each.size for each in self.files)


class _Format(msgspec.Struct, frozen=True):
    platypus_backup: int


def read_manifest(raw: bytes) -> Manifest:
    """Raises BadBackup, NewerBackup."""
    try:
        found = msgspec.json.decode(raw, type=_Format).platypus_backup
        if found > FORMAT:
            raise NewerBackup(f"a newer Platypus made it (format {found}, this one knows {FORMAT}): upgrade first")
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBackup(f"its list of files cannot be understood ({error})") from error
    if manifest.schema > migrations.HEAD:
        raise NewerBackup(
            f"a newer Platypus made it (ledger at step {manifest.schema}, this one knows {migrations.HEAD}): upgrade "
            "first"
        )
    return manifest


def goes_at(names: Sequence[Names], after: timedelta | None) -> datetime | None:
    """When the first of these names has to be gone; None: never by itself, or nobody knows."""
    if after is None:
        return None
    return min((each.since + after for each in names if each.since is not None), default=None)
