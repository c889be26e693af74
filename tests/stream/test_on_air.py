"""The program as viewers get it: a real camera's encoder, real slates, a real server, one session."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import msgspec
import pytest
from stream_stage import SMALL, STEP_TICKS, RtmpServer, Viewer, finished_films, until, video_steps

from hardware.clock import SystemClock
from stream import graph
from stream.director import Director
from stream.errors import NotLive
from stream.health import Health
from stream.lower_third import FILE_NAME
from stream.mixer import STANDING_IN
from stream.recording import NOT_RECORDED
from stream.settings import Destination, StreamSettings, VideoFile
from stream.talks import FixedTalks, TalkInfo, Talks

KEY = "right-key"
TALKS = FixedTalks([TalkInfo(id="a", title="First", speaker="Ada"), TalkInfo(id="b", title="Second")])
ANSWER_S = 0.3
Begin = Callable[..., Director]


def settings(server: RtmpServer, introduce_s: float = 1.5) -> StreamSettings:
    return StreamSettings(
        lower_third_s=2.0,
        picture=SMALL,
        destinations=(Destination(name="hall", url=f"{server.url}/asks"),),
        introduce_s=introduce_s,
    )


@pytest.fixture
def begin(tmp_path: Path, clock: SystemClock, rtmp_server: RtmpServer) -> Iterator[Begin]:
    """Builds directors and closes them, whatever happens."""
    directors: list[Director] = []

    def build(introduce_s: float = 1.5) -> Director:
        of = settings(rtmp_server, introduce_s)
        director = Director(of, {"hall": KEY}, tmp_path / "state", tmp_path / "run", clock, talks=TALKS)
        directors.append(director)
        return director

    yield build
    for director in directors:
        director.close()


@pytest.fixture
def watch(rtmp_server: RtmpServer, tmp_path: Path) -> Iterator[Callable[[], Viewer]]:
    """Lets somebody watch, from when there is something to see."""
    viewers: list[Viewer] = []

    def come() -> Viewer:
        viewers.append(Viewer(f"{rtmp_server.url}/asks/{KEY}", tmp_path / f"viewer-{len(viewers)}.ts"))
        return viewers[-1]

    yield come
    for each in viewers:
        each.leave()


def shows(director: Director, on_air: str) -> None:
    until(lambda: director.state().on_air == on_air, 15, f"{on_air} on air")


def until_slates(director: Director, tmp_path: Path) -> None:
    until(lambda: len(list((tmp_path / "run" / "slates").glob("*.ts"))) >= 5, 20, "slates are ready")


def is_live(director: Director) -> bool:
    return director.state().legs[1].state is Health.LIVE


def test_an_evening_is_one_session_without_a_gap_and_every_button_answers_at_once(
    begin: Begin, watch: Callable[[], Viewer], rtmp_server: RtmpServer, clock: SystemClock, tmp_path: Path
) -> None:
    director = begin()
    until_slates(director, tmp_path)
    took_s: dict[str, float] = {}

    def press(command: Callable[..., None], program: str, on_air: str, *about: str) -> None:
        for _ in range(2):
            begun_s = clock.monotonic()
            command(*about)
            name = command.__name__
            took_s[name] = max(took_s.get(name, 0.0), clock.monotonic() - begun_s)
        assert director.state().program == program
        shows(director, on_air)

    press(director.go_live, "starting", "slate")
    until(lambda: is_live(director), 15)
    viewer = watch()
    until(lambda: viewer.frames > 5)
    press(director.next_talk, "next", "slate")
    assert director.state().talk == TALKS.talk("a")
    until(lambda: director.state().program == "camera", what="the camera by itself")
    shows(director, "camera")
    press(director.put_on_stage, "camera", "camera", "b")
    press(director.make_next, "camera", "camera", "a")
    assert (director.state().talk, director.state().next_talk) == (TALKS.talk("b"), TALKS.talk("a"))
    press(director.hide_camera, "hidden", "slate")
    press(director.undo, "camera", "camera")
    press(director.take_break, "break", "slate")
    press(director.camera, "camera", "camera")
    press(director.end, "end", "slate")
    frames = viewer.frames
    until(lambda: viewer.frames > frames + 15)
    viewer.leave()
    director.stop()
    print("seconds to answer:", {name: round(seconds, 3) for name, seconds in took_s.items()}, "gap:", viewer.gap_s)
    assert max(took_s.values()) < ANSWER_S
    assert rtmp_server.sessions == 1
    assert viewer.gap_s <= 0.1, "one step of 67 ms, in the milliseconds of RTMP"
    assert viewer.decoding_errors == ""
    films = finished_films(tmp_path / "state" / "recordings")
    assert [film.stem[18:] for film in films] == ["", "First - Ada", "Second", ""], "before, the talks, the end"
    assert [set(video_steps(film)) for film in films] == [{STEP_TICKS}] * len(films)


def test_a_talk_put_on_stage_is_introduced_for_its_full_time_and_another_next_one_changes_nothing(
    begin: Begin, clock: SystemClock, tmp_path: Path
) -> None:
    director = begin(introduce_s=1.5)
    until_slates(director, tmp_path)
    director.go_live()
    director.next_talk()
    pause = threading.Event()
    pause.wait(0.7)  # half of the introduction is over: what comes now may begin it anew, or not
    begun_s = clock.monotonic()
    director.put_on_stage("b")
    pause.wait(0.7)
    director.make_next("a")
    until(lambda: director.state().program == "camera", what="the camera by itself")
    assert 1.4 < clock.monotonic() - begun_s < 2.1, "1.5 s from put_on_stage on, whatever came later"
    assert director.state().talk == TALKS.talk("b")


def test_the_hidden_camera_is_gone_at_once(begin: Begin, tmp_path: Path, clock: SystemClock) -> None:
    director = begin()
    until_slates(director, tmp_path)
    director.start()
    shows(director, "camera")
    begun_s = clock.monotonic()
    director.hide_camera()
    assert director.state().on_air != "camera"
    shows(director, "slate")
    assert clock.monotonic() - begun_s < ANSWER_S


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "limit_s"), [(signal.SIGSTOP, 0.3), (signal.SIGKILL, 1.0)])
def test_a_camera_that_freezes_or_dies_costs_viewers_a_slate_and_not_the_session(
    begin: Begin,
    watch: Callable[[], Viewer],
    rtmp_server: RtmpServer,
    tmp_path: Path,
    fault: signal.Signals,
    limit_s: float,
) -> None:
    director = begin()
    until_slates(director, tmp_path)
    director.start()
    until(lambda: is_live(director), 15)
    viewer = watch()
    until(lambda: viewer.frames > 20)
    encoder = director.pids["camera"]
    os.kill(encoder, fault)
    took_s = until(lambda: director.state().on_air == "slate")
    assert director.state().program_cause == STANDING_IN
    assert director.state().program == "camera"
    frames = viewer.frames
    until(lambda: viewer.frames > frames + 45)
    if fault == signal.SIGSTOP:
        os.kill(encoder, signal.SIGCONT)
    shows(director, "camera")
    assert director.state().program_cause == ""
    frames = viewer.frames
    until(lambda: viewer.frames > frames + 30)
    viewer.leave()
    director.stop()
    print(f"{fault.name}: slate after {took_s:.2f} s, gap {viewer.gap_s:.3f} s, sessions {rtmp_server.sessions}")
    assert rtmp_server.sessions == 1
    assert viewer.gap_s <= limit_s
    assert viewer.decoding_errors == ""
    (film,) = finished_films(tmp_path / "state" / "recordings")
    assert set(video_steps(film)) == {STEP_TICKS}


def test_a_killed_process_comes_back_on_the_same_program_and_talk(
    begin: Begin, rtmp_server: RtmpServer, tmp_path: Path
) -> None:
    code = """
