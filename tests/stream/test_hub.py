"""One unbroken timeline, and legs that never wait for each other."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_stage import AUDIO, MAP, STEP_TICKS, VIDEO, camera, is_unbroken, section, tables, video_steps

from hardware.clock import ManualClock
from stream import mpegts
from stream.hub import START_TICKS, Chunk, Hub, Tap, leg_limit_bytes
from stream.mpegts import PACKET_BYTES, TICKS_PER_S, WRAP_TICKS
from stream.settings import Picture

FAR = 1 << 30


def stage(clock: ManualClock | None = None) -> Hub:
    return Hub(15, clock or ManualClock())


def taken(tap: Tap) -> list[Chunk]:
    chunks = []
    while (chunk := tap.take(0)) is not None:
        chunks.append(chunk)
    return chunks


def stream_of(tap: Tap) -> bytes:
    return b"".join(chunk.data for chunk in taken(tap))


def times(data: bytes, pid: int) -> list[int]:
    buf = bytearray(data)
    starts = (
        at for at in range(0, len(buf), PACKET_BYTES) if mpegts.pid_of(buf, at) == pid and mpegts.is_unit_start(buf, at)
    )
    return [found.dts for at in starts if (found := mpegts.pes(buf, at)) is not None]


def steps(data: bytes, pid: int = VIDEO) -> list[int]:
    return [mpegts.ticks_between(b, a) for a, b in itertools.pairwise(times(data, pid))]


def test_a_timeline_can_begin_later_for_viewers_who_stayed() -> None:
    hub = Hub(15, ManualClock(), begin_s=3600.5)
    tap = hub.attach("leg", FAR)
    hub.inlet("camera").feed(camera(20))
    assert times(stream_of(tap), VIDEO)[0] == START_TICKS + 3600.5 * 90_000


def test_every_frame_that_went_in_comes_out_once_and_in_its_time() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(camera(40, begin=777))
    inlet.finish()
    data = stream_of(tap)
    assert (inlet.frames, inlet.frames_seen) == (40, 40)
    assert times(data, VIDEO)[0] == START_TICKS
    assert steps(data) == [STEP_TICKS] * 39
    assert len(times(data, AUDIO)) == len(times(camera(40), AUDIO))
    assert is_unbroken(data)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60))
def test_the_portions_in_which_bytes_come_make_no_difference(portions: list[int]) -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    whole = camera(20)
    at = 0
    for portion in portions:
        inlet.feed(whole[at : at + portion])
        at += portion
    inlet.feed(whole[at:])
    inlet.finish()
    other = stage()
    inlet, reference = other.inlet("camera"), other.attach("leg", FAR)
    inlet.feed(whole)
    inlet.finish()
    assert stream_of(tap) == stream_of(reference)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, WRAP_TICKS - 1), st.integers(0, 900)), min_size=2, max_size=5)
)
def test_whatever_encoders_come_and_go_time_runs_on(runs: list[tuple[int, int, int]]) -> None:
    """Runs of any length that begin at any time, each cut anywhere in its last frame."""
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    for frames, begin, cut in runs:
        data = camera(frames, begin=begin)
        inlet.feed(data[: max(1, len(data) - cut)])
        inlet.restart()
    data = stream_of(tap)
    assert set(steps(data)) <= {STEP_TICKS}
    assert all(step > 0 for step in steps(data, AUDIO))
    assert is_unbroken(data)


def test_an_encoder_that_comes_back_after_three_seconds_leaves_a_gap_of_three_seconds(
    still_clock: ManualClock,
) -> None:
    hub = stage(still_clock)
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(camera(15))
    inlet.restart()
    still_clock.advance(3.0)
    inlet.feed(camera(15, begin=500_000))
    found = steps(stream_of(tap))
    assert [step for step in found if step != STEP_TICKS] == [3 * TICKS_PER_S]


def test_an_encoder_that_begins_anew_is_not_shown_before_its_keyframe() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(camera(15))
    inlet.restart()
    inlet.feed(camera(5, begin=15 * STEP_TICKS)[3 * PACKET_BYTES :])  # without the tables and the keyframe's beginning
    assert len(times(stream_of(tap), VIDEO)) == 15


@pytest.mark.parametrize("got_bytes", [100, 300])
def test_of_a_keyframe_that_an_encoder_left_unfinished_viewers_get_nothing(got_bytes: int) -> None:
    """It ended in the frame's first packet, or in a later one."""
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    keyframe = camera(1, begin=15 * STEP_TICKS)[2 * PACKET_BYTES :]
    inlet.feed(camera(15) + keyframe[:got_bytes])
    inlet.restart()
    inlet.feed(camera(15, begin=500_000))
    assert len(times(stream_of(tap), VIDEO)) == 30


