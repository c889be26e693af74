"""A file for each talk, none for a talk that must not be recorded, and another folder when one fails."""

from __future__ import annotations

import errno
import itertools
from pathlib import Path

import msgspec
import pytest
from stream_stage import STEP_TICKS, camera, is_unbroken, unit_times, until

from hardware.clock import ManualClock
from stream.disk import MemoryDisk, RecordingFile
from stream.film_note import Chapter, FilmNote
from stream.health import Health
from stream.hub import Hub, Inlet
from stream.recording import NOT_RECORDED, Recording
from stream.takes import Take
from stream.talks import TalkInfo

FIRST, SPARE = Path("/first"), Path("/spare")
BEFORE = Take(number=1, program="starting")
TALK = Take(number=2, program="next", talk_id="a", talk=TalkInfo(id="a", title="One", speaker="Ada"))
SHY = Take(number=3, talk_id="b", talk=TalkInfo(id="b", title="Two", do_not_record=True))
AFTER = Take(number=4, talk_id="c", talk=TalkInfo(id="c", title="Three"))
NOW = "2026-11-24"


class Stage:
    """A recording of a camera whose every frame carries the number of its group."""

    def __init__(self, clock: ManualClock, disk: MemoryDisk, spare: Path | None = None) -> None:
        self.clock = clock
        self.disk = disk
        self.recording = Recording(
            FIRST, clock, frames_per_s=25, spare=spare, disk=disk, reserve_bytes=100_000, retry_s=0.05
        )
        self.hub = Hub(15, clock)
        self.inlet: Inlet = self.hub.inlet("camera")
        self.fed = 0

    def begin(self, take: Take = BEFORE) -> None:
        self.recording.follow(take)
        self.recording.start(self.hub)

    def feed(self, groups: int = 1, *, is_taken: bool = True) -> None:
        """So many groups of 15 frames, each begun by a keyframe; marked 1, 2, 3 ..."""
        for _ in range(groups):
            self.fed += 1
            self.inlet.feed(camera(15, begin=(self.fed - 1) * 15 * STEP_TICKS, mark=self.fed))
        if is_taken:
            until(lambda: self.recording.state().queue_bytes == 0)

    def end(self) -> dict[str, bytes]:
        self.inlet.finish()
        self.recording.stop()
        return {name: bytes(data) for name, data in self.disk.files.items()}


@pytest.fixture
def stage(still_clock: ManualClock) -> Stage:
    return Stage(still_clock, MemoryDisk())


@pytest.fixture
def two(still_clock: ManualClock) -> Stage:
    return Stage(still_clock, MemoryDisk(room_bytes=200_000_000), SPARE)


def frames(data: bytes) -> list[int]:
    return unit_times(data)[0]


def test_a_cut_loses_no_frame_and_shows_none_twice(stage: Stage) -> None:
    stage.begin()
    stage.feed(2)
    stage.recording.follow(TALK)
    stage.feed(3)
    stage.recording.follow(AFTER)
    stage.feed(1)
    films = stage.end()
    assert [len(frames(film)) for film in films.values()] == [30, 45, 15]
    times = [each for film in films.values() for each in frames(film)]
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {STEP_TICKS}
    sounds = [each for film in films.values() for each in unit_times(film)[1]]
    assert len(sounds) == len(set(sounds)) == sum(len(unit_times(film)[1]) for film in films.values())
    assert stage.recording.state().frames_sent == 90


def test_each_file_can_be_played_from_its_first_packet(stage: Stage) -> None:
    stage.begin()
    stage.feed()
    stage.recording.follow(TALK)
    stage.feed()
    for film in stage.end().values():
        assert [film[at + 2] | (film[at + 1] & 0x1F) << 8 for at in (0, 188, 376)] == [0, 0x1000, 0x100]
        assert is_unbroken(film)


def test_files_are_named_after_their_talks(stage: Stage) -> None:
    stage.begin()
    stage.feed()
    stage.recording.follow(TALK)
    stage.feed()
    assert list(stage.end()) == [name for name in stage.disk.files if name.startswith(NOW)]
    first, second = stage.disk.files
    assert second.removesuffix(" One - Ada.ts") == first.removesuffix(".ts")


def test_a_talk_that_comes_back_or_a_film_that_is_finished_is_not_overwritten(stage: Stage) -> None:
    stage.begin(TALK)
    stage.feed()
    (first,) = stage.disk.files
    finished = first.replace(".ts", "-2.mp4")
    stage.disk.files[finished] = bytearray(b"a film")
    stage.recording.follow(BEFORE)
    stage.recording.follow(msgspec.structs.replace(TALK, number=5))
    stage.feed()
    assert set(stage.end()) == {first, finished, first.replace(".ts", "-3.ts")}
    assert stage.disk.files[finished] == b"a film"


def test_no_frame_of_a_talk_that_must_not_be_recorded_is_in_any_file(stage: Stage) -> None:
    stage.begin(TALK)
    stage.feed(2)
    stage.recording.follow(SHY)
    stage.feed(2, is_taken=False)
    until(lambda: stage.recording.state().cause == NOT_RECORDED)
    assert stage.recording.state().state is Health.WAITING
    assert stage.recording.file_name is None
    stage.recording.follow(AFTER)
    stage.feed(2)
    until(lambda: stage.recording.state().state is Health.LIVE)
    one, three = stage.end().values()
    written = one + three
    assert [len(frames(one)), len(frames(three))] == [30, 30]
    for group in (3, 4):
        assert bytes([group]) * 100 not in written


def test_a_talk_that_must_not_be_recorded_is_obeyed_from_the_start(stage: Stage) -> None:
    stage.begin(SHY)
    stage.feed(2)
    until(lambda: stage.recording.state().cause == NOT_RECORDED)
    assert stage.end() == {}
    assert stage.disk.notes == {}


