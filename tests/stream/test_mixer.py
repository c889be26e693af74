"""When a slate stands in for the camera and when the camera may come back; and which slates are wished for."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from stream_stage import SMALL, camera, until

from hardware.clock import ManualClock
from stream import graph
from stream.camera_watch import CameraWatch
from stream.hub import Hub, Inlet
from stream.mixer import FIRST_PICTURE_LIMIT_S, NO_SLATE, STANDING_IN, Mixer
from stream.order import Order, Program, Scene
from stream.slate_loop import SlateLoop
from stream.slate_source import SlateSource
from stream.talks import FixedTalks, TalkInfo
from stream.wishes import Wish, slate_of, wishes

NOW = datetime(2026, 11, 24, 18, 48, tzinfo=UTC)
A = TalkInfo(id="a", title="First", starts_at=NOW + timedelta(minutes=11, seconds=1))
B = TalkInfo(id="b", title="Second")
TALKS = FixedTalks([A, B])


class OneSlate:
    """A studio with one slate for everything, or none."""

    def __init__(self, loop: SlateLoop | None) -> None:
        self.loop = loop
        self.wished: Wish | None = None

    def best(self, wish: Wish) -> SlateLoop | None:
        self.wished = wish
        return self.loop


class Stage:
    """A mixer with a camera that does as told."""

    def __init__(self, clock: ManualClock, loop: SlateLoop, scene: Scene) -> None:
        self._clock = clock
        self.studio = OneSlate(loop)
        self.slates = SlateSource(15, clock)
        self.mixer = Mixer(self.slates, self.studio, TALKS, clock)
        self.begin(scene)

    def begin(self, scene: Scene) -> None:
        """A stream begins."""
        self.hub = Hub(15, self._clock)
        self.watch = CameraWatch(15)
        self.slates.start(self.hub)
        self.camera: Inlet = self.hub.inlet("camera")
        self.mixer.begin(self.hub, self.camera, self.watch, scene, room=self.camera)
        self._frames = frames_of(camera(900))

    def end(self) -> None:
        """The stream ends; safe to call twice."""
        self.mixer.end()
        self.slates.stop()

    def film(self, seconds: float) -> None:
        """The camera gives frames in real time; each second begins with a keyframe."""
        for _ in range(round(seconds * 15)):
            self.camera.feed(next(self._frames))
            self.watch.frames(1, self._clock.monotonic())
            self.mixer.look()
            self._clock.advance(1 / 15)

    def wait(self, seconds: float) -> None:
        """Nothing comes from the camera."""
        self._clock.advance(seconds)
        self.mixer.look()

    def until_on_air(self, what: str) -> None:
        until(lambda: self.mixer.on_air == what, 3, what)


def frames_of(data: bytes) -> Iterator[bytes]:
    """A stream cut before each video frame."""
    cuts = [at for at in range(0, len(data), 188) if data[at + 1] == 0x41 and data[at + 2] == 0]
    for begin, end in itertools.pairwise([0, *cuts[1:], len(data)]):
        yield data[begin:end]


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> SlateLoop:
    folder: Path = tmp_path_factory.mktemp("slate")
    Image.new("RGB", (320, 180), "navy").save(folder / "a.png")
    subprocess.run(graph.slate([folder / "a.png"], SMALL, out=folder / "a.ts"), check=True, capture_output=True)
    return SlateLoop((folder / "a.ts").read_bytes(), 15)


@pytest.fixture
def stage(still_clock: ManualClock, loop: SlateLoop) -> Iterator[Stage]:
    made = Stage(still_clock, loop, Scene("camera"))
    yield made
    made.end()


def test_before_the_first_picture_nothing_is_shown_but_not_for_ever(stage: Stage) -> None:
    stage.wait(FIRST_PICTURE_LIMIT_S - 0.1)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("", "")
    stage.wait(0.2)
    stage.until_on_air("slate")
    assert stage.mixer.cause == STANDING_IN


def test_a_camera_that_falls_silent_before_its_first_keyframe_is_not_waited_for(
    stage: Stage, still_clock: ManualClock
) -> None:
    stage.watch.frames(1, still_clock.monotonic())
    stage.wait(0.8)
    stage.until_on_air("slate")


def test_after_a_slate_that_was_ordered_a_camera_that_never_came_is_said_at_once(stage: Stage) -> None:
    stage.mixer.show(Scene("hidden"))
    stage.until_on_air("slate")
    stage.mixer.show(Scene("camera"))
    assert stage.mixer.cause == STANDING_IN


def test_the_next_stream_shows_its_camera_again(stage: Stage) -> None:
    stage.film(2)
    stage.end()
    stage.begin(Scene("camera"))
    stage.film(2)
    assert stage.mixer.on_air == "camera"


def test_after_the_end_nothing_is_wrong(stage: Stage) -> None:
    stage.film(2)
    stage.wait(0.8)
    stage.until_on_air("slate")
    assert stage.mixer.cause == STANDING_IN
    stage.end()
    assert stage.mixer.cause == ""


def test_a_slate_that_stands_in_leaves_room_for_the_cameras_old_times(stage: Stage) -> None:
    stage.film(2)
    last_s = stage.hub.frame_at_s
    stage.wait(0.8)
    stage.until_on_air("slate")
    assert stage.hub.frame_at_s is not None and last_s is not None
    assert (stage.hub.frame_at_s - last_s) * 15 % 1 == pytest.approx(0.75), "due three quarters of a step later"


def test_who_asks_for_the_camera_gets_it_before_it_has_been_well_for_a_second(stage: Stage) -> None:
    stage.film(2.5)
    stage.wait(0.8)
    stage.until_on_air("slate")
    stage.film(0.3)
    stage.mixer.show(Scene("camera"))
    stage.film(0.4)
    assert stage.mixer.on_air == "camera"


def test_a_short_pause_of_the_camera_costs_nothing(stage: Stage) -> None:
    stage.film(2)
    stage.wait(0.6)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("camera", "")


def test_a_quiet_camera_is_covered_and_comes_back_after_a_second_at_its_keyframe(stage: Stage) -> None:
    stage.film(2.5)
    stage.wait(0.8)
    stage.until_on_air("slate")
    stage.film(0.9)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("slate", STANDING_IN)
    stage.film(0.4)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("slate", ""), "it waits for the keyframe"
    stage.film(1.0)
    assert stage.mixer.on_air == "camera"


def fall_over(stage: Stage, clock: ManualClock) -> None:
    """The encoder ends; the slate is on air when this returns, and the mixer has seen it."""
    stage.camera.restart()
    stage.watch.ended(clock.monotonic())
    stage.wait(0.3)  # a slate that stands in begins some pictures late
    stage.until_on_air("slate")
    stage.wait(0.1)


def test_an_encoder_that_fell_over_is_followed_by_the_next_ones_first_keyframe(
    stage: Stage, still_clock: ManualClock
) -> None:
    stage.film(12)
    fall_over(stage, still_clock)
    assert stage.mixer.cause == STANDING_IN
    stage.film(0.2)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("camera", "")
    stage.wait(0.8)
    stage.until_on_air("slate")
    stage.film(0.9)
    assert stage.mixer.on_air == "slate", "as any that was quiet"


@pytest.mark.parametrize("quiet_s", [0.0, 0.8])
def test_an_encoder_that_never_was_steady_or_was_quiet_when_it_ended_has_to_prove_itself(
    stage: Stage, still_clock: ManualClock, quiet_s: float
) -> None:
    stage.film(12 if quiet_s else 9)
    stage.wait(quiet_s)
    fall_over(stage, still_clock)
    stage.film(0.9)
    assert stage.mixer.on_air == "slate"


def test_an_encoder_that_fell_over_behind_a_slate_that_was_ordered_is_not_shown(
    stage: Stage, still_clock: ManualClock
) -> None:
    stage.film(12)
    fall_over(stage, still_clock)
    stage.mixer.show(Scene("hidden"))
    stage.film(2)
    assert stage.mixer.on_air == "slate"


def test_one_that_flickers_does_not_flicker_on_air(stage: Stage) -> None:
    stage.film(2)
    for _ in range(5):
        stage.wait(0.8)
        stage.film(0.6)
        assert stage.mixer.on_air != "camera"
    stage.until_on_air("slate")


def test_one_that_dies_before_its_keyframe_stays_covered(stage: Stage) -> None:
    stage.film(2.5)
    stage.wait(0.8)
    stage.until_on_air("slate")
    stage.film(1.3)
    assert stage.mixer.cause == ""
    stage.wait(0.8)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("slate", STANDING_IN)


def test_a_slate_that_was_ordered_stays_however_well_the_camera_is(stage: Stage) -> None:
    stage.film(2)
    stage.mixer.show(Scene("hidden"))
    assert stage.mixer.on_air != "camera", "at once"
    stage.until_on_air("slate")
    stage.film(3)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("slate", "")


@pytest.mark.parametrize(
    ("program", "is_heard"),
    [("camera", True), ("next", True), ("starting", False), ("break", False), ("end", False), ("hidden", False)],
)
def test_the_room_is_heard_with_the_camera_and_when_somebody_is_introduced(
    stage: Stage, program: Program, *, is_heard: bool
) -> None:
    stage.film(2)
    stage.mixer.show(Scene("hidden"))
    assert not stage.mixer.is_room_heard
    stage.mixer.show(Scene(program))
    stage.film(2)
    assert stage.mixer.is_room_heard == is_heard


def test_without_a_slate_the_camera_is_hidden_all_the_same_and_it_is_said(stage: Stage, loop: SlateLoop) -> None:
    stage.film(2)
    stage.studio.loop = None
    stage.mixer.show(Scene("hidden"))
    stage.film(2)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("", NO_SLATE)
    stage.studio.loop = loop
    stage.mixer.look()
    stage.until_on_air("slate")
    assert stage.mixer.cause == ""


def test_a_missing_slate_is_forgotten_with_the_camera_on_air(stage: Stage) -> None:
    stage.studio.loop = None
    stage.mixer.show(Scene("hidden"))
    stage.mixer.show(Scene("camera"))
    stage.film(2)
    assert (stage.mixer.on_air, stage.mixer.cause) == ("camera", "")


def test_the_slate_of_another_button_is_asked_for_at_once(stage: Stage) -> None:
    stage.mixer.show(Scene("hidden"))
    stage.mixer.show(Scene("end"))
    assert stage.studio.wished == Wish("end")


def test_a_countdown_on_air_goes_down(stage: Stage, still_clock: ManualClock) -> None:
    still_clock.jump_to(NOW)
    stage.mixer.show(Scene("starting"))
    stage.wait(60.0)
    assert stage.studio.wished == Wish("starting", A, A.starts_at, 11)


# The wishes.


@pytest.mark.parametrize(
    ("scene", "wish"),
    [
        (Scene("camera", "a"), Wish("hidden")),
        (Scene("hidden", "a"), Wish("hidden")),
        (Scene("end", "a"), Wish("end")),
        (Scene("next", "a"), Wish("next", A)),
        (Scene("next", None), Wish("next")),
        (Scene("next", "gone"), Wish("next")),
        (Scene("starting", None), Wish("starting", A, A.starts_at, 12)),
        (Scene("break", "a"), Wish("break", B)),
        (Scene("break", "b"), Wish("break")),
    ],
)
def test_a_slate_says_who_is_next_and_when(scene: Scene, wish: Wish) -> None:
    assert slate_of(scene, TALKS, NOW) == wish


@pytest.mark.parametrize(
    ("early", "minutes_left"),
    [
        (timedelta(minutes=12), 12),
        (timedelta(minutes=11, seconds=1), 12),
        (timedelta(0), 0),
        (timedelta(minutes=-29), 0),
        (timedelta(minutes=-31), None),
        (timedelta(hours=25), None),
    ],
)
def test_a_countdown_that_cannot_be_right_is_not_shown(early: timedelta, minutes_left: int | None) -> None:
    talk = TalkInfo(id="x", title="X", starts_at=NOW + early)
    wish = slate_of(Scene("starting"), FixedTalks([talk]), NOW)
    assert wish.minutes_left == minutes_left
    assert (wish.starts_at is None) == (minutes_left is None)


@pytest.mark.parametrize("program", ["starting", "camera", "next", "break", "end", "hidden"])
def test_whatever_button_comes_next_its_slate_is_wished_for_in_time(program: Program) -> None:
    order = Order(do="live", since="t", program=program, talk="a")
    wished = wishes(order, TALKS, NOW)
    assert wished[0] == slate_of(order.scene, TALKS, NOW), "the one on air first"
    assert {Wish("hidden"), Wish("next", B), Wish("break", B), Wish("starting", B), Wish("end")} <= set(wished)
    assert wishes(Order(do="stopped", since="t"), TALKS, NOW)[0] == Wish("starting", A)
