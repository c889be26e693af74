"""Finder patterns are found where codes are, and the dear steps get no more of a picture than can hold one."""

from __future__ import annotations

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hardware.cameras import Luma
from kiosk.door.finders import code_box, darker, find_finders

CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of 25 modules
LEFT, TOP, MODULE_PX = 300, 150, 4
MIDDLES = {(LEFT + MODULE_PX * x, TOP + MODULE_PX * y) for x, y in ((7.5, 7.5), (25.5, 7.5), (7.5, 25.5))}


def scene(turn_deg: float = 0, ground: int = 235, ink: int = 20, wall: int = 120) -> Luma:
    """A code with its quiet zone of four modules on a wall."""
    symbol = segno.make_qr(CODE, error="q", version=2)
    modules = np.array([[ink if dark else ground for dark in row] for row in symbol.matrix_iter(border=4)], np.uint8)
    drawn = Image.fromarray(np.kron(modules, np.ones((MODULE_PX, MODULE_PX), np.uint8)))
    mask = Image.new("L", drawn.size, 255)
    picture = Image.new("L", (1280, 720), wall)
    turned = [each.rotate(turn_deg, Image.Resampling.BICUBIC, expand=True) for each in (drawn, mask)]
    picture.paste(turned[0], (LEFT, TOP), turned[1])
    return np.asarray(picture)


@pytest.mark.parametrize("is_inverse", [False, True])
def test_the_three_finder_patterns_of_a_code_are_found_in_their_place(is_inverse: bool) -> None:
    found = find_finders(darker(scene(ground=20, ink=235) if is_inverse else scene()))[is_inverse]
    middles = {min(MIDDLES, key=lambda m: abs(m[0] - at.x) + abs(m[1] - at.y)) for at in found}
    assert middles == MIDDLES and len(found) == 3
    assert all(abs(at.module_px - MODULE_PX) < 0.7 for at in found)
    assert all(min(abs(x - at.x) + abs(y - at.y) for x, y in MIDDLES) < MODULE_PX for at in found)


@pytest.mark.parametrize("turn_deg", range(0, 360, 15))
def test_the_part_of_the_picture_holds_the_whole_code_however_it_is_turned(turn_deg: int) -> None:
    y = scene(turn_deg)
    is_dark = darker(y)
    box = code_box(find_finders(is_dark)[0], is_dark.shape)
    assert box is not None
    half = 25 * MODULE_PX / 2
    turn = np.deg2rad(turn_deg % 90)
    reach = half * (np.cos(turn) + np.sin(turn))  # from the middle to the outermost corners
    edge = half * 33 / 25 * (np.cos(turn) + np.sin(turn))  # the same with the quiet zone, where it was pasted
    x, y_middle = LEFT + edge, TOP + edge
    assert box.columns.start <= x - reach and x + reach <= box.columns.stop
    assert box.rows.start <= y_middle - reach and y_middle + reach <= box.rows.stop
    assert is_dark[box.rows, box.columns].size < y.size / 4


def test_a_code_with_one_corner_hidden_is_still_framed_whole() -> None:
    y = scene().copy()
    y[TOP + 16 : TOP + 16 + 28, LEFT + 16 : LEFT + 16 + 28] = 235
    is_dark = darker(y)
    found = find_finders(is_dark)[0]
    assert len(found) == 2
    box = code_box(found, is_dark.shape)
    assert box is not None
    assert box.rows.start <= TOP + 16 and box.rows.stop >= TOP + 116
    assert box.columns.start <= LEFT + 16 and box.columns.stop >= LEFT + 116


def test_an_empty_wall_and_its_noise_have_no_code() -> None:
    rng = np.random.default_rng(4)
    for sigma in (0, 2, 6):
        wall = np.clip(rng.normal(120, sigma, (480, 640)), 0, 255).astype(np.uint8)
        is_dark = darker(wall)
        assert code_box([*find_finders(is_dark)[0], *find_finders(is_dark)[1]], is_dark.shape) is None


def test_a_dim_code_beside_a_lamp_is_dark_where_it_is_printed() -> None:
    y = scene(ground=70, ink=40, wall=70).copy()
    y[:, 900:] = 255
    assert len(find_finders(darker(y))[0]) == 3


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_no_picture_is_too_small(height: int, width: int, seed: int) -> None:
    y = np.random.default_rng(seed).integers(0, 255, (height, width), np.uint8)
    is_dark = darker(y)
    assert is_dark.shape == (height - 1, width - 1)
    find_finders(is_dark)
