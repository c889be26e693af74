"""The pre-flight: what an organizer wants to know before the doors open, tried for real in well under a minute.

The stage camera's encoder runs for a moment, and nobody sees it. Each destination gets a slate with our own key, padded
to more than the stream's bit rate: a server that takes it accepts the key, and a network that carries it has room. What
need not be tried is looked up. The order of the stream stays as it is, and an order ends the pre-flight.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from hardware.board import Board
from hardware.checks import Check, clock_check, power_checks
from hardware.clock import Clock
from hardware.errors import PlatypusError
from hardware.worker import Worker
from stream import graph
from stream.artist import PlainArtist
from stream.destination import CONNECTING_AGAIN, Destination
from stream.disk import Disk, LocalDisk
from stream.errors import ChildError
from stream.health import Health, Readiness
from stream.hub import Hub, leg_limit_bytes
from stream.liveness import quiet_s
from stream.microphone import microphone_of
from stream.process import Child
from stream.recording import RESERVE_BYTES
from stream.sample import Sample, sample_of
from stream.settings import Destination as Address
from stream.settings import Picture, StreamSettings, TestPicture
from stream.slate_loop import SlateLoop
from stream.slate_source import SlateSource
from stream.sources import FIRST_BYTES_LIMIT_S, Encoder
from stream.video_coding import VideoCoding

log = logging.getLogger(__name__)

_LOOK_S = 4.0  # at the camera, from its first picture on
_PUSH_S = 6.0  # after a destination came to be live
_LIVE_LIMIT_S = 15.0  # for a server to take it: connecting, 3 s of acknowledged bytes, a second try
_HEADROOM = 1.3  # of the stream's bit rate: what a network must carry to be called good
_NEARLY_HEADROOM = 1.15  # what was acknowledged is looked at twice a second: of six seconds half a one is missing
_RENDER_LIMIT_S = 20.0
_FILM_LIMIT_BYTES = 32_000_000
_SLOW = 0.95  # of the pictures that a second should have
_BLURRED_PX = 7.0  # width of the sharpest edges at 1280 pixels across: a Gaussian of 3 pixels, plain to see
_NOTHING_DB = -100.0  # as SoundState has it
_QUIET_DB, _LOUD_DB = -50.0, -1.0  # peak of four seconds: a silent room with its microphone on stays below -50
_LEAST_H = 1.0


class Preflight:
    """One at a time; begun by `start`, ended by itself or by `cancel`. Neither waits. Safe with threads."""

    def __init__(
        self,
        settings: StreamSettings,
        keys: Mapping[str, str],
        folders: Sequence[Path],
        folder: Path,
        clock: Clock,
        board: Board | None = None,
        disk: Disk | None = None,
        coding: VideoCoding | None = None,
    ) -> None:
        self._settings = settings
        self._coding = coding
        self._keys = keys
        self._folders = tuple(folders)
        self._room = disk or LocalDisk()
        self._folder = folder.absolute()
        self._clock = clock
        self._board = board or Board()
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._cancelled = threading.Event()
        self._readiness: Readiness | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when none runs, infinite when it failed."""
        worker = self._worker
        is_over = worker is not None and not worker.is_alive and worker.failure is None
        return 0.0 if is_over else quiet_s(worker)

    @property
    def readiness(self) -> Readiness | None:
        """What was found until now; None when nobody asked."""
        return self._readiness

    def start(self) -> None:
        """Begin, unless one runs."""
        with self._lock:
            if self._worker is not None and self._worker.is_alive:
                return
            self._cancelled = threading.Event()
            begun = self._clock.stamp().wall.isoformat(timespec="seconds")
            self._readiness = Readiness(begun=begun, is_complete=False)
            self._worker = Worker("stream-preflight", self._run)
            self._worker.start()

    def cancel(self) -> None:
        """End what runs, and forget it: the stream needs the camera. Returns at once."""
        with self._lock:
            self._cancelled.set()
            if self._readiness is not None and not self._readiness.is_complete:
                self._readiness = None

    def close(self) -> None:
        """End what runs and wait for it. Safe to call twice."""
        self.cancel()
        if self._worker is not None:
            self._worker.stop(timeout_s=20.0)
            self._worker = None

    def _run(self, worker: Worker) -> None:
        cancelled = self._cancelled
        self._note(cancelled, [*self._looked_up()])
        tries = {"camera": self._camera, "destination": self._destinations}
        with ThreadPoolExecutor(len(tries), "stream-preflight") as both:
            running = [both.submit(_found_by, each, name, cancelled) for name, each in tries.items()]
            while not all(each.done() for each in running):
                worker.tick()
                if worker.is_stopping:
                    cancelled.set()
                for each in [each for each in running if each.done()]:
                    running.remove(each)
                    self._note(cancelled, each.result())
                worker.wait(0.1)
            for each in running:
                self._note(cancelled, each.result())
        with self._lock:
            if self._readiness is not None and not cancelled.is_set():
                self._readiness = msgspec.structs.replace(self._readiness, is_complete=True)
                bad = [check.name for check in self._readiness.checks if check.state != "ok"]
                log.info("preflight event=done not_ok=%s", ",".join(bad) or "nothing")

    def _note(self, cancelled: threading.Event, checks: Sequence[Check]) -> None:
        with self._lock:
            if self._readiness is not None and not cancelled.is_set():
                found = (*self._readiness.checks, *checks)
                self._readiness = msgspec.structs.replace(self._readiness, checks=found)

    def _looked_up(self) -> list[Check]:
        trusted = self._clock.stamp().is_trusted
        clock = clock_check(is_trusted=trusted, do="countdowns may be wrong: connect to the internet for a moment")
        return [self._disk(), *power_checks(self._board), clock]

    def _disk(self) -> Check:
        """The folders as the recording will use them: made when the one above is there, and written into."""
        free_bytes, troubles = 0, []
        for folder in self._folders:
            try:
                free_bytes = max(free_bytes, self._room.free_bytes(folder))
                probe = folder / ".preflight"
                probe.unlink(missing_ok=True)
                self._room.create(probe).close()
                self._room.remove(probe)
            except OSError as error:
                troubles.append(f"{folder} cannot be written ({error.strerror})")
        if len(troubles) == len(self._folders):
            return Check("disk", "bad", "; ".join(troubles), "plug the stick in, or mend recordings_dir")
        hours = max(0.0, free_bytes - RESERVE_BYTES) / (_kbps(self._settings.picture) * 125) / 3600
        says = f"room for {hours:.1f} hours of recording"
        if troubles:
            return Check("disk", "attention", f"{troubles[0]}; {says} in the other folder", "plug the stick in")
        if hours < _LEAST_H:
            return Check("disk", "bad", says, f"delete old recordings in {self._folders[0]}")
        if hours < self._settings.evening_h:
            return Check("disk", "attention", says, f"delete old recordings in {self._folders[0]}")
        return Check("disk", "ok", says)

    # -- the camera ---------------------------------------------------------------------------------------------------

    def _camera(self, cancelled: threading.Event) -> Sequence[Check]:
        picture = self._settings.picture
        hub = Hub(picture.frames_per_s, self._clock)
        tap = hub.attach("preflight", _FILM_LIMIT_BYTES)
        encoder = Encoder(self._settings, self._clock, folder=self._folder, coding=self._coding)
        microphone = microphone_of(self._settings, self._clock, self._folder)
        heard = microphone.sound if microphone else encoder.sound
        film, frames, peaks_db = bytearray(), 0, [_NOTHING_DB]
        began_s = self._clock.monotonic()
        first_s: float | None = None
        encoder.start(hub)
        if microphone:
            microphone.start(hub)
        try:
            while not cancelled.is_set():
                chunk = tap.take(0.1)
                now_s = self._clock.monotonic()
                peak_db = heard.state(now_s, is_on_air=False).peak_db
                peaks_db.append(_NOTHING_DB if peak_db is None else peak_db)
                if chunk is not None:
                    first_s = now_s if first_s is None else first_s
                    film += chunk.data
                    frames += chunk.frames
                is_seen = first_s is not None and now_s - first_s >= _LOOK_S
                if is_seen or (first_s is None and now_s - began_s > FIRST_BYTES_LIMIT_S):
                    break
            state, sound = encoder.state(), heard.state(self._clock.monotonic(), is_on_air=False)
            took_s = self._clock.monotonic() - (first_s or began_s)
        finally:
            encoder.stop()
            if microphone:
                microphone.stop()
            hub.detach(tap)
        if not frames:
            cause = state.cause or "no picture came"
            camera_check = Check("camera", "bad", cause, "check its cable and power, and source under [stream]")
            return [camera_check, _sound_check(max(peaks_db), sound.cause)] if microphone else [camera_check]
        return [
            *self._seen(sample_of(bytes(film), self._folder), frames / took_s),
            _sound_check(max(peaks_db), sound.cause),
        ]

    def _seen(self, seen: Sample, frames_per_s: float) -> list[Check]:
        picture = self._settings.picture
        says = f"{picture.width_px}x{picture.height_px}, {frames_per_s:.0f} pictures a second"
        if frames_per_s < picture.frames_per_s * _SLOW:
            do = "choose a smaller picture or a faster preset, or more light for the camera"
            camera = Check("camera", "attention", f"{says} instead of {picture.frames_per_s}", do)
        elif seen.is_black:
            camera = Check("camera", "attention", f"{says}, and all black", "take the cap off, switch the light on")
        else:
            camera = Check("camera", "ok", says)
        if isinstance(self._settings.source, TestPicture):
            focus = Check("focus", "ok", "a test picture needs none")
        elif seen.edge_px is None:
            focus = Check("focus", "attention", "nothing in the picture to see it by", "point it at the stage")
        elif seen.edge_px * 1280 / picture.width_px > _BLURRED_PX:
            focus = Check("focus", "attention", "the picture is blurred", "turn the lens, or clean it")
        else:
            focus = Check("focus", "ok", "sharp")
        return [camera, focus]

    # -- the destinations ---------------------------------------------------------------------------------------------

    def _destinations(self, cancelled: threading.Event) -> Sequence[Check]:
        addresses = self._settings.destinations
        if not addresses:
            return [
                Check("destination", "attention", "none is set: only the recording", "platypus stream destinations")
            ]
        picture = self._settings.picture
        try:
            loop = self._trial_slate(cancelled)
        except (PlatypusError, OSError) as error:
            return [] if cancelled.is_set() else [Check("destination", "bad", str(error), "run ./install.sh again")]
        hub = Hub(picture.frames_per_s, self._clock)
        legs = [self._leg(each) for each in addresses]
        slates = SlateSource(picture.frames_per_s, self._clock)
        slates.start(hub)
        slates.show(loop)
        for leg in legs:
            leg.start(hub)
        try:
            with ThreadPoolExecutor(len(legs), "stream-preflight") as all_at_once:
                return list(all_at_once.map(lambda leg: self._tried(leg, cancelled), legs))
        finally:
            for leg in legs:
                leg.stop()
            slates.stop()

    def _leg(self, address: Address) -> Destination:
        limit_bytes = leg_limit_bytes(self._settings.picture)
        return Destination(
            address, self._keys.get(address.name), self._clock, limit_bytes=limit_bytes, folder=self._folder
        )

    def _trial_slate(self, cancelled: threading.Event) -> SlateLoop:
        """Raises ChildError, BadSlate, OSError."""
        picture = self._settings.picture
        pictures = PlainArtist(self._folder / "preflight").draw(
            "starting", None, None, self._clock.stamp().wall, picture
        )
        out = self._folder / "preflight" / "trial.ts"
        argv = graph.slate(pictures, picture, out=out, constant_kbps=round(_kbps(picture) * _HEADROOM))
        until_s = self._clock.monotonic() + _RENDER_LIMIT_S
        with Child("preflight-slate", ["nice", "-n", "10", *argv], folder=self._folder) as child:
            while (code := child.wait(0.1)) is None:
                if cancelled.is_set() or self._clock.monotonic() > until_s:
                    child.kill()
        if code != 0:
            raise ChildError(f"the test slate could not be made (exit code {code})")
        data = out.read_bytes()
        out.unlink()
        return SlateLoop(data, picture.frames_per_s)

    def _tried(self, leg: Destination, cancelled: threading.Event) -> Check:
        name = f"to {leg.name}"
        until_s = self._clock.monotonic() + _LIVE_LIMIT_S
        live: tuple[float, int] | None = None  # when it came to be live, and what had been acknowledged then
        while True:
            state, now_s = leg.state(), self._clock.monotonic()
            if live is None and state.state in (Health.LIVE, Health.BEHIND):
                live = (now_s, leg.acked_bytes)
            elif live is not None and leg.acked_bytes < live[1]:
                live = None  # another connection
            if live is not None and now_s - live[0] >= _PUSH_S:
                return self._carried(name, (leg.acked_bytes - live[1]) / (now_s - live[0]) / 125)
            if state.state is Health.REFUSED:
                return Check(name, "bad", state.cause, state.action)
            if (live is None and now_s > until_s) or cancelled.wait(0.1):
                cause = state.cause.removeprefix(CONNECTING_AGAIN) or "no answer"
                return Check(name, "bad", cause, "check the network and the address, then try again")

    def _carried(self, name: str, kbps: float) -> Check:
        needed_kbps = _kbps(self._settings.picture)
        says = f"the key is accepted; the network carries {{}} {kbps / 1000:.1f} Mb/s of {needed_kbps / 1000:.1f}"
        if kbps >= needed_kbps * _NEARLY_HEADROOM:
            return Check(name, "ok", says.format("at least"))
        fits_kbps = max(100, round(kbps / _HEADROOM, -2) - self._settings.picture.audio_kbps)
        do = f"use a cable or another network, or set video_kbps = {fits_kbps:.0f} under [stream.picture]"
        return Check(name, "attention" if kbps >= needed_kbps else "bad", says.format("about"), do)


def _sound_check(peak_db: float, cause: str) -> Check:
    if peak_db <= _NOTHING_DB:
        do = "check the microphone and its cable; viewers hear silence without it"
        return Check("sound", "attention", cause or "no sound came", do)
    if peak_db < _QUIET_DB:
        says = f"nothing is heard (peak {peak_db:.0f} dB)"
        return Check("sound", "attention", says, "switch the microphone on, and say something while this runs")
    if peak_db > _LOUD_DB:
        return Check("sound", "attention", f"too loud (peak {peak_db:.0f} dB)", "turn the microphone down")
    return Check("sound", "ok", f"peak {peak_db:.0f} dB")


def _kbps(picture: Picture) -> int:
    return picture.video_kbps + picture.audio_kbps


def _found_by(
    look: Callable[[threading.Event], Sequence[Check]], name: str, cancelled: threading.Event
) -> Sequence[Check]:
    """What `look` finds; what keeps it from looking is a finding too."""
    try:
        return look(cancelled)
    except Exception as error:
        log.exception("preflight event=could-not-look at=%s", name)
        cause = f"it could not be tried: {str(error) or type(error).__name__}"
        return [Check(name, "bad", cause, "make room on the disk; the log of the stream says more")]
