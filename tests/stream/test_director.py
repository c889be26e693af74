"""The whole stream, with real ffmpegs and a real server."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from stream_stage import (
    SMALL,
    STEP_TICKS,
    RtmpServer,
    finished_films,
    free_port,
    is_running,
    play,
    until,
    video_steps,
)

from hardware.clock import ManualClock, SystemClock
from stream.director import Director, FakeDirector, StreamControl
from stream.errors import OrderNotKept, StreamClosed
from stream.health import Health, LegKind, LegState, StreamState
from stream.hub import Hub
from stream.settings import Destination, StreamSettings, VideoFile
from stream.sources import Encoder

KEY = "s3same-0pen"
Begin = Callable[..., Director]


def settings(*addresses: str, **more: object) -> StreamSettings:
    names = ("hall", "other", "third")
    destinations = tuple(Destination(name=name, url=url) for name, url in zip(names, addresses, strict=False))
    return StreamSettings(picture=SMALL, destinations=destinations, **more)


@pytest.fixture
def begin(tmp_path: Path, clock: SystemClock) -> Iterator[Begin]:
    """Builds directors and closes them, whatever happens."""
    directors: list[Director] = []

    def build(of: StreamSettings, keys: dict[str, str] | None = None) -> Director:
        names = {each.name: KEY for each in of.destinations} if keys is None else keys
        directors.append(Director(of, names, tmp_path / "state", tmp_path / "run", clock))
        return directors[-1]

    yield build
    for director in directors:
        director.close()


def leg(director: Director, name: str) -> LegState:
    return next(each for each in director.state().legs if each.name == name)


def is_live(director: Director, name: str) -> bool:
    return leg(director, name).state is Health.LIVE


def recordings(tmp_path: Path) -> list[Path]:
    return finished_films(tmp_path / "state" / "recordings")


def test_what_the_camera_sees_is_played_back_from_the_server_and_recorded_without_a_gap(
    begin: Begin, rtmp_server: RtmpServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    director = begin(settings(f"{rtmp_server.url}/live"))
    director.start()
    director.start()
    seen: list[StreamState] = []
    until(lambda: seen.append(director.state()) or is_live(director, "hall"), 15)
    for each in [part for state in seen for part in (state.source, *state.legs)]:
        assert (each.cause == "") == (each.state is Health.LIVE), "who is not live says what it waits for"
    assert leg(director, "hall").cause == ""
    assert {state.legs[1].cause for state in seen} >= {"waiting for the first picture", "connecting to the server"}
    argv = Path(f"/proc/{director.pids['hall']}/cmdline").read_bytes()
    assert KEY.encode() not in argv
    assert b"/live" in argv
    assert play(f"{rtmp_server.url}/live/{KEY}", 30) < 6, "two seconds of film, as they happen"
    state = director.state()
    assert (state.order, state.source.state, state.legs[0].state) == ("live", Health.LIVE, Health.LIVE)
    assert state.recording is not None
    assert director.quiet_s < 5
    assert 100 < leg(director, "hall").bit_rate_kbps < 1000
    director.stop()
    state = director.state()
    assert {each.state for each in state.legs} == {Health.STOPPED}
    (film,) = recordings(tmp_path)
    steps = video_steps(film)
    assert set(steps) == {STEP_TICKS}
    assert len(steps) + 1 == state.legs[0].frames_sent == state.source.frames
    assert state.source.frames - state.legs[1].frames_sent <= 2, "a stop loses nobody the end of the talk"
    assert director.pids == {}
    assert KEY not in caplog.text


def test_each_destination_stands_for_itself(begin: Begin, rtmp_server: RtmpServer) -> None:
    """One takes the key, one refuses it when asked, one closes without a word, one has no key at all."""
    of = StreamSettings(
        picture=SMALL,
        destinations=(
            Destination(name="good", url=f"{rtmp_server.url}/asks"),
            Destination(name="wrong", url=f"{rtmp_server.url}/asks"),
            Destination(name="closed", url=f"{rtmp_server.url}/closed"),
            Destination(name="none", url=f"{rtmp_server.url}/live"),
            Destination(name="dead", url=f"rtmp://127.0.0.1:{free_port()}/live"),
        ),
    )
    director = begin(of, {"good": "right-key", "wrong": "wrong-key", "closed": KEY, "dead": KEY})
    director.start()
    none = leg(director, "none")
    assert none.state is Health.REFUSED
    assert "There is no stream key" in none.cause
    assert none.action == "platypus stream destinations key none"
    until(lambda: leg(director, "wrong").state is Health.REFUSED, 15)
    until(lambda: leg(director, "closed").state is Health.REFUSED, 15)
    assert "check the stream key" in leg(director, "wrong").cause
    assert 10 < (leg(director, "wrong").retry_in_s or 0) <= 20
    until(lambda: is_live(director, "good") and is_live(director, "recording"), 15)
    dead = leg(director, "dead")
    assert dead.state in (Health.LOST, Health.CONNECTING), "a dead network is no refusal"
    assert "no server answers" in dead.cause
    assert "wrong-key" not in str(director.state())


def test_a_killed_encoder_comes_back_on_the_same_timeline_and_the_session_is_kept(
    begin: Begin, rtmp_server: RtmpServer, tmp_path: Path
) -> None:
    director = begin(settings(f"{rtmp_server.url}/live"))
    director.start()
    until(lambda: leg(director, "hall").frames_sent > 15)
    pusher = director.pids["hall"]
    os.kill(director.pids["camera"], signal.SIGKILL)
    until(lambda: director.state().source.restarts == 1)
    assert director.state().source.cause
    frames = director.state().source.frames
    sent = leg(director, "hall").frames_sent
    until(lambda: director.state().source.frames > frames + 20)
    until(lambda: leg(director, "hall").frames_sent > sent + 15)
    assert director.pids["hall"] == pusher
    director.stop()
    (film,) = recordings(tmp_path)
    assert set(video_steps(film)) == {STEP_TICKS}, "while the camera was away there was a slate"


def test_an_encoder_that_falls_silent_is_replaced(clock: SystemClock) -> None:
    encoder = Encoder(settings(), clock, quiet_limit_s=2.0)
    encoder.start(Hub(SMALL.frames_per_s, clock))
    try:
        until(lambda: encoder.state().state is Health.LIVE)
        stuck = encoder.pid
        assert stuck is not None
        os.kill(stuck, signal.SIGSTOP)
        until(lambda: "no picture from the camera" in encoder.state().cause, 2)
        assert encoder.state().state is Health.LOST
        until(lambda: encoder.state().restarts == 1, 4)
        assert "sent nothing for 2 s" in encoder.state().cause
        until(lambda: encoder.state().state is Health.LIVE)
        assert not is_running(stuck)
    finally:
        encoder.stop()


def test_nothing_is_left_behind_when_we_are_killed(rtmp_server: RtmpServer, tmp_path: Path) -> None:
    code = f"""
