"""A lens out of focus is said from what guests hold up, and nothing else is taken for one."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pytest
import segno
from PIL import Image, ImageDraw, ImageFilter

from hardware.cameras import Luma
from hardware.clock import ManualClock
from kiosk.door.focus import Unread, find_unread
from kiosk.door.lens import Lens
from kiosk.door.reader import Reader, Sight

SIZE = (640, 480)
MODULE_PX = 7
FRAME_S = 0.1
NOISE = np.random.default_rng(8).normal(0, 1.5, (480, 640))


class Held(NamedTuple):
    """A code in one frame: where its page begins, and how large a module is."""

    x: int
    y: int
    module_px: int = MODULE_PX


@functools.cache
def page(text: str, module_px: int) -> Image.Image:
    symbol = segno.make_qr(text, version=2, error="q")
    modules = np.array([[25 if dark else 225 for dark in row] for row in symbol.matrix_iter(border=4)], np.uint8)
    return Image.fromarray(np.kron(modules, np.ones((module_px, module_px), np.uint8)))


@functools.cache
def blurred_wall() -> Image.Image:
    picture = Image.new("L", SIZE, 120)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 380, 640, 480), fill=70)
    draw.rectangle((500, 40, 600, 300), fill=170)
    return picture.filter(ImageFilter.GaussianBlur(8))


def wall() -> Image.Image:
    return blurred_wall().copy()


@functools.lru_cache(maxsize=400)
def seen(held: Held | None, sigma_modules: float = 0, text: str = "GUEST", is_spoilt: bool = False) -> Luma:
    """The lobby, with a page in front; out of focus by so many modules."""
    picture = wall()
    if held is not None:
        picture.paste(page(text, held.module_px), (held.x, held.y))
        if is_spoilt:  # a thumb on it
            left, top = held.x + 13 * held.module_px, held.y + 12 * held.module_px
            box = (left, top, left + 14 * held.module_px, top + 14 * held.module_px)
            ImageDraw.Draw(picture).ellipse(box, fill=150)
        picture = picture.filter(ImageFilter.GaussianBlur(sigma_modules * held.module_px or 0.6))
    noise = np.roll(NOISE, 0 if held is None else held.x, axis=1)
    y = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
    y.setflags(write=False)  # many tests see the same
    return y


def hand(x: int, y: int, seconds: float, module_px: int = MODULE_PX) -> Iterator[Held]:
    """One place, with a hand's tremor."""
    for number in range(round(seconds / FRAME_S)):
        yield Held(x + round(5 * np.sin(number / 3)), y + round(4 * np.sin(number / 5)), module_px)


def out_of_focus(guests: int, sigma_modules: float = 0.65) -> Iterator[Luma]:
    for guest in range(guests):
        for held in hand(60 + 90 * (guest % 3), 70 + 20 * (guest % 4), 5):
            yield seen(held, sigma_modules)
        yield from [seen(None)] * 10


def judged(pictures: Iterable[Luma], lens: Lens | None = None, clock: ManualClock | None = None) -> list[str]:
    """What the lens says at each frame."""
    clock, lens = clock or ManualClock(), lens or Lens()
    reader = Reader(clock)
    said = []
    for y in pictures:
        clock.advance(FRAME_S)
        said.append(lens.judge(y, reader.look(y), clock.monotonic()))
    return said


def test_guests_whose_codes_are_out_of_focus_are_said_within_the_second_one() -> None:
    said = judged(out_of_focus(guests=2))
    assert "out of focus" in said[-1] and "20 to 30 cm" in said[-1] and 'focus = "near"' in said[-1]


def test_a_guest_who_moves_the_blurred_code_nearer_is_enough() -> None:
    frames = [*hand(80, 90, 4), *hand(60, 70, 4, module_px=9)]
    assert "out of focus" in judged(seen(held, 0.65) for held in frames)[-1]


def test_the_first_code_that_is_read_ends_it() -> None:
    lens, clock = Lens(), ManualClock()
    assert "out of focus" in judged(out_of_focus(guests=3), lens, clock)[-1]
    assert judged([seen(None), seen(Held(150, 100))], lens, clock)[-1] == ""


def test_a_sharp_code_ends_it_even_if_it_cannot_be_read() -> None:
    lens, clock = Lens(), ManualClock()
    assert "out of focus" in judged(out_of_focus(guests=3), lens, clock)[-1]
    spoilt = [seen(held, is_spoilt=True) for held in hand(150, 100, 3)]
    assert "out of focus" not in judged(spoilt, lens, clock)[-1]


