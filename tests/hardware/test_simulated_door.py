"""The simulated door: the same from the same seed, readable whenever held, empty in between, and cheap."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyzbar import pyzbar

from hardware.cameras import Camera, FileCamera, Frame, SimulatedCamera, open_camera
from hardware.cameras.simulated import Scene, write_film
from hardware.cameras.visitors import Medium, Visitor, VisitorTimeline, read_visitors, write_visitors
from hardware.errors import CameraError, EndOfFilm

MEDIA: tuple[Medium, ...] = ("phone", "paper", "dark", "dim", "cracked", "tilted")
CODES = [f"JBSWY3DPEHPK3PXPJBSWY3DP{letter}2" for letter in "ABCDEF"]
VISITORS = [Visitor(code, medium) for code, medium in zip(CODES, MEDIA, strict=True)]


def read(y: NDArray[np.uint8]) -> list[str]:
    found = zxingcpp.read_barcodes(y, formats=zxingcpp.BarcodeFormat.QRCodeModel2)
    return [code.text for code in found]


def read_on_local_threshold(y: NDArray[np.uint8]) -> list[str]:
    """Black where 5 levels below the mean of the 51x51 pixels around."""
    reach = 25
    sums = np.pad(y.astype(np.int64), ((reach + 1, reach), (reach + 1, reach)), mode="edge").cumsum(0).cumsum(1)
    side = 2 * reach + 1
    mean = (sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]) / side**2
    black_white = np.where(y > mean - 5, np.uint8(255), np.uint8(0))
    return [code.data.decode() for code in pyzbar.decode(black_white, symbols=[pyzbar.ZBarSymbol.QRCODE])]


def newest_or_end(camera: Camera) -> Frame | None:
    try:
        return camera.newest(5.0)
    except EndOfFilm:
        return None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("visitor", VISITORS, ids=MEDIA)
def test_every_held_code_can_be_read_in_every_frame(visitor: Visitor, seed: int) -> None:
    scene = Scene([visitor], seed=seed)
    held = [number for number in range(scene.timeline.frame_count) if scene.timeline.held_at(number)]
    assert len(held) >= 1.1 * 12
    for number in held[::4]:
        y = scene.picture(number)
        texts = read(y)
        if visitor.medium == "cracked" and not texts:
            texts = read_on_local_threshold(y)
        assert texts == [visitor.code], number


def test_a_light_phone_shows_its_code_at_a_real_size() -> None:
    scene = Scene([VISITORS[0]], seed=3)
    number = next(number for number in range(100) if scene.timeline.held_at(number))
    corners = zxingcpp.read_barcodes(scene.picture(number))[0].position
    width_px = np.hypot(corners.top_right.x - corners.top_left.x, corners.top_right.y - corners.top_left.y)
    assert 150 <= width_px <= 260


def test_between_two_visitors_the_door_is_empty_and_unreadable_long_enough_to_be_forgotten() -> None:
    scene = Scene(VISITORS[:2], seed=1)
    last = max(n for n in range(200) if scene.timeline.held_at(n) == VISITORS[0])
    first = min(n for n in range(200) if scene.timeline.held_at(n) == VISITORS[1])
    empty = [n for n in range(last, first) if scene.timeline.is_empty(n)]
    assert len(empty) >= 2.0 * 12 - 1
    assert not any(read(scene.picture(n)) for n in empty[::4])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(5, 30))
def test_visitors_come_one_by_one_in_order_and_are_held_in_view(seed: int, count: int, frames_per_s: int) -> None:
    timeline = VisitorTimeline(VISITORS[:count], seed=seed, frames_per_s=frames_per_s)
    poses = [timeline.pose(n) for n in range(timeline.frame_count)]
    assert all(pose is None for pose in poses[:frames_per_s])  # the first second
    order = [pose.visitor for pose in poses if pose is not None]
    assert order == sorted(order)
    assert set(order) == set(range(count))
    assert all(0.35 < pose.x < 0.65 and 0.45 < pose.y < 0.55 for pose in poses if pose is not None and pose.is_held)
    assert timeline.pose(timeline.frame_count + 1) is None
    for number in range(1, len(poses)):
        before, now = poses[number - 1], poses[number]
        assert before is None or now is None or before.visitor == now.visitor


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    numbers = [0, 15, 20, 40]
    pictures = [Scene(VISITORS, seed=7).picture(n) for n in numbers]
    again = Scene(VISITORS, seed=7)
    assert all(np.array_equal(again.picture(n), y) for n, y in reversed(list(zip(numbers, pictures, strict=True))))
    assert not np.array_equal(Scene(VISITORS, seed=8).picture(20), pictures[2])


def test_a_repeated_scene_begins_anew_and_one_that_is_not_stays_empty() -> None:
    once, again = VisitorTimeline(VISITORS[:1], seed=2), VisitorTimeline(VISITORS[:1], seed=2, repeat=True)
    held = [n for n in range(once.frame_count) if once.held_at(n)]
    middle = held[len(held) // 2]
    later = middle + round(once.end_s * once.frames_per_s)
    assert once.held_at(later) is None
    assert again.held_at(later) == VISITORS[0]


def test_drawing_a_frame_costs_less_than_eight_milliseconds() -> None:
    scene = Scene(VISITORS, seed=0)
    for number in range(scene.timeline.frame_count):  # draws everyone's hand
        scene.picture(number)
    began_s = time.process_time()
    for number in range(12, 72):
        scene.picture(number)
    assert (time.process_time() - began_s) / 60 < 0.008


def test_the_camera_plays_the_scene_by_its_frame_numbers(tmp_path: Path) -> None:
    path = tmp_path / "visitors.json"
    write_visitors(path, VISITORS[:1])
    scene = Scene(VISITORS[:1], seed=5, width_px=640, height_px=360, frames_per_s=30)
    with open_camera(
        SimulatedCamera(visitors_file=str(path), seed=5, width_px=640, height_px=360, frames_per_s=30)
    ) as camera:
        began_s = time.monotonic()
        frame = camera.newest(2.0)
        while scene.timeline.held_at(frame.number) is None:
            assert np.array_equal(frame.y, scene.picture(frame.number))
            frame = camera.newest(2.0)
    assert np.array_equal(frame.y, scene.picture(frame.number))
    assert read(frame.y) == [CODES[0]]
    assert frame.number / 30 == pytest.approx(time.monotonic() - began_s, abs=0.4)  # in real time


def test_a_film_of_the_scene_is_as_readable_as_the_scene(tmp_path: Path) -> None:
    timeline = write_film(tmp_path / "door.mp4", VISITORS[2:3], seed=4, frames_per_s=20, frame_count=40)
    seen: set[str] = set()
    with open_camera(FileCamera(path=str(tmp_path / "door.mp4"))) as camera:
        for frame in iter(lambda: newest_or_end(camera), None):
            assert frame.y.shape == (720, 1280)
            if timeline.held_at(frame.number):
                seen.update(read(frame.y))
    assert seen == {CODES[2]}


def test_a_visitors_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_visitors(tmp_path / "v.json", VISITORS)
    assert read_visitors(tmp_path / "v.json") == tuple(VISITORS)


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"visitors":[{"code":"A","medium":"tattoo"}]}'])
def test_a_bad_visitors_file_is_told_before_the_door_opens(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "v.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CameraError, match=r"visitors file .*v\.json"):
        open_camera(SimulatedCamera(visitors_file=str(path)))
