"""What faults of the camera, of ffmpeg, of the disk and of ourselves cost. Figures: pytest tests/faults -s."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from evening import SMALL, Evening, back_s, gap_s, time_gap_s, watch
from waiting import last_for, until

from stream.camera_watch import STEADY_S
from stream.health import Health

pytestmark = pytest.mark.slow
Begin = Callable[..., Evening]


def one_session(evening: Evening, name: str, since_s: float, limit_s: float) -> None:
    """The viewer stays in one session in which time has no larger hole than that."""
    evening.until_seen_on()
    seen = evening.viewer.seen
    gap = time_gap_s(seen, since_s)
    print(
        f"{name}: sessions {evening.server.sessions}, gap in time {gap:.3f} s (limit {limit_s:g}), "
        f"longest wait {gap_s(seen, since_s):.2f} s"
    )
    assert evening.server.sessions == 1
    assert gap <= limit_s
    assert back_s(seen) == 0


def test_a_camera_that_freezes_costs_viewers_a_slate_and_not_the_session(begin: Begin) -> None:
    evening = begin()
    fault_s = time.monotonic()
    evening.camera.send(signal.SIGSTOP)
    until(lambda: evening.state().on_air == "slate", 3, "a slate stands in")
    last_for(fault_s + 12 - time.monotonic())
    evening.camera.send(signal.SIGCONT)
    one_session(evening, "camera frozen for 12 s", fault_s, 0.3)


def test_a_camera_that_is_unplugged_costs_viewers_a_slate_and_not_the_session(begin: Begin) -> None:
    evening = begin()
    fault_s = time.monotonic()
    evening.camera.send(signal.SIGKILL)
    until(lambda: evening.state().on_air == "slate", 3, "a slate stands in")
    last_for(fault_s + 5 - time.monotonic())
    evening.camera.start()
    one_session(evening, "camera gone for 5 s", fault_s, 0.3)


def test_a_killed_encoder_costs_viewers_less_than_a_second_and_not_the_session(begin: Begin) -> None:
    evening = begin()
    evening.until_seen_on(round(STEADY_S) * SMALL.frames_per_s)
    fault_s = time.monotonic()
    (encoder,) = evening.encoders
    os.kill(encoder, signal.SIGKILL)
    until(lambda: evening.encoders not in ([], [encoder]), 10, "another encoder")
    one_session(evening, "encoder killed", fault_s, 1.0)
    (film,) = evening.recorded()
    print(f"encoder killed: lost {film.lost} (limit 60), longest step recorded {film.longest_step_s:.3f} s")
    assert 0 < film.lost <= 60


def test_a_killed_pusher_costs_viewers_two_seconds_and_the_recording_nothing(begin: Begin) -> None:
    evening = begin()
    fault_s = time.monotonic()
    (pusher,) = evening.pushers
    os.kill(pusher, signal.SIGKILL)
    until(lambda: evening.pushers not in ([], [pusher]), 10, "another pusher")
    evening.until_seen_on()
    seen = evening.viewer.seen
    (film,) = evening.recorded()
    gap = gap_s(seen, fault_s)
    print(f"pusher killed: viewers' gap {gap:.2f} s (limit 2), lost {film.lost} of {len(film.numbers)} recorded")
    assert film.lost == 0
    assert gap <= 2
    assert back_s(seen) <= SMALL.keyframe_s


def kept(evening: Evening) -> Path:
    """The recording of now, under a second name: closed, it becomes another film, and the first name goes."""
    (path,) = evening.recordings.glob("*.ts")
    second = path.with_suffix(".kept")
    os.link(path, second)
    return second


def fill_the_disk(path: Path) -> None:
    """Take all the room there is. How much that is nobody knows: the recording takes of it meanwhile."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017  # else another fault than this test is about


def test_a_full_disk_is_said_and_costs_viewers_nothing(begin: Begin) -> None:
    evening = begin(room_mb=100)
    before = kept(evening)
    fault_s = time.monotonic()
    filler = evening.recordings / "somebody-elses"
    fill_the_disk(filler)
    said_s = until(lambda: evening.leg("recording").state is Health.LOST, 5, "the full disk is said")
    cause = evening.leg("recording").cause
    filler.unlink()
    resumed_s = until(lambda: evening.leg("recording").state is Health.LIVE, 10, "the recording resumes")
    one_session(evening, "disk full", fault_s, 0.3)
    seen = evening.viewer.seen
    films = [watch(before), evening.recorded()[-1]]
    print(f'disk full: said after {said_s:.1f} s ("{cause}"), recording resumed {resumed_s:.1f} s after there was room')
    assert gap_s(seen, fault_s) < 0.5
    assert "the disk is full" in cause and "look after" in cause
    assert [film.lost for film in films] == [0, 0]


def test_our_process_killed_is_back_by_itself_with_all_recorded_up_to_then(begin: Begin) -> None:
    evening = begin()
    pid, children = evening.pid, evening.children
    path = kept(evening)
    last = evening.viewer.seen[-1]
    fault_s = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    until(lambda: evening.pid != pid, 5, "the service manager starts it again")
    until(lambda: not [each for each in children if Path(f"/proc/{each}").exists()], 5, "no child outlives it")
    evening.until_seen_on()
    evening.until_live()
    live_s = evening.said_at_s("hall", Health.LIVE, fault_s + 1) - fault_s
    seen = evening.viewer.seen
    gap = gap_s(seen, fault_s)
    film = watch(path)
    behind = last.number - max(number for number in film.numbers if number is not None)
    print(
        f"our process killed: viewers' gap {gap:.1f} s (limit 6), said to be live after {live_s:.1f} s, "
        f"recording ends {max(0, behind)} pictures before what viewers had, lost {film.lost}"
    )
    assert gap <= 6
    assert film.lost == 0
    assert behind <= 15, "a second"
    assert back_s(seen) == 0