import sys, time, msgspec
from pathlib import Path
from hardware.clock import SystemClock
from stream.director import Director
from stream.settings import StreamSettings
of = msgspec.json.decode(sys.argv[1], type=StreamSettings)
director = Director(of, {{"hall": "{KEY}"}}, Path(sys.argv[2]), Path(sys.argv[3]), SystemClock())
director.start()
while len(director.pids) < 3:
    time.sleep(0.05)
print(*director.pids.values(), flush=True)
time.sleep(60)
"""
    of = msgspec.json.encode(settings(f"{rtmp_server.url}/live")).decode()
    argv = [sys.executable, "-c", code, of, str(tmp_path / "state"), str(tmp_path / "run")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 3
        assert all(is_running(pid) for pid in pids)
        owner.kill()
        owner.wait()
    until(lambda: not any(is_running(pid) for pid in pids), 3)


def test_the_order_to_be_live_survives_and_so_does_the_order_to_stop(begin: Begin) -> None:
    first = begin(settings())
    assert first.state().order == "stopped"
    first.start()
    since = first.state().since
    first.close()
    second = begin(settings())
    assert (second.state().order, second.state().since) == ("live", since)
    until(lambda: is_live(second, "recording"))
    second.stop()
    second.stop()
    second.close()
    third = begin(settings(start_live=True))
    assert third.state().order == "stopped", "an order given is stronger than the default"
    assert third.pids == {}


def test_a_new_installation_may_start_by_itself(begin: Begin) -> None:
    director = begin(settings(start_live=True))
    until(lambda: is_live(director, "recording"))
    assert director.state().order == "live"


def test_an_unreadable_order_is_said_and_taken_as_none(
    begin: Begin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "stream-order.json").write_text("{half a fi")
    assert begin(settings()).state().order == "stopped"
    assert "order-unreadable" in caplog.text


def test_an_order_that_cannot_be_kept_is_obeyed_and_said(begin: Begin, tmp_path: Path) -> None:
    director = begin(settings())
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state" / "stream-order.json").mkdir()
    with pytest.raises(OrderNotKept, match="power cut"):
        director.start()
    until(lambda: is_live(director, "recording"))


def test_commands_after_the_end_are_refused(begin: Begin) -> None:
    director = begin(settings())
    director.close()
    director.close()
    with pytest.raises(StreamClosed):
        director.start()


def test_many_buttons_at_once_leave_one_stream(begin: Begin, tmp_path: Path) -> None:
    director = begin(settings())
    pressing = [threading.Thread(target=press) for press in [director.start, director.stop, director.retry] * 4]
    for each in pressing:
        each.start()
    for each in pressing:
        each.join(60)
    director.start()
    until(lambda: is_live(director, "recording"))
    assert "camera" in director.pids
    assert set(director.pids) <= {"camera", "preview"}
    director.stop()
    assert director.pids == {}


def test_a_film_without_sound_is_streamed_with_silence(begin: Begin, tmp_path: Path) -> None:
    mute = tmp_path / "mute.mp4"
    lavfi = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=15", "-t", "1", "-pix_fmt", "yuv420p", str(mute)]
    subprocess.run(["/usr/bin/ffmpeg", "-v", "error", *lavfi], check=True)
    director = begin(settings(source=VideoFile(path=str(mute))))
    director.start()
    until(lambda: director.state().source.frames > 30, what="it plays on after its end")
    assert director.state().source.restarts == 1
    director.stop()
    (film,) = recordings(tmp_path)
    assert set(video_steps(film)) == {STEP_TICKS}


def test_a_camera_that_is_not_there_is_told_and_tried_again(begin: Begin, tmp_path: Path) -> None:
    director = begin(settings(source=VideoFile(path=str(tmp_path / "nothing.mp4"))))
    director.start()
    until(lambda: director.state().source.restarts >= 2)
    source = director.state().source
    assert source.state is Health.LOST
    assert "No such file" in source.cause
    assert leg(director, "recording").state is Health.WAITING


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[int]:
    """A port where TLS is spoken with a certificate nobody has signed."""
    made = ["-subj", "/CN=localhost", "-days", "1", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "crt")]
    openssl = ["/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made]
    subprocess.run(openssl, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller, contextlib.suppress(OSError), context.wrap_socket(caller, server_side=True) as safe:
                    safe.recv(1)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        serving.join(5)


def test_a_server_with_a_false_certificate_gets_no_key(begin: Begin, impostor: int) -> None:
    director = begin(settings(f"rtmps://127.0.0.1:{impostor}/live"))
    director.start()
    until(lambda: leg(director, "hall").state is Health.REFUSED)
    assert "certificate" in leg(director, "hall").cause


@pytest.mark.slow
def test_a_server_that_dies_costs_the_recording_nothing_and_is_found_again(
    begin: Begin, rtmp_server: RtmpServer, tmp_path: Path
) -> None:
    director = begin(settings(f"{rtmp_server.url}/live"))
    director.start()
    until(lambda: is_live(director, "hall"), 15)
    rtmp_server.kill()
    until(lambda: leg(director, "hall").state is Health.LOST, 5)
    assert leg(director, "hall").cause
    recorded = leg(director, "recording").frames_sent
    until(lambda: leg(director, "recording").frames_sent >= recorded + 3 * 15)  # three seconds without a server
    assert leg(director, "hall").state in (Health.LOST, Health.CONNECTING)
    rtmp_server.start()
    until(lambda: is_live(director, "hall"), 15)
    assert leg(director, "hall").reconnects == 1
    play(f"{rtmp_server.url}/live/{KEY}", 15)
    director.stop()
    (film,) = recordings(tmp_path)
    assert set(video_steps(film)) == {STEP_TICKS}
    assert len(video_steps(film)) + 1 == director.state().source.frames


@pytest.mark.slow
def test_a_killed_pusher_is_back_within_three_seconds(begin: Begin, rtmp_server: RtmpServer) -> None:
    director = begin(settings(f"{rtmp_server.url}/live"))
    director.start()
    until(lambda: is_live(director, "hall"), 15)
    sent = leg(director, "hall").frames_sent
    os.kill(director.pids["hall"], signal.SIGKILL)
    until(lambda: leg(director, "hall").frames_sent > sent + 10, 4)
    until(lambda: is_live(director, "hall"), 10)
    assert leg(director, "hall").reconnects == 1


@pytest.mark.slow
def test_a_frozen_server_is_behind_then_lost_and_found_again(begin: Begin, rtmp_server: RtmpServer) -> None:
    director = begin(settings(f"{rtmp_server.url}/live"))
    director.start()
    until(lambda: is_live(director, "hall"), 15)
    os.kill(rtmp_server.pid, signal.SIGSTOP)
    try:
        # Its kernel goes on acknowledging until its own buffers are full: at this small rate that takes a while.
        until(lambda: not is_live(director, "hall"), 90)
    finally:
        os.kill(rtmp_server.pid, signal.SIGCONT)
    until(lambda: is_live(director, "hall"), 25)


@pytest.mark.slow
def test_retry_now_does_not_wait_for_the_end_of_the_pause(begin: Begin, rtmp_server: RtmpServer) -> None:
    director = begin(settings(f"{rtmp_server.url}/closed"))
    director.start()
    until(lambda: leg(director, "hall").retry_in_s is not None and leg(director, "hall").state is Health.REFUSED, 15)
    assert (leg(director, "hall").retry_in_s or 0) > 10
    director.retry()
    until(lambda: "hall" in director.pids, 2)


def test_the_fake_does_as_told(still_clock: ManualClock) -> None:
    fake = FakeDirector(still_clock)
    as_others_see_it: StreamControl = fake
    as_others_see_it.start()
    assert {each.state for each in fake.state().legs} == {Health.LIVE}
    fake.set_leg(LegState(name="hall", kind=LegKind.DESTINATION, state=Health.REFUSED, cause="check the stream key"))
    assert fake.state().legs[1].cause == "check the stream key"
    fake.retry()
    assert fake.state().legs[1].state is Health.LIVE
    fake.stop()
    assert fake.state() == StreamState(
        order="stopped",
        since=fake.state().since,
        legs=tuple(
            LegState(name=name, kind=kind, state=Health.STOPPED)
            for name, kind in (("recording", LegKind.RECORDING), ("hall", LegKind.DESTINATION))
        ),
        undo="live again with the camera",
    )
    fake.fail_with = OrderNotKept("no room")
    with pytest.raises(OrderNotKept):
        fake.start()
    assert fake.commands == ["start", "retry", "stop"]
