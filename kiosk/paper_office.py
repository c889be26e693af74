"""The paper list at the command line: printed into a file, and its ticks typed back in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hardware.clock import SystemClock
from hardware.errors import PlatypusError
from kiosk.config import load_config
from kiosk.dashboard import paper_words
from kiosk.dashboard.api import facts
from kiosk.dashboard.language import speaking
from kiosk.dashboard.settings import Language
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.paper import Fate
from kiosk.paper_list import Answered, Given, PaperFacts, PaperList
from kiosk.tickets.paper_sheet import paper
from kiosk.tickets.printing import write_private

ACTOR = "The command line"


class PaperError(PlatypusError, OSError):
    """The paper cannot be written."""

    code = "paper"


class Told(NamedTuple):
    """What becomes of ticks, or became of them, for people and for programs."""

    lines: Sequence[str]
    facts: facts.PaperTold
    is_all_taken: bool  # nothing was mistyped, and nobody refused


def write_paper(config_path: Path, slug: str, language: Language, out: Path) -> PaperFacts:
    """The paper of an event as PDF, for its owner alone. Raises PaperError, UnknownEvent, LedgerError."""
    config = load_config(config_path)
    with Ledger(config.ledger_path) as ledger:
        told = PaperList(ledger, ledger.event(slug)).facts(SystemClock().stamp())
    with speaking(language):
        content = paper(paper_words.sheet(told, config.dashboard.zone))
    try:
        write_private(out, content)
    except OSError as error:
        raise PaperError(f"the paper cannot be written to {out}: {error.strerror or error}") from error
    return told


def type_ticks(config_path: Path, slug: str, given: Given, *, only_looks: bool) -> Told:
    """Take what the paper says, or look at what taking it would do. Raises UnknownEvent, LedgerError."""
    config = load_config(config_path)
    zone = config.dashboard.zone
    with Ledger(config.ledger_path) as ledger:
        its_paper = PaperList(ledger, ledger.event(slug))
        act = its_paper.look if only_looks else its_paper.take
        answered = act(given, ACTOR, SystemClock().stamp(), zone)
    with speaking("en"):
        lines = list(_lines(answered, its_paper, zone, is_done=not only_looks))
    is_all_taken = not answered.wrong and all(each.fate is not Fate.REFUSED for each in answered.ticked)
    return Told(lines, facts.paper(answered, its_paper.line), is_all_taken)


def _lines(answered: Answered, its_paper: PaperList, zone: ZoneInfo, *, is_done: bool) -> Sequence[str]:
    told = []
    for each in answered.ticked:
        line = paper_words.tick_line(each, its_paper.line(each.tick.number), zone, is_done=is_done)
        told.append(f"{line.line:>8}  {line.who}: {line.state}")
    told += [f"look again: {paper_words.wrong_line(each)}" for each in answered.wrong]
    told += filter(None, (paper_words.walk_ins(answered, is_done=is_done), paper_words.room(answered)[1]))
    return told
