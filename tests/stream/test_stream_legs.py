"""What a leg says while it waits, and what its button shortens."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from pathlib import Path

import msgspec
import pytest
from stream_stage import SMALL, STEP_TICKS, RtmpServer, camera, until

from hardware.clock import ManualClock, SystemClock
from stream.congestion import Congestion
from stream.destination import Destination
from stream.disk import MemoryDisk
from stream.health import Health
from stream.hub import Hub
from stream.recording import Recording
from stream.settings import Destination as Address
from stream.settings import StreamSettings
from stream.sources import Encoder


def test_legs_say_that_they_wait_for_the_first_picture(still_clock: ManualClock) -> None:
    hub = Hub(15, still_clock)
    recording = Recording(Path("/recordings"), still_clock, frames_per_s=25, disk=MemoryDisk())
    destination = Destination(Address(name="hall", url="rtmp://127.0.0.1/live"), "key", still_clock)
    for leg in (recording, destination):
        leg.start(hub)
        state = leg.state()
        leg.stop()
        assert (state.state, state.cause) == (Health.WAITING, "waiting for the first picture")
        assert (leg.state().state, leg.state().cause) == (Health.STOPPED, "")


class BrokenOnce(Congestion):
    """A fault that nobody foresaw, at the first look at a connection."""

    is_broken = True

    def note(self, now_s: float, *, is_behind: bool, is_well: bool) -> None:
        if self.is_broken:
            self.is_broken = False
            raise LookupError("nobody foresaw this")
        super().note(now_s, is_behind=is_behind, is_well=is_well)


def test_a_fault_nobody_foresaw_costs_a_destination_a_connection_and_not_the_evening(
    rtmp_server: RtmpServer, clock: SystemClock, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub(SMALL.frames_per_s, clock)
    address = Address(name="hall", url=f"{rtmp_server.url}/live")
    leg = Destination(address, "right-key", clock, chance=lambda: 0.0, congestion=BrokenOnce())
    encoder = Encoder(StreamSettings(picture=SMALL), clock)
    leg.start(hub)
    encoder.start(hub)
    try:
        until(lambda: "a fault of the program" in leg.state().cause, 20)
        until(lambda: leg.state().state is Health.LIVE, 20)
        assert leg.quiet_s < 5
    finally:
        encoder.stop()
        leg.stop()
    assert "nobody foresaw this" in caplog.text, "the log says which"


def test_a_retry_pressed_while_recording_does_not_shorten_a_later_wait(still_clock: ManualClock) -> None:
    disk = MemoryDisk(room_bytes=1_000_000)
    recording = Recording(
        Path("/recordings"), still_clock, frames_per_s=25, disk=disk, reserve_bytes=900_000, retry_s=0.8
    )
    hub = Hub(15, still_clock)
    inlet = hub.inlet("camera")
    recording.start(hub)
    inlet.feed(camera(20))
    until(lambda: recording.state().state is Health.LIVE)
    recording.retry()
    disk.room_bytes = 0
    inlet.feed(camera(20, begin=20 * STEP_TICKS))
    until(lambda: recording.state().state is Health.LOST)
    disk.room_bytes = 2_000_000
    inlet.feed(camera(20, begin=40 * STEP_TICKS))
    waited_s = until(lambda: recording.state().state is Health.LIVE)
    recording.stop()
    assert waited_s > 0.5


def test_a_retry_pressed_while_connecting_does_not_shorten_the_wait_after_it(
    real_ts: bytes, clock: SystemClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hub = Hub(15, clock)
    hub.inlet("camera").feed(real_ts)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        url = f"rtmp://127.0.0.1:{server.getsockname()[1]}/live"
        leg = Destination(Address(name="hall", url=url), "key", clock, chance=lambda: 0.0)
        leg.start(hub)
        try:
            first, _ = server.accept()
            leg.retry()
            first.close()  # it was connecting, and waits 0.3 s now
            second, _ = server.accept()
            second.close()
        finally:
            leg.stop()
    ended = next(each for each in caplog.records if "event=network" in each.getMessage())
    begun = [each for each in caplog.records if "event=started" in each.getMessage()]
    assert begun[1].created - ended.created > 0.25


_SLOW_TO_SPEAK = """#!{python}
import os, sys, time
os.close(0)
time.sleep(0.2)
sys.exit("[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1 failed: Connection refused")
"""


def test_a_pushers_last_words_are_heard_even_when_they_come_after_its_end(
    real_ts: bytes, clock: SystemClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a server that is not there would be taken for one that refuses the key."""
    (tmp_path / "ffmpeg").write_text(_SLOW_TO_SPEAK.format(python=sys.executable))
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    hub = Hub(15, clock)
    inlet = hub.inlet("camera")
    leg = Destination(Address(name="hall", url="rtmp://127.0.0.1/live"), "key", clock)
    leg.start(hub)
    try:
        until(lambda: inlet.feed(real_ts) or leg.state().state is Health.LOST)  # it is being written to when it ends
        assert leg.state().cause == "no server answers at the address"
    finally:
        leg.stop()


def test_a_server_that_closes_long_connections_is_not_taken_for_one_that_refuses(
    still_clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ffmpeg").write_text(f"#!/bin/sh\nwhile [ ! -e {tmp_path}/end-$$ ]; do sleep 0.02; done\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    hub = Hub(15, still_clock)
    hub.inlet("camera").feed(camera(20))
    leg = Destination(Address(name="hall", url="rtmp://127.0.0.1/live"), "key", still_clock, chance=lambda: 0.0)
    leg.start(hub)
    try:
        for _ in range(3):
            until(lambda: leg.pid)
            still_clock.advance(7.0)
            (tmp_path / f"end-{leg.pid}").touch()
            until(lambda: leg.state().retry_in_s is not None)
            assert (leg.state().state, leg.state().cause) == (Health.LOST, "the server closed the connection")
    finally:
        leg.stop()


def pipes() -> set[str]:
    """The pipes this process has open."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in the meantime, as the listing itself
            found.add(str(link.readlink()))
    return {each for each in found if each.startswith("pipe:")}


def test_a_pusher_that_cannot_be_built_leaves_no_descriptor_behind(
    still_clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    address = Address(name="hall", url="rtmp://127.0.0.1/live")
    hub = Hub(15, still_clock)
    hub.inlet("camera").feed(camera(20))
    leg = Destination(address, "key", still_clock)
    msgspec.structs.force_setattr(address, "url", "rtmp://[bad/live")  # a fault: configuration refuses it
    before = pipes()
    leg.start(hub)
    until(lambda: leg.state().state is Health.LOST)
    leg.stop()
    assert pipes() <= before
    assert "ValueError" in caplog.text
