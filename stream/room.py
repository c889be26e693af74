"""How long the recording can go on: room on the disks over the bit rate, and the alarm when that is too short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hardware.clock import Clock
from hardware.worker import Worker
from stream.alarms import Alarm, Latch
from stream.disk import Disk
from stream.liveness import quiet_s

ENOUGH_MINUTES = 30.0  # for somebody to notice, and to make room, while a talk is on
_LOOK_PERIOD_S = 1.0
_OVERHEAD = 1.07  # of the transport stream, measured at 2.5 Mb/s


class Room:
    """Looks at the folders once a second, in a thread of its own: a disk may take its time to answer."""

    def __init__(
        self,
        folders: Sequence[Path],
        clock: Clock,
        disk: Disk,
        *,
        reserve_bytes: int,
        expected_kbps: int,
        measured_kbps: Callable[[], int] = lambda: 0,
    ) -> None:
        self._folders = tuple(folders)
        self._clock = clock
        self._disk = disk
        self._reserve_bytes = reserve_bytes
        self._expected_kbps = expected_kbps * _OVERHEAD
        self._measured_kbps = measured_kbps
        self._latch = Latch(on_after_s=5.0, off_after_s=30.0)
        self._minutes: float | None = None  # None: not looked yet
        self._worker: Worker | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    def start(self) -> None:
        """Begin to look."""
        self._worker = Worker("stream-room", self._run)
        self._worker.start()

    def stop(self) -> None:
        """End; safe to call twice."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def alarms(self) -> tuple[Alarm, ...]:
        """That there is too little room, or none."""
        minutes = self._minutes
        if minutes is None or not self._latch.is_on:
            return ()
        folders = " or ".join(str(folder) for folder in self._folders)
        cause = f"room for {minutes:.0f} minutes of recording" if minutes >= 1 else "no room for the recording"
        return (Alarm(code="disk", cause=cause, action=f"Move old recordings away, or plug the stick in: {folders}"),)

    def look(self) -> None:
        """See how much room there is. A slate needs less than the camera, so what is expected counts, too."""
        bytes_a_minute = max(self._expected_kbps, self._measured_kbps()) * 125 * 60
        # The best folder, not all of them: they may be on one disk.
        room = max(self._room(folder) for folder in self._folders)
        self._minutes = room / bytes_a_minute
        self._latch.look(self._clock.monotonic(), is_bad=self._minutes < ENOUGH_MINUTES)

    def _room(self, folder: Path) -> int:
        try:
            return max(0, self._disk.free_bytes(folder) - self._reserve_bytes)
        except OSError:  # no room there; what is wrong with it the recording says
            return 0

    def _run(self, worker: Worker) -> None:
        while True:
            worker.tick()
            self.look()
            if not worker.wait(_LOOK_PERIOD_S):
                return
