"""Times and tables of transport stream packets."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from stream_stage import AUDIO, MAP, STEP_TICKS, VIDEO, camera, packets, pes_packet, tables, video_steps

from stream import mpegts
from stream.mpegts import PACKET_BYTES, WRAP_TICKS

TICKS = st.integers(0, WRAP_TICKS - 1)


@given(TICKS, st.sampled_from([0x20, 0x30, 0x10]))
def test_a_time_written_is_the_time_read_and_its_kind_stays(ticks: int, kind: int) -> None:
    buf = bytearray([kind | 1, 0, 1, 0, 1])
    mpegts.write_timestamp(buf, 0, ticks)
    assert mpegts.read_timestamp(buf, 0) == ticks
    assert buf[0] & 0xF0 == kind
    assert buf[0] & buf[2] & buf[4] & 1, "marker bits"


@given(TICKS, st.binary(min_size=6, max_size=6))
def test_a_clock_written_is_the_clock_read_and_its_fine_part_stays(ticks: int, before: bytes) -> None:
    buf = bytearray(before)
    mpegts.write_pcr(buf, 0, ticks)
    assert mpegts.read_pcr(buf, 0) == ticks
    assert (buf[4] & 0x7F, buf[5]) == (before[4] & 0x7F, before[5])


@given(TICKS, TICKS, TICKS, TICKS, st.binary(max_size=600))
def test_there_and_back_again_is_the_same_packet(pts: int, dts: int, pcr: int, offset: int, data: bytes) -> None:
    first = packets(VIDEO, pes_packet(0xE0, pts, data, dts), pcr=pcr)
    buf = bytearray(first)
    mpegts.restamp(buf, 0, offset)
    moved = mpegts.pes(buf, 0)
    assert moved is not None
    assert (moved.pts, moved.dts) == ((pts + offset) % WRAP_TICKS, (dts + offset) % WRAP_TICKS)
    assert mpegts.read_pcr(buf, 6) == (pcr + offset) % WRAP_TICKS
    mpegts.restamp(buf, 0, -offset)
    assert buf == first


@given(TICKS, st.integers(-(1 << 32), (1 << 32) - 1))
def test_the_way_between_two_times_is_the_short_one_over_the_wrap(earlier: int, apart: int) -> None:
    assert mpegts.ticks_between((earlier + apart) % WRAP_TICKS, earlier) == apart


@given(st.binary(min_size=PACKET_BYTES, max_size=PACKET_BYTES), TICKS)
def test_no_packet_however_broken_is_written_beyond_its_end(packet: bytes, offset: int) -> None:
    buf = bytearray(packet + b"\xaa" * PACKET_BYTES)
    mpegts.restamp(buf, 0, offset)
    mpegts.is_keyframe(buf, 0)
    mpegts.table(buf, 0)
    assert buf[PACKET_BYTES:] == b"\xaa" * PACKET_BYTES
    assert len(buf) == 2 * PACKET_BYTES


def test_the_tables_say_where_video_and_sound_are() -> None:
    buf = bytearray(tables())
    pat, pmt = mpegts.table(buf, 0), mpegts.table(buf, PACKET_BYTES)
    assert pat is not None
    assert pmt is not None
    assert mpegts.program_map_pid(pat) == MAP
    assert mpegts.program(pmt) == mpegts.Program(VIDEO, frozenset({AUDIO}))


def test_a_keyframe_is_seen_without_the_multiplexers_word() -> None:
    idr = bytearray(packets(VIDEO, pes_packet(0xE0, 0, b"\0\0\0\1\x09\xf0\0\0\0\1\x67abc\0\0\1\x65")))
    other = bytearray(packets(VIDEO, pes_packet(0xE0, 0, b"\0\0\0\1\x09\xf0\0\0\0\1\x41")))
    assert mpegts.is_keyframe(idr, 0)
    assert not mpegts.is_keyframe(other, 0)


def test_what_ffmpeg_writes_is_understood(real_ts: bytes) -> None:
    buf = bytearray(real_ts)
    starts = [at for at in range(0, len(buf), PACKET_BYTES) if mpegts.is_unit_start(buf, at)]
    pmt = next(mpegts.table(buf, at) for at in starts if mpegts.pid_of(buf, at) == MAP)
    assert pmt is not None
    program = mpegts.program(pmt)
    assert program is not None
    video = [at for at in starts if mpegts.pid_of(buf, at) == program.video_pid]
    times = [mpegts.pes(buf, at) for at in video]
    assert [b.dts - a.dts for a, b in itertools.pairwise(times) if a and b] == [STEP_TICKS] * 44
    assert [n for n, at in enumerate(video) if mpegts.is_keyframe(buf, at)] == [0, 15, 30]


def test_the_stream_made_by_hand_is_a_stream_to_others_too(tmp_path: Path) -> None:
    film = tmp_path / "film.ts"
    film.write_bytes(camera(5))
    assert video_steps(film) == [STEP_TICKS] * 4
