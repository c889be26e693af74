"""One file to show to somebody who helps: how everything is, without names, codes or keys.

`secrets.toml` is not opened for it but to know what must not be in it. Of the ledger there are counts, of the
configuration what is neither an address nor a secret, of the log its end; over all of it goes a veil.
"""

from __future__ import annotations

import io
import logging
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import tomli_w

from hardware.board import Board
from hardware.checks import Check
from hardware.clock import SystemClock
from hardware.durable import write_durably
from hardware.errors import PlatypusError
from hardware.units import units
from kiosk.config import Config, event_secrets_path, load_config, load_secrets, secrets_path
from kiosk.dashboard.access_file import AccessFile
from kiosk.ledger import privacy
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.log_ring import newest
from kiosk.pretix.links import Links
from kiosk.veil import GONE, Veil
from kiosk.version import own_version
from stream.agenda import Agenda

log = logging.getLogger(__name__)

_PERSONAL_KEYS = frozenset({"from", "reply_to", "user", "password", "key", "token", "secret"})
_SHOWN_OPTIONS = frozenset({"ro", "rw", "noatime", "sync"})  # a share's others may hold a password
_SECRET_PATH = 8  # letters: "live" and "stream1" are words of any log
_FOLDER, _KEPT = "support", 5
_ABOUT = """What a Platypus says of itself, for whoever helps. Made {at} ({trust}) by Platypus {version}.

health.json   what platypus doctor, or the page of the system, found
machine.json  the machine, its disks, and what systemd says of our services
ledger.json   counts, and what platypus ledger check found
config.toml   platypus.toml without addresses, names and secrets
log.txt       the end of the log

Names, e-mail addresses, codes, orders, notes and keys were taken out. Read it before you give it away.
{blind}"""


class SupportError(PlatypusError, OSError):
    """No file was made; its text says why."""

    code = "support"


def write_support(config_path: Path, checks: Sequence[Check], to: Path | None) -> Path:
    """Make it: at `to`, or in it when it is a folder; else in the state folder. Raises SupportError, ConfigError."""
    content = support_file(config_path, checks)
    name = f"platypus-support-{SystemClock().stamp().wall:%Y-%m-%d-%H%M%S}.zip"
    if to is None:
        config, _ = _read(config_path)
        to = Path(config.state_dir) / _FOLDER if config else Path.cwd()
        to /= name
    elif to.is_dir():
        to /= name
    try:
        write_durably(to, content)
        if to.parent.name == _FOLDER:
            for old in sorted(to.parent.glob("platypus-support-*.zip"))[:-_KEPT]:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise SupportError(f"{to} cannot be written: {error.strerror}. Name another place.") from error
    return to


