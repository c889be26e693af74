"""Where the stream goes, written into the files of a person who may have comments in them: platypus.toml, secrets.toml.

Text is added or taken out, and what comes of it is read before it is kept: a file that we would spoil stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import tomli_w

from hardware.durable import write_durably
from kiosk.config import ConfigError, load_config, load_secrets, secrets_path
from stream.copies import check_key
from stream.settings import Destination

_TABLE = "[[stream.destinations]]"
_KEYS = "[stream_keys]"


class Listed(NamedTuple):
    """A destination, and whether its key is known; the key itself is never shown."""

    name: str
    url: str
    ca_file: str | None
    has_key: bool


def listed(config_path: Path) -> list[Listed]:
    """All of them, in the order of the file. Raises ConfigError."""
    keys = load_secrets(secrets_path(config_path)).stream_keys
    return [Listed(each.name, each.url, each.ca_file, each.name in keys) for each in _destinations(config_path)]


def add(config_path: Path, name: str, url: str, key: str, ca_file: str | None = None) -> None:
    """Write a new destination and its key. Raises ConfigError, BadStreamKey; then nothing was written."""
    before = _destinations(config_path)
    if any(each.name == name for each in before):
        raise ConfigError(f"there is a destination {name!r} already: platypus stream destinations remove {name}")
    check_key(key)
    values = {"name": name, "url": url} | ({"ca_file": ca_file} if ca_file else {})
    try:
        new = msgspec.convert(values, Destination)
    except msgspec.ValidationError as error:
        raise ConfigError(f"this cannot be a destination: {str(error).partition(' - at `')[0]}") from None
    table = f"\n{_TABLE}\n{tomli_w.dumps(values)}"
    text = _with(config_path, lambda text: text.rstrip("\n") + "\n" + table, [*before, new])
    set_key(config_path, name, key)  # first: a destination without its key would be refused all evening
    _keep(config_path, text)


def remove(config_path: Path, name: str) -> None:
    """Take a destination and its key out. Raises ConfigError."""
    before = _destinations(config_path)
    if all(each.name != name for each in before):
        known = ", ".join(each.name for each in before) or "none"
        raise ConfigError(f"there is no destination {name!r}; there are: {known}")
    its_name = rf"name *= *[\"']{re.escape(name)}[\"'].*\n"
    table = re.compile(rf"^{re.escape(_TABLE)}.*\n(?:(?!\[).*\n)*?{its_name}(?:(?!\[).*\n)*", re.MULTILINE)
    text = _with(config_path, lambda text: table.sub("", text), [each for each in before if each.name != name])
    _keep(config_path, text)
    _change_keys(config_path, name, None)


def set_key(config_path: Path, name: str, key: str) -> None:
    """Write the key of a destination in place of the one there was. Raises ConfigError, BadStreamKey."""
    check_key(key)
    _change_keys(config_path, name, key)


def _destinations(config_path: Path) -> tuple[Destination, ...]:
    return load_config(config_path).stream.destinations


def _with(config_path: Path, change: Callable[[str], str], wanted: list[Destination]) -> str:
    """The text of platypus.toml after `change`. Raises ConfigError unless it has the destinations `wanted` then."""
    before = config_path.read_text(encoding="utf-8")
    after = change(before if before.endswith("\n") else before + "\n")
    try:
        tree = tomllib.loads(after)
        found = msgspec.convert(tree.get("stream", {}).get("destinations", []), list[Destination])
        is_meant = found == wanted and _rest(tree) == _rest(tomllib.loads(before))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        is_meant = False
    if not is_meant:
        raise ConfigError(
            f"{config_path} has its destinations written in a way that only a person can change: "
            f"write each under {_TABLE} there"
        )
    return after


def _rest(tree: dict[str, Any]) -> dict[str, Any]:
    """All but the destinations."""
    stream = {key: value for key, value in tree.get("stream", {}).items() if key != "destinations"}
    return {key: value for key, value in tree.items() if key != "stream"} | ({"stream": stream} if stream else {})


def _change_keys(config_path: Path, name: str, key: str | None) -> None:
    path = secrets_path(config_path)
    wanted = {each: known for each, known in load_secrets(path).stream_keys.items() if each != name}
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    text = re.sub(rf"^[\"']?{re.escape(name)}[\"']? *=.*\n?", "", text, flags=re.MULTILINE)
    if key is not None:
        wanted[name] = key
        if f"{_KEYS}\n" not in f"{text}\n":
            text = f"{text.rstrip()}\n\n{_KEYS}\n".lstrip()
        text = f"{text}\n".replace(f"{_KEYS}\n", f"{_KEYS}\n{tomli_w.dumps({name: key})}", 1).rstrip("\n") + "\n"
    try:
        is_meant = tomllib.loads(text).get("stream_keys", {}) == wanted
    except tomllib.TOMLDecodeError:
        is_meant = False
    if not is_meant:
        raise ConfigError(f"{path} is written in a way that only a person can change: mend {name} under {_KEYS} there")
    _keep(path, text)


def _keep(path: Path, text: str) -> None:
    try:
        write_durably(path, text.encode(), keeps_rights=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}. Run this with sudo?") from error