def test_a_source_whose_clock_jumps_back_is_put_right_at_its_next_keyframe() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(camera(15, begin=9_000_000))
    inlet.feed(camera(15, begin=0))
    inlet.finish()
    assert steps(stream_of(tap)) == [STEP_TICKS] * 29


def test_time_goes_over_the_33_bit_wrap_without_a_step() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(camera(60, begin=WRAP_TICKS - 30 * STEP_TICKS - START_TICKS))
    inlet.finish()
    assert steps(stream_of(tap)) == [STEP_TICKS] * 59


def test_rubbish_between_packets_costs_no_more_than_what_it_hit() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(camera(15))
    inlet.feed(b"\x00rubbish\x47" * 20)
    inlet.feed(camera(15, begin=15 * STEP_TICKS)[2 * PACKET_BYTES :])
    inlet.finish()
    assert steps(stream_of(tap)) == [STEP_TICKS] * 29


def test_a_frame_without_an_end_fills_no_memory() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    film = camera(15)
    begins = max(at for at in range(0, len(film), PACKET_BYTES) if film[at + 1 : at + 3] == b"\x41\x00")
    inlet.feed(film[: begins + PACKET_BYTES])
    endless = film[begins : begins + PACKET_BYTES].replace(b"\x47\x41", b"\x47\x01", 1)
    kept = 0
    for _ in range(100):
        inlet.feed(endless * 1000)  # 19 MB
        kept = max(kept, 0 if inlet._begun is None else len(inlet._begun.packets))
    assert 0 < kept < 17_000_000
    inlet.feed(camera(15, begin=15 * STEP_TICKS))
    inlet.finish()
    assert len(times(stream_of(tap), VIDEO)) == 29, "all but the one"


def test_a_picture_that_was_begun_is_one_whatever_map_comes_before_its_end() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    hub.select_sound(inlet)
    film = camera(15)
    begins = [at for at in range(0, len(film), PACKET_BYTES) if film[at + 1 : at + 3] == b"\x41\x00"]
    other = section(MAP, b"\x02\xb0\x12\x00\x01\xc1\x00\x00\xe1\x23\xf0\x00\x0f\xe1\x00\xf0\x00")
    inlet.feed(film[: begins[7] + PACKET_BYTES])
    before = len(times(stream_of(tap), AUDIO))
    inlet.feed(other + film[begins[8] : begins[8] + PACKET_BYTES])
    assert len(times(stream_of(tap), AUDIO)) <= 1 + before
    assert inlet.frames == 8


def test_another_table_beside_the_programs_changes_nothing() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    other = bytearray(tables()[PACKET_BYTES:])
    other[5] = 0xC0  # table_id: none of a program map
    inlet.feed(camera(15) + other + camera(15, begin=15 * STEP_TICKS)[2 * PACKET_BYTES :])
    assert steps(stream_of(tap)) == [STEP_TICKS] * 29


def test_what_is_whole_does_not_wait_for_the_next_frame() -> None:
    hub = stage()
    inlet, tap = hub.inlet("slate"), hub.attach("leg", FAR)
    inlet.feed(camera(1), is_whole=True)
    assert len(times(stream_of(tap), AUDIO)) == len(times(camera(1), AUDIO))


