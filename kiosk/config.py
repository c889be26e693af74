"""platypus.toml and secrets.toml: read once into frozen structs that refuse what they do not know.

An error names the file, the path of the key and what is wrong with it; it never shows a value of secrets.toml.
"""

from __future__ import annotations

import fcntl
import stat
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

from hardware.cameras import CameraSettings, Picamera2Camera
from hardware.durable import is_shared, own_as_folder, write_durably
from hardware.errors import PlatypusError
from hardware.panel.settings import PanelSettings
from hardware.passage import PassageSettings
from hardware.pins import refuse_clashes
from hardware.scanners import ScannerSettings
from kiosk.dashboard.settings import DashboardSettings
from kiosk.ledger import GateMode
from kiosk.post.settings import MailSettings
from kiosk.tickets.codes import SECRET_BYTES, new_secret
from stream.settings import StreamSettings

_Settings = TypeVar("_Settings", bound=msgspec.Struct)
_Kind = TypeVar("_Kind")
EventSecret = Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{SECRET_BYTES * 2}}}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class ConfigError(PlatypusError, ValueError):
    """A configuration file is missing or wrong; its text names the file, the key and what to write."""

    code = "config"


class DoorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[door]: one gate."""

    event: Name  # made by `platypus event create`
    gate: Name = "main"
    mode: GateMode = GateMode.ENTRY  # "entry", "exit", or "both": then the ticket's own state tells the way
    dwell_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 60.0  # at "both": a phone that lingers is no exit
    camera: CameraSettings = Picamera2Camera()
    panel: PanelSettings = PanelSettings()
    scanner: ScannerSettings | None = None  # a USB barcode scanner beside the camera
    passage: PassageSettings | None = None  # exit button, beam pair

    def __post_init__(self) -> None:
        if self.passage is not None and self.passage.pins == self.panel.pins:
            refuse_clashes([*self.panel.uses(), *self.passage.uses()])


class BusSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[bus]: where mosquitto listens."""

    socket: str = "/run/platypus/bus.sock"


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[privacy]: how long names are kept."""

    erase_personal_data_after_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 14  # after the evening; 0: never

    @property
    def after(self) -> timedelta | None:
        """How long after the evening; None: never by itself."""
        return timedelta(days=self.erase_personal_data_after_days) if self.erase_personal_data_after_days else None


class BackupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[backup]: where backups are kept on this machine, and how many."""

    dir: str | None = None  # default: backups/ in the state folder
    keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of platypus.toml."""

    state_dir: str = "/var/lib/platypus"
    run_dir: str = "/run/platypus"
    bus: BusSettings = BusSettings()
    door: DoorSettings
    stream: StreamSettings = StreamSettings()
    dashboard: DashboardSettings = DashboardSettings()
    privacy: PrivacySettings = PrivacySettings()
    mail: MailSettings | None = None  # None: no letters
    backup: BackupSettings = BackupSettings()

    @property
    def ledger_path(self) -> Path:
        """The database of the door."""
        return Path(self.state_dir) / "ledger.db"

    @property
    def agenda_path(self) -> Path:
        """Where the stream keeps the talks."""
        return Path(self.state_dir) / "agenda.json"

    @property
    def reports_path(self) -> Path:
        """Where the reports of evenings are kept whose names are forgotten."""
        return Path(self.state_dir) / "reports"

    @property
    def backups_path(self) -> Path:
        """The folder of backups."""
        return Path(self.backup.dir) if self.backup.dir else Path(self.state_dir) / "backups"

    @property
    def columns_path(self) -> Path:
        """Where the columns chosen for lists of tickets are kept."""
        return Path(self.state_dir) / "ticket-columns.json"

    @property
    def logbook_path(self) -> Path:
        """What became of the stream."""
        return Path(self.state_dir) / "stream-log.jsonl"

    @property
    def pretix_path(self) -> Path:
        """Which events are which check-in lists of a pretix server, with the tokens of this device."""
        return Path(self.state_dir) / "pretix.json"

    @property
    def look_path(self) -> Path:
        """The folder of logo, sponsors and colours; it may not be there."""
        return Path(self.stream.look_dir) if self.stream.look_dir else Path(self.state_dir) / "look"


class MailSecrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[mail] of secrets.toml."""

    password: str = ""

    def __repr__(self) -> str:
        return f"MailSecrets(has_password={bool(self.password)})"


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of secrets.toml, which a person writes; never shown."""

    stream_keys: Mapping[str, str] = {}  # destination -> key
    mail: MailSecrets = MailSecrets()

    def __repr__(self) -> str:
        return f"Secrets(stream_keys={sorted(self.stream_keys)}, mail={self.mail!r})"


def is_name(text: str) -> bool:
    """Whether `text` may name an event or a gate."""
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError:
        return False
    return True


def load_config(path: Path) -> Config:
    """Read platypus.toml. Raises ConfigError."""
    config = _convert(path, _toml(path), Config, is_secret=False)
    for camera in (config.door.camera, config.stream.source):
        if "@" in getattr(camera, "url", ""):  # a camera's password stands in its address
            _refuse_open(path, allowed=0o040 if is_shared(path.parent) else 0)
    return config


def read_config(text: str, path: Path) -> Config:
    """The same of a text that is not, or not yet, a file; `path` is what errors call it. Raises ConfigError."""
    return _convert(path, _tree(path, text), Config, is_secret=False)


class Usable(NamedTuple):
    """What of a wrong platypus.toml is right and enough to show a page; what is not, as when nothing is written."""

    dashboard: DashboardSettings
    state_dir: Path
    run_dir: Path


def usable_parts(path: Path) -> Usable:
    """Of a platypus.toml that `load_config` refuses."""
    try:
        tree = _toml(path)
    except ConfigError:
        tree = {}
    usual = {field.name: field.default for field in msgspec.structs.fields(Config)}
    state_dir, run_dir = (_or_else(tree.get(name), str, usual[name]) for name in ("state_dir", "run_dir"))
    dashboard = _or_else(tree.get("dashboard"), DashboardSettings, DashboardSettings())
    return Usable(dashboard, Path(state_dir), Path(run_dir))


def secrets_path(config_path: Path) -> Path:
    """secrets.toml lies beside platypus.toml."""
    return config_path.with_name("secrets.toml")


def load_secrets(path: Path) -> Secrets:
    """Read secrets.toml, nothing when it is absent. Raises ConfigError when others may read it."""
    if not path.exists():
        return Secrets()
    _refuse_open(path)
    return _convert(path, _toml(path), Secrets, is_secret=True)


def mail_password(config: Config, config_path: Path) -> str:
    """The password for [mail]; "" where no user logs in. Raises ConfigError when a user has none."""
    password = load_secrets(secrets_path(config_path)).mail.password
    if config.mail is not None and config.mail.user and not password:
        raise ConfigError(
            f'[mail] has user {config.mail.user!r} and no password: write password = "..." under [mail] in '
            f"{secrets_path(config_path)}"
        )
    return password


def event_secrets_path(config: Config) -> Path:
    """Where the events' secrets are kept; written by us alone, beside the ledger."""
    return Path(config.state_dir) / "event-secrets.json"