def support_file(config_path: Path, checks: Sequence[Check]) -> bytes:
    """A ZIP. What cannot be read is said in it; whatever happens, there is a file."""
    config, trouble = _read(config_path)
    parts = {
        "health.json": _json([msgspec.to_builtins(check) for check in checks]),
        "machine.json": _json(_machine(config)),
        "ledger.json": _json(_ledger(config)),
        "config.toml": _config(config_path) if config else f"# not readable: {trouble}\n",
        "log.txt": _log(config),
    }
    veil = Veil(parts.values())
    blind = _hide(veil, config, config_path)
    now = SystemClock().stamp()
    about = _ABOUT.format(
        at=f"{now.wall:%Y-%m-%d %H:%M} UTC",
        trust="set by a time server" if now.is_trusted else "a clock that nobody confirmed",
        version=own_version(),
        blind=f"Not read, so that what is in it was known by its look alone: {', '.join(blind)}.\n" if blind else "",
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", about)
        for name, text in parts.items():
            archive.writestr(name, veil.over(text))
    log.info("support event=made bytes=%d", len(file.getvalue()))
    return file.getvalue()


def _read(config_path: Path) -> tuple[Config | None, str]:
    try:
        return load_config(config_path), ""
    except PlatypusError as error:
        return None, str(error)


def _machine(config: Config | None) -> Mapping[str, Any]:
    board = Board()
    state = board.state(Path(config.state_dir) if config else Path.cwd())
    return {
        "board": msgspec.to_builtins(state),
        "kernel": board.kernel(),
        "system": board.system(),
        "uptime_s": board.uptime_s(),
        "is_system_kept": board.is_system_kept(),
        "mounts": [
            {"at": str(each.point), "kind": each.kind, "options": sorted(each.options & _SHOWN_OPTIONS)}
            for each in board.mounts()
        ],
        "units": [each._asdict() for each in units()],
        "files": _files(Path(config.state_dir)) if config else {},
    }


def _files(folder: Path) -> Mapping[str, int | str]:
    """Sizes of what lies in the state folder: its own files, and folders as a number of files; or why not."""
    try:
        there = sorted(folder.iterdir())
    except OSError as error:
        log.warning("support event=folder-not-read cause=%r", error.strerror)
        return {}
    found: dict[str, int | str] = {}
    for each in there:
        try:
            found[each.name] = len(list(each.iterdir())) if each.is_dir() else each.lstat().st_size
        except OSError as error:  # of another user
            found[each.name] = error.strerror or type(error).__name__
    return found


def _ledger(config: Config | None) -> Mapping[str, Any]:
    if config is None or not config.ledger_path.exists():
        return {"trouble": "there is none"}
    try:
        with Ledger(config.ledger_path) as ledger:
            counts = [
                {
                    "event": number,
                    "is_tonight": each.event.slug == config.door.event,
                    "capacity": each.event.capacity,
                    "fire_limit": each.event.fire_limit,
                    **ledger.head_count(each.event)._asdict(),
                    "tickets_with_personal_data": each.tickets,
                    "waiting": each.waiting,
                }
                for number, each in enumerate(privacy.kept(ledger), 1)
            ]
            return {"events": counts, "check": audit(ledger) or ["sound"]}
    except PlatypusError as error:
        return {"trouble": str(error)}


def _config(config_path: Path) -> str:
    def shown(value: Any, key: str = "") -> Any:
        if key in _PERSONAL_KEYS:
            return GONE
        if isinstance(value, dict):
            return {name: shown(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [shown(each) for each in value]
        if not isinstance(value, str):
            return value
        if "://" in value:
            return _host_only(value)
        return GONE if "@" in value else value

    try:
        tree = tomllib.loads(config_path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"# not readable: {type(error).__name__}\n"
    return tomli_w.dumps(shown(tree))


def _host_only(url: str) -> str:
    try:
        split = urlsplit(url)
        port = f":{split.port}" if split.port else ""
    except ValueError:
        return GONE
    return f"{split.scheme}://{split.hostname or ''}{port}"


def _log(config: Config | None) -> str:
    if config is None:
        return ""
    return "".join(f"{line.at:%Y-%m-%d %H:%M:%S%z} {line.program} {line.text}\n" for line in newest(config))


def _hide(veil: Veil, config: Config | None, config_path: Path) -> list[str]:
    """What must not be in it, wherever it is kept. Returns what could not be read, so that nobody knows."""
    blind = []
    if config is None:
        return ["platypus.toml and all it names"]
    readings = {
        "platypus.toml": _of_config,
        "secrets.toml": _of_secrets,
        "the events' secrets": _of_events,
        "the people": _of_people,
        "pretix": _of_pretix,
        "the ledger": _of_ledger,
        "the talks": _of_talks,
    }
    for name, reading in readings.items():
        try:
            veil.hide(reading(config, config_path))
        except (PlatypusError, OSError, msgspec.MsgspecError) as error:
            log.warning("support event=not-known at=%r cause=%s", name, type(error).__name__)
            blind.append(name)
    return blind


def _of_config(config: Config, _config_path: Path) -> Iterator[str]:
    for each in (config.door.camera, config.stream.source, *config.stream.destinations):
        if url := getattr(each, "url", ""):
            split = urlsplit(url)
            yield from filter(None, (split.password, split.username))
            yield from (value for _, value in parse_qsl(split.query))
            if len(path := split.path.strip("/")) >= _SECRET_PATH:
                yield path
    if config.mail is not None:
        yield from filter(None, (config.mail.user, config.mail.sender, config.mail.reply_to))


def _of_secrets(config: Config, config_path: Path) -> Iterator[str]:
    secrets = load_secrets(secrets_path(config_path))
    yield from (*secrets.stream_keys.values(), secrets.mail.password)


def _of_events(config: Config, _config_path: Path) -> Iterator[str]:
    path = event_secrets_path(config)
    if path.exists():
        yield from msgspec.json.decode(path.read_bytes(), type=dict[str, str]).values()


def _of_people(config: Config, _config_path: Path) -> Iterator[str]:
    file = AccessFile(Path(config.state_dir))
    if not file.path.exists():  # looking makes one
        return
    kept = file.load()
    yield kept.secret_key
    for person in kept.people:
        yield from (person.id, person.name, person.pin_hash)
    yield from (link.sha256 for link in kept.links)
    yield from (phone.sha256 for phone in kept.phones)
    for token in kept.tokens:
        yield from (token.name, token.sha256)


def _of_pretix(config: Config, _config_path: Path) -> Iterator[str]:
    link = Links(config.pretix_path).get(config.door.event)
    if link is not None:
        yield from (link.token, link.serial)


def _of_ledger(config: Config, _config_path: Path) -> Iterator[str]:
    if config.ledger_path.exists():
        with Ledger(config.ledger_path) as ledger:
            yield from privacy.personal_words(ledger)


def _of_talks(config: Config, _config_path: Path) -> Iterator[str]:
    if config.agenda_path.exists():
        agenda = msgspec.json.decode(config.agenda_path.read_bytes(), type=Agenda)
        yield from (talk.speaker for talk in agenda.talks)


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