def test_a_source_that_ended_well_is_off_the_air() -> None:
    inlet = stage().inlet("camera")
    inlet.feed(camera(15))
    inlet.finish()
    assert not inlet.is_on_air


def test_a_clock_between_the_packets_of_a_frame_tells_the_timeline_and_is_not_counted() -> None:
    """A packet without payload has the number of the one before (ISO/IEC 13818-1, 2.4.3.3)."""
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    clock = bytearray([0x47, VIDEO >> 8, VIDEO & 0xFF, 0x20, 183, 0x10]).ljust(PACKET_BYTES, b"\xff")
    mpegts.write_pcr(clock, 6, 777)
    film, first = camera(1, begin=777), 4 * PACKET_BYTES
    inlet.feed(film[:first] + clock + film[first:])
    buf = bytearray(stream_of(tap))
    of_video = [at for at in range(0, len(buf), PACKET_BYTES) if mpegts.pid_of(buf, at) == VIDEO]
    assert [mpegts.read_pcr(buf, found) for at in of_video if (found := mpegts.pcr_at(buf, at))] == [START_TICKS] * 2
    assert [buf[at + 3] & 15 for at in of_video][:4] == [0, 1, 1, 2]


def test_a_source_that_was_taken_over_puts_no_more_frames_between() -> None:
    hub = stage()
    first, second = hub.inlet("camera"), hub.inlet("slate")
    tap = hub.attach("leg", FAR)
    first.feed(camera(15))
    hub.select(second)
    second.feed(camera(1))
    first.feed(camera(3, gop=99, begin=17 * STEP_TICKS))
    assert len(times(stream_of(tap), VIDEO)) == 16


def test_another_source_takes_over_at_its_keyframe_and_gives_back_at_the_firsts() -> None:
    hub = stage()
    stage_camera, slate = hub.inlet("camera"), hub.inlet("slate")
    tap = hub.attach("leg", FAR)
    live, still = camera(60, mark=1), camera(60, mark=2, begin=4_444_444)
    quarter, packet = len(live) // 4 // PACKET_BYTES * PACKET_BYTES, PACKET_BYTES
    stage_camera.feed(live[:quarter])
    slate.feed(still[:quarter])
    hub.select(slate)
    for part in range(1, 3):
        for source, data in ((stage_camera, live), (slate, still)):
            for at in range(part * quarter, (part + 1) * quarter, packet):
                source.feed(data[at : at + packet])
    hub.select(stage_camera)
    stage_camera.feed(live[3 * quarter :])
    data = stream_of(tap)
    assert set(steps(data)) == {STEP_TICKS}
    assert is_unbroken(data)
    marks = [key for key, _ in itertools.groupby(_marks(data))]
    assert marks == [1, 2, 1]


def _marks(data: bytes) -> list[int]:
    """Which source each keyframe came from: the byte that fills it."""
    buf = bytearray(data)
    return [
        buf[at + PACKET_BYTES - 1]
        for at in range(0, len(buf), PACKET_BYTES)
        if mpegts.pid_of(buf, at) == VIDEO and mpegts.is_unit_start(buf, at) and mpegts.is_keyframe(buf, at)
    ]


def test_a_new_leg_begins_with_tables_and_the_last_keyframe() -> None:
    hub = stage()
    inlet = hub.inlet("camera")
    inlet.feed(camera(20))
    late = hub.attach("late", FAR)
    inlet.finish()
    chunks = taken(late)
    assert chunks[0].is_keyframe
    assert [mpegts.pid_of(bytearray(chunks[0].data), n * PACKET_BYTES) for n in range(3)] == [0, 0x1000, VIDEO]
    assert sum(chunk.frames for chunk in chunks) == 5, "frames 15 to 19"
    assert times(chunks[0].data, VIDEO)[0] == START_TICKS + 15 * STEP_TICKS