def event_secret(config: Config, event: str) -> bytes:
    """The secret of an event, from which its tickets' codes derive. Raises ConfigError when there is none."""
    path = event_secrets_path(config)
    secret = _event_secrets(path).get(event)
    if secret is None:
        raise ConfigError(
            f"{path} has no secret for {event!r}, so its tickets cannot be made again: restore the file from a backup"
        )
    return bytes.fromhex(secret)


def make_event_secret(config: Config, event: str) -> None:
    """Make the secret of a new event; one that is there is kept. Durable when this returns. Raises ConfigError."""
    path = event_secrets_path(config)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            own_as_folder(lock.fileno(), path.parent)
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = _event_secrets(path)
            if event not in known:
                write_durably(path, msgspec.json.encode({**known, event: new_secret().hex()}))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}. Check state_dir in platypus.toml.") from error


def _event_secrets(path: Path) -> dict[str, str]:
    try:
        _refuse_open(path)
        secrets = msgspec.json.decode(path.read_bytes(), type=dict[str, EventSecret])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Does it belong to another user?") from error
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path} is damaged ({str(error).partition(' - at')[0]}): restore it from a backup"
        ) from error
    return secrets


def _refuse_open(path: Path, *, allowed: int = 0) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 & ~allowed:
        raise ConfigError(f"{path} may be read by others (mode {mode:04o}): chmod 600 {path}")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return _tree(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Name another with --config.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


def _tree(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _or_else(value: object, kind: type[_Kind], usual: _Kind) -> _Kind:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return usual


def _convert(path: Path, tree: dict[str, Any], kind: type[_Settings], *, is_secret: bool) -> _Settings:
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        key = where.rstrip("`").lstrip(".")
        if is_secret:
            what = "wrong type or unknown key"
        raise ConfigError(f"{path}: {key or 'top level'}: {what}") from error
