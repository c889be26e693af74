"""Recordings become films, and no recording is given away for less than all of itself."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import msgspec
import pytest
from stream_stage import STEP_TICKS, until, video_steps

from hardware.clock import SystemClock
from stream.copies import film as film_command
from stream.disk import LocalDisk
from stream.film_note import Chapter, FilmNote, ffmetadata, note_path, read_note
from stream.finisher import Finisher
from stream.health import FilmsState

NAME = "2026-11-24_190503 One - Ada.ts"
NOTE = FilmNote(
    begun="2026-11-24T19:05:03+01:00",
    title="O'Brien = 50 %; [x] #1 \\ مرحبا 👨‍👩‍👧",
    speaker="Łukasz",
    chapters=(Chapter(0.0, "next"), Chapter(1.0, "camera"), Chapter(2.0, "break")),
)
Begin = Callable[..., Finisher]


class Disk(LocalDisk):
    """The real one, which says that it has as much room as a test wants."""

    room_bytes = 1 << 40

    def free_bytes(self, folder: Path) -> int:
        return self.room_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    made.mkdir()
    return made


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def begin(tmp_path: Path, folder: Path, disk: Disk, clock: SystemClock) -> Iterator[Begin]:
    finishers: list[Finisher] = []

    def build(is_being_written: Callable[[Path], bool] = lambda _: False, spare: Path | None = None) -> Finisher:
        made = Finisher(
            (folder,) if spare is None else (folder, spare),
            tmp_path / "work",
            clock,
            disk,
            is_being_written=is_being_written,
            reserve_bytes=1000,
            event="The evening",
            again_s=0.2,
        )
        finishers.append(made)
        made.start()
        return made

    yield build
    for each in finishers:
        each.stop()


@pytest.fixture
def recorded(folder: Path, real_ts: bytes) -> Path:
    """A recording that is closed, with its note."""
    path = folder / NAME
    path.write_bytes(real_ts)
    note_path(path).write_bytes(msgspec.json.encode(NOTE))
    return path


@pytest.fixture
def fake_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script of one's own where ffmpeg is looked for."""

    def put(script: str) -> None:
        program = tmp_path / "bin" / "ffmpeg"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return put


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def is_done(finisher: Finisher) -> bool:
    return finisher.state().finished == 1 and finisher.state().waiting == 0


def test_a_closed_recording_becomes_a_film_with_all_its_frames(begin: Begin, recorded: Path, folder: Path) -> None:
    finisher = begin()
    until(lambda: is_done(finisher))
    assert names(folder) == [NAME.replace(".ts", ".mp4")]
    (film,) = folder.iterdir()
    assert video_steps(film) == [STEP_TICKS] * 44
    assert finisher.state() == FilmsState(finished=1)


def test_a_film_can_be_played_while_it_loads(begin: Begin, recorded: Path, folder: Path) -> None:
    finisher = begin()
    until(lambda: is_done(finisher))
    data = next(folder.iterdir()).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_film_says_what_it_is(begin: Begin, recorded: Path, folder: Path) -> None:
    finisher = begin()
    until(lambda: is_done(finisher))
    with av.open(str(next(folder.iterdir()))) as film:
        tags = dict(film.metadata)
        chapters = [(each["metadata"]["title"], each["start"], each["end"]) for each in film.chapters()]
    assert (tags["title"], tags["artist"], tags["album"]) == (NOTE.title, NOTE.speaker, "The evening")
    assert tags["date"] == "2026-11-24"
    assert [(title, round(start / 1000)) for title, start, _ in chapters] == [
        ("Introduction", 0),
        ("Talk", 1),
        ("Break", 2),
    ]


def test_without_a_note_a_film_is_plainer_and_as_good(begin: Begin, recorded: Path, folder: Path) -> None:
    note_path(recorded).write_text("no note at all")
    finisher = begin()
    until(lambda: is_done(finisher))
    (film,) = folder.iterdir()
    assert len(video_steps(film)) == 44


def test_what_is_being_written_is_left_alone(begin: Begin, recorded: Path, folder: Path, real_ts: bytes) -> None:
    other = folder / "2026-11-24_180000.ts"
    other.write_bytes(real_ts)
    finisher = begin(is_being_written=lambda path: path == recorded)
    until(lambda: is_done(finisher))
    assert recorded.exists()
    assert note_path(recorded).exists()
    assert not other.exists()


def test_other_peoples_files_are_left_alone(begin: Begin, recorded: Path, folder: Path, real_ts: bytes) -> None:
    theirs = folder / "holiday.ts"
    theirs.write_bytes(real_ts)
    finisher = begin()
    until(lambda: is_done(finisher))
    assert theirs.read_bytes() == real_ts


