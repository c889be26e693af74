"""An evening on which every page has as much to say as it can, and what a page says as single texts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from dashboard_house import House
from flask.testing import FlaskClient
from talks_stage import Stage, talk

from hardware.checks import Check
from kiosk.ledger import GateMode, Hand, NewTicket, Presentation
from kiosk.news import DoorState
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status
from stream.agenda import Agenda
from stream.alarms import Alarm
from stream.health import FilmsState, Health, LegKind, LegState, Readiness, SoundState, SourceState, StreamState

TICKETS = [
    NewTicket(1, digest(b"ZOE"), False, "Zoë Ødegård", "zoe@example.org", "Standard", order_code="A1", note="vegan"),
    NewTicket(2, digest(b"JEAN"), False, "Jean Dupont", "jean@example.org", order_code="B2"),
    NewTicket(3, digest(b"JEAN2"), False, "Jeanne Dupont", "jd@example.net", order_code="C3", guests=2),
    NewTicket(4, digest(b"KOFI"), False, "Kofi Jeannot", "kofi@example.org", status=Status.UNPAID),
]
TALKS = Agenda(
    event="Soirée", talks=(talk(0, "Ouverture", "Aïssatou Diallo"), talk(1, "Ornithorynque", "Nguyễn Văn An"))
)
DOOR = DoorState(
    gate="main", camera="unclear", cause="Codes are seen but none can be read: clean the lens, and hold the code still."
)
STREAM = StreamState(
    order="live",
    since="2026-11-24T18:00:00+00:00",
    source=SourceState(state=Health.LOST, cause="the camera sent nothing for 4 s"),
    sound=SoundState(peak_db=-12.0, on_air=True),
    legs=(
        LegState(name="recording", kind=LegKind.RECORDING, state=Health.LIVE, bit_rate_kbps=2510, written_s=300),
        LegState(
            name="hall",
            kind=LegKind.DESTINATION,
            state=Health.REFUSED,
            cause="the server refuses: check the stream key",
            action="Copy the key from the platform's page again: platypus stream destinations key hall",
            retry_in_s=12,
        ),
        LegState(
            name="tube",
            kind=LegKind.DESTINATION,
            state=Health.BEHIND,
            cause="the network takes less than the stream makes: 820 kB wait",
            queue_bytes=820_000,
            reconnects=2,
            dropped_frames=1,
        ),
        LegState(name="preview", kind=LegKind.PREVIEW, state=Health.LOST, cause="the preview was killed"),
    ),
    films=FilmsState(cause="a.ts is safe, but there is no room for its MP4: make 40 MB free in /srv."),
    program="break",
    on_air="slate",
    program_cause="the camera gives no picture: viewers see a slate until it is back",
    undo="back to the camera",
    alarms=(
        Alarm(
            code="hot",
            cause="the Raspberry Pi is 83 °C hot: it has slowed down",
            action="Give it air: open its case, take it out of the sun, put a fan beside it",
        ),
    ),
)
CHECKED = StreamState(
    readiness=Readiness(
        begun="2026-11-24T17:00:00+00:00",
        is_complete=True,
        checks=(
            Check("disk", "attention", "room for 3.1 hours of recording", "delete old recordings in /srv"),
            Check("camera", "ok", "1280x720, 30 pictures a second"),
            Check("to hall", "bad", "no answer", "check the network and the address, then try again"),
        ),
    ),
)
# What people and programs called themselves, and what is one word in both languages.
NAMES = re.compile(
    r"Platypus|Lightning talks, November|Zoë Ødegård|Jean(ne)? Dupont|Kofi Jeannot|Ada|Aïssatou Diallo|Nguyễn Văn An"
    r"|Soirée|Ouverture|Ornithorynque|Standard|vegan|[\w.]+@[\w.]+|main|hall|tube|/srv|a\.ts|MP4|phone|Pi|Films?|Pause|min\b|Mb/s"
    r"|cm|dB|QR\b|\bx\d\b|Test phone|live\.example\.org/talks|[A-Z]{3}\b|Français|English|schedule\.json|\.(ics|csv)|°C"
    r"|Invitations?|Minutes|PIN|CSV|JSON|http\S+|e-mail|platypus [\w -]+|\b[A-Z]\d\b|bidule"
)


def fill(house: House, folder: Path) -> Stage:
    """Guests came and went, some wait, something is wrong everywhere."""
    ledger, evening = house.ledger, house.evening
    ledger.put_tickets(evening, TICKETS)
    numbers = iter(range(1, 100))

    def hand() -> Hand:
        house.clock.advance(1)
        return Hand("Ada (door) BCD", f"{next(numbers):032x}", "desk", house.clock.stamp())

    ids = {ticket.number: ticket.id for ticket in ledger.tickets(evening)}
    ledger.check_in(evening, ids[1], hand())
    ledger.check_in(evening, ids[3], hand(), persons=2)
    ledger.check_in(evening, ids[4], hand())
    ledger.check_in(evening, ids[4], hand(), override=True)
    ledger.check_out(evening, ids[4], hand())
    ledger.walk_in(evening, hand(), name=None, persons=1)
    ledger.admit(evening, Presentation(b"??", "a" * 32, "main", "camera", house.clock.stamp()), GateMode.ENTRY)
    ledger.wait(evening, "Ornithorynque", 2, hand())
    ledger.undo(evening, ledger.correct(evening, 1, hand()) and ledger.recent_scans(evening, 1)[0].scan_id, hand())
    house.news.say(DOOR)
    house.news.say(DoorState(gate="side", camera="ok"))
    return Stage(house, folder, TALKS)


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = [tag]
        for name, value in attrs:
            if name in {"aria-label", "placeholder", "title", "alt", "data-busy"} and value:
                self.found.append(value)
            elif name == "data-words" and value:
                for text in json.loads(value).values():
                    self.found += text if isinstance(text, list) else [text]

    def handle_data(self, data: str) -> None:
        if data.strip() and self._inside[-1:] not in (["style"], ["code"]):
            self.found.append(" ".join(data.split()))


def texts(page: str) -> list[str]:
    """What a person reads or hears of a page."""
    parser = _Texts()
    parser.feed(page)
    return parser.found


def says(client: FlaskClient, path: str, language: str) -> list[str]:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code < 500, path
    return texts(answer.text)


def words_in(text: str) -> str:
    """What is left of a text without names, numbers and signs: words of a language."""
    return " ".join(re.sub(r"[\W\d_]+", " ", NAMES.sub(" ", text)).split())
