"""The door's loop: what a guest shows becomes one durable answer, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import segno
from PIL import Image, ImageFilter

from hardware.cameras import Frame, Luma, ScriptedCamera
from hardware.clock import ManualClock, Stamp
from hardware.errors import CameraError, CameraStalled, PanelError
from hardware.panel import FakePanel, Signal
from hardware.worker import Worker
from kiosk.door.lens import Lens
from kiosk.door.loop import Door, Gate
from kiosk.door.reader import NearMiss, Sight
from kiosk.ledger import Decision, Event, GateMode, Hand, LedgerError, NewTicket, Occupancy, Presentation, Reason
from kiosk.ledger.ledger import Ledger
from kiosk.news import DoorState, ScanNews
from kiosk.tickets.codes import digest

FRAME_S = 0.1


class Told:
    """The news that a door told."""

    def __init__(self) -> None:
        self.states: list[DoorState] = []
        self.scans: list[ScanNews] = []

    def state(self, state: DoorState) -> None:
        self.states.append(state)

    def scan(self, scan: ScanNews) -> None:
        self.scans.append(scan)


class Paced(ScriptedCamera):
    """A scripted camera on whose clock each step takes a tenth of a second."""

    def __init__(self, steps: Sequence[Luma | Exception], clock: ManualClock) -> None:
        super().__init__(steps)
        self._clock = clock

    def newest(self, timeout_s: float) -> Frame:
        self._clock.advance(FRAME_S)
        return super().newest(timeout_s)._replace(taken_s=self._clock.monotonic())


def picture_of(*texts: str | bytes) -> Luma:
    scene = np.full((300, 300 * max(len(texts), 1)), 120, np.uint8)
    for at, text in enumerate(texts):
        symbol = segno.make_qr(text, error="q")
        modules = [[0 if dark else 255 for dark in row] for row in symbol.matrix_iter(border=4)]
        drawn = np.kron(np.array(modules, np.uint8), np.ones((4, 4), np.uint8))
        scene[20 : 20 + len(drawn), 300 * at + 20 : 300 * at + 20 + len(drawn)] = drawn
    return scene


EMPTY = np.full((300, 300), 120, np.uint8)
EMPTY[:, 150:] = 60  # a wall and a corner
GONE = [EMPTY] * 20


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


@pytest.fixture
def event(ledger: Ledger) -> Event:
    event = ledger.create_event("evening", "An evening", capacity=3)
    ledger.put_tickets(event, [NewTicket(0, digest(code.encode()), is_own=False) for code in ("AA", "BB", "CC", "DD")])
    return event


class Night:
    """One run of a door over a script."""

    def __init__(
        self,
        event: Event,
        book: object,
        script: Sequence[Luma | Exception],
        panel: FakePanel | None = None,
        *,
        mode: GateMode = GateMode.ENTRY,
        clock: ManualClock | None = None,
    ) -> None:
        clock = clock or ManualClock()
        self.panel = panel or FakePanel(clock.monotonic)
        self.told = Told()
        door = Door(Gate("main", event, mode), Paced(script, clock), book, self.panel, self.told, clock)  # type: ignore[arg-type]
        door.run(Worker("door", door.run))  # in this thread, until the script ends

    @property
    def answers(self) -> list[str]:
        return [scan.reason or "admitted" for scan in self.told.scans]


def test_each_guest_gets_one_answer_and_the_counter_follows(ledger: Ledger, event: Event) -> None:
    night = Night(
        event, ledger, [*[picture_of("AA")] * 15, *GONE, *[picture_of("XX")] * 15, *GONE, *[picture_of("BB")] * 15]
    )
    assert night.answers == ["admitted", "invalid", "admitted"]
    assert night.panel.signals == [Signal.ADMITTED, Signal.REFUSED, Signal.ADMITTED]
    assert night.panel.counts == [(0, 3), (1, 3), (1, 3), (2, 3)]
    assert ledger.head_count(event).inside == 2


def test_the_same_ticket_again_is_refused_and_a_full_room_is_amber(ledger: Ledger, event: Event) -> None:
    script = [step for code in ("AA", "AA", "BB", "CC", "DD") for step in [*[picture_of(code)] * 5, *GONE]]
    night = Night(event, ledger, script)
    assert night.answers == ["admitted", "already_redeemed", "admitted", "admitted", "full"]
    assert night.panel.signals[-1] is Signal.ATTENTION


def test_two_codes_at_once_are_two_answers_and_the_refusal_is_seen(ledger: Ledger, event: Event) -> None:
    Night(event, ledger, [picture_of("BB")] * 3)
    night = Night(event, ledger, [picture_of("AA", "BB")] * 3)
    assert sorted(night.answers) == ["admitted", "already_redeemed"]
    assert night.panel.signals == [Signal.REFUSED]


def test_a_strangers_code_beside_a_good_ticket_does_not_hide_its_green(ledger: Ledger, event: Event) -> None:
    night = Night(event, ledger, [picture_of("AA", "WIFI:T:WPA;S:guests")] * 3)
    assert sorted(night.answers) == ["admitted", "invalid"] and night.panel.signals == [Signal.ADMITTED]


@pytest.fixture
def noted(ledger: Ledger, event: Event) -> Event:
    """The evening of `event`, with tickets NN and MM that have a note."""
    ledger.put_tickets(
        event, [NewTicket(0, digest(code), is_own=False, note="needs a ramp") for code in (b"NN", b"MM")]
    )
    return event


def test_a_guest_whose_ticket_has_a_note_sees_the_green_that_calls_the_volunteer(ledger: Ledger, noted: Event) -> None:
    night = Night(noted, ledger, [*[picture_of("NN")] * 3, *GONE, *[picture_of("AA")] * 3])
    assert night.answers == ["admitted", "admitted"]
    assert night.panel.signals == [Signal.NOTED, Signal.ADMITTED]


def test_a_note_does_not_matter_to_who_leaves_and_does_not_soften_a_refusal(ledger: Ledger, noted: Event) -> None:
    Night(noted, ledger, [picture_of("NN")] * 3)
    assert Night(noted, ledger, [picture_of("NN")] * 3).panel.signals == [Signal.REFUSED]
    assert Night(noted, ledger, [picture_of("NN")] * 3, mode=GateMode.EXIT).panel.signals == [Signal.ADMITTED]


@pytest.mark.parametrize(
    ("others", "seen"), [(["AA"], Signal.NOTED), (["AA", "BB", "CC"], Signal.ATTENTION)], ids=["green", "full"]
)
def test_of_two_codes_at_once_a_note_is_worth_more_than_green_and_less_than_amber(
    ledger: Ledger, noted: Event, others: list[str], seen: Signal
) -> None:
    *inside, beside = others
    script = [step for code in inside for step in [*[picture_of(code)] * 3, *GONE]]
    night = Night(noted, ledger, [*script, *[picture_of("NN", beside)] * 3])
    assert night.panel.signals[-1] is seen


class Recorder:
    """A ledger that notes what the panel shone when it was asked."""

    def __init__(self, ledger: Ledger, panel: FakePanel) -> None:
        self.ledger, self.panel, self.before = ledger, panel, []

    def occupancy(self, event: Event) -> Occupancy:
        return self.ledger.occupancy(event)

    def admit(self, event: Event, shown: Presentation, mode: GateMode, dwell: timedelta) -> Decision:
        self.before.append(list(self.panel.signals))
        return self.ledger.admit(event, shown, mode, dwell)

    def fix_clock(self, now: Stamp) -> None:
        self.ledger.fix_clock(now)


def test_no_green_before_the_row_is_durable(ledger: Ledger, event: Event) -> None:
    panel = FakePanel()
    recorder = Recorder(ledger, panel)
    Night(event, recorder, [picture_of("AA")] * 3, panel)
    assert recorder.before == [[]] and panel.signals == [Signal.ADMITTED]


class Failing(Recorder):
    """A ledger whose answer is lost the first times, after it was written."""

    def __init__(self, ledger: Ledger, failures: int) -> None:
        super().__init__(ledger, FakePanel())
        self.failures = failures

    def admit(self, event: Event, shown: Presentation, mode: GateMode, dwell: timedelta) -> Decision:
        decision = super().admit(event, shown, mode, dwell)
        self.failures -= 1
        if self.failures >= 0:
            raise LedgerError("the ledger failed: disk I/O error")
        return decision


def test_a_lost_answer_is_asked_again_and_counts_once(ledger: Ledger, event: Event) -> None:
    night = Night(event, Failing(ledger, 2), [picture_of("AA")] * 40)
    assert night.answers == ["admitted"]
    assert night.panel.signals == [Signal.ATTENTION, Signal.ATTENTION, Signal.ADMITTED]
    assert ledger.head_count(event) == (1, 3, 1, 0, 4)
    assert any("disk I/O error" in state.cause for state in night.told.states)
    assert night.told.states[-1].cause == ""


def test_a_camera_that_stops_is_said_and_the_door_goes_on_when_it_is_back(ledger: Ledger, event: Event) -> None:
    silence = [CameraStalled("no frame")] * 40
    script = [picture_of("AA"), *GONE, *silence, EMPTY, *[picture_of("BB")] * 3]
    night = Night(event, ledger, script)
    assert night.answers == ["admitted", "admitted"]
    # One beep, then amber for as long as it lasts, then dark until the next guest.
    assert night.panel.signals == [
        Signal.ADMITTED,
        Signal.ATTENTION,
        Signal.OUT_OF_ORDER,
        Signal.IDLE,
        Signal.ADMITTED,
    ]
    stalled = [state for state in night.told.states if state.camera == "stalled"]
    assert stalled and "no frame" in stalled[0].cause and night.told.states[-1].camera == "ok"


@pytest.mark.parametrize(("level", "words"), [(3, "lens covered"), (255, "one flat tone")], ids=["black", "glaring"])
def test_a_lens_that_sees_nothing_is_said_and_is_no_alarm_once_it_is_free(
    ledger: Ledger, event: Event, level: int, words: str
) -> None:
    covered = np.full((300, 300), level, np.uint8)
    night = Night(event, ledger, [EMPTY, *[covered] * 80, *[picture_of("AA")] * 3])
    cameras = [state.camera for state in night.told.states]
    assert "unclear" in cameras and cameras[-1] == "ok"
    assert any(words in state.cause for state in night.told.states)
    assert night.panel.signals == [Signal.ATTENTION, Signal.OUT_OF_ORDER, Signal.IDLE, Signal.ADMITTED]


def test_codes_that_are_seen_and_never_read_are_said(ledger: Ledger, event: Event) -> None:
    """A smeared lens: the corners of codes are found, their content is not."""
    smeared = picture_of("NOBODY READS THIS TEXT")
    rng = np.random.default_rng(3)
    smeared[64:104, 64:104] = np.kron(rng.integers(0, 2, (10, 10)) * 255, np.ones((4, 4))).astype(np.uint8)
    held = [np.roll(smeared, (round(9 * np.sin(n / 3)), round(8 * np.cos(n / 5))), (0, 1)) for n in range(150)]
    night = Night(event, ledger, held)
    assert night.answers == []
    assert any("clean the lens" in state.cause for state in night.told.states)
    assert night.panel.showing is Signal.OUT_OF_ORDER


def test_a_lens_out_of_focus_is_amber_until_the_first_code_is_read(ledger: Ledger, event: Event) -> None:
    def guest(code: str, x: int, sigma_px: float) -> list[Luma]:
        page = Image.fromarray(np.kron(picture_of(code)[:150, :150], np.ones((2, 2), np.uint8)))
        frames = []
        for number in range(50):  # five seconds
            picture = Image.new("L", (640, 480), 120)
            picture.paste(page, (x + round(5 * np.sin(number / 3)), 80 + round(4 * np.sin(number / 5))))
            frames.append(np.asarray(picture.filter(ImageFilter.GaussianBlur(sigma_px))))
        return frames

    lobby = np.full((480, 640), 120, np.uint8)
    lobby[:, 320:] = 60
    blurred = [*guest("NOT YET", 60, 5.5), *[lobby] * 20, *guest("NOR THIS", 200, 5.5), *[lobby] * 20]
    night = Night(event, ledger, [*blurred, *guest("AA", 100, 0.5)])
    assert night.answers == ["admitted"]
    unclear = [state for state in night.told.states if state.camera == "unclear"]
    assert unclear and all("out of focus" in state.cause for state in unclear)
    assert night.panel.signals == [Signal.ATTENTION, Signal.OUT_OF_ORDER, Signal.IDLE, Signal.ADMITTED]
    assert (night.told.states[-1].camera, night.told.states[-1].cause) == ("ok", "")


def test_a_code_that_is_missed_now_and_then_is_no_alarm() -> None:
    lens, miss, nothing = Lens(), Sight((), (NearMiss(9, 9),), True), Sight((), (), True)
    said = [lens.judge(EMPTY, miss if tick % 100 == 0 else nothing, tick / 10) for tick in range(20_000)]
    assert set(said) == {""}


def test_a_camera_that_is_gone_says_why(ledger: Ledger, event: Event) -> None:
    night = Night(event, ledger, [CameraError("/dev/video0 is not there."), *[picture_of("AA")] * 2])
    assert any("/dev/video0 is not there" in state.cause for state in night.told.states)
    assert night.answers == ["admitted"]


class BrokenPanel(FakePanel):
    """A panel whose wires came off."""

    def show(self, signal: Signal) -> None:
        raise PanelError("GPIO busy")


def test_a_broken_panel_keeps_nobody_out(ledger: Ledger, event: Event) -> None:
    night = Night(event, ledger, [picture_of("AA")] * 3, BrokenPanel())
    assert night.answers == ["admitted"]
    assert night.told.states[-1].cause == "GPIO busy"  # and it is said


def test_a_lone_part_of_a_structured_append_is_no_scan_and_ends_nothing(ledger: Ledger, event: Event) -> None:
    part = segno.make_sequence("A" * 120, version=2, boost_error=False)[0]
    modules = [[0 if dark else 255 for dark in row] for row in part.matrix_iter(border=4)]
    picture = np.kron(np.array(modules, np.uint8), np.ones((5, 5), np.uint8))
    night = Night(event, ledger, [*[picture] * 20, *GONE, *[picture_of("AA")] * 3])
    assert night.answers[-1] == "admitted" and set(night.answers[:-1]) <= {"invalid"}


def test_hostile_codes_are_answered_and_the_loop_goes_on(ledger: Ledger, event: Event) -> None:
    hostile = [
        picture_of(bytes(range(200, 240))),
        picture_of("🦆" * 8),
        picture_of(b"\x00" * 12),
        picture_of("'; DROP TABLE scans; --"),
    ]
    script = [step for picture in hostile for step in [picture, picture, *GONE]]
    night = Night(event, ledger, [*script, picture_of("AA")])
    assert night.answers == [Reason.INVALID] * 4 + ["admitted"]


def test_a_gate_for_exits_lets_everybody_out(ledger: Ledger, event: Event) -> None:
    Night(event, ledger, [picture_of("AA")] * 3)
    night = Night(event, ledger, [picture_of("AA")] * 3, mode=GateMode.EXIT)
    assert night.answers == ["admitted"] and night.panel.signals == [Signal.ADMITTED]
    assert ledger.head_count(event).inside == 0


def test_who_is_let_in_elsewhere_is_on_the_counter_without_a_scan(ledger: Ledger, event: Event) -> None:
    clock = ManualClock()

    class Elsewhere:
        """A volunteer lets somebody in while this door looks at an empty wall."""

        def __init__(self) -> None:
            self.looks = 0

        def __getattr__(self, name: str) -> object:
            return getattr(ledger, name)

        def occupancy(self, at: Event) -> Occupancy:
            self.looks += 1
            if self.looks == 2:
                ledger.correct(at, 1, Hand("desk", "n", "desk", clock.stamp()))
            return ledger.occupancy(at)

    night = Night(event, Elsewhere(), [EMPTY] * 40, clock=clock)
    assert night.panel.counts[-1] == (1, 3)


def test_a_clock_that_could_not_be_noted_is_noted_later(ledger: Ledger, event: Event) -> None:
    clock = ManualClock(is_trusted=False)
    Night(event, ledger, [picture_of("AA")] * 3, clock=clock)
    clock.is_trusted = True
    clock.jump_to(clock.stamp().wall + timedelta(days=900))

    class Hesitant:
        def __init__(self) -> None:
            self.fails = 1

        def __getattr__(self, name: str) -> object:
            return getattr(ledger, name)

        def fix_clock(self, now: Stamp) -> None:
            self.fails -= 1
            if self.fails >= 0:
                raise LedgerError("busy")
            ledger.fix_clock(now)

    Night(event, Hesitant(), [EMPTY] * 80, clock=clock)
    clock.is_trusted = False
    assert ledger.known_time(clock.stamp()).told_by == "server"


def test_scans_before_the_clock_was_set_get_their_right_time(ledger: Ledger, event: Event) -> None:
    clock = ManualClock(is_trusted=False)
    Night(event, ledger, [picture_of("AA")] * 3, clock=clock)
    wrong = ledger.recent_scans(event, 1)[0].at
    clock.is_trusted = True
    clock.jump_to(clock.stamp().wall + timedelta(days=900))  # a time server was reached
    Night(event, ledger, [picture_of("BB")] * 3, clock=clock)
    assert ledger.recent_scans(event, 2)[1].at - wrong == timedelta(days=900)
