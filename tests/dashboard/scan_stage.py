"""A phone at the door: a real browser whose camera shows a film of tickets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from dashboard_browser import CHROMIUM, FLAGS, logged_in
from playwright.sync_api import Page, Playwright, expect

from hardware.cameras.frames import Luma
from hardware.cameras.simulated import Scene
from hardware.cameras.visitors import Medium, Visitor
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_file import Person
from kiosk.ledger import NewTicket
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

ZOE, JEAN, KOFI, MIA, FOREIGN = (f"{name:A<26}" for name in ("ZOE", "JEAN", "KOFI", "MIA", "FOREIGN"))
PEOPLE = [
    NewTicket(1, digest(ZOE.encode()), False, "Zoë Ødegård", order_code="A1", note="vegan"),
    NewTicket(2, digest(JEAN.encode()), False, "Jean Dupont", order_code="B2"),
    NewTicket(3, digest(KOFI.encode()), False, "Kofi Mensah", status=Status.REVOKED),
    NewTicket(4, digest(MIA.encode()), False, "Mia Wong", status=Status.BLOCKED),
]
SIZE = (640, 480)
FRAMES_PER_S = 10
Shot = tuple[Sequence[str], float]  # which codes are before the camera at once, and for how long (s)


class Server(Protocol):
    """Where the pages are."""

    @property
    def url(self) -> str: ...


class Locked(Protocol):
    """Whose name and PIN are asked for."""

    @property
    def access(self) -> Access: ...

    def choose(self, pin: str) -> Person: ...


def picture(codes: Sequence[str], medium: Medium = "phone") -> Luma:
    """What the camera sees: nobody, one hand, or some beside each other. uint8 (480, 640)."""
    width, height = SIZE[0] // max(1, len(codes)), SIZE[1]
    parts = []
    for code in codes or ("NOBODY",):
        scene = Scene([Visitor(code, medium)], seed=3)
        held = next(n for n in range(100) if scene.timeline.held_at(n))
        pose = scene.timeline.pose(held)
        assert pose
        left, top = round(pose.x * 1280) - width // 2, round(pose.y * 720) - height // 2
        whole = scene.picture(held if codes else 0)
        parts.append(whole[top : top + height, left : left + width])
    return np.hstack(parts)


def write_film(path: Path, shots: Sequence[Shot]) -> Path:
    """A film in YUV4MPEG2, which Chromium's fake camera shows from its beginning whenever the camera is opened."""
    width, height = SIZE
    grey = bytes([128]) * (width * height // 2)
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{width} H{height} F{FRAMES_PER_S}:1 Ip A1:1 C420\n".encode())
        for codes, lasts_s in shots:
            frame = b"FRAME\n" + np.ascontiguousarray(picture(codes)).tobytes() + grey
            film.writelines([frame] * round(lasts_s * FRAMES_PER_S))
    return path


@contextmanager
def phone(
    playwright: Playwright,
    server: Server,
    house: Locked,
    film: Path | None,
    *,
    script: str = "",
    flags: Sequence[str] = (),
    **options: Any,
) -> Iterator[Page]:
    """A phone that is logged in and has the page open; its camera shows `film`, or it has none."""
    camera = [] if film is None else ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *camera, *flags])
    options.setdefault("permissions", ["camera"])
    try:
        with logged_in(browser, server, house, **options) as page:
            if script:
                page.add_init_script(script)
            page.goto(f"{server.url}/door")
            page.get_by_role("link", name="Scan with this phone").click()
            expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()
            yield page
    finally:
        browser.close()
        if film is not None:
            film.unlink()  # they are large, and pytest keeps the folders of three runs


def start(page: Page) -> None:
    """Press Start, and wait for the camera."""
    page.get_by_role("button", name="Start the camera").click()
    expect(page.get_by_text("Hold a code in the picture")).to_be_visible()