def test_a_change_of_the_program_is_a_chapter_and_no_cut(stage: Stage) -> None:
    stage.begin(TALK)
    stage.feed(2)
    stage.recording.follow(msgspec.structs.replace(TALK, program="camera"))
    stage.feed(3)
    stage.recording.follow(msgspec.structs.replace(TALK, program="break"))
    stage.feed()
    (film,) = stage.end()
    note = msgspec.json.decode(stage.disk.notes[film.replace(".ts", ".json")], type=FilmNote)
    assert (note.title, note.speaker) == ("One", "Ada")
    assert note.chapters == (Chapter(0.0, "next"), Chapter(2.0, "camera"), Chapter(5.0, "break"))


def test_marks_are_kept_when_the_disk_is_too_slow_and_frames_are_lost(still_clock: ManualClock) -> None:
    hub = Hub(15, still_clock)
    inlet = hub.inlet("camera")
    tap = hub.attach("slow", limit_bytes=20_000)
    inlet.feed(camera(15, size=600))
    tap.mark("here")
    inlet.feed(camera(45, begin=15 * STEP_TICKS, size=600))
    taken = []
    while (chunk := tap.take(0)) is not None:
        taken.append(chunk.mark)
    assert taken[0] == "here"
    assert tap.dropped_frames > 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.ENOENT, errno.EIO])
def test_a_folder_that_fails_is_left_for_the_spare_one_and_no_frame_is_lost(two: Stage, number: int) -> None:
    two.begin(TALK)
    two.feed(2)
    two.disk.broken[FIRST] = OSError(number, "it fails")
    two.feed(2)
    assert two.recording.state().state is Health.LIVE
    (alarm,) = two.recording.alarms()
    assert alarm.code == "disk"
    assert "/spare" in alarm.cause
    assert "/first" in alarm.action
    films = two.end()
    seen = {each for film in films.values() for each in frames(film)}
    assert len(films) == 2
    assert len(seen) == two.recording.state().frames_sent == 60
    assert max(seen) - min(seen) == 59 * STEP_TICKS
    assert two.recording.state().reconnects == 1


def test_what_comes_after_a_sync_and_then_fails_goes_on_from_the_keyframe_before(two: Stage) -> None:
    two.begin(TALK)
    film, at = camera(45), len(camera(20))
    two.inlet.feed(film[:at])
    until(lambda: two.recording.state().frames_sent >= 19)
    two.clock.advance(1.0)
    until(lambda: two.disk.syncs)
    two.disk.broken[FIRST] = OSError(errno.EIO, "it fails")
    two.inlet.feed(film[at:])
    first, second = (frames(film) for film in two.end().values())
    assert second[0] == first[15], "the keyframe of the second group"
    assert len({*first, *second}) == 45


class TwoDisks(MemoryDisk):
    """The first folder is on a disk of its own, of so much room."""

    first_bytes = 0

    def free_bytes(self, folder: Path) -> int:
        return self.first_bytes if folder == FIRST else super().free_bytes(folder)


@pytest.mark.parametrize(("above_reserve_bytes", "hops"), [(59_000_000, False), (61_000_000, True)])
def test_a_file_goes_back_to_the_first_folder_only_when_there_is_room_for_some_minutes(
    still_clock: ManualClock, above_reserve_bytes: int, hops: bool
) -> None:
    disk = TwoDisks()
    stage = Stage(still_clock, disk, SPARE)
    stage.begin(TALK)
    stage.feed()
    assert "full" in stage.recording.alarms()[0].cause
    disk.first_bytes = 100_000 + above_reserve_bytes
    stage.recording.follow(AFTER)
    stage.feed()
    assert (stage.recording.alarms() == ()) is hops
    stage.end()


def test_the_next_file_is_in_the_first_folder_again_when_that_is_well(two: Stage) -> None:
    two.disk.broken[FIRST] = OSError(errno.EROFS, "read-only")
    two.begin(TALK)
    two.feed()
    assert two.recording.alarms()
    del two.disk.broken[FIRST]
    two.feed()
    assert two.recording.alarms(), "the file that is begun stays where it is"
    two.recording.follow(AFTER)
    two.feed()
    assert two.recording.alarms() == ()
    assert len(two.end()) == 2


def test_what_comes_while_no_folder_takes_it_is_written_afterwards(two: Stage) -> None:
    two.begin(TALK)
    two.feed()
    two.disk.broken = {folder: OSError(errno.EIO, "it fails") for folder in (FIRST, SPARE)}
    two.feed(2, is_taken=False)
    until(lambda: two.recording.state().state is Health.LOST)
    cause = two.recording.state().cause
    assert "/first" in cause
    assert "/spare" in cause
    two.disk.broken.clear()
    until(lambda: two.recording.state().state is Health.LIVE)
    two.feed()
    seen = {each for film in two.end().values() for each in frames(film)}
    assert len(seen) == two.recording.state().frames_sent == 60


class NarrowDisk(MemoryDisk):
    """A stick that knows only ASCII."""

    def create(self, path: Path) -> RecordingFile:
        if not path.name.isascii():
            raise OSError(errno.EINVAL, "Invalid argument")
        return super().create(path)


def test_a_file_system_that_refuses_a_name_gets_the_bare_date(still_clock: ManualClock) -> None:
    stage = Stage(still_clock, NarrowDisk())
    stage.begin(msgspec.structs.replace(TALK, talk=TalkInfo(id="a", title="Łódź")))
    stage.feed()
    (name,) = stage.end()
    assert name.startswith(NOW)
    assert name.isascii()
