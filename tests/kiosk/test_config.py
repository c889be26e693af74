"""platypus.toml and secrets.toml, good and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.cameras import DeviceCamera
from kiosk.config import (
    ConfigError,
    event_secret,
    event_secrets_path,
    load_config,
    load_secrets,
    make_event_secret,
)

GOOD = """
state_dir = "/tmp/state"
[door]
event = "evening"
camera = { kind = "device", path = "/dev/video2" }
[door.panel]
pins = "mock"
[stream.picture]
width_px = 640
height_px = 360
"""


def written(tmp_path: Path, text: str | bytes, name: str = "platypus.toml", mode: int = 0o600) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, GOOD))
    assert config.door.camera == DeviceCamera(path="/dev/video2")
    assert (config.door.gate, config.stream.picture.width_px, config.dashboard.port) == ("main", 640, 8080)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("colour = 1\n" + GOOD, ["top level", "colour"]),
        (GOOD.replace('pins = "mock"', 'pins = "moc"'), ["door.panel.pins", "moc"]),
        (GOOD.replace("width_px = 640", 'width_px = "wide"'), ["stream.picture.width_px", "int"]),
        (GOOD.replace("width_px = 640", "width_px = 641"), ["stream.picture.width_px"]),
        (GOOD.replace('kind = "device"', 'kind = "webcam"'), ["door.camera.kind", "webcam"]),
        (GOOD.replace('path = "/dev/video2"', "zoom = 3"), ["door.camera", "zoom"]),
        (GOOD.replace('event = "evening"', ""), ["door", "event"]),
        (GOOD.replace('"evening"', '"An Evening"'), ["door.event"]),
        (GOOD + "\n[dashboard]\ntime_zone = 'Mars/Olympus'", ["dashboard", "Mars/Olympus"]),
        (GOOD + '\n[[stream.destinations]]\nname = "tube"\nurl = "http://x/y"', ["stream.destinations", "url"]),
        ("[door", ["not valid TOML", "Expected"]),
        (b"state_dir = '\xff\xfe'", ["not UTF-8"]),
    ],
)
def test_an_error_names_the_file_the_key_and_what_is_wrong(tmp_path: Path, wrong: str | bytes, says: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        load_config(written(tmp_path, wrong))
    for word in ["platypus.toml", *says]:
        assert word in str(refused.value)


def test_a_missing_file_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        load_config(tmp_path / "absent.toml")


def test_secrets_that_others_may_read_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "[stream_keys]\ntube = 'abcd'", "secrets.toml", mode=0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_secrets(path)


@pytest.mark.parametrize("wrong", ["[stream_keys]\ntube = 12345678", "keys = 'hush-hush'"])
def test_an_error_in_the_secrets_shows_none_of_them(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_secrets(written(tmp_path, wrong, "secrets.toml"))
    assert "12345678" not in str(refused.value) and "hush-hush" not in str(refused.value)


def test_secrets_are_never_shown_when_printed(tmp_path: Path) -> None:
    secrets = load_secrets(written(tmp_path, "[stream_keys]\ntube = 'hush-hush'", "secrets.toml"))
    assert "hush-hush" not in repr(secrets) and "tube" in repr(secrets)


def test_an_events_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, GOOD.replace("/tmp/state", f"{tmp_path}/state")))
    with pytest.raises(ConfigError, match="restore"):
        event_secret(config, "evening")
    for event in ("evening", "morning", "evening"):
        make_event_secret(config, event)
    first = event_secret(config, "evening")
    make_event_secret(config, "evening")
    assert event_secret(config, "evening") == first != event_secret(config, "morning")
    assert event_secrets_path(config).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["{", '{"evening": "hush-hush"}', "[]"])
def test_damaged_event_secrets_are_not_replaced(tmp_path: Path, damage: str) -> None:
    config = load_config(written(tmp_path, GOOD.replace("/tmp/state", f"{tmp_path}/state")))
    event_secrets_path(config).parent.mkdir()
    path = written(event_secrets_path(config).parent, damage, event_secrets_path(config).name)
    with pytest.raises(ConfigError, match="damaged") as refused:
        make_event_secret(config, "evening")
    assert path.read_text() == damage and "hush" not in str(refused.value)


def test_a_cameras_password_wants_a_private_file(tmp_path: Path) -> None:
    text = GOOD.replace('kind = "device", path = "/dev/video2"', 'kind = "rtsp", url = "rtsp://me:secret@cam/1"')
    load_config(written(tmp_path, text, mode=0o600))
    with pytest.raises(ConfigError, match="chmod 600") as refused:
        load_config(written(tmp_path, text, mode=0o644))
    assert "secret" not in str(refused.value)


def test_the_example_in_the_docs_is_a_good_configuration() -> None:
    config = load_config(Path(__file__).parents[2] / "docs" / "platypus.example.toml")
    assert config.door.panel.pins == "lgpio" and config.stream.destinations[0].name == "peertube"


def test_a_pin_given_twice_is_named_with_its_key(tmp_path: Path) -> None:
    wrong = GOOD.replace('pins = "mock"', 'pins = "mock"\nbuzzer = 17')
    with pytest.raises(ConfigError, match=r"door\.panel.*pin 17.*light\.green.*buzzer"):
        load_config(written(tmp_path, wrong))
