"""Programs that ask a house's API."""

from __future__ import annotations

import itertools
from typing import Any

from dashboard_house import House
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosk.dashboard.access_file import Role
from kiosk.ledger import Ticket
from kiosk.ledger.records import NewTicket
from kiosk.tickets.codes import digest

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
_keys = itertools.count()


class Program:
    """A program with a token."""

    def __init__(self, house: House, role: Role, name: str = "Ticket wall") -> None:
        self.secret, self.token = house.access.tokens.make(name, role, "ada")
        self.headers = {"Authorization": f"Bearer {self.secret}"}
        self.client: FlaskClient = house.client()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers, environ_base=ELSEWHERE, **options)

    def post(self, path: str, body: Any = None, key: str = "", **options: Any) -> TestResponse:
        headers = {**self.headers, "Idempotency-Key": key or f"key-{next(_keys)}"}
        given = {} if body is None else {"json": body}
        return self.client.post(f"/api/v1{path}", headers=headers, environ_base=ELSEWHERE, **given, **options)


def issue(house: House, *holders: str, **more: Any) -> list[Ticket]:
    """Tickets in the house's ledger; the code of each is its holder's name."""
    wanted = [NewTicket(0, digest(name.encode()), is_own=False, holder=name, **more) for name in holders]
    house.ledger.put_tickets(house.evening, wanted)
    return [each for each in house.ledger.tickets(house.evening) if each.holder in holders]


def problem(answer: TestResponse, status: int, code: str) -> str:
    """The sentence of a problem, which is one in all its parts."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    said = answer.get_json()
    assert set(said) == {"type", "title", "status", "detail", "code"}
    assert (said["status"], said["code"], said["type"]) == (status, code, "about:blank")
    assert said["detail"]
    return str(said["detail"])
