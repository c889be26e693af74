"""A stream that is played, with a real agenda's file, behind a house's bus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dashboard_house import House

from hardware.errors import PlatypusError
from kiosk.agenda_desk import AgendaDesk
from kiosk.news import Reply, StreamCommand
from stream.agenda import Agenda, AgendaFile, Talk
from stream.control import FakeDirector
from stream.health import StreamState
from stream.kept_talks import KeptTalks

SEVEN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # in Paris
ARABIC = (
    "\u062e\u0631\u064a\u0637\u0629 \u0637\u0631\u064a\u0642 \u0644\u0644\u0645\u0628\u062a\u062f\u0626\u064a\u0646"
)
LONG = "On the many ways in which a title can be far longer than anybody would read aloud, and what to do " * 5


def talk(number: int, title: str, speaker: str = "", **more: object) -> Talk:
    starts_at = SEVEN + timedelta(minutes=10 * number)
    return Talk(id=f"t{number}", title=title, speaker=speaker, starts_at=starts_at, minutes=10, **more)  # type: ignore[arg-type]


EVENING = Agenda(
    event="Lightning talks, November",
    talks=(
        talk(0, "Welcome", "Aïssatou Diallo"),
        talk(1, "<b>O'Brien</b> & the “escape”", "<script>alert(1)</script>"),
        talk(2, ARABIC, "\u0644\u064a\u0644\u0649 \u062d\u0633\u0646"),
        talk(3, "Platypuses 🦆🦫 on a Pi", "Zoë Ødegård, Nguyễn Văn An", do_not_record=True),
        talk(4, LONG[:500], "Jean Dupont"),
        talk(5, "Goodbye"),
    ),
)


class Stage:
    """The stream process as the dashboard knows it: obeys, and says what has become of it."""

    def __init__(self, house: House, folder: Path, agenda: Agenda = EVENING) -> None:
        self.house = house
        self.file = AgendaFile(folder / "agenda.json")
        self.file.write(agenda)
        self.talks = KeptTalks(self.file, house.clock)
        self.director = FakeDirector(house.clock, talks=self.talks)
        self.desk = AgendaDesk(self.director, self.talks)
        house.news.obey = self.obey
        self.say()

    def obey(self, command: StreamCommand) -> Reply:
        try:
            if not self.desk.obey(command):
                getattr(self.director, command.do)()
        except PlatypusError as error:
            return Reply(ok=False, error=str(error))
        finally:
            self.say()
        return Reply(ok=True, state=self.director.state())

    def say(self) -> None:
        self.house.news.say(self.desk.news())
        self.house.news.say(self.director.state())

    def leave(self) -> None:
        """The process ends: the broker says so."""
        self.house.news.say(StreamState(online=False))

    def titles(self) -> list[str]:
        return [each.title for each in self.file.read().talks]

    def ids(self) -> list[str]:
        return [each.id for each in self.file.read().talks]
