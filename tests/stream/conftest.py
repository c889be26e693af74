"""Fixtures of the stream's tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from stream_stage import SMALL, RtmpServer

from hardware.clock import ManualClock, SystemClock
from stream import graph
from stream.settings import VideoFile


@pytest.fixture
def rtmp_server(tmp_path: Path) -> Iterator[RtmpServer]:
    """A running server that a test may kill and start again."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    server = RtmpServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def still_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def real_ts(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """3 s of what our encoder really writes (45 frames, 3 keyframes)."""
    made = tmp_path_factory.mktemp("ts") / "real.ts"
    film = made.with_suffix(".nut")
    lavfi = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=15", "-f", "lavfi", "-i", "sine=sample_rate=48000"]
    subprocess.run(
        ["/usr/bin/ffmpeg", "-v", "error", *lavfi, "-t", "3", "-c:v", "rawvideo", "-f", "nut", film], check=True
    )
    with made.open("wb") as file, Path(os.devnull).open("wb") as levels:
        argv = graph.encoder(VideoFile(path=str(film)), SMALL, out_fd=file.fileno(), levels_fd=levels.fileno())
        # As fast as it can, once: the pace is not what is looked at.
        argv = [each for each in argv if each != "-re"]
        argv[argv.index("-stream_loop") + 1] = "0"
        os.set_inheritable(file.fileno(), True)
        subprocess.run(argv, check=True, pass_fds=(file.fileno(), levels.fileno()), capture_output=True)
    return made.read_bytes()