import sys, threading, msgspec
from pathlib import Path
from hardware.clock import SystemClock
from stream.director import Director
from stream.settings import StreamSettings
from stream.talks import FixedTalks, TalkInfo, Talks
of = msgspec.json.decode(sys.argv[1], type=StreamSettings)
talks = FixedTalks([TalkInfo(id="a", title="First")])
director = Director(of, {"hall": sys.argv[4]}, Path(sys.argv[2]), Path(sys.argv[3]), SystemClock(), talks=talks)
director.go_live(); director.next_talk(); director.take_break()
print("ready", flush=True)
threading.Event().wait(60)
"""
    of = msgspec.json.encode(settings(rtmp_server)).decode()
    argv = [sys.executable, "-c", code, of, str(tmp_path / "state"), str(tmp_path / "run"), KEY]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        owner.kill()
        owner.wait()
    director = begin()
    state = director.state()
    assert (state.order, state.program, state.talk) == ("live", "break", TALKS.talk("a"))
    assert state.undo == "back to the slate of the next talk"
    shows(director, "slate")
    director.undo()
    until(lambda: director.state().program == "camera", what="the introduction is over, again")


def test_a_camera_that_is_dead_from_the_start_is_covered_by_the_slate_that_was_wanted(begin: Begin) -> None:
    director = begin()
    director.go_live()
    shows(director, "slate")
    os.kill(until_pid(director), signal.SIGSTOP)
    director.camera()
    until(lambda: director.state().program_cause == STANDING_IN)
    assert director.state().on_air == "slate"


def until_pid(director: Director) -> int:
    until(lambda: "camera" in director.pids)
    return director.pids["camera"]


def test_nobody_is_shown_anything_while_stopped(begin: Begin) -> None:
    director = begin()
    with pytest.raises(NotLive, match="Go live first"):
        director.take_break()
    assert director.state().order == "stopped"
    assert director.state().next_talk == TALKS.talk("a")


def named(film: Path) -> list[bool]:
    """Of each frame whether the lower third is there: its dark edge right of the moving bars' red (slates are dark)."""
    bottom = sum(graph.strip(SMALL))
    lines = slice(bottom - 4, bottom - 1)
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="gray")[lines] for frame in container.decode(video=0)]
    return [bool(frame[:, 19:21].mean() < 50 < frame[:, 6:10].mean()) for frame in frames]


