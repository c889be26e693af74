"""Continuity counters, and where runs of alike packets end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.continuity import Counters, run_end
from stream.mpegts import PACKET_BYTES, set_pid, with_adaptation

# (byte 1, byte 2, byte 3), so that some PIDs come again and again
heads = st.tuples(
    st.sampled_from([0x00, 0x01, 0x21, 0x41, 0x5F]),
    st.sampled_from([0x00, 0x01]),
    st.sampled_from([0x10, 0x17, 0x20, 0x30, 0x3F, 0xD5, 0x00]),
)


def packets_of(told: list[tuple[int, int, int]]) -> bytearray:
    return bytearray(b"".join(bytes((0x47, *head)).ljust(PACKET_BYTES, b"\x33") for head in told))


@given(st.lists(st.lists(heads, max_size=60), max_size=4))
def test_only_packets_with_payload_are_counted_each_pid_for_itself(portions: list[list[tuple[int, int, int]]]) -> None:
    counters = Counters()
    expected: dict[int, int] = {}
    for told in portions:
        packets = packets_of(told)
        counters.number(packets)
        for number, (first, second, control) in enumerate(told):
            pid = (first & 0x1F) << 8 | second
            if control & 0x10:
                expected[pid] = expected.get(pid, -1) + 1
            count = expected.get(pid, -1) & 0x0F
            at = number * PACKET_BYTES
            packet = packets[at : at + PACKET_BYTES]
            assert packet == bytes((0x47, first, second, control & 0xF0 | count)).ljust(PACKET_BYTES, b"\x33")


def test_more_packets_than_are_counted_at_once_are_counted() -> None:
    packets = packets_of([(0x01, 0x00, 0x10)] * 10_000)
    Counters().number(packets)
    assert packets[3::PACKET_BYTES] == bytes(0x10 | number & 0x0F for number in range(10_000))


@given(st.lists(heads, min_size=1, max_size=40))
def test_a_run_is_of_one_pid_and_begins_at_most_one_unit(told: list[tuple[int, int, int]]) -> None:
    firsts, seconds = (bytes(head[place] for head in told) for place in (0, 1))
    at = 0
    while at < len(told):
        end = run_end(firsts, seconds, at)
        assert end > at
        alike = {head[:2] for head in told[at:end]}
        assert len(alike) == 1
        is_start = bool(firsts[at] & 0x40)
        assert end == at + 1 if is_start else end == len(told) or told[end][:2] not in alike
        at = end


@given(st.lists(heads, max_size=40), st.integers(0, 0x1FFF))
def test_another_pid_leaves_flags_and_all_else(told: list[tuple[int, int, int]], pid: int) -> None:
    packets = packets_of(told)
    set_pid(packets, pid)
    assert packets == packets_of([(first & 0xE0 | pid >> 8, pid & 0xFF, control) for first, _, control in told])


@given(st.lists(heads, max_size=40))
def test_packets_with_an_adaptation_field_are_found(told: list[tuple[int, int, int]]) -> None:
    expected = [number * PACKET_BYTES for number, head in enumerate(told) if head[2] & 0x20]
    assert list(with_adaptation(packets_of(told))) == expected
