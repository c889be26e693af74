"""The recording: nothing lost, nothing overwritten, and never the last of the disk."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stream_stage import STEP_TICKS, camera, until, video_steps

from hardware.clock import ManualClock, SystemClock
from stream.disk import LocalDisk, MemoryDisk, RecordingFile
from stream.health import Health
from stream.hub import Hub
from stream.recording import Recording

WHERE = Path("/recordings")


@pytest.fixture
def hub(still_clock: ManualClock) -> Hub:
    return Hub(15, still_clock)


def name_of(clock: ManualClock) -> str:
    return f"{clock.stamp().wall.astimezone():%Y-%m-%d_%H%M%S}.ts"


def test_all_frames_are_in_the_file_and_it_says_when_it_began(
    hub: Hub, still_clock: ManualClock, tmp_path: Path
) -> None:
    recording = Recording(tmp_path / "new", still_clock, frames_per_s=25, reserve_bytes=0)
    inlet = hub.inlet("camera")
    recording.start(hub)
    inlet.feed(camera(60))
    inlet.finish()
    recording.stop()
    (film,) = (tmp_path / "new").glob("*.ts")
    assert film.name == name_of(still_clock)
    assert video_steps(film) == [STEP_TICKS] * 59
    assert (recording.state().frames_sent, recording.state().state) == (60, Health.STOPPED)
    assert recording.state().written_s == 2.4


def test_a_clock_that_stands_still_never_overwrites_a_recording(hub: Hub, still_clock: ManualClock) -> None:
    disk = MemoryDisk()
    recording = Recording(WHERE, still_clock, frames_per_s=25, disk=disk)
    hub.inlet("camera").feed(camera(20))
    for _ in range(3):
        recording.start(hub)
        until(lambda: recording.file_name)
        recording.stop()
    first = name_of(still_clock)
    assert list(disk.files) == [first, first.replace(".ts", "-2.ts"), first.replace(".ts", "-3.ts")]
    assert all(disk.files.values())


def test_every_second_is_safe_from_a_power_cut(hub: Hub, still_clock: ManualClock) -> None:
    disk = MemoryDisk()
    recording = Recording(WHERE, still_clock, frames_per_s=25, disk=disk)
    hub.inlet("camera").feed(camera(20))
    recording.start(hub)
    until(lambda: recording.file_name)
    for second in range(1, 4):
        still_clock.advance(1.0)
        until(lambda wanted=second: disk.syncs >= wanted)
    recording.stop()


class SlowDisk(MemoryDisk):
    """A disk whose every write takes as long as is told; `may_write` holds them back."""

    def __init__(self, clock: ManualClock, write_s: float = 0.0) -> None:
        super().__init__()
        self.may_write = threading.Event()
        self.writes = 0
        self.most_unsynced = 0
        self._clock, self._write_s = clock, write_s
        self._unsynced = 0

    def create(self, path: Path) -> RecordingFile:
        made = super().create(path)
        write, sync = made.write, made.sync

        def write_slowly(data: bytes) -> None:
            self.may_write.wait()
            self._clock.advance(self._write_s)
            self.writes += 1
            self._unsynced += 1
            self.most_unsynced = max(self.most_unsynced, self._unsynced)
            write(data)

        def sync_all() -> None:
            self._unsynced = 0
            sync()

        made.write, made.sync = write_slowly, sync_all  # type: ignore[method-assign]
        return made


def test_a_disk_that_is_slower_than_the_stream_is_synced_each_second_all_the_same(
    hub: Hub, still_clock: ManualClock
) -> None:
    disk = SlowDisk(still_clock, write_s=0.3)
    recording = Recording(WHERE, still_clock, frames_per_s=15, disk=disk)
    recording.start(hub)
    hub.inlet("camera").feed(camera(60))  # all of it waits, as when a card has paused
    disk.may_write.set()
    until(lambda: disk.writes > 40)
    recording.stop()
    assert disk.most_unsynced <= 5, "1 s is four writes of 0.3 s, with the one under way"
    assert disk.syncs > 10


def test_a_stop_writes_all_that_waits(hub: Hub, still_clock: ManualClock) -> None:
    disk = SlowDisk(still_clock)
    recording = Recording(WHERE, still_clock, frames_per_s=15, disk=disk)
    inlet = hub.inlet("camera")
    recording.start(hub)
    inlet.feed(camera(60))
    inlet.finish()
    stopping = threading.Thread(target=recording.stop)
    stopping.start()  # while the first write still hangs
    until(lambda: recording._standing._worker is None or recording._standing._worker.is_stopping)
    disk.may_write.set()
    stopping.join(10)
    assert recording.state().frames_sent == 60


def test_a_full_disk_is_said_and_recording_goes_on_when_there_is_room(hub: Hub, still_clock: ManualClock) -> None:
    disk = MemoryDisk(room_bytes=1_000_000)
    recording = Recording(WHERE, still_clock, frames_per_s=25, disk=disk, reserve_bytes=900_000, retry_s=0.05)
    inlet = hub.inlet("camera")
    other = hub.attach("other", 1 << 30)
    inlet.feed(camera(20))
    recording.start(hub)
    until(lambda: recording.state().state is Health.LIVE)
    disk.room_bytes = 0
    inlet.feed(camera(20, begin=20 * STEP_TICKS))
    until(lambda: recording.state().state is Health.LOST)
    state = recording.state()
    assert "full" in state.cause
    assert str(WHERE) in state.cause
    assert recording.file_name is None
    files_when_full = len(disk.files)
    inlet.feed(camera(20, begin=40 * STEP_TICKS))
    assert other.queue_bytes > 30_000, "the others go on"
    assert len(disk.files) == files_when_full, "no empty files are left behind"
    disk.room_bytes = 2_000_000
    until(lambda: recording.state().state is Health.LIVE)
    assert recording.state().cause == ""
    assert recording.state().reconnects == 1
    recording.stop()
    assert len(disk.files) == files_when_full + 1
    assert all(disk.files.values())


class BrokenDisk(MemoryDisk):
    """A disk whose driver has a fault nobody foresaw."""

    def free_bytes(self, folder: Path) -> int:
        raise RuntimeError("a fault")


def test_a_fault_of_ours_is_never_shown_as_recording(
    hub: Hub, still_clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    recording = Recording(WHERE, still_clock, frames_per_s=25, disk=BrokenDisk())
    assert recording.quiet_s == 0.0
    recording.start(hub)
    until(lambda: recording.state().state is Health.LOST)
    assert "fault of the program" in recording.state().cause
    assert recording.quiet_s == math.inf
    recording.stop()
    assert "RuntimeError: a fault" in caplog.text


def test_the_last_of_the_disk_is_left_to_the_ledger(hub: Hub, still_clock: ManualClock) -> None:
    disk = MemoryDisk(room_bytes=50_000_000)
    recording = Recording(WHERE, still_clock, frames_per_s=25, disk=disk, reserve_bytes=64_000_000)
    hub.inlet("camera").feed(camera(20))
    recording.start(hub)
    until(lambda: recording.state().state is Health.LOST)
    recording.stop()
    assert not disk.files


def test_a_camera_that_stops_is_seen_at_the_recording(hub: Hub, still_clock: ManualClock) -> None:
    recording = Recording(WHERE, still_clock, frames_per_s=25, disk=MemoryDisk())
    hub.inlet("camera").feed(camera(20))
    recording.start(hub)
    until(lambda: recording.state().state is Health.LIVE)
    still_clock.advance(4.0)
    assert recording.state().state is Health.WAITING
    recording.stop()


def test_a_stick_that_is_pulled_out_is_no_folder_of_the_sd_card(tmp_path: Path) -> None:
    disk = LocalDisk()
    for use in (disk.free_bytes, lambda folder: disk.create(folder / "a.ts")):
        with pytest.raises(FileNotFoundError):
            use(tmp_path / "stick" / "recordings")
    assert not (tmp_path / "stick").exists()


def test_the_real_disk_never_overwrites(tmp_path: Path) -> None:
    disk = LocalDisk()
    disk.create(tmp_path / "a.ts").close()
    with pytest.raises(FileExistsError):
        disk.create(tmp_path / "a.ts")


@pytest.mark.parametrize("use", ["sync", "close"])
def test_what_the_kernel_refuses_to_make_safe_is_said(tmp_path: Path, use: str) -> None:
    """It does so with a pipe, which is put here under the descriptor of the file: so it was asked."""
    path = tmp_path / "a.ts"
    file = LocalDisk().create(path)
    (fd,) = (int(link.name) for link in Path("/proc/self/fd").iterdir() if link.resolve() == path.resolve())
    reading, writing = os.pipe()
    os.dup2(writing, fd)
    os.close(reading)
    os.close(writing)
    with pytest.raises(OSError, match="Invalid argument"):
        getattr(file, use)()
    with contextlib.suppress(OSError):
        file.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["/bin/umount", "--lazy", folder], check=True)  # a test that failed may have left a file open


def test_a_disk_that_is_really_full_costs_only_the_recording(tiny_disk: Path, clock: SystemClock) -> None:
    hub = Hub(15, clock)
    recording = Recording(tiny_disk, clock, frames_per_s=25, reserve_bytes=0, retry_s=0.1)
    inlet = hub.inlet("camera")
    recording.start(hub)
    inlet.feed(camera(600, size=2000))
    until(lambda: recording.state().state is Health.LOST)
    assert "full" in recording.state().cause
    (film,) = tiny_disk.glob("*.ts")
    assert len(video_steps(film)) > 100, "what was written can be seen"
    film.unlink()
    until(lambda: recording.state().state is Health.LIVE)
    recording.stop()
    assert recording.state().reconnects == 1
