"""Who comes to the door of the demo, in which order, and what is wrong with their tickets.

Eight seats, so that the room fills up; each refusal reason comes early, so that a short demo shows it too.
"""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from hardware.cameras.visitors import Medium, Visitor
from kiosk.tickets import codes

EVENT = "demo-evening"
EVENT_NAME = "An evening of first talks"
SEATS = 8


class Person(NamedTuple):
    """A line of the list of people."""

    name: str
    status: str
    medium: Medium  # how they hold their code, see hardware.cameras.visitors


_PEOPLE = (
    Person("Ada Lovelace", "paid", "phone"),
    Person("Émile Baudot", "paid", "paper"),
    Person("Grace Hopper", "unpaid", "phone"),
    Person("Łukasz Wiśniewski", "paid", "dark"),
    Person("Alan Turing", "canceled", "paper"),
    Person("Hedy Lamarr", "paid", "dim"),
    Person("Katherine Johnson", "blocked", "phone"),
    Person("Joan Clarke", "paid", "tilted"),
    Person("Claude Shannon", "paid", "cracked"),
    Person("Radia Perlman", "paid", "phone"),
    Person("Margaret Hamilton", "paid", "dark"),
    Person("Edsger Dijkstra", "paid", "paper"),
    Person("Barbara Liskov", "paid", "phone"),
)
_STRANGER = "a stranger"
# Ada comes back with the same ticket, and somebody brings a code of another evening.
_ORDER = ("Ada Lovelace", "Grace Hopper", _STRANGER, "Émile Baudot", "Ada Lovelace", "Alan Turing")


_TALKS = (  # title, speaker, minutes
    ("My first crash in production", "Ada Lovelace", 15),
    ("Writing a driver for a 2 € sensor", "Łukasz Wiśniewski", 20),
    ("What a door knows about you", "Hedy Lamarr", 15),
)


def write_agenda(path: Path, begins: datetime) -> None:
    """The talks, one after the other from `begins` (aware) on, as an organizer would have them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("Title", "Speaker", "Start", "Minutes"))
        for title, speaker, minutes in _TALKS:
            writer.writerow((title, speaker, begins.isoformat(timespec="minutes"), minutes))
            begins += timedelta(minutes=minutes)


def write_people(path: Path) -> None:
    """The list of people, as an organizer would have it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Name", "E-mail", "Ticket type", "Status"))
        for at, person in enumerate(_PEOPLE):
            writer.writerow((person.name, f"guest{at + 1}@example.org", "Seat", person.status))


def visitors(secret: bytes, seed: int) -> list[Visitor]:
    """The people in the order in which they come; numbers of tickets are those of the list."""
    number = {person.name: at for at, person in enumerate(_PEOPLE, start=1)}
    medium = {person.name: person.medium for person in _PEOPLE}
    rest = [person.name for person in _PEOPLE if person.name not in _ORDER]
    random.Random(seed).shuffle(rest)  # noqa: S311  # an order of appearance, nothing secret
    coming = []
    for name in [*_ORDER, *rest]:
        if name == _STRANGER:
            coming.append(Visitor(code=codes.own_code(secret, "another-evening", 1), medium="phone"))
        else:
            coming.append(Visitor(code=codes.own_code(secret, EVENT, number[name]), medium=medium[name]))
    return coming