def test_a_slow_leg_jumps_to_a_keyframe_and_the_others_lose_nothing() -> None:
    hub = stage()
    inlet = hub.inlet("camera")
    slow, good = hub.attach("slow", 30_000), hub.attach("good", FAR)
    whole = camera(200)
    for at in range(0, len(whole), PACKET_BYTES):
        inlet.feed(whole[at : at + PACKET_BYTES])
        assert slow.queue_bytes <= 30_000
    inlet.finish()
    kept = taken(slow)
    assert kept[0].is_keyframe
    assert slow.dropped_frames > 0
    assert slow.dropped_frames + sum(chunk.frames for chunk in kept) == 200
    assert steps(stream_of(good)) == [STEP_TICKS] * 199
    assert good.dropped_frames == 0


def test_a_new_leg_of_a_heavy_stream_may_take_the_whole_first_picture_group() -> None:
    heavy = Picture(video_kbps=20_000, keyframe_s=4)
    hub = stage()
    inlet = hub.inlet("camera")
    inlet.feed(camera(60, gop=60, size=heavy.video_kbps * 125 * heavy.keyframe_s // 60))
    tap = hub.attach("leg", leg_limit_bytes(heavy))
    assert tap.dropped_frames == 0
    assert tap.queue_bytes > 9_000_000
    assert leg_limit_bytes(Picture()) == 1_000_000


@pytest.mark.parametrize(("gop", "kept_frames"), [(1000, 0), (50, 50)])
def test_what_is_kept_for_a_new_leg_does_not_grow_for_ever(gop: int, kept_frames: int) -> None:
    """20 MB in all; of a source without keyframes nothing is kept then."""
    hub = stage()
    hub.inlet("camera").feed(camera(200, gop=gop, size=100_000))
    assert hub.attach("late", FAR).queue_frames == kept_frames


def test_a_frame_too_large_for_the_queue_of_a_leg_that_keeps_up_is_not_lost() -> None:
    tap = Tap("leg", 100)
    tap.put(Chunk(bytes(60), is_keyframe=True, frames=1), 0.0)
    tap.take(0)
    tap.put(Chunk(bytes(200), is_keyframe=False, frames=1), 0.0)
    assert tap.take(0) is not None


def test_a_mark_outlives_the_frames_that_are_dropped_around_it() -> None:
    tap = Tap("leg", 100)
    tap.put(Chunk(bytes(60), is_keyframe=True, frames=1), 0.0)
    tap.mark("here")
    tap.put(Chunk(bytes(60), is_keyframe=True, frames=1), 0.0)
    assert [chunk.mark for chunk in taken(tap)] == ["here", None]


def test_a_closed_leg_takes_no_more() -> None:
    tap = Tap("leg", 100)
    tap.close()
    tap.put(Chunk(bytes(60), is_keyframe=True, frames=1), 0.0)
    assert tap.take(0) is None


def test_a_leg_that_left_costs_nothing_and_keeps_what_it_had() -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(camera(16))
    hub.detach(tap)
    hub.detach(tap)
    had = tap.queue_bytes
    inlet.feed(camera(16, begin=16 * STEP_TICKS))
    assert had > 0
    assert tap.queue_bytes == had


def test_what_ffmpeg_wrote_survives_a_restart_as_one_film(real_ts: bytes, tmp_path: Path) -> None:
    hub = stage()
    inlet, tap = hub.inlet("camera"), hub.attach("leg", FAR)
    inlet.feed(real_ts[: len(real_ts) * 2 // 3])
    inlet.restart()
    inlet.feed(real_ts)
    inlet.finish()
    film = tmp_path / "film.ts"
    film.write_bytes(stream_of(tap))
    found = video_steps(film)
    assert len(found) == inlet.frames - 1 > 60
    assert set(found) == {STEP_TICKS}
