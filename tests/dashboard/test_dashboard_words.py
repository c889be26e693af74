"""The words: a sentence for every state, none of it by colour alone, and colours that can be read."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kiosk.dashboard
from hardware.checks import Check
from kiosk.dashboard import screen_words, stream_words, views, words
from kiosk.dashboard.ports import EventFacts, Heard, NewsNow
from kiosk.ledger import HeadCount, Reason, ScanRow
from kiosk.news import DoorState
from stream.alarms import Alarm
from stream.health import FilmsState, Health, LegKind, LegState, Readiness, SoundState, SourceState, StreamState

PARIS = ZoneInfo("Europe/Paris")
REASONS = [
    "invalid", "unpaid", "blocked", "invalid_time", "canceled", "already_redeemed", "product", "rules",
    "ambiguous", "revoked", "unapproved", "error", "full",
]  # fmt: skip
STATIC = Path(kiosk.dashboard.__file__).parent / "static"
AT = datetime(2026, 11, 24, 18, 2, 11, tzinfo=UTC)


def leg(state: Health, **more: object) -> LegState:
    return LegState(name="peertube", kind=LegKind.DESTINATION, state=state, **more)  # type: ignore[arg-type]


def live(*legs: LegState, **more: object) -> NewsNow:
    return NewsNow(stream=Heard(StreamState(order="live", legs=legs, **more), 0.5))  # type: ignore[arg-type]


def test_every_refusal_reason_has_words_and_a_next_step() -> None:
    assert set(words.REFUSALS) == set(REASONS)
    for reason in REASONS:
        said = words.answer(reason, is_admitted=False)
        assert said.tone in {"no", "warn"}
        assert said.title
        assert said.advice.endswith(".")


@given(reason=st.text(max_size=20), is_admitted=st.booleans())
def test_no_refusal_however_odd_ever_looks_like_a_welcome(*, reason: str, is_admitted: bool) -> None:
    said = words.answer(reason, is_admitted=is_admitted)
    assert (said.tone == "yes") == is_admitted
    assert (said.title == "Welcome!") == is_admitted


def test_a_door_that_is_gone_is_said_so_both_ways() -> None:
    silent = words.door(Heard(DoorState(gate="main", camera="ok"), 12.0), 0)
    off = words.door(Heard(DoorState(gate="main", camera="ok", online=False), 0.1), 0)
    assert (silent.tone, silent.title) == ("no", "No news for 12 s")
    assert (off.tone, off.title) == ("no", "Door is off")
    assert "by hand" in silent.detail


def test_a_stalled_camera_says_for_how_long_and_what_to_do() -> None:
    said = words.door(Heard(DoorState(gate="main", camera="stalled", cause="the cable is loose"), 1.0), 4.2)
    assert said.title == "No picture for 4 s"
    assert said.detail == "Check people in by hand. The cable is loose."


@pytest.mark.parametrize("health", list(Health))
@pytest.mark.parametrize("kind", list(LegKind))
def test_every_state_of_a_leg_has_words(health: Health, kind: LegKind) -> None:
    assert stream_words.leg(LegState(name="x", kind=kind, state=health)).title


def test_a_lost_leg_shows_its_cause_its_numbers_and_when_it_is_tried_again() -> None:
    said = stream_words.leg(
        leg(Health.LOST, cause="network is unreachable", retry_in_s=4.0, reconnects=2, dropped_frames=1)
    )
    assert said.detail == "Network is unreachable. Next try in 4 s. 2 reconnects · 1 frame left out"


@pytest.mark.parametrize(
    ("kind", "numbers", "detail"),
    [
        (LegKind.DESTINATION, {"written_s": 754.0}, "2.5 Mb/s · 12 min sent"),
        (LegKind.RECORDING, {"written_s": 754.0}, "2.5 Mb/s · 12 min written"),
        (LegKind.DESTINATION, {"written_s": 59.0, "queue_bytes": 99_999}, "2.5 Mb/s"),
        (LegKind.DESTINATION, {"queue_bytes": 820_000}, "2.5 Mb/s · 0.8 MB wait here"),
        (LegKind.DESTINATION, {"unsent_bytes": 175_000}, "2.5 Mb/s · 0.2 MB wait in the network"),
    ],
)
def test_a_leg_at_work_shows_how_much_went_and_how_much_waits(
    kind: LegKind, numbers: dict[str, float], detail: str
) -> None:
    state = msgspec.convert({"name": "x", "kind": kind, "state": "live", "bit_rate_kbps": 2500, **numbers}, LegState)
    assert stream_words.leg(state).detail == detail


def test_a_leg_at_the_low_rate_is_live_and_says_so() -> None:
    said = stream_words.leg(leg(Health.LIVE, cause="the network is slow", is_low_rate=True))
    assert (said.tone, said.title, said.detail) == ("warn", "Live, with fewer bits", "The network is slow.")


def test_without_a_stream_nobody_is_sent_to_it() -> None:
    row = ScanRow(scan_id=1, at=AT, gate="main", is_admitted=False, reason="full")
    event = EventFacts(name="Talks", capacity=5, starts_at=AT, stream_page=None)
    facts = views.Facts(event=event, fresh={"main": (row, 1.0)})
    said = views.screen(facts, None, show_names=False)
    assert (said.mode, said.advice) == ("answer", "Please see a volunteer.")


def test_a_refused_leg_says_check_the_key() -> None:
    assert "key" in stream_words.leg(leg(Health.REFUSED)).detail


@pytest.mark.parametrize(
    ("states", "title"),
    [
        ([Health.LIVE, Health.LIVE], "Live"),
        ([Health.LIVE, Health.LOST], "Live on 1 of 2"),
        ([Health.LOST, Health.REFUSED], "Not live"),
        ([Health.CONNECTING], "Going live"),
        ([Health.LIVE, Health.BEHIND], "Live, but behind"),
        ([], "Recording only"),
    ],
)
def test_the_stream_is_live_only_where_viewers_see_it(states: list[Health], title: str) -> None:
    assert stream_words.stream(live(*(leg(state) for state in states)).stream).title == title


def test_numbers_of_a_stream_that_is_gone_are_not_shown() -> None:
    gone = NewsNow(stream=Heard(StreamState(order="live", legs=(leg(Health.LIVE, bit_rate_kbps=2500),)), 11.0))
    view = views.home(views.Facts(news=gone), PARIS)
    assert view.stream.tone == "no"
    assert view.stream.lines == ()
    assert view.stream.can_stop  # the button stays: whoever presses it learns whether somebody answers


@pytest.mark.parametrize("state", list(Health))
def test_retry_is_offered_exactly_when_a_leg_is_lost_or_refused(state: Health) -> None:
    view = views.home(views.Facts(news=live(leg(state))), PARIS)
    assert view.stream.can_retry == (state in {Health.LOST, Health.REFUSED})


def test_a_stage_camera_in_trouble_has_a_line_of_its_own() -> None:
    news = live(leg(Health.LIVE), source=SourceState(state=Health.LOST, cause="the card was unplugged"))
    first = views.home(views.Facts(news=news), PARIS).stream.lines[0]
    assert (first.tone, first.title, first.detail) == ("warn", "Stage camera in trouble", "The card was unplugged.")


def test_alarms_stand_first_to_last_as_they_were_said_each_with_what_to_do() -> None:
    alarms = (
        Alarm(code="black", cause="the camera's picture is black for 7 s", action="Take off the lens cap"),
        Alarm(code="hot", cause="the Pi is 79 °C hot", action="Give it air"),
    )
    said = views.home(views.Facts(news=live(alarms=alarms)), PARIS).stream.alarms
    assert [(line.tone, line.title, line.detail) for line in said] == [
        ("no", "The camera's picture is black for 7 s.", "Take off the lens cap."),
        ("warn", "The Pi is 79 °C hot.", "Give it air."),
    ]


def test_a_camera_whose_trouble_is_an_alarm_is_not_said_to_be_in_trouble_twice() -> None:
    lost = SourceState(state=Health.LOST, cause="no picture from the camera for 4 s")
    alarm = Alarm(code="no-picture", cause=lost.cause, action="Look at its cable")
    with_alarm = views.home(views.Facts(news=live(source=lost, alarms=(alarm,))), PARIS).stream
    without = views.home(views.Facts(news=live(source=lost)), PARIS).stream
    assert [line.key for line in with_alarm.lines if line.key == "source"] == []
    assert [line.key for line in without.lines if line.key == "source"] == ["source"]


def test_alarms_of_a_process_that_is_gone_are_not_shown() -> None:
    alarm = Alarm(code="frozen", cause="the picture has not changed for 9 s", action="Unplug the camera")
    news = NewsNow(stream=Heard(StreamState(order="live", alarms=(alarm,)), 9.0))
    assert views.home(views.Facts(news=news), PARIS).stream.alarms == ()


def test_times_are_the_venue_s() -> None:
    row = ScanRow(scan_id=1, at=AT, gate="main", is_admitted=True, holder="Ada")
    assert views.home(views.Facts(scans=(row,)), PARIS).answers[0].time == "19:02:11"


def test_a_ledger_that_cannot_be_read_shows_no_number() -> None:
    view = views.home(views.Facts(trouble="The ledger cannot be read: disk full"), PARIS)
    assert view.people.inside == "?"
    assert view.people.room == ""
    assert "disk full" in view.trouble


@given(inside=st.integers(0, 500), capacity=st.integers(0, 200))
def test_the_bar_never_leaves_its_frame(inside: int, capacity: int) -> None:
    count = HeadCount(inside=inside, capacity=capacity, admitted=inside, refused=0, tickets=0)
    people = views.home(views.Facts(people=count), PARIS).people
    assert 0 <= people.value <= people.maximum
    assert (people.tone == "no") == (capacity > 0 and inside > capacity)


def test_the_screen_never_carries_a_name_unless_allowed() -> None:
    row = ScanRow(scan_id=1, at=AT, gate="main", is_admitted=True, holder="Ada Byron")
    refused = row._replace(is_admitted=False, reason="blocked")
    for shown, show_names in itertools.product((row, refused), (True, False)):
        facts = views.Facts(scans=(shown,), fresh={"main": (shown, 1.0)})
        sent = msgspec.json.encode(views.screen(facts, None, show_names=show_names))
        assert (b"Ada" in sent) == (show_names and shown.is_admitted)


def test_an_answer_stays_five_seconds_and_then_invites_the_next() -> None:
    row = ScanRow(scan_id=7, at=AT, gate="main", is_admitted=True)
    news = NewsNow(doors=(Heard(DoorState(gate="main", camera="ok"), 0.1),))
    facts = views.Facts(news=news, fresh={"main": (row, 4.9)})
    assert views.screen(facts, None, show_names=False).mode == "answer"
    over = msgspec.structs.replace(facts, fresh={"main": (row, 5.0)})
    assert views.screen(over, None, show_names=False).mode == "idle"


def test_a_screen_of_one_gate_shows_that_gate_s_answers_only() -> None:
    row = ScanRow(scan_id=7, at=AT, gate="north", is_admitted=True)
    facts = views.Facts(event=EventFacts(name="x"), fresh={"north": (row, 1.0)})
    assert views.screen(facts, "north", show_names=False).answer == 7
    assert views.screen(facts, "south", show_names=False).answer == 0


@pytest.mark.parametrize(
    "heard",
    [
        (),
        (Heard(DoorState(gate="main", camera="ok"), 11.0),),
        (Heard(DoorState(gate="main", camera="ok", online=False), 0.1),),
        (Heard(DoorState(gate="main", camera="lost"), 0.1),),
    ],
)
def test_without_a_working_door_the_screen_sends_guests_to_a_volunteer(heard: tuple[Heard[DoorState], ...]) -> None:
    view = views.screen(views.Facts(news=NewsNow(doors=heard)), None, show_names=False)
    assert (view.mode, view.title) == ("closed", "Please see a volunteer")


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of #rrggbb."""
    full = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_every_text_on_a_page_has_the_contrast_of_wcag_aa(scheme: int) -> None:
    css = (STATIC / "pages.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, re.S)[scheme]
    colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    grounds = ("ground", "card")
    pairs = [(text, ground) for text in ("ink", "soft", "accent", "yes", "no", "warn") for ground in grounds]
    pairs += [("on-accent", "accent"), ("on-tone", "no"), ("on-tone", "warn"), ("on-tone", "yes"), ("ink", "well")]
    pairs += [("no", "no-wash"), ("warn", "warn-wash")]
    pairs += [("ink", "yes-wash"), ("ink", "no-wash"), ("ink", "warn-wash")]
    for text, ground in pairs:
        assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)


