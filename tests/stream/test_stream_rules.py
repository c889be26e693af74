"""The rules that need no process: pulse, back-off, rate, progress, causes, keys."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import copies
from stream.backoff import Backoff
from stream.destination import Why, why_ended
from stream.errors import BadStreamKey
from stream.process import redacted
from stream.progress import ProgressReader
from stream.pulse import Beat, Look, Pulse
from stream.rate import Rate


def looks(
    pulse: Pulse,
    begin_s: float,
    end_s: float,
    *,
    writes: bool = True,
    acks: bool = True,
    fed: bool = True,
    queue: int = 0,
) -> list[Beat]:
    """What the pulse says twice a second while a connection does or does not do these things."""
    beats = []
    for half in range(int(begin_s * 2), int(end_s * 2)):
        now_s = half / 2
        wrote = now_s if writes else begin_s
        acked = wrote if acks else begin_s
        beats.append(
            pulse.beat(
                Look(
                    now_s=now_s,
                    fed_at_s=now_s if fed else begin_s - 2,
                    out_time_us=int(wrote * 1e6),
                    total_bytes=int(wrote * 100_000),
                    unsent_bytes=int((wrote - acked) * 100_000),
                    queue_bytes=queue,
                )
            )
        )
    return beats


def test_live_is_said_only_after_three_seconds_of_acknowledged_bytes() -> None:
    beats = looks(Pulse(1.0), 1, 8)
    assert beats[:6] == [Beat.CONNECTING] * 6
    assert set(beats[6:]) == {Beat.LIVE}


def test_frames_that_nobody_acknowledges_are_never_live() -> None:
    assert Beat.LIVE not in looks(Pulse(1.0), 1, 12, acks=False)


def test_a_connection_that_writes_nothing_for_three_seconds_is_stuck() -> None:
    pulse = Pulse(1.0)
    looks(pulse, 1, 8)
    beats = looks(pulse, 8, 13, writes=False)
    assert Beat.STUCK in beats
    assert 3 <= beats.index(Beat.STUCK) / 2 <= 4


def test_written_but_unacknowledged_is_stuck_after_five_seconds() -> None:
    pulse = Pulse(1.0)
    looks(pulse, 1, 8)
    beats = looks(pulse, 8, 15, acks=False)
    assert 4.5 <= beats.index(Beat.STUCK) / 2 <= 5.5
    assert Beat.LIVE not in beats[4:]


def test_a_camera_that_gives_nothing_is_not_the_destinations_fault() -> None:
    pulse = Pulse(1.0)
    looks(pulse, 1, 8)
    assert set(looks(pulse, 8, 40, writes=False, fed=False)) == {Beat.HUNGRY}
    resumed = looks(pulse, 40, 50)
    assert Beat.STUCK not in resumed
    assert resumed[1:] == [Beat.LIVE] * (len(resumed) - 1)


def test_after_a_pause_live_is_said_only_when_bytes_are_acknowledged_again() -> None:
    pulse = Pulse(1.0)
    looks(pulse, 1, 8)
    as_before = Look(8.0, 8.0, 7_500_000, 750_000, 0, 0)
    assert pulse.beat(as_before._replace(now_s=10.0)) is Beat.HUNGRY
    beats = [pulse.beat(as_before._replace(now_s=now_s, fed_at_s=now_s)) for now_s in (10.5, 11.0, 12.0, 12.5, 13.0)]
    assert beats == [Beat.HUNGRY] * 4 + [Beat.STUCK]


def test_a_server_may_take_twelve_seconds_to_say_yes_and_not_longer() -> None:
    pulse = Pulse(0.0)
    beats = [pulse.beat(Look(half / 2, half / 2, -1, -1, None, 0)) for half in range(40)]
    assert beats.index(Beat.STUCK) / 2 == pytest.approx(12.5)


def test_a_queue_that_stays_high_is_behind() -> None:
    pulse = Pulse(1.0)
    looks(pulse, 1, 8)
    beats = looks(pulse, 8, 12, queue=300_000)
    assert beats[0] is Beat.LIVE
    assert beats[-1] is Beat.BEHIND
    assert looks(pulse, 12, 14)[-1] is Beat.LIVE


def test_waits_grow_with_the_trouble_and_begin_anew_after_it() -> None:
    backoff = Backoff((0.3, 1.0, 2.0), ((60.0, 5.0), (600.0, 15.0)), chance=lambda: 0.0)
    assert [backoff.next_wait_s(float(now)) for now in (0, 1, 2, 3, 59, 60, 599, 600)] == [
        0.3, 1.0, 2.0, 2.0, 2.0, 5.0, 5.0, 15.0,
    ]  # fmt: skip
    backoff.reset()
    assert backoff.next_wait_s(700.0) == 0.3


@given(st.floats(0, 1))
def test_chance_only_adds_and_at_most_a_fifth(chance: float) -> None:
    assert 1.0 <= Backoff((1.0,), chance=lambda: chance).next_wait_s(0.0) <= 1.2


def test_a_rate_forgets_what_is_older_than_its_window() -> None:
    rate = Rate(10.0)
    for second in range(30):
        rate.add(float(second), 100)
    assert rate.per_s(29.0) == pytest.approx(100, rel=0.15)
    assert rate.per_s(60.0) == 0


def test_progress_without_numbers_is_no_progress() -> None:
    reader = ProgressReader()
    lines = ["frame=12", "out_time_us=-9223372036854775808", "total_size=N/A", "speed=N/A", "rubbish"]
    assert [reader.take(line) for line in lines] == [None] * 5
    found = reader.take("progress=continue")
    assert found is not None
    assert (found.frame, found.out_time_us, found.total_bytes, found.is_end) == (12, -1, -1, False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[rtmp @ 0x1] [error] Server error: Already publishing", Why.BUSY),
        ("[rtmp @ 0x1] [error] Server error: Authentication failed", Why.REFUSED),
        ("[tls @ 0x1] [error] Peer certificate failed verification", Why.REFUSED),
        ("[tcp @ 0x1] [error] Connection to tcp://h:1 failed: Connection refused", Why.NETWORK),
        ("[tcp @ 0x1] [error] Failed to resolve hostname h: Name or service not known", Why.NETWORK),
        ("[tcp @ 0x1] [error] Connection to tcp://h:1 failed: Connection timed out", Why.NETWORK),
        ("[rtmp @ 0x1] [error] Cannot read RTMP handshake response", Why.NETWORK),  # no key was sent yet
        ("[error] rtmp://h/live: Input/output error", Why.CLOSED),
        ("[error] Error writing trailer of rtmp://h/live: Broken pipe", Why.CLOSED),
    ],
)
def test_what_ffmpeg_says_is_told_in_words(line: str, why: Why) -> None:
    end = why_ended(["[info] Input #0, mpegts, from 'pipe:0':", line], 1)
    assert end.why is why
    assert end.cause
    assert "rtmp://" not in end.cause


def test_a_pusher_that_was_killed_is_no_refusal() -> None:
    end = why_ended([], -9)
    assert end.why is Why.NETWORK
    assert end.action.startswith("Nothing"), "no network is to be mended"


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "secret\n", " secret", "x" * 2000, "a\x00b"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadStreamKey) as caught:
        copies.key_file("rtmp://host/live", key)
    assert not key.strip() or key.strip() not in str(caught.value)


@given(st.lists(st.text("abc1", min_size=1, max_size=5), min_size=1), st.text("abc1xyz ", max_size=60))
def test_no_secret_is_left_in_a_line(secrets: list[str], text: str) -> None:
    assert not any(secret in redacted(text, secrets) for secret in secrets)


def test_a_step_of_waiting_is_never_skipped() -> None:
    backoff = Backoff((0.2, 1.0, 2.0, 4.0), chance=lambda: 0.0)
    waits = [backoff.next_wait_s(0.0) for _ in range(6)]
    assert all(later >= earlier for earlier, later in itertools.pairwise(waits))
    assert waits[-1] == 4.0