@pytest.mark.slow
def test_the_camera_names_the_talk_that_it_takes_over_for_a_moment_and_never_after(
    begin: Begin, tmp_path: Path
) -> None:
    director = begin(introduce_s=1.0)
    until_slates(director, tmp_path)
    director.go_live()
    shows(director, "slate")
    director.next_talk()
    shows(director, "camera")
    until(lambda: director.state().legs[0].frames_sent > 200, 25)
    director.take_break()
    shows(director, "slate")
    director.camera()
    shows(director, "camera")
    frames = director.state().legs[0].frames_sent
    until(lambda: director.state().legs[0].frames_sent > frames + 30)
    director.stop()
    (film,) = (each for each in finished_films(tmp_path / "state" / "recordings") if "First" in each.name)
    seen = named(film)
    shown = seen.count(True)
    first = seen.index(True)
    assert 1.5 <= shown / SMALL.frames_per_s <= 2.6
    assert seen == [False] * first + [True] * shown + [False] * (len(seen) - first - shown)


def test_a_hidden_camera_comes_back_without_the_name(begin: Begin, tmp_path: Path) -> None:
    director = begin(introduce_s=1.0)
    until_slates(director, tmp_path)
    strip = tmp_path / "run" / FILE_NAME
    empty = strip.read_bytes()
    director.go_live()
    director.next_talk()
    until(lambda: strip.read_bytes() != empty, what="the name is shown")
    director.hide_camera()
    assert strip.read_bytes() == empty, "the name is gone at once"
    director.undo()
    shows(director, "camera")
    assert strip.read_bytes() == empty


class Agenda(FixedTalks):
    """Talks that somebody changes during the evening."""

    def become(self, *talks: TalkInfo) -> None:
        self._talks = talks


def test_a_wish_written_down_during_the_talk_outlives_its_line_in_the_agenda_and_our_process(
    tmp_path: Path, clock: SystemClock
) -> None:
    agenda = Agenda([TalkInfo(id="s", title="Shy")])

    def begin(talks: Talks) -> Director:
        of = StreamSettings(picture=SMALL, introduce_s=0.5)
        return Director(of, {}, tmp_path / "state", tmp_path / "run", clock, talks=talks)

    with begin(agenda) as director:
        director.go_live()
        director.next_talk()
        until(lambda: director.state().recording)
        agenda.become(TalkInfo(id="s", title="Shy", do_not_record=True))
        until(lambda: director.state().legs[0].cause == NOT_RECORDED)
        agenda.become()
        order = tmp_path / "state" / "stream-order.json"
        until(lambda: b'"do_not_record":true' in order.read_bytes())
    with begin(FixedTalks()) as director:
        until(lambda: director.state().on_air == "camera")
        assert (director.state().legs[0].cause, director.state().recording) == (NOT_RECORDED, None)


@pytest.mark.slow
def test_no_frame_of_a_talk_that_must_not_be_recorded_is_in_a_film(tmp_path: Path, clock: SystemClock) -> None:
    talks = FixedTalks([TalkInfo(id="s", title="Shy", do_not_record=True), TalkInfo(id="o", title="Open")])
    of = StreamSettings(picture=SMALL, introduce_s=1.0, source=VideoFile(path=str(red_film(tmp_path))))
    with Director(of, {}, tmp_path / "state", tmp_path / "run", clock, talks=talks) as director:
        until_slates(director, tmp_path)
        director.go_live()
        shows(director, "slate")
        until(lambda: director.state().recording)
        director.next_talk()
        shows(director, "camera")
        leg = director.state().legs[0]
        assert (leg.state, leg.cause, director.state().recording) == (Health.WAITING, NOT_RECORDED, None)
        until(lambda: director.state().source.frames > 60)
        director.next_talk()
        shows(director, "slate")
        until(lambda: director.state().recording)
        director.take_break()
        frames = director.state().legs[0].frames_sent
        until(lambda: director.state().legs[0].frames_sent > frames + 15)
        director.stop()
        films = finished_films(tmp_path / "state" / "recordings")
    assert [film.stem[18:] for film in films] == ["", "Open"]
    for film in films:
        with av.open(str(film)) as container:
            for frame in container.decode(video=0):
                middle = frame.to_ndarray(format="rgb24")[2, 2]
                assert middle[0] < 100, "red is what the room looks like"


def red_film(folder: Path) -> Path:
    """A room that is nothing but red."""
    film = folder / "red.nut"
    argv = ["/usr/bin/ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:s=320x180:r=15", "-t", "2", str(film)]
    subprocess.run(argv, check=True)
    return film
