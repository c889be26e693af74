"""The page of the stream, and the one thing to press next on the first page."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dashboard_house import House, token_on

from kiosk.dashboard.next_press import next_press
from kiosk.dashboard.ports import EventFacts, Heard, NewsNow
from kiosk.dashboard.stream_view import stream_view
from kiosk.news import AgendaNews, Reply
from stream.agenda import Agenda, Talk
from stream.health import SoundState, StreamState
from stream.talks import TalkInfo

PARIS = ZoneInfo("Europe/Paris")
SEVEN = datetime(2026, 11, 24, 19, 0, tzinfo=PARIS)
EVENT = EventFacts(name="Lightning talks", starts_at=SEVEN)
NEXT = TalkInfo(id="b", title="Second")
ON_STAGE = TalkInfo(id="a", title="First")


def news(state: StreamState, *talks: Talk, age_s: float = 0.0) -> NewsNow:
    agenda = AgendaNews(agenda=Agenda(talks=talks), revision="1") if talks else None
    return NewsNow(stream=Heard(state, age_s), agenda=agenda)


def talk(number: int, minutes: int = 15) -> Talk:
    starts_at = SEVEN + timedelta(minutes=minutes * number)
    return Talk(id=f"t{number}", title=f"Talk {number}", speaker="Ada", starts_at=starts_at, minutes=minutes)


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (StreamState(order="live", program="starting", next_talk=NEXT), "next_talk"),
        (StreamState(order="live", program="starting"), "camera"),
        (StreamState(order="live", program="next", talk=ON_STAGE, next_talk=NEXT), "camera"),
        (StreamState(order="live", program="camera", talk=ON_STAGE, next_talk=NEXT), "next_talk"),
        (StreamState(order="live", program="camera", talk=ON_STAGE), "end"),
        (StreamState(order="live", program="camera"), ""),
        (StreamState(order="live", program="break", next_talk=NEXT), "next_talk"),
        (StreamState(order="live", program="hidden", next_talk=NEXT), "camera"),
        (StreamState(order="live", program="end"), "stop"),
        (StreamState(order="stopped", online=False), ""),
    ],
)
def test_what_is_to_be_pressed_follows_what_viewers_see(state: StreamState, wanted: str) -> None:
    assert next_press(EVENT, news(state), SEVEN) == wanted


@pytest.mark.parametrize(
    ("minutes", "wanted"),
    [(-180, "preflight"), (-59, "go_live"), (0, "go_live"), (44, "go_live"), (100, "go_live"), (106, "")],
)
def test_before_the_evening_everything_is_tried_and_after_it_nothing_is_to_be_pressed(
    minutes: int, wanted: str
) -> None:
    said = news(StreamState(order="stopped"), talk(0), talk(1), talk(2))
    assert next_press(EVENT, said, SEVEN + timedelta(minutes=minutes)) == wanted


def test_a_talk_of_unknown_length_is_not_over_at_once_nor_is_last_weeks_agenda_tonights() -> None:
    open_end = Talk(id="t0", title="Talk", starts_at=SEVEN)
    stopped = StreamState(order="stopped")
    assert next_press(EVENT, news(stopped, open_end), SEVEN + timedelta(minutes=50)) == "go_live"
    last_week = Talk(id="t0", title="Talk", starts_at=SEVEN - timedelta(days=7), minutes=15)
    for minutes in (-5, 5, 120):
        assert next_press(EVENT, news(stopped, last_week), SEVEN + timedelta(minutes=minutes)) == "go_live"


def test_without_a_time_to_begin_one_may_go_live() -> None:
    stopped = news(StreamState(order="stopped"))
    for event, now in ((None, SEVEN), (EventFacts(name="Any"), SEVEN), (EVENT, None)):
        assert next_press(event, stopped, now) == "go_live"
    assert next_press(EVENT, stopped, SEVEN + timedelta(hours=10)) == ""


def test_nobody_is_told_to_press_what_nobody_would_hear() -> None:
    live = StreamState(order="live", program="starting", next_talk=NEXT)
    assert next_press(EVENT, NewsNow(), SEVEN) == ""
    assert next_press(EVENT, news(live, age_s=60), SEVEN) == ""


@pytest.mark.parametrize(
    ("sound", "peak", "rms", "text", "tone"),
    [
        (SoundState(peak_db=-18.4, rms_db=-30.0), -18, -30, "\N{MINUS SIGN}18 dB", "yes"),
        (SoundState(peak_db=-100.0, rms_db=-100.0), -60, -60, "\N{MINUS SIGN}60 dB", "calm"),
        (SoundState(peak_db=-3.0, rms_db=-9.0), -3, -9, "\N{MINUS SIGN}3 dB", "warn"),
        (SoundState(peak_db=0.0, rms_db=0.0), 0, 0, "0 dB", "no"),
        (SoundState(peak_db=-12.0), -12, -60, "\N{MINUS SIGN}12 dB", "yes"),
    ],
)
def test_the_meter_stays_in_its_bounds(sound: SoundState, peak: int, rms: int, text: str, tone: str) -> None:
    level = stream_view(news(StreamState(order="live", sound=sound)), SEVEN, PARIS).level
    assert (level.is_known, level.peak, level.rms, level.text, level.tone) == (True, peak, rms, text, tone)


def test_an_old_level_is_not_shown_and_none_is_none() -> None:
    loud = StreamState(order="live", sound=SoundState(peak_db=-3.0))
    assert not stream_view(news(loud, age_s=60), SEVEN, PARIS).level.is_known
    assert not stream_view(news(StreamState(order="live")), SEVEN, PARIS).level.is_known


def test_the_page_has_who_is_on_stage_and_who_comes() -> None:
    state = StreamState(
        order="live", program="camera", talk=TalkInfo(id="t2", title="x"), next_talk=TalkInfo(id="t3", title="y")
    )
    lines = stream_view(news(state, *(talk(number) for number in range(8))), SEVEN, PARIS).talks
    assert [line.key for line in lines] == ["t2", "t3", "t4", "t5"]
    assert (lines[0].name, lines[0].title, lines[0].tone) == ("19:30", "Talk 2", "yes")
    assert lines[0].detail == "Ada · 15 min · On stage"
    assert lines[1].detail.endswith("Next")


def test_a_button_leads_back_to_the_page_it_was_pressed_on(house: House) -> None:
    ada = house.somebody("Ada", "organizer")
    house.news.reply = Reply(ok=True)
    token = token_on(ada, "/stream")
    for page, leads_to in (
        ("tonight", "/"),
        ("stream", "/stream"),
        ("", "/stream"),
        ("https://evil.example", "/stream"),
    ):
        assert ada.post("/stream/hide", data={"csrf_token": token, "page": page}).location == leads_to


def test_a_viewer_sees_the_stream_and_no_button(house: House) -> None:
    house.news.say(StreamState(order="live", program="camera"))
    page = house.somebody("Léa", "viewer").get("/stream").text
    assert "Where it goes" in page
    assert 'action="/stream/' not in page
    assert "All talks" not in page