def test_every_text_on_the_screen_has_the_contrast_of_wcag_aa() -> None:
    css = (STATIC / "screen.css").read_text()
    blocks = re.findall(r"--ground: (#\w+); --ink: (#\w+); --soft: (#\w+);", css)
    assert len(blocks) == 4
    for ground, ink, soft in blocks:
        assert contrast(ink, ground) >= 6
        assert contrast(soft, ground) >= 4.5


def test_the_screen_has_words_and_a_next_step_for_every_reason() -> None:
    assert set(words.REFUSALS) == set(Reason)
    rows = [ScanRow(scan_id=1, at=AT, gate="main", is_admitted=False, reason=reason) for reason in REASONS]
    said = [*(screen_words.movement(row) for row in rows), screen_words.IDLE, screen_words.CLOSED]
    assert all(each.title and each.advice.endswith(".") for each in said)


def test_a_room_that_nobody_hears_on_purpose_is_said_and_an_alarm_is_said_once() -> None:
    assert stream_words.sound(StreamState()) is None
    quiet = StreamState(sound=SoundState(cause="no microphone is set"))
    assert stream_words.sound(quiet) == words.Status("calm", "No sound", "No microphone is set.")
    alarm = Alarm(code="no-sound", cause="the microphone gives none", action="Check its cable")
    assert stream_words.sound(StreamState(sound=SoundState(cause="it gives none"), alarms=(alarm,))) is None


