"""platypus.toml and secrets.toml: read once into frozen structs that refuse what they do not know.

An error names the file, the path of the key and what is wrong with it; it never shows a value of secrets.toml.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import tomli_w

from hardware.cameras import CameraSettings, Picamera2Camera
from hardware.errors import PlatypusError
from hardware.panel.settings import PanelSettings
from kiosk.dashboard.settings import DashboardSettings
from kiosk.ledger import GateMode
from kiosk.tickets.codes import SECRET_BYTES, new_secret
from stream.settings import StreamSettings

DEFAULT_PATH = Path("/etc/platypus/platypus.toml")

_Settings = TypeVar("_Settings", bound=msgspec.Struct)
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


class BusSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[bus]: where mosquitto listens."""

    socket: str = "/run/platypus/bus.sock"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of platypus.toml."""

    state_dir: str = "/var/lib/platypus"
    run_dir: str = "/run/platypus"
    bus: BusSettings = BusSettings()
    door: DoorSettings
    stream: StreamSettings = StreamSettings()
    dashboard: DashboardSettings = DashboardSettings()

    @property
    def ledger_path(self) -> Path:
        """The database of the door."""
        return Path(self.state_dir) / "ledger.db"


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of secrets.toml; never shown."""

    event_secrets: Mapping[str, str] = {}  # event -> 64 hexadecimal digits
    stream_keys: Mapping[str, str] = {}  # destination -> key

    def __repr__(self) -> str:
        return f"Secrets(events={sorted(self.event_secrets)}, stream_keys={sorted(self.stream_keys)})"


def is_name(text: str) -> bool:
    """Whether `text` may name an event or a gate."""
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError:
        return False
    return True


def load_config(path: Path) -> Config:
    """Read platypus.toml. Raises ConfigError."""
    return _convert(path, _toml(path), Config, is_secret=False)


def secrets_path(config_path: Path) -> Path:
    """secrets.toml lies beside platypus.toml."""
    return config_path.with_name("secrets.toml")


def load_secrets(path: Path) -> Secrets:
    """Read secrets.toml, nothing when it is absent. Raises ConfigError when others may read it."""
    if not path.exists():
        return Secrets()
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError(f"{path} may be read by others (mode {mode:04o}): chmod 600 {path}")
    secrets = _convert(path, _toml(path), Secrets, is_secret=True)
    for event, secret in secrets.event_secrets.items():
        if len(secret) != SECRET_BYTES * 2 or not set(secret) <= set("0123456789abcdef"):
            raise ConfigError(f"{path}: event_secrets.{event} must be {SECRET_BYTES * 2} hexadecimal digits")
    return secrets


def event_secret(path: Path, event: str) -> bytes:
    """The secret of an event, made and written durably the first time it is asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        secrets = load_secrets(path)
        if event not in secrets.event_secrets:
            fresh = {**secrets.event_secrets, event: new_secret().hex()}
            _write_private(path, {"event_secrets": fresh, "stream_keys": dict(secrets.stream_keys)})
            secrets = load_secrets(path)
    return bytes.fromhex(secrets.event_secrets[event])


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Name another with --config.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _convert(path: Path, tree: dict[str, Any], kind: type[_Settings], *, is_secret: bool) -> _Settings:
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        key = where.rstrip("`").lstrip(".")
        if is_secret:
            what = "wrong type or unknown key"
        raise ConfigError(f"{path}: {key or 'top level'}: {what}") from error


def _write_private(path: Path, tree: dict[str, Any]) -> None:
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mkstemp makes it 0600
    try:
        with os.fdopen(fd, "wb") as file:
            tomli_w.dump(tree, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