@pytest.mark.parametrize("sigma_modules", [0.5, 0.6, 0.7])
def test_blur_is_measured_in_modules_of_the_code(sigma_modules: float) -> None:
    sharp, blurred = (find_unread(seen(Held(150, 100), sigma)) for sigma in (0, sigma_modules))
    assert sharp is not None and sharp.edge_modules < 0.6
    assert blurred is not None and blurred.edge_modules > 0.85
    assert max(abs(blurred.x - sharp.x), abs(blurred.y - sharp.y)) < MODULE_PX


def walkers() -> Iterator[Luma]:
    """People in patterned clothes two metres away, as blurred as a lens set to 25 cm makes them."""
    rng = np.random.default_rng(2)
    for _ in range(6):
        cloth = Image.fromarray(rng.integers(20, 230, (30, 12), dtype=np.uint8)).resize((160, 400))
        for number in range(40):
            picture = wall()
            picture.paste(cloth, (min(number * 14, 330), 60))
            yield np.asarray(picture.filter(ImageFilter.GaussianBlur(6)))


def posters() -> Iterator[Luma]:
    """Two codes on the wall that are out of focus, and somebody who walks along before them."""
    still = wall()
    for x, y in ((15, 40), (380, 160)):
        still.paste(page("COME AGAIN", MODULE_PX), (x, y))
    still = still.filter(ImageFilter.GaussianBlur(0.65 * MODULE_PX))
    for number in range(300):
        picture = still.copy()
        ImageDraw.Draw(picture).rectangle((number * 9 % 1200 - 90, 0, number * 9 % 1200, 480), fill=60)
        yield np.clip(np.asarray(picture) + np.roll(NOISE, number, axis=0), 0, 255).astype(np.uint8)


def smeared() -> Iterator[Luma]:
    """A phone in focus that never holds still."""
    sharp = seen(Held(150, 100)).astype(np.float32)
    for number in range(150):
        y = np.roll(sharp, round(120 * np.sin(number / 5)), axis=1)
        yield np.mean([np.roll(y, (step, step), axis=(0, 1)) for step in range(12)], axis=0).astype(np.uint8)


def tries() -> Iterator[Held]:
    yield from hand(150, 100, 6)
    yield from hand(90, 60, 6, module_px=9)
    yield from hand(300, 150, 6, module_px=6)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(lambda: [seen(None)] * 300, id="an idle lobby, out of focus by design"),
        pytest.param(walkers, id="people who walk by"),
        pytest.param(posters, id="posters that are out of focus"),
        pytest.param(smeared, id="a phone that never holds still"),
        pytest.param(
            lambda: (seen(held, is_spoilt=True) for held in tries()), id="one spoilt code, nearer and farther"
        ),
        pytest.param(lambda: (seen(held, 0.65) for held in hand(150, 100, 20)), id="a poster that shakes"),
    ],
)
def test_nothing_else_is_taken_for_a_lens_out_of_focus(frames: object) -> None:
    assert not any("out of focus" in words for words in judged(frames()))  # type: ignore[operator]


def test_codes_in_hands_that_are_never_read_are_said_and_torn_posters_are_not() -> None:
    """People walk past both: something moves all the time."""

    def passing(number: int, picture: Luma) -> Luma:
        picture = picture.copy()
        picture[400:, (number * 17) % 500 :][:, :60] = 200
        return picture

    poster = [passing(n, seen(Held(150, 100), is_spoilt=True)) for n in range(160)]
    guests = [passing(n, seen(held, is_spoilt=True)) for n, held in enumerate(hand(150, 100, 15))]
    assert set(judged(poster)) == {""}
    assert "clean the lens" in judged(guests)[-1]
    assert "clean the lens" in judged(poster + guests)[-1]


def test_two_blurred_guests_with_hours_between_them_are_no_alarm() -> None:
    lens = Lens()
    y, now_s = seen(None), 0.0
    for hour in range(12):
        for tick in range(4):
            now_s = hour * 3600 + tick / 2
            unread = Unread(100 + 40 * hour + 3 * tick, 100, 7, 1.1)
            assert lens.judge(y, Sight((), (), True, unread), now_s) == ""


def test_what_looks_like_a_blurred_code_for_one_look_is_no_alarm() -> None:
    lens = Lens()
    y, rng = seen(None), np.random.default_rng(1)
    for tick in range(200):
        x, middle, module_px = rng.uniform((60, 60, 4), (580, 420, 12))
        unread = Unread(x, middle, module_px, 1.1) if tick % 4 == 0 else None
        assert lens.judge(y, Sight((), (), True, unread), tick / 2) == ""


def test_an_empty_scene_is_not_searched_for_blur() -> None:
    clock = ManualClock()
    reader = Reader(clock)
    y = seen(None)
    for _ in range(100):
        clock.advance(FRAME_S)
        reader.look(y)
    assert reader.steps["focus"] <= 3  # in the first second: everything is new then
