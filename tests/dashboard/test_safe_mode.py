"""A configuration that cannot be used: the dashboard comes up, says what is wrong, and is itself once it is mended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tomli_w
from axe_playwright_python.sync_playwright import Axe
from dashboard_house import wait_for
from playwright.sync_api import Browser

from kiosk import office
from kiosk.config import usable_parts
from kiosk.demo.servers import free_port

PHONE = {"width": 360, "height": 640}


class Machine:
    """A folder with a configuration, as a service manager sees it: it listens for what its service says."""

    def __init__(self, folder: Path, port: int) -> None:
        self.config = folder / "platypus.toml"
        self.port = port
        self._folder = folder
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(30)
        self.write("main")

    def write(self, gate: str, camera: object = None) -> None:
        settings = {
            "state_dir": str(self._folder / "state"),
            "run_dir": str(self._folder / "run"),
            "bus": {"socket": str(self._folder / "nobody.sock")},
            "door": {"event": "evening", "gate": gate} | ({"camera": camera} if camera else {}),
            "dashboard": {"port": self.port, "https": {"enabled": False}},
        }
        self.config.write_text(tomli_w.dumps(settings), encoding="utf-8")

    def begin(self, *, is_managed: bool = True) -> subprocess.Popen[str]:
        environ = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        return subprocess.Popen(
            [sys.executable, "-m", "kiosk", "dashboard", "--config", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environ | ({"NOTIFY_SOCKET": str(self._folder / "notify")} if is_managed else {}),
        )

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        process = self.begin()
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def page(self, path: str = "/", language: str = "en") -> tuple[int, str]:
        request = urllib.request.Request(  # our own server
            f"http://127.0.0.1:{self.port}{path}", headers={"Accept-Language": language}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""  # nobody listens

    def hear(self, word: str) -> None:
        while word not in self.manager.recv(4096).decode():
            pass


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, free_port())
    yield machine
    machine.manager.close()


def test_every_page_says_what_is_wrong_until_it_is_mended(machine: Machine) -> None:
    office.create_event(machine.config, "evening", "An evening", 50)
    machine.write("Main Gate")
    with machine.running() as process:
        machine.hear("READY=1")
        for path in ("/", "/door", "/system?x=1", "/api/v1/events", "/healthz"):
            code, text = machine.page(path)
            assert (code, "door.gate" in text) == (503, True), path
        assert "Les réglages sont à corriger" in machine.page(language="fr")[1]
        assert machine.page("/static/pages.css")[0] == 200
        machine.hear("WATCHDOG=1")
        machine.write("main")
        wait_for(lambda: machine.page("/healthz")[0] == 200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_another_mistake_is_said_instead_of_the_first(machine: Machine) -> None:
    settings = {"dashboard": {"port": machine.port, "https": {"enabled": False}}}
    machine.config.write_text(tomli_w.dumps(settings), encoding="utf-8")
    with machine.running() as process:
        machine.hear("READY=1")
        assert "door" in machine.page()[1]
        machine.write("main")  # good, but of an event that nobody made
        wait_for(lambda: "there is no event" in machine.page()[1])
        assert "il n'y a pas d'événement" in machine.page(language="fr")[1].replace("&#39;", "'")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_what_is_not_for_everybody_is_not_shown(machine: Machine) -> None:
    machine.write("main", {"kind": "rtsp", "url": "rtsp://porter:s3cret@10.0.0.9/cam", "colour": 1})
    with machine.running():
        machine.hear("READY=1")
        code, text = machine.page()
        assert (code, "s3cret" in text, "porter" in text) == (503, False, False)


def test_at_a_terminal_it_is_an_error(machine: Machine) -> None:
    machine.write("Main Gate")
    process = machine.begin(is_managed=False)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "door.gate" in said


@pytest.mark.parametrize("text", ["[door\n", "", 'state_dir = 7\n[dashboard]\nport = "x"\n', None])
def test_of_a_file_that_says_nothing_of_use_the_usual_is_taken(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "platypus.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    parts = usable_parts(path)
    assert (parts.dashboard.port, parts.state_dir, parts.run_dir) == (
        8080,
        Path("/var/lib/platypus"),
        Path("/run/platypus"),
    )


def test_its_page_is_for_everybody(machine: Machine, browser: Browser) -> None:
    machine.write("Main Gate")
    with machine.running():
        machine.hear("READY=1")
        page = browser.new_page(viewport=PHONE)
        page.goto(f"http://127.0.0.1:{machine.port}/")
        assert json.dumps(Axe().run(page).response["violations"]) == "[]"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.close()
