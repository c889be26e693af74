"""Who speaks is shown when the camera takes over from a talk's slate, in any script, and never for too long."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from PIL import Image
from stream_stage import SMALL, until

from hardware.clock import ManualClock, SystemClock
from stream import graph
from stream.hub import Hub
from stream.lettering import Lettering
from stream.look import Look
from stream.lower_third import FILE_NAME, LowerThird, as_video, draw
from stream.order import Program, Scene
from stream.settings import Picture, Source, StreamSettings, TestPicture, VideoFile
from stream.sources import Encoder
from stream.talks import TalkInfo

TALK = TalkInfo(id="a", title="How engines dream", speaker="Ada Lovelace")
SLATE, CAMERA = Scene("next", "a"), Scene("camera", "a")
FULL = Picture()
BARS = TestPicture()


@pytest.fixture
def lower_third(tmp_path: Path, still_clock: ManualClock) -> Iterator[LowerThird]:
    made = LowerThird(tmp_path, SMALL, still_clock, tmp_path / "look", shown_s=12.0)
    yield made
    made.stop()


def takes_over(lower_third: LowerThird) -> None:
    lower_third.follow(None, SLATE, TALK)
    lower_third.follow(SLATE, CAMERA, TALK)
    lower_third.look(is_camera_on_air=True)


def ink(path: Path) -> bool:
    pixels = SMALL.width_px * graph.strip(SMALL)[1]
    data = path.read_bytes()
    assert len(data) == pixels * 5 // 2
    return any(data[-pixels:])


def test_it_is_there_for_its_time_from_when_the_camera_is_on_air(
    lower_third: LowerThird, still_clock: ManualClock
) -> None:
    lower_third.start()
    lower_third.follow(None, SLATE, TALK)
    lower_third.follow(SLATE, CAMERA, TALK)
    still_clock.advance(30.0)
    lower_third.look(is_camera_on_air=False)
    assert lower_third.shown is None, "the camera still waits for its keyframe"
    lower_third.look(is_camera_on_air=True)
    until(lambda: ink(lower_third.path))
    still_clock.advance(11.9)
    lower_third.look(is_camera_on_air=True)
    assert lower_third.shown == TALK
    still_clock.advance(0.1)
    lower_third.look(is_camera_on_air=True)
    assert lower_third.shown is None


def test_it_does_not_surprise_in_the_middle_of_a_talk(lower_third: LowerThird, still_clock: ManualClock) -> None:
    takes_over(lower_third)
    still_clock.advance(11.0)  # and its thread has not come to it
    lower_third.look(is_camera_on_air=True)
    assert lower_third.shown is None


@pytest.mark.parametrize("program", ["hidden", "break", "end", "next", "starting"])
def test_whatever_else_is_shown_ends_it_at_once_and_for_good(lower_third: LowerThird, program: Program) -> None:
    takes_over(lower_third)
    lower_third.follow(CAMERA, Scene(program, "a"), TALK)
    assert lower_third.shown is None
    if program != "next":
        lower_third.follow(Scene(program, "a"), CAMERA, TALK)
        lower_third.look(is_camera_on_air=True)
        assert lower_third.shown is None


def test_a_button_pressed_twice_does_not_end_it(lower_third: LowerThird) -> None:
    takes_over(lower_third)
    lower_third.follow(CAMERA, CAMERA, TALK)
    assert lower_third.shown == TALK


def test_a_slate_that_stands_in_for_the_camera_does_not_make_it_longer(
    lower_third: LowerThird, still_clock: ManualClock
) -> None:
    lower_third.start()
    takes_over(lower_third)
    until(lambda: ink(lower_third.path))
    lower_third.look(is_camera_on_air=False)
    still_clock.advance(12.0)
    lower_third.look(is_camera_on_air=True)
    assert lower_third.shown is None


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, CAMERA), (Scene("break", "a"), CAMERA), (SLATE, Scene("camera", "b")), (Scene("next"), Scene("camera"))],
)
def test_a_camera_that_takes_over_from_no_talks_slate_names_nobody(
    lower_third: LowerThird, before: Scene | None, after: Scene
) -> None:
    lower_third.follow(before, after, None if after.talk is None else TALK)
    lower_third.look(is_camera_on_air=True)
    assert lower_third.shown is None


def test_the_file_is_there_from_the_start_and_always_of_one_size(
    lower_third: LowerThird, still_clock: ManualClock
) -> None:
    assert lower_third.ready() == lower_third.path
    lower_third.start()
    assert not ink(lower_third.path)
    takes_over(lower_third)
    until(lambda: ink(lower_third.path))
    still_clock.advance(12.0)
    lower_third.look(is_camera_on_air=True)
    until(lambda: not ink(lower_third.path))
    assert lower_third.quiet_s < 5


def test_a_name_that_could_not_be_taken_away_is_taken_away_as_soon_as_possible(
    lower_third: LowerThird, tmp_path: Path
) -> None:
    lower_third.start()
    takes_over(lower_third)
    until(lambda: ink(lower_third.path))
    blocking = lower_third.path.with_suffix(".part")
    blocking.mkdir()
    lower_third.follow(CAMERA, Scene("hidden", "a"), TALK)
    assert ink(lower_third.path)
    blocking.rmdir()
    until(lambda: not ink(lower_third.path))


@pytest.mark.parametrize(
    ("speaker", "title"),
    [
        ("O'Brien", "50 % off: [x] \\ a=b, %{pts}"),
        ("Łukasz Wiśniewski", "Zażółć gęślą jaźń"),
        ("فاطمة الزهراء", "كيف نبني جهازا with Python"),
        ("김민준 🚀", "日本語 👨‍👩‍👧"),
        ("", "Only a title"),
        ("Only a speaker", ""),
        ("A Name That Is Very Long Indeed " * 5, "and a title that goes on and on " * 15),
    ],
)
@pytest.mark.parametrize("height_px", [720, 1080])
def test_any_name_is_drawn_inside_of_the_safe_area(tmp_path: Path, height_px: int, speaker: str, title: str) -> None:
    picture = Picture(width_px=height_px * 16 // 9, height_px=height_px)
    lettering = Lettering(tmp_path)
    strip = draw(TalkInfo(id="a", title=title, speaker=speaker), picture, Look(), lettering)
    assert strip.size == (picture.width_px, graph.strip(picture)[1])
    box = strip.getbbox()
    assert box is not None
    assert box[0] == round(picture.width_px * 0.05)
    assert box[2] <= round(picture.width_px * 0.95)
    assert box[3] == strip.height
    assert lettering.troubles == []
    assert strip.convert("L").getextrema()[1] > 240, "white letters"


@pytest.mark.parametrize("colour", ["white", "black", "red", "lime", "blue", "#2b6f64", "#f2b705"])
def test_its_colours_are_those_of_the_picture_it_is_laid_over(tmp_path: Path, colour: str) -> None:
    drawn = Image.new("RGBA", (8, 4), colour)
    drawn.putalpha(77)
    data = as_video(drawn)
    assert data[-32:] == bytes([77]) * 32
    raw = tmp_path / "raw"
    raw.write_bytes(data)
    size = {"video_size": "8x4", "pixel_format": graph.STRIP_FORMAT}
    with av.open(str(raw), format="rawvideo", options=size) as container:
        frame = next(container.decode(video=0))
        seen = frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()
    assert seen.reshape(-1, 3).tolist() == pytest.approx(
        [pytest.approx(drawn.convert("RGB").getpixel((0, 0)), abs=3)] * 32
    )


def test_a_talk_without_words_is_no_band(tmp_path: Path) -> None:
    assert draw(TalkInfo(id="a", title=" "), FULL, Look(), Lettering(tmp_path)).getbbox() is None


class Camera:
    """The real encoder on moving bars, into a hub."""

    def __init__(self, folder: Path, lower_third: Callable[[], Path | None], source: Source = BARS) -> None:
        clock = SystemClock()
        settings = StreamSettings(picture=SMALL, source=source)
        self.encoder = Encoder(settings, clock, folder=folder, lower_third=lower_third)
        hub = Hub(SMALL.frames_per_s, clock)
        self.tap = hub.attach("test", 1 << 30)
        self.encoder.start(hub)

    def runs_on(self) -> None:
        frames = self.encoder.state().frames
        until(lambda: self.encoder.state().frames > frames + 20)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["gone", "empty", "torn", "half", "too-long"])
def test_whatever_happens_to_the_file_the_encoder_goes_on(tmp_path: Path, lower_third: LowerThird, damage: str) -> None:
    lower_third.start()
    camera = Camera(tmp_path, lower_third.ready)
    try:
        camera.runs_on()
        whole = lower_third.path.read_bytes()
        spoilt = {"empty": b"", "torn": whole[:60], "half": whole[: len(whole) // 2], "too-long": whole * 2}
        lower_third.path.unlink()
        if damage != "gone":
            lower_third.path.write_bytes(spoilt[damage])
        camera.runs_on()
        camera.runs_on()
        assert camera.encoder.state().restarts == 0
    finally:
        camera.encoder.stop()
    until(lambda: not ink(lower_third.path), what="it is whole again")


def test_a_file_that_was_never_there_costs_the_lower_third_and_nothing_else(tmp_path: Path) -> None:
    camera = Camera(tmp_path, lambda: tmp_path / FILE_NAME)
    try:
        camera.runs_on()
        assert camera.encoder.state().restarts == 0
    finally:
        camera.encoder.stop()


def test_an_encoder_that_gave_nothing_with_a_lower_third_is_tried_without(tmp_path: Path) -> None:
    asked: list[int] = []
    camera = Camera(tmp_path, lambda: asked.append(1), VideoFile(path=str(tmp_path / "no-film.mp4")))
    try:
        until(lambda: camera.encoder.state().restarts >= 2)
        assert asked == [1]
    finally:
        camera.encoder.stop()


def test_a_folder_that_cannot_be_written_costs_the_lower_third_and_nothing_else(
    tmp_path: Path, still_clock: ManualClock
) -> None:
    nowhere = LowerThird(tmp_path / "missing", SMALL, still_clock, tmp_path, shown_s=12.0)
    assert nowhere.ready() is None


def test_who_wants_none_gets_none(tmp_path: Path, still_clock: ManualClock) -> None:
    none = LowerThird(tmp_path, SMALL, still_clock, tmp_path, shown_s=0)
    none.start()
    assert none.ready() is None
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def strip(tmp_path: Path) -> Path:
    path = tmp_path / FILE_NAME
    path.write_bytes(as_video(Image.new("RGBA", (SMALL.width_px, graph.strip(SMALL)[1]))))
    return path


def test_it_is_seen_within_half_a_second_and_gone_as_fast(tmp_path: Path, strip: Path) -> None:
    reading, writing = os.pipe()
    argv = graph.encoder(StreamSettings().source, SMALL, out_fd=writing, lower_third=strip)
    band = strip.with_suffix(".part")
    band.write_bytes(as_video(Image.new("RGBA", (SMALL.width_px, graph.strip(SMALL)[1]), "black")))
    empty = strip.read_bytes()
    film = tmp_path / "film.ts"
    with subprocess.Popen(argv, pass_fds=(writing,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as encoder:
        os.close(writing)
        marks: list[int] = []
        with os.fdopen(reading, "rb", buffering=0) as pipe, film.open("wb") as file:
            pump = threading.Thread(target=lambda: [file.write(data) for data in iter(lambda: pipe.read(4096), b"")])
            pump.start()
            for change in (lambda: band.replace(strip), lambda: strip.write_bytes(empty), lambda: None):
                file.flush()
                begun = frames_of(film)
                until(lambda begun=begun: file.flush() or frames_of(film) > begun + 30, what="two seconds of film")
                marks.append(frames_of(film))
                change()
            encoder.kill()
            pump.join()
    dark = dark_frames(film)
    assert marks[0] <= dark[0] <= marks[0] + SMALL.frames_per_s // 2 + 2
    assert marks[1] <= dark[-1] + 1 <= marks[1] + SMALL.frames_per_s // 2 + 2


def frames_of(film: Path) -> int:
    try:
        with av.open(str(film), format="mpegts") as container:
            return sum(packet.dts is not None for packet in container.demux(video=0))
    except av.FFmpegError:
        return 0


def dark_frames(film: Path) -> list[int]:
    top, height = graph.strip(SMALL)
    with av.open(str(film), format="mpegts") as container:
        return [
            number
            for number, frame in enumerate(container.decode(video=0))
            if frame.to_ndarray(format="gray")[top + 4 : top + height - 4].max() < 40
        ]
