"""When a camera is quiet, when it is well, and when it comes in fits and starts."""

from __future__ import annotations

from stream.camera_watch import CameraWatch


def given(watch: CameraWatch, begin_s: float, seconds: float, rate: float = 1.0) -> float:
    """Frames at `rate` times the right speed; the time of the last one."""
    count = round(seconds * 15 * rate)
    for number in range(count):
        watch.frames(1, begin_s + number / 15 / rate)
    return begin_s + (count - 1) / 15 / rate


def test_a_camera_is_quiet_after_seven_tenths_of_a_second_or_when_its_encoder_ended() -> None:
    watch = CameraWatch(15)
    assert watch.is_quiet(0.0)
    last_s = given(watch, 10.0, 2.0)
    assert not watch.is_quiet(last_s + 0.69)
    assert watch.is_quiet(last_s + 0.71)
    watch.ended(last_s)
    assert watch.is_quiet(last_s)
    assert watch.has_begun


def test_it_is_well_only_after_a_second_of_frames_on_end() -> None:
    watch = CameraWatch(15)
    assert not watch.is_well(given(watch, 10.0, 0.9))
    assert watch.is_well(given(watch, 11.0, 0.5))
    last_s = given(watch, 12.5, 0.5)
    assert not watch.is_well(last_s), "it had been quiet between"
    assert watch.is_well(given(watch, 13.0, 1.0))


def test_it_is_not_well_while_it_catches_up() -> None:
    watch = CameraWatch(15)
    last_s = given(watch, 10.0, 2.0, rate=4)
    assert not watch.is_well(last_s)
    assert watch.is_well(given(watch, last_s + 0.06, 1.5))


def test_what_comes_in_fits_and_starts_is_told_from_a_poor_network() -> None:
    def fits(seconds_on: float, seconds_off: float) -> bool:
        watch, now_s, found = CameraWatch(15), 100.0, False
        while now_s < 160:
            now_s = given(watch, now_s, seconds_on) + seconds_off
            found |= watch.comes_in_fits(now_s)
        return found

    assert fits(1.1, 3.9)
    assert not fits(2.0, 2.0)
    assert not fits(30, 5.9)


def test_a_new_encoder_is_not_blamed_for_the_fits_of_the_last_one() -> None:
    watch, now_s = CameraWatch(15), 100.0
    while not watch.comes_in_fits(now_s):
        now_s = given(watch, now_s, 1.1) + 3.9
    watch.ended(now_s)
    assert not watch.comes_in_fits(given(watch, now_s + 1, 3.0))
