"""A folder of pictures as a camera."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hardware.cameras import PicturesCamera, open_camera
from hardware.errors import CameraError, EndOfFilm


def save(path: Path, level: int, size_px: tuple[int, int] = (40, 30)) -> None:
    Image.new("L", size_px, level).save(path)


def levels_shown(settings: PicturesCamera) -> list[int]:
    levels: list[int] = []
    with open_camera(settings) as camera:
        while True:
            try:
                levels.append(int(camera.newest(5.0).y[0, 0]))
            except EndOfFilm:
                return levels


def test_pictures_are_held_one_after_the_other_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, level in (("b.png", 20), ("a.png", 10), ("c.jpg", 30)):
        save(tmp_path / name, level)
    (tmp_path / "notes.txt").write_text("not a picture")
    levels = levels_shown(PicturesCamera(folder=str(tmp_path), seconds_each=0.3, frames_per_s=20))
    assert levels == sorted(levels)
    assert set(levels) == {10, 20, 30}
    assert all(levels.count(level) > 1 for level in (10, 20, 30))


def test_a_bad_picture_is_logged_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    save(tmp_path / "a.png", 10)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    (tmp_path / "c.jpg").write_bytes(b"no picture at all")
    (tmp_path / "d.png").mkdir()
    save(tmp_path / "e.png", 50)
    levels = levels_shown(PicturesCamera(folder=str(tmp_path), seconds_each=0.1, frames_per_s=20))
    assert set(levels) == {10, 50}
    assert [name for name in ("b.png", "c.jpg", "d.png") if f"file='{name}'" not in caplog.text] == []


def test_a_folder_without_pictures_is_refused_when_opened(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="holds no picture"):
        open_camera(PicturesCamera(folder=str(tmp_path)))
    with pytest.raises(CameraError, match="is not a folder"):
        open_camera(PicturesCamera(folder=str(tmp_path / "absent")))


def test_a_folder_of_bad_pictures_only_is_told_and_does_not_spin(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with (
        open_camera(PicturesCamera(folder=str(tmp_path), repeat=True)) as camera,
        pytest.raises(CameraError, match="none of its 1 pictures can be read"),
    ):
        camera.newest(5.0)


def test_a_photograph_is_brought_to_a_size_the_reader_can_bear_and_upright(tmp_path: Path) -> None:
    photograph = np.zeros((1000, 3000), np.uint8)
    photograph[:, 2500:] = 200
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright: turn it by 90 degrees to the right
    Image.fromarray(photograph).save(tmp_path / "a.jpg", exif=turned)
    with open_camera(PicturesCamera(folder=str(tmp_path), repeat=True)) as camera:
        y = camera.newest(5.0).y
    assert max(y.shape) <= 1920
    assert y.shape[0] == pytest.approx(3 * y.shape[1], rel=0.01)
    assert y[-20:].mean() == pytest.approx(200, abs=3)
