"""Whatever a program sends, good or bad, is answered as the OpenAPI file says; schemathesis makes what is sent.

On the real application, a real ledger and a stream that is played.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import schemathesis
from api_stage import Program, issue
from dashboard_house import House, build
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, positive_data_acceptance
from talks_stage import Stage

from kiosk.dashboard.api.openapi import document
from kiosk.dashboard.throttle import FORGET_AFTER_S
from kiosk.news import DoorState

_TOLD = json.loads(document())
_OPERATIONS = [
    (method.upper(), path)
    for path, methods in sorted(_TOLD["paths"].items())
    for method in methods
    if not path.endswith("/events")  # endless: see test_api.py
]
_EXAMPLES = 20  # of each operation: of good requests, of good ones about what is there, and of bad ones


class Evening(NamedTuple):
    """A house where something is, and a program that may everything."""

    house: House
    stage: Stage
    organizer: Program
    presses: Iterator[int] = itertools.count()

    def go_on(self) -> None:
        """An hour later, wrong tokens of before are forgotten; door and stream are still there."""
        self.house.clock.advance(FORGET_AFTER_S + 1)
        self.house.news.say(DoorState(gate="main", camera="ok"))
        self.stage.say()

    def about(self, case: Case) -> Case:
        """The same request about what is there, from the agenda there is, with a key of its own."""
        agenda = self.stage.desk.news()
        there = {"ticket": 1, "scan": 1, "waiting": 1, "revision": agenda.revision}
        if isinstance(case.body, dict):
            case.body = {name: there.get(name, value) for name, value in case.body.items()}
        if "talk" in case.path_parameters and agenda.agenda.talks:
            case.path_parameters["talk"] = agenda.agenda.talks[-1].id
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"press-{next(self.presses)}"
        return case


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    folder: Path = tmp_path_factory.mktemp("contract")
    house: House = build(folder, reads_ledger=True)
    issue(house, "Zoë Ødegård", "Bo", guests=2)
    program = Program(house, "organizer")
    program.post("/walk-in", {"name": "Cleo"})
    program.post("/waiting", {"name": "Dora"})
    yield Evening(house, Stage(house, folder), program)
    house.ledger.close()


@pytest.fixture(scope="module")
def schema(evening: Evening) -> Any:
    load_all_checks()
    headers = evening.organizer.headers
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", evening.house.app, headers=headers)


@pytest.mark.parametrize(("method", "path"), _OPERATIONS, ids=lambda each: each.removeprefix("/api/v1"))
def test_the_server_keeps_what_the_file_says(schema: Any, evening: Evening, method: str, path: str) -> None:
    operation = schema[path][method]
    good, bad = (operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    headers = evening.organizer.headers

    @settings(
        max_examples=_EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=st.one_of(good, good.map(evening.about), bad))
    def ask(case: Case) -> None:
        evening.go_on()
        answer = case.call(headers=headers)
        left_out = [positive_data_acceptance] if answer.status_code == 422 and is_beyond(answer.json()) else []
        case.validate_response(answer, headers=headers, excluded_checks=left_out)

    ask()


def is_beyond(problem: dict[str, str]) -> bool:
    """Whether a request was refused for what no schema can tell.

    A title or a name with nothing in it to read, a key that was used before, and 18.0, which JSON Schema takes for an
    integer and we do not.
    """
    return problem["code"] in {"no_name", "agenda", "old_page"} or "got `float`" in problem["detail"]
