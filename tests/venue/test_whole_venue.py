"""The simulated venue, as a newcomer runs it: real Mosquitto, nginx-rtmp, ffmpeg and Chromium."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

PIN = "tulip-2026"
PHONE = {"width": 390, "height": 844}
PICTURES = Path(__file__).parents[2] / "test-output"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


class Venue:
    """A running `platypus demo`."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.has_ended = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kiosk", "demo", "--port", "0", "--dir", str(folder), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # our Ctrl-C is not its Ctrl-C
        )

    def wait_for(self, pattern: str) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(pattern, line)
            if found:
                return found.group(1)
        raise AssertionError(f"{pattern} was never said:\n{''.join(self.said)}")

    def end(self) -> tuple[int, dict]:
        out, err = self.process.communicate(timeout=60)
        self.has_ended = True
        self.said.append(err)
        return self.process.returncode, json.loads(out) if out.strip() else {}


def leftovers(folder: Path) -> list[str]:
    """Processes that have anything to do with `folder`."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(folder) in line and process.pid != os.getpid():
            found.append(line)
    return found


def until(is_true: Callable[[], bool], what: str, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.05)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Venue]]:
    venues: list[Venue] = []

    def begin(*words: str, folder: Path = tmp_path / "venue") -> Venue:
        venues.append(Venue(folder, *words))
        return venues[-1]

    yield begin
    for venue in venues:
        if not venue.has_ended:
            venue.process.kill()
            venue.process.communicate()


@pytest.fixture
def browser() -> Iterator[Browser]:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.mark.timeout(180)
def test_an_evening_is_followed_on_a_phone_and_adds_up(start: Callable[..., Venue], browser: Browser) -> None:
    venue = start()
    link = venue.wait_for(r"first login +(\S+)")
    page = browser.new_page(viewport=PHONE)
    page.goto(link)
    page.get_by_label("New PIN or passphrase").fill(PIN)
    page.get_by_role("button", name="Save and open").click()
    answers = page.locator("[data-list=answers] > li")
    expect(page.get_by_text("of 8")).to_be_visible()
    before = answers.first.inner_text()
    page.evaluate("window.wasHere = true")
    expect(answers.first).not_to_have_text(before, timeout=20_000)  # a scan appears ...
    assert page.evaluate("window.wasHere")  # ... without reloading
    page.screenshot(path=PICTURES / "venue-phone.png", full_page=True)

    page.get_by_role("link", name="Stream", exact=True).click()
    page.get_by_role("link", name="Stop streaming").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, stop").click()
    page.get_by_role("button", name="Start with the camera").click(timeout=15_000)
    expect(page.get_by_role("link", name="Stop streaming")).to_be_visible(timeout=15_000)

    screen = browser.new_page(viewport={"width": 1280, "height": 720})
    screen.goto(link.split("/first/")[0] + "/screen")
    expect(screen.get_by_text(re.compile("Welcome|volunteer|full", re.IGNORECASE)).first).to_be_visible(timeout=20_000)
    screen.screenshot(path=PICTURES / "venue-screen.png")
    venue.wait_for(r"(refused: canceled)")
    expect(page.locator(".stream .head .said")).to_have_text("Live", timeout=20_000)

    venue.process.send_signal(signal.SIGINT)
    code, told = venue.end()
    assert code == 0, venue.said
    reasons = set(told["scans"]) - {"admitted"}
    assert told["scans"]["admitted"] >= 1 and len(reasons) >= 4
    assert told["occupancy"]["ledger"] == told["occupancy"]["door"] == told["scans"]["admitted"]
    legs = {leg["kind"]: leg for leg in told["stream"]["legs"]}
    assert [leg["state"] for leg in legs.values()] == ["live", "live"]
    assert legs["recording"]["frames_arrived"] == legs["recording"]["frames_sent"] > 200
    assert 100 < legs["destination"]["frames_arrived"] <= legs["destination"]["frames_sent"]
    assert told["stream"]["recording_gaps"] == 0
    films = list((venue.folder / "state" / "recordings").iterdir())
    assert [film.suffix for film in films] == [".mp4", ".mp4"]  # stopped and started again
    assert told["stream"]["films"] == 2
    assert leftovers(venue.folder) == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_demo_that_is_killed_leaves_no_process_and_can_be_started_again(start: Callable[..., Venue]) -> None:
    venue = start()
    venue.wait_for(r"(first login)")
    assert len(leftovers(venue.folder)) >= 6  # broker, nginx, three of ours, ffmpeg, and itself
    venue.process.kill()
    until(lambda: leftovers(venue.folder) == [], "processes were left behind")
    again = start("--for", "5")
    code, told = again.end()
    assert code == 0, again.said
    assert told["stream"]["frames_played_back"] > 0


@pytest.mark.slow
def test_a_demo_that_is_stopped_while_it_starts_says_so_and_leaves_nothing(start: Callable[..., Venue]) -> None:
    venue = start()
    venue.wait_for(r"(dashboard)")  # the stream is not live yet
    venue.process.send_signal(signal.SIGINT)
    code, told = venue.end()
    assert (code, told) == (1, {}) and "stopped before the evening began" in venue.said[-1]
    assert leftovers(venue.folder) == []


def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = refused("--dir", str(tmp_path / "venue"), "--port", str(port))
    assert f"port {port} is taken" in done and "--port" in done


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert "holds other files" in refused("--dir", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_too_deep_for_a_socket_is_said(tmp_path: Path) -> None:
    assert "shorter folder" in refused("--dir", str(tmp_path / ("deep" * 30)), "--port", "0")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be used" in refused("--dir", str(tmp_path / "file" / "venue"))


def refused(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "demo", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr
