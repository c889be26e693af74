"""`platypus stream destinations` changes what it must of files that people wrote, and nothing else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from test_cli import platypus

from hardware.errors import PlatypusError
from kiosk import destinations
from kiosk.config import ConfigError, load_secrets
from stream.errors import BadStreamKey

CONFIG = """\
# Our Pi, set up by Zoë
state_dir = "state"

[door]
event = "evening"  # the third

[stream]
start_live = false

[[stream.destinations]]  # the hall's own
name = "hall"
url = "rtmp://hall.example/live"

[dashboard]
port = 8080
"""
SECRETS = '# keep this\n[stream_keys]\nhall = "hall-key"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "platypus.toml"
    path.write_text(CONFIG)
    path.chmod(0o644)
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SECRETS)
    secrets.chmod(0o600)
    return path


def names(config: Path) -> list[tuple[str, bool]]:
    return [(each.name, each.has_key) for each in destinations.listed(config)]


def test_one_is_added_and_taken_out_again_and_the_rest_stays_as_it_was_written(config: Path) -> None:
    destinations.add(config, "youtube", "rtmps://a.rtmps.youtube.com/live2", "abcd-efgh")
    assert names(config) == [("hall", True), ("youtube", True)]
    assert config.read_text().startswith(CONFIG)
    assert "# keep this" in (config.parent / "secrets.toml").read_text()
    destinations.remove(config, "youtube")
    assert names(config) == [("hall", True)]
    assert config.read_text().rstrip() == CONFIG.rstrip()
    assert load_secrets(config.parent / "secrets.toml").stream_keys == {"hall": "hall-key"}


def test_the_first_one_makes_the_file_of_secrets_for_its_owner_alone(config: Path) -> None:
    (config.parent / "secrets.toml").unlink()
    destinations.add(config, "peertube", "rtmp://tube.example:1935/live", 'a "quoted" key')
    assert load_secrets(config.parent / "secrets.toml").stream_keys == {"peertube": 'a "quoted" key'}
    assert stat.S_IMODE((config.parent / "secrets.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE(config.stat().st_mode) == 0o644, "the other processes read it too"


def test_a_new_key_takes_the_place_of_the_old_one(config: Path) -> None:
    destinations.set_key(config, "hall", "new-key")
    assert load_secrets(config.parent / "secrets.toml").stream_keys == {"hall": "new-key"}


@pytest.mark.parametrize(
    ("name", "url", "key", "error"),
    [
        ("hall", "rtmp://other.example/live", "key", ConfigError),
        ("Bad Name", "rtmp://other.example/live", "key", ConfigError),
        ("recording", "rtmp://other.example/live", "key", ConfigError),  # a leg of our own
        ("web", "https://other.example/live", "key", ConfigError),
        ("web", "rtmp://other.example/live", "", BadStreamKey),
        ("web", "rtmp://other.example/live", "two\nlines", BadStreamKey),
    ],
)
def test_what_cannot_be_a_destination_is_refused_and_changes_nothing(
    config: Path, name: str, url: str, key: str, error: type[PlatypusError]
) -> None:
    with pytest.raises(error) as caught:
        destinations.add(config, name, url, key)
    assert "two" not in str(caught.value)
    assert config.read_text() == CONFIG
    assert (config.parent / "secrets.toml").read_text() == SECRETS


def test_a_file_that_only_a_person_can_change_stays_as_it_is(config: Path) -> None:
    inline = CONFIG.replace("start_live = false", 'destinations = [{name = "hall", url = "rtmp://hall.example/live"}]')
    inline = inline.split("[[stream")[0] + "[dashboard]\nport = 8080\n"
    config.write_text(inline)
    with pytest.raises(ConfigError, match="only a person"):
        destinations.add(config, "web", "rtmp://other.example/live", "key")
    with pytest.raises(ConfigError, match="only a person"):
        destinations.remove(config, "hall")
    assert config.read_text() == inline
    assert (config.parent / "secrets.toml").read_text() == SECRETS


def test_the_words_of_the_command_line(config: Path) -> None:
    venue = config.parent
    assert platypus(venue, "stream", "destinations").stdout == "hall: rtmp://hall.example/live (key known)\n"
    (venue / "secrets.toml").unlink()
    assert "no key: platypus stream destinations key hall" in platypus(venue, "stream", "destinations").stdout
    done = platypus(venue, "stream", "destinations", "remove", "nowhere", code=1)
    assert "there are: hall" in done.stderr
    platypus(venue, "stream", "destinations", "remove", "hall")
    assert "only the recording" in platypus(venue, "stream", "destinations").stdout