def test_what_a_power_cut_left_is_finished_though_its_last_frame_is_torn(
    begin: Begin, folder: Path, real_ts: bytes
) -> None:
    (folder / NAME).write_bytes(real_ts[: len(real_ts) * 5 // 6 + 77])
    (folder / "2026-11-24_200000.ts").touch()
    (folder / "2026-11-24_180000.json").write_bytes(b"of a film that is finished")
    (folder / NAME.replace(".ts", ".mp4.part")).write_bytes(b"begun by the process before")
    finisher = begin()
    until(lambda: is_done(finisher))
    assert names(folder) == [NAME.replace(".ts", ".mp4")]
    assert len(video_steps(folder / NAME.replace(".ts", ".mp4"))) > 30


def test_the_spare_folder_is_finished_too(begin: Begin, folder: Path, real_ts: bytes, tmp_path: Path) -> None:
    spare = tmp_path / "spare"
    spare.mkdir()
    (spare / NAME).write_bytes(real_ts)
    finisher = begin(spare=spare)
    until(lambda: is_done(finisher))
    assert names(spare) == [NAME.replace(".ts", ".mp4")]


def test_a_film_of_the_same_name_is_not_overwritten(begin: Begin, recorded: Path, folder: Path) -> None:
    earlier = folder / NAME.replace(".ts", ".mp4")
    earlier.write_bytes(b"somebody's")
    finisher = begin()
    until(lambda: is_done(finisher))
    assert earlier.read_bytes() == b"somebody's"
    assert names(folder) == sorted([earlier.name, NAME.replace(".ts", "-2.mp4")])


def test_without_room_the_recording_stays_and_is_finished_when_there_is_some(
    begin: Begin, recorded: Path, disk: Disk, folder: Path
) -> None:
    disk.room_bytes = 1000
    finisher = begin()
    until(lambda: finisher.state().cause)
    assert "no room for its MP4" in finisher.state().cause
    assert finisher.state().waiting == 1
    assert names(folder) == sorted([NAME, note_path(recorded).name])
    disk.room_bytes = 1 << 40
    until(lambda: is_done(finisher))
    assert finisher.state().cause == ""


def test_a_film_that_lacks_frames_is_thrown_away_and_the_recording_stays(
    begin: Begin, recorded: Path, folder: Path, fake_ffmpeg: Callable[[str], None]
) -> None:
    fake_ffmpeg('exec /usr/bin/ffmpeg -t 1 "$@"')
    finisher = begin()
    until(lambda: finisher.state().cause)
    assert "stays as it is" in finisher.state().cause
    assert names(folder) == sorted([NAME, note_path(recorded).name])
    assert finisher.state().finished == 0


@pytest.mark.parametrize(
    ("word", "instead"),
    [("-movflags", r"-bsf:v noise=drop=eq(n\,20) -movflags"), ("aac_adtstoasc", r"noise=drop=eq(n\,20),aac_adtstoasc")],
    ids=["picture", "sound"],
)
def test_a_film_that_lacks_one_frame_in_its_midst_is_no_film(
    begin: Begin, recorded: Path, folder: Path, fake_ffmpeg: Callable[[str], None], word: str, instead: str
) -> None:
    """It is as long as its recording, and both ends can be decoded."""
    fake_ffmpeg(
        f"""
        for each; do
            shift
            case $each in
                {word}) set -- "$@" {shlex.join(instead.split())} ;;
                *) set -- "$@" "$each" ;;
            esac
        done
        exec /usr/bin/ffmpeg "$@"
        """
    )
    finisher = begin()
    until(lambda: finisher.state().cause or is_done(finisher))
    assert "its MP4 has Contents" in finisher.state().cause
    assert names(folder) == sorted([NAME, note_path(recorded).name])


def test_one_that_cannot_be_finished_does_not_hold_up_the_others(begin: Begin, recorded: Path, folder: Path) -> None:
    broken = folder / "2026-11-24_000000.ts"
    broken.write_bytes(b"this is no film" * 100)
    finisher = begin()
    until(lambda: finisher.state().finished == 1)
    assert broken.name in finisher.state().cause
    assert broken.exists()


def test_a_stop_does_not_wait_for_a_film_in_work(
    begin: Begin, recorded: Path, folder: Path, fake_ffmpeg: Callable[[str], None], clock: SystemClock
) -> None:
    fake_ffmpeg("sleep 60")
    finisher = begin()
    until(lambda: finisher.state().working_on == NAME)
    assert finisher.quiet_s < 5
    begun_s = clock.monotonic()
    finisher.stop()
    assert clock.monotonic() - begun_s < 2
    assert names(folder) == sorted([NAME, note_path(recorded).name])


def test_everything_that_is_live_goes_first(
    begin: Begin, recorded: Path, tmp_path: Path, fake_ffmpeg: Callable[[str], None]
) -> None:
    said = tmp_path / "said"
    fake_ffmpeg(f"(nice; ionice) > {said}; exit 1")
    finisher = begin()
    until(lambda: finisher.state().cause)
    assert said.read_text().split() == ["19", "idle"]
    argv = film_command(recorded, Path("/words"), out=Path("/out"))
    assert argv[argv.index("-readrate") + 1] == "20"


def test_a_chapter_without_length_is_no_chapter() -> None:
    note = msgspec.structs.replace(NOTE, chapters=(Chapter(0.0, "next"), Chapter(0.0, "camera"), Chapter(9.0, "end")))
    assert ffmetadata(note, "", 9.0).count("[CHAPTER]") == 1


def test_a_recording_without_a_note_has_none(tmp_path: Path) -> None:
    assert read_note(tmp_path / "a.ts") is None


def test_what_cannot_be_cleared_away_stops_no_film(begin: Begin, folder: Path, recorded: Path) -> None:
    stubborn = folder / "2026-11-24_180000.mp4.part"
    stubborn.mkdir()  # as on a stick that came back read-only: unlink fails
    finisher = begin()
    until(lambda: finisher.state().finished == 1, 20)
    assert recorded.with_suffix(".mp4").exists()
    assert finisher.quiet_s < 10