def test_an_organizer_sees_whether_the_room_is_heard_and_how_loud_it_is() -> None:
    heard, muted = (StreamState(sound=SoundState(peak_db=-12.4, on_air=on)) for on in (True, False))
    assert stream_words.sound(heard) == words.Status("yes", "Heard", "Peak \N{MINUS SIGN}12 dB.")
    assert stream_words.sound(muted) == words.Status("calm", "Muted", "Peak \N{MINUS SIGN}12 dB.")


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (FilmsState(), None),
        (FilmsState(finished=1), "1 film ready"),
        (FilmsState(finished=3, waiting=1), "Making a film"),
        (FilmsState(waiting=2), "Making 2 films"),
        (FilmsState(waiting=2, cause="no room"), "A film is not made yet"),
    ],
)
def test_how_far_the_films_are(state: FilmsState, title: str | None) -> None:
    said = stream_words.films(state)
    assert (said and said.title) == title


def test_the_pre_flight_is_shown_while_nobody_watches_and_only_then() -> None:
    checks = (Check("camera", "ok", "1280x720"), Check("to hall", "bad", "refused", "copy the key again"))
    readiness = Readiness(begun="2026-11-24T17:31:00+00:00", is_complete=True, checks=checks)
    stopped = Heard(StreamState(readiness=readiness), 0.1)
    view = views.home(views.Facts(news=NewsNow(stream=stopped)), PARIS).stream
    assert view.checked == "Checked at 18:31"
    assert [(line.name, line.tone, line.title, line.detail) for line in view.checks] == [
        ("Camera", "yes", "Fine", "1280x720."),
        ("To hall", "no", "Fails", "Refused. Copy the key again."),
    ]
    on = Heard(StreamState(order="live", readiness=readiness), 0.1)
    view = views.home(views.Facts(news=NewsNow(stream=on)), PARIS).stream
    assert (view.checked, view.checks) == ("", ())
