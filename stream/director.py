"""The organizer's buttons, and the one place where the stream is put together. What they mean is in program.py."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from hardware.board import Board
from hardware.clock import Clock
from hardware.worker import Worker
from stream import graph, program
from stream.alarms import Watch, worst_first
from stream.artist import SlateArtist
from stream.board_watch import BoardWatch
from stream.control import FakeDirector, StreamControl, program_state
from stream.disk import LocalDisk
from stream.errors import IsLive, OrderNotKept, StreamClosed
from stream.finisher import Finisher
from stream.health import StreamState
from stream.hub import Hub, leg_limit_bytes
from stream.legs import Destination, Leg, Preview, Recording
from stream.liveness import Threaded, fault_alarms, quiet_s
from stream.low_rate import LowRate
from stream.lower_third import LowerThird
from stream.microphone import microphone_of
from stream.mixer import Mixer
from stream.order import Order, OrderFile
from stream.preflight import Preflight
from stream.preview_files import preview_folder
from stream.recording import RESERVE_BYTES
from stream.room import Room
from stream.settings import StreamSettings
from stream.slate_source import SlateSource
from stream.sources import Encoder
from stream.studio import Studio
from stream.takes import Take, next_take
from stream.talks import FixedTalks, Talks
from stream.video_coding import VideoCoding, VideoHardware
from stream.wishes import wishes

__all__ = ["Director", "FakeDirector", "StreamControl"]

log = logging.getLogger(__name__)

_LOOK_PERIOD_S = 0.1
_SOUND_PERIOD_S = 0.2  # its alarms have seconds of patience
_PLAN_PERIOD_S = 1.0


class Director(StreamControl):
    """Camera, slates, hub and legs under one order. Resumes by itself what was ordered before a power cut.

    `keys` are the stream keys by destination; `state_dir` holds the order (and the recordings, unless the settings
    say otherwise), `run_dir` is where the children work and may be emptied at each boot; `event` is what the evening is
    called. Safe with threads: commands wait for each other, `state` waits for nobody. The commands are those of
    StreamControl.
    """

    def __init__(
        self,
        settings: StreamSettings,
        keys: Mapping[str, str],
        state_dir: Path,
        run_dir: Path,
        clock: Clock,
        *,
        talks: Talks | None = None,
        artist: SlateArtist | None = None,
        event: str = "",
        board: Board | None = None,
        video_hardware: VideoHardware | None = None,
    ) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        recordings = Path(settings.recordings_dir) if settings.recordings_dir else state_dir / "recordings"
        spare = Path(settings.spare_recordings_dir) if settings.spare_recordings_dir else None
        folders = (recordings,) if spare is None else (recordings, spare)
        disk = LocalDisk()
        self._settings = settings
        self._clock = clock
        self._talks = talks or FixedTalks()
        self._commands = threading.Lock()
        self._is_closed = False
        self._is_running = False
        self._take: Take | None = None  # what is recorded now; None while stopped
        self._introduced_at_s: float | None = None  # when the camera takes over from the slate of the next talk
        self._file = OrderFile(state_dir / "stream-order.json")
        look_dir = Path(settings.look_dir) if settings.look_dir else state_dir / "look"
        self._lower_third = LowerThird(run_dir, settings.picture, clock, look_dir, shown_s=settings.lower_third_s)
        self._coding = VideoCoding(settings.picture, run_dir, video_hardware)
        self._encoder = Encoder(
            settings, clock, folder=run_dir, lower_third=self._lower_third.ready, coding=self._coding
        )
        self._microphone = microphone_of(settings, clock, run_dir)
        self._sound = self._microphone.sound if self._microphone else self._encoder.sound
        self._slates = SlateSource(settings.picture.frames_per_s, clock)
        self._studio = Studio(run_dir / "slates", settings.picture, clock, artist, self._coding)
        self._mixer = Mixer(self._slates, self._studio, self._talks, clock)
        self._preflight = Preflight(settings, keys, folders, run_dir, clock, board, disk, self._coding)
        self._low_rate = LowRate(settings.picture, clock, run_dir, self._coding)
        has_low_rate = 0 < settings.picture.low_kbps < settings.picture.video_kbps
        self._recording = Recording(
            recordings, clock, frames_per_s=settings.picture.frames_per_s, spare=spare, disk=disk
        )
        self._finisher = Finisher(
            folders,
            run_dir / "films",
            clock,
            disk,
            is_being_written=self._recording.is_writing,
            reserve_bytes=RESERVE_BYTES,
            event=event,
        )
        self._room = Room(
            folders,
            clock,
            disk,
            reserve_bytes=RESERVE_BYTES,
            expected_kbps=settings.picture.video_kbps + settings.picture.audio_kbps,
            measured_kbps=lambda: self._recording.state().bit_rate_kbps,
        )
        self._destinations = [
            Destination(
                each,
                keys.get(each.name),
                clock,
                limit_bytes=leg_limit_bytes(settings.picture),
                folder=run_dir,
                low_rate=self._low_rate if has_low_rate else None,
            )
            for each in settings.destinations
        ]
        self._preview = Preview(
            preview_folder(run_dir), settings.picture, clock, limit_bytes=leg_limit_bytes(settings.picture)
        )
        previews = (self._preview,) if settings.preview else ()
        self._legs: tuple[Leg, ...] = (self._recording, *self._destinations, *previews)
        self._board = BoardWatch(board or Board(), clock)
        self._board.start()
        self._watches: tuple[Watch, ...] = (self._encoder, self._sound, self._recording, self._room, self._board)
        self._order: Order | None = self._file.read()
        self._studio.start()
        self._room.start()
        self._finisher.start()
        self._lower_third.start()
        if self._order is None and settings.start_live:
            self._order = Order(do="live", since=self._now())
        if self._order is not None and self._order.do == "live":
            log.info("stream event=resumed since=%s program=%s", self._order.since, self._order.program)
            self._follow(self._order, is_resuming=True)
        self._looking = Worker("stream-program", self._look)
        self._looking.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the children that run now: "camera", "camera-module", "microphone", ..., destinations."""
        found = {"camera": self._encoder.pid, "camera-module": self._encoder.module_pid}
        found |= {"low-rate": self._low_rate.pid, "preview": self._preview.pid}
        found |= {"microphone": self._microphone.pid} if self._microphone else {}
        found |= {each.name: each.pid for each in self._destinations}
        return {name: pid for name, pid in found.items() if pid is not None}

    @property
    def quiet_s(self) -> float:
        """Seconds since the quietest thread was last seen well, infinite when one failed: for the watchdog.

        Some seconds are normal while a child is being stopped or a disk is slow; 15 are not.
        """
        return max(quiet_s(self._looking), *(each.quiet_s for each in (*self._beside, *self._legs)))

    @property
    def _beside(self) -> tuple[Threaded, ...]:
        """What works beside the legs; those say of themselves that they failed."""
        ears = (self._microphone,) if self._microphone else ()
        workshop = (self._studio, self._lower_third, self._room, self._finisher, self._preflight)
        return (self._encoder, *ears, self._slates, self._low_rate, *workshop)

    def retry(self) -> None:
        """Every leg that waits to try again does so now."""
        for leg in self._legs:
            leg.retry()

    def preflight(self) -> None:
        """Try camera, sound and destinations while nobody watches."""
        with self._commands:
            if self._is_closed:
                raise StreamClosed("The stream is shutting down: try again when it is back.")
            if self._is_running:
                raise IsLive("The stream is live already: its state says how camera and destinations are.")
            self._preflight.start()

    def state(self) -> StreamState:
        """Everything about the stream; never waits for a command in progress."""
        return StreamState(
            source=self._encoder.state(),
            sound=self._sound.state(self._clock.monotonic(), is_on_air=self._mixer.is_room_heard),
            legs=tuple(leg.state() for leg in self._legs),
            recording=self._recording.file_name,
            films=self._finisher.state(),
            on_air=self._mixer.on_air,
            program_cause=self._mixer.cause,
            readiness=self._preflight.readiness,
            alarms=worst_first((*fault_alarms(self._beside), *(it for each in self._watches for it in each.alarms()))),
            **program_state(self._order, self._talks),
        )

    def close(self) -> None:
        """End all children in good order. The order stays as it is, for the next boot. Safe to call twice."""
        with self._commands:
            self._is_closed = True
            self._halt()
            self._preflight.close()
        self._looking.stop()
        self._studio.stop()
        self._room.stop()
        self._finisher.stop()
        self._board.stop()
        self._lower_third.stop()

    def _obey(self, command: program.Command, talk_id: str = "") -> None:
        with self._commands:
            if self._is_closed:
                raise StreamClosed("The stream is shutting down: try again when it is back.")
            before = self._order or program.STOPPED
            order = program.obey(before, command, self._talks, self._now(), talk_id)
            if order != before:
                log.info("stream event=ordered command=%s order=%s program=%s", command, order.do, order.program)
            self._follow(order)
            self._file.write(order)

    def _follow(self, order: Order, *, is_resuming: bool = False) -> None:
        """Do what the order says; under the lock of the commands."""
        before = self._order.scene if self._order is not None and self._is_running else None
        old = self._order  # another next talk is no new scene: an introduction goes on as it was
        is_new = old is None or (order.program, order.talk) != (old.program, old.talk) or not self._is_running
        self._order = order
        if order.do == "stopped":
            self._lower_third.follow(before, None, None)
            self._introduced_at_s = None
            self._halt()
            return
        if is_new:
            is_introduction = order.program == "next"
            ends_at_s = self._clock.monotonic() + self._settings.introduce_s
            self._introduced_at_s = ends_at_s if is_introduction else None
        take = next_take(self._take, order, self._talks)
        may_go_on = self._take is None or self._take.is_recorded
        self._take = take
        # The cut is to be there before a talk's first frame; what must not be recorded is to be gone before the cut.
        if may_go_on:
            self._recording.follow(take)
        if self._is_running:
            self._mixer.show(order.scene)
        else:
            self._run(order, is_resuming=is_resuming)
        self._recording.follow(take)
        self._lower_third.follow(before, order.scene, take.talk)

    def _run(self, order: Order, *, is_resuming: bool) -> None:
        self._is_running = True
        self._preflight.cancel()  # it lets go of the camera within a second
        begin_s = order.age_s(self._clock.stamp().wall)  # more than any earlier process can have sent,
        if is_resuming:  # also when the wall clock was set meanwhile: nothing was sent before this boot
            begin_s = max(begin_s, self._clock.stamp().monotonic_ns / 1e9)
        hub = Hub(self._settings.picture.frames_per_s, self._clock, begin_s=begin_s)
        self._low_rate.start(hub)
        for leg in self._legs:
            leg.start(hub)
        self._slates.start(hub)  # first, and so selected: the camera goes on air only when the mixer says so
        camera = self._encoder.start(hub)
        own_sound = camera if graph.has_own_sound(self._settings.source) else None
        room = self._microphone.start(hub) if self._microphone else own_sound
        self._mixer.begin(hub, camera, self._encoder.watch, order.scene, room=room)

    def _halt(self) -> None:
        """The sources first, so that their last frames still reach the legs; then all legs at once."""
        if not self._is_running:
            return
        self._is_running = False
        self._take = None
        self._mixer.end()
        self._encoder.stop()
        if self._microphone:
            self._microphone.stop()
        self._slates.stop()
        ends = [threading.Thread(target=leg.stop, name="stream-stop", daemon=True) for leg in self._legs]
        for each in ends:
            each.start()
        for each in ends:
            each.join()
        self._low_rate.stop()

    def _look(self, worker: Worker) -> None:
        """The program goes on by itself: slates that stand in, countdowns, introductions that are over."""
        plan_at_s = sound_at_s = self._clock.monotonic()
        while worker.wait(_LOOK_PERIOD_S):
            worker.tick()
            now_s = self._clock.monotonic()
            self._mixer.look()
            self._lower_third.look(is_camera_on_air=self._mixer.on_air == "camera")
            if self._coding.is_used_up:
                self._change_encoder()
            if self._is_introduced(now_s):
                self._end_introduction(now_s)
            if now_s >= sound_at_s:
                sound_at_s = now_s + _SOUND_PERIOD_S
                self._sound.look(now_s, self._order)
            if now_s >= plan_at_s:
                plan_at_s = now_s + _PLAN_PERIOD_S
                self._studio.want(wishes(self._order or program.STOPPED, self._talks, self._clock.stamp().wall))
                self._look_at_the_agenda()

    def _change_encoder(self) -> None:
        """Other codec headers: viewers see one reconnect, and the recording goes on in a new file."""
        with self._commands:
            if self._is_closed:
                return
            log.error("stream event=encoder-changed to=software cause=hardware-encoder-ended-too-often")
            order = self._order if self._is_running else None
            self._halt()
            self._coding.give_up()
            if order is not None:
                self._follow(order)

    def _look_at_the_agenda(self) -> None:
        """A wish not to be recorded may be written down while the talk is on."""
        if not self._commands.acquire(blocking=False):  # next time
            return
        try:
            if self._order is None or self._take is None:
                return
            order = program.remembering(self._order, self._order, self._talks)
            self._take = next_take(self._take, order, self._talks)
            self._recording.follow(self._take)
            if order != self._order:
                self._order = order
                self._file.write(order)
        except OrderNotKept as error:
            log.error("stream event=agenda-changed cause=%s next=goes-on", error)  # noqa: TRY400  # its text says all
        finally:
            self._commands.release()

    def _is_introduced(self, now_s: float) -> bool:
        return self._introduced_at_s is not None and now_s >= self._introduced_at_s

    def _end_introduction(self, now_s: float) -> None:
        if not self._commands.acquire(blocking=False):  # a command is being obeyed, it may say otherwise: next time
            return
        try:
            if self._order is None or not self._is_running or not self._is_introduced(now_s):
                return
            self._introduced_at_s = None
            order = program.obey(self._order, "introduced", self._talks, self._now())
            self._follow(order)
            self._file.write(order)
        except OrderNotKept as error:
            log.error("stream event=introduced cause=%s next=goes-on", error)  # noqa: TRY400  # its text says all
        finally:
            self._commands.release()

    def _now(self) -> str:
        return self._clock.stamp().wall.isoformat(timespec="seconds")
