"""The numbers that a scraper gets: well-formed, without names, and none of a process that is gone."""

from __future__ import annotations

import re

from dashboard_house import House

from kiosk.dashboard.metrics import Metric, Sample, as_text
from kiosk.news import DoorState
from stream.health import Health, LegKind, LegState, StreamState

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
# Of the exposition format: a comment, or name{label="value",...} number.
_LINE = re.compile(r'# (HELP|TYPE) \w+ .+|(\w+)(\{\w+="(?:[^"\\]|\\.)*"(?:,\w+="(?:[^"\\]|\\.)*")*\})? -?[\d.e+-]+')
LEG = LegState(
    name="tube",
    kind=LegKind.DESTINATION,
    state=Health.LIVE,
    bit_rate_kbps=2600,
    queue_bytes=7,
    unsent_bytes=5,
    reconnects=2,
)


def scraped(house: House) -> dict[str, float]:
    """Each sample by its name and labels, as a scraper on this machine gets them."""
    answer = house.client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert all(_LINE.fullmatch(line) for line in answer.text.splitlines()), answer.text
    samples = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def test_an_evening_in_numbers(house: House) -> None:
    house.book.scan("Amélie Poulain", reason=None)
    house.book.scan("Noor Haddad", reason="unpaid")
    house.news.say(DoorState(gate="main", camera="stalled", frames_per_s=9.5))
    house.news.say(StreamState(order="live", legs=(LEG,)))
    found = scraped(house)
    leg = '{leg="tube",kind="destination"}'
    assert found['platypus_door_up{gate="main"}'] == 1
    assert found['platypus_door_camera_ok{gate="main"}'] == 0
    assert (found["platypus_inside"], found["platypus_refused"], found["platypus_seats"]) == (1, 1, 50)
    assert (found["platypus_stream_up"], found["platypus_stream_wanted"]) == (1, 1)
    assert found[f"platypus_leg_live{leg}"] == 1
    assert found[f"platypus_leg_bits_per_second{leg}"] == 2_600_000
    assert found[f"platypus_leg_waiting_bytes{leg}"] == 12
    assert found[f"platypus_leg_reconnects_total{leg}"] == 2
    assert "Noor" not in house.client().get("/metrics").text


def test_of_a_process_that_is_gone_there_is_one_number(house: House) -> None:
    house.news.say(DoorState(gate="main", camera="ok", frames_per_s=9.5))
    house.news.say(StreamState(order="live", legs=(LEG,)))
    house.clock.advance(5)
    found = scraped(house)
    assert [name for name in found if name.startswith("platypus_door")] == ['platypus_door_up{gate="main"}']
    assert [name for name in found if name.startswith(("platypus_stream", "platypus_leg"))] == ["platypus_stream_up"]
    assert found["platypus_stream_up"] == found['platypus_door_up{gate="main"}'] == 0


def test_a_ledger_that_cannot_be_read_is_told_and_has_no_numbers(house: House) -> None:
    house.book.failure = OSError("disk I/O error")
    found = scraped(house)
    assert found["platypus_ledger_up"] == 0
    assert "platypus_inside" not in found


def test_a_stranger_in_the_network_gets_none(house: House) -> None:
    assert house.client().get("/metrics", environ_base=ELSEWHERE).status_code == 401
    assert house.somebody("Vic", "viewer").get("/metrics", environ_base=ELSEWHERE).status_code == 403
    assert house.somebody("Dora", "door").get("/metrics", environ_base=ELSEWHERE).status_code == 200


def test_what_is_in_a_label_cannot_end_it() -> None:
    text = as_text([Metric("x", "Y.", (Sample({"leg": 'a"b\\c\nd'}, 0.5),))])
    assert text.splitlines()[-1] == r'x{leg="a\"b\\c\nd"} 0.5'
