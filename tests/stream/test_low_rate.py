"""A network too slow for the full bit rate costs its viewers bits, in the same session; and nobody else anything."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import msgspec
import pytest
from stream_stage import (
    SMALL,
    STEP_TICKS,
    Line,
    RtmpServer,
    Viewer,
    camera,
    codec_headers,
    is_unbroken,
    tables,
    unit_times,
    until,
    video_steps,
)

from hardware.clock import ManualClock, SystemClock
from stream import graph
from stream.congestion import LONGEST_PATIENCE_S, Congestion
from stream.destination import Destination
from stream.feed import Feed
from stream.health import Health
from stream.hub import START_TICKS, Hub
from stream.low_rate import FrameCutter, LowRate
from stream.process import Child
from stream.settings import Destination as Address
from stream.settings import Picture, StreamSettings, TestPicture
from stream.sources import Encoder
from stream.tap import Chunk, Tap

GOP = 15


def pressed(congestion: Congestion, seconds: int, from_s: float, *, is_behind: bool) -> float:
    for tick in range(seconds * 2):
        congestion.note(from_s + tick / 2, is_behind=is_behind, is_well=not is_behind)
    return from_s + seconds


def test_the_full_rate_is_tried_again_after_patience_and_more_of_it_after_each_relapse() -> None:
    congestion, now_s = Congestion(patience_s=30), 0.0
    now_s = pressed(congestion, 1, now_s, is_behind=True)
    assert congestion.is_low
    waits = []
    for _ in range(5):
        since_s = now_s
        while congestion.is_low:
            now_s = pressed(congestion, 1, now_s, is_behind=False)
        waits.append(now_s - since_s)
        now_s = pressed(congestion, 4, now_s, is_behind=False)
        now_s = pressed(congestion, 1, now_s, is_behind=True)
        assert congestion.is_low
    assert waits == sorted(waits) and 30 <= waits[0] < 35
    assert 4 * 30 < waits[-1] <= LONGEST_PATIENCE_S + 5
    while congestion.is_low:
        now_s = pressed(congestion, 1, now_s, is_behind=False)
    now_s = pressed(congestion, 60, now_s, is_behind=False)
    now_s = pressed(congestion, 1, now_s, is_behind=True)  # another evening's trouble
    since_s = now_s
    while congestion.is_low:
        now_s = pressed(congestion, 1, now_s, is_behind=False)
    assert now_s - since_s < 35


def test_a_connection_that_is_only_begun_says_nothing_about_the_network() -> None:
    congestion = Congestion(patience_s=2)
    pressed(congestion, 1, 0.0, is_behind=True)
    for tick in range(100):
        congestion.note(1.0 + tick / 2, is_behind=False, is_well=False)
    assert congestion.is_low


def test_the_patience_is_for_a_time_on_end() -> None:
    congestion = Congestion(patience_s=4)
    now_s = pressed(congestion, 1, 0.0, is_behind=True)
    for _ in range(5):
        now_s = pressed(congestion, 3, now_s, is_behind=False)
        congestion.note(now_s, is_behind=False, is_well=False)
        assert congestion.is_low


def test_the_patience_begins_anew_with_each_trouble() -> None:
    congestion = Congestion(patience_s=4)
    for begin_s in (0.0, 100.0):
        congestion.note(begin_s, is_behind=True, is_well=False)
        pressed(congestion, 3, begin_s + 1, is_behind=False)
        assert congestion.is_low
        pressed(congestion, 10, begin_s + 4, is_behind=False)
        assert not congestion.is_low
    assert congestion.changes == 4


class HandMade:
    """A low-rate copy whose frames a test gives by hand."""

    def __init__(self) -> None:
        self.tap: Tap | None = None

    def join(self, name: str) -> Tap:
        self.tap = Tap(name, 10_000_000)
        return self.tap

    def leave(self, tap: Tap) -> None:
        self.tap = None
        tap.close()

    def give(self, chunks: list[Chunk]) -> None:
        assert self.tap is not None
        for chunk in chunks:
            self.tap.put(chunk, 0.0)


def cut(film: bytes) -> list[Chunk]:
    return FrameCutter().feed(film)


def taken(feed: Feed) -> bytes:
    film = b""
    while (chunk := feed.take(0.0)) is not None:
        film += chunk.data
    return film


def marks(film: bytes) -> list[int]:
    """Which source each picture is of: its first packet is full, and ends with the mark."""
    packets = [film[at : at + 188] for at in range(0, len(film), 188)]
    return [each[-1] for each in packets if each[1] & 0x40 and b"\0\0\1\xe0" in each]


@pytest.fixture
def hub() -> Hub:
    return Hub(SMALL.frames_per_s, ManualClock())


def test_frames_are_cut_as_they_came_and_keyframes_have_their_tables() -> None:
    film = camera(31, gop=GOP)
    cutter = FrameCutter()
    chunks = [chunk for at in range(0, len(film), 1000) for chunk in cutter.feed(film[at : at + 1000])]
    assert [number for number, chunk in enumerate(chunks) if chunk.is_keyframe] == [0, 15]
    assert all(chunk.frames == 1 for chunk in chunks) and len(chunks) == 30  # the last one is not closed yet
    video, _ = unit_times(b"".join(chunk.data for chunk in chunks))
    assert video == [number * STEP_TICKS for number in range(30)]
    assert [chunk.data.startswith(tables()) for chunk in chunks] == [chunk.is_keyframe for chunk in chunks]


def test_to_the_low_rate_what_waits_is_dropped_and_back_nothing_is_missing(hub: Hub) -> None:
    copy = HandMade()
    inlet = hub.inlet("camera")
    feed = Feed(hub, "hall", 10_000_000, copy)
    inlet.feed(camera(15, gop=GOP, mark=1))
    sent = taken(feed)
    begin = unit_times(sent)[0][0]

    def low(first: int, frames: int) -> list[Chunk]:
        film = camera(first + frames + 1, gop=GOP, begin=begin, mark=2)
        return cut(film)[first : first + frames]

    feed.ask(low=True)
    inlet.feed(camera(30, gop=GOP, begin=15 * STEP_TICKS, mark=1))  # waits in the queue
    copy.give(low(0, 35))  # its keyframes: 0, 15, 30; the second is the first that is not sent yet
    sent += taken(feed)
    assert feed.is_low and feed.dropped_frames > 0
    first_low = marks(sent).index(2)
    assert first_low == 15 and set(marks(sent)[first_low:]) == {2}

    feed.ask(low=False)
    sent += taken(feed)
    assert feed.is_low, "the copy has not come to a keyframe of the program"
    inlet.feed(camera(16, gop=GOP, begin=45 * STEP_TICKS, mark=1))
    copy.give(low(35, 30))
    sent += taken(feed)
    assert not feed.is_low
    video, _ = unit_times(sent)
    assert {later - earlier for earlier, later in itertools.pairwise(video)} == {STEP_TICKS}
    assert is_unbroken(sent)
    feed.close()


class OnLow:
    """A feed that has changed to the low rate after a second of the program, and its camera."""

    def __init__(self, hub: Hub) -> None:
        self.copy = HandMade()
        self.camera = hub.inlet("camera")
        self.feed = Feed(hub, "hall", 10_000_000, self.copy)
        self.camera.feed(camera(15, gop=GOP, mark=1))
        self._begin = unit_times(taken(self.feed))[0][0]
        self.feed.ask(low=True)
        self.give(8, 12)
        assert marks(taken(self.feed)) == [2] * 5, "its keyframe and what follows"

    def give(self, first: int, frames: int) -> None:
        """Frames of the copy."""
        film = camera(first + frames + 1, gop=GOP, begin=self._begin, mark=2)
        self.copy.give(cut(film)[first : first + frames])


def test_what_a_copy_gave_before_its_first_keyframe_was_no_loss(hub: Hub) -> None:
    low = OnLow(hub)
    assert low.feed.is_low
    assert low.feed.dropped_frames == 0
    low.feed.close()


def test_what_a_copy_gave_beyond_the_programs_keyframe_was_no_loss(hub: Hub) -> None:
    low = OnLow(hub)
    low.feed.ask(low=False)
    low.camera.feed(camera(16, gop=GOP, begin=30 * STEP_TICKS, mark=1))
    low.give(20, 20)
    assert 1 in marks(taken(low.feed))
    assert low.feed.dropped_frames == 0
    low.feed.close()


def test_what_the_queue_of_the_program_lost_stays_counted_after_the_change(hub: Hub) -> None:
    copy, inlet = HandMade(), hub.inlet("camera")
    feed = Feed(hub, "hall", 20_000, copy)
    inlet.feed(camera(40, gop=GOP))
    lost = feed.dropped_frames
    taken(feed)
    assert lost > 0
    feed.ask(low=True)
    copy.give(cut(camera(47, gop=GOP, begin=START_TICKS)))
    taken(feed)
    assert feed.is_low and feed.dropped_frames == lost
    feed.close()


def test_nobody_waits_for_a_copy_that_gives_no_more(hub: Hub) -> None:
    low = OnLow(hub)
    low.feed.ask(low=False)
    low.camera.feed(camera(16, gop=GOP, begin=30 * STEP_TICKS, mark=1))
    assert set(marks(taken(low.feed))) == {1}
    low.feed.close()


def test_nobody_waits_for_a_copy_that_is_more_than_three_seconds_late(hub: Hub) -> None:
    low = OnLow(hub)
    low.feed.ask(low=False)
    low.camera.feed(camera(16, gop=GOP, begin=80 * STEP_TICKS, mark=1))
    low.give(20, 10)
    assert set(marks(taken(low.feed))) == {1}
    low.feed.close()


def test_a_return_that_is_taken_back_stays_with_the_copy(hub: Hub) -> None:
    low = OnLow(hub)
    low.feed.ask(low=False)
    low.camera.feed(camera(16, gop=GOP, begin=30 * STEP_TICKS, mark=1))
    low.give(20, 1)
    assert low.feed.take(0.0) is not None
    assert low.feed.is_low, "the keyframe of the program is not reached yet"
    low.feed.ask(low=True)
    low.give(21, 20)
    assert set(marks(taken(low.feed))) == {2}
    low.feed.close()


def test_where_there_is_no_copy_a_low_rate_is_asked_for_in_vain(hub: Hub) -> None:
    inlet, feed = hub.inlet("camera"), Feed(hub, "hall", 10_000_000, is_low=True)
    feed.ask(low=True)
    inlet.feed(camera(31, gop=GOP))
    taken(feed)
    assert not feed.is_low


def test_who_leaves_in_the_midst_of_a_change_leaves_no_queue_behind(hub: Hub) -> None:
    copy = HandMade()
    feed = Feed(hub, "hall", 10_000_000, copy)
    feed.ask(low=True)
    assert copy.tap is not None
    feed.close()
    assert copy.tap is None


def test_a_change_that_is_taken_back_leaves_no_queue_behind(hub: Hub) -> None:
    copy = HandMade()
    feed = Feed(hub, "hall", 10_000_000, copy)
    feed.ask(low=True)
    assert copy.tap is not None
    feed.ask(low=False)
    assert copy.tap is None and not feed.is_low
    feed.close()


def test_the_copy_has_the_program_s_times_and_codec_headers(tmp_path: Path) -> None:
    clock, hub = SystemClock(), Hub(SMALL.frames_per_s, SystemClock())
    picture = msgspec.structs.replace(SMALL, low_kbps=100)
    program = hub.attach("program", 10_000_000)
    low_rate = LowRate(picture, clock, tmp_path)
    low_rate.start(hub)
    inlet = hub.inlet("camera")
    ours, theirs = os.pipe()
    try:
        with Child("camera", graph.encoder(TestPicture(), SMALL, out_fd=theirs), give_fds=(theirs,)):
            full, low = b"", b""
            tap = low_rate.join("hall")

            def has_enough() -> bool:
                nonlocal full, low
                inlet.feed(os.read(ours, 65536))
                while (chunk := program.take(0.0)) is not None:
                    full += chunk.data
                while (chunk := tap.take(0.0)) is not None:
                    low += chunk.data
                return low.count(b"\x00\x00\x01\xe0") > 40

            until(has_enough, 20, "the copy flows")
            pid = low_rate.pid
            low_rate.leave(tap)
            until(lambda: low_rate.pid is None, 5, "the transcoder ended when nobody needed it")
            assert pid is not None
    finally:
        low_rate.stop()
        os.close(ours)
    assert codec_headers(low) == codec_headers(full)
    (program_times, _), (copied, sounds) = unit_times(full), unit_times(low)
    nearest = [min(abs(at - other) for other in program_times) for at in copied[:40]]
    assert max(nearest) <= STEP_TICKS / 2
    assert set(sounds) <= set(unit_times(full)[1]), "sound is copied"


@pytest.mark.slow
def test_a_slow_network_gets_the_low_rate_in_the_same_session_and_the_full_one_when_it_is_better(
    tmp_path: Path, rtmp_server: RtmpServer
) -> None:
    picture = Picture(
        width_px=640, height_px=360, frames_per_s=15, keyframe_s=1, video_kbps=1500, low_kbps=200, audio_kbps=64
    )
    clock = SystemClock()
    line = Line(rtmp_server.port, 1_000_000)
    hub, low_rate = Hub(picture.frames_per_s, clock), LowRate(picture, clock)
    address = Address(name="hall", url=f"rtmp://127.0.0.1:{line.port}/asks")
    leg = Destination(address, "right-key", clock, low_rate=low_rate, congestion=Congestion(patience_s=8))
    recording = hub.attach("recording", 100_000_000)
    encoder = Encoder(StreamSettings(picture=picture), clock)
    low_rate.start(hub)
    leg.start(hub)
    encoder.start(hub)
    try:
        until(lambda: leg.state().state is Health.LIVE, 20, "live")
        viewer = Viewer(f"{rtmp_server.url}/asks/right-key", tmp_path / "viewer.ts")
        until(lambda: viewer.frames > 15, 10)
        line.bytes_per_s = 60_000  # 480 kb/s
        took_s = until(lambda: leg.state().is_low_rate, 30, "the low rate")
        until(lambda: leg.state().state is Health.LIVE and leg.state().queue_bytes < 50_000, 30, "live at the low rate")
        line.bytes_per_s = 1_000_000
        until(lambda: not leg.state().is_low_rate, 60, "the full rate again")
        shown = viewer.frames
        until(lambda: viewer.frames > shown + 30, 10, "pictures at the full rate")
        viewer.leave()
        state = leg.state()
    finally:
        encoder.stop()
        leg.stop()
        low_rate.stop()
        line.close()
    recorded = b""
    while (chunk := recording.take(0.0)) is not None:
        recorded += chunk.data
    (tmp_path / "recording.ts").write_bytes(recorded)
    print(f"low rate after {took_s:.1f} s, longest jump {viewer.gap_s:.1f} s, left out {state.dropped_frames}")
    assert rtmp_server.sessions == 1 and state.reconnects == 0 and state.rate_changes == 2
    assert viewer.gap_s < 8.0
    assert viewer.decoding_errors == ""
    assert max(video_steps(tmp_path / "recording.ts")) == STEP_TICKS, "the recording lost nothing"
