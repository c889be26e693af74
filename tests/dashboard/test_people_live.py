"""Open pages, when what their reader may do changes: told within one event, over a real connection."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from dashboard_house import House
from flask.testing import FlaskClient
from test_dashboard_live import Page

from kiosk.dashboard.settings import HttpsSettings


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("platypus")
    assert found
    return str(found.value)


def end_of(page: Page) -> list[str]:
    """The names of the events that still came."""
    names = []
    while event := page.event():
        names.append(event[0])
        assert len(names) < 50
    return names


@pytest.mark.parametrize(
    "end",
    [
        lambda house: house.access.people.remove("id-of-Dora"),
        lambda house: house.access.phones.log_out_all("id-of-Dora"),
    ],
    ids=["removed", "logged out"],
)
def test_who_is_out_hears_nothing_more(house: House, end: Callable[[House], object]) -> None:
    house.somebody("Ada", "organizer")
    dora = house.somebody("Dora", "door")
    with house.served() as server, Page(server.port, "/events", cookie(dora)) as page:
        page.snapshot()
        end(house)
        house.book.scan("Zoë Ødegård")  # what happens from now on is not for her
        assert "snapshot" not in end_of(page)


def test_who_may_see_names_no_more_sees_none_from_the_next_event_on(house: House) -> None:
    house.somebody("Ada", "organizer")
    dora = house.somebody("Dora", "door")
    with house.served() as server, Page(server.port, "/events", cookie(dora)) as page:
        page.snapshot()
        house.access.people.set_role("id-of-Dora", "viewer")
        house.book.scan("Zoë Ødegård")
        assert end_of(page)[-1] == "reload"
        with Page(server.port, "/events", cookie(dora)) as again:
            told = again.snapshot(lambda view: bool(view["answers"]))
            assert [answer["who"] for answer in told["answers"]] == ["A guest"]


def test_a_screen_on_the_pi_is_made_anew_when_somebody_became_the_first_organizer(
    make_house: Callable[..., House],
) -> None:
    house = make_house(https=HttpsSettings())
    shown = re.search(r'data-events="([^"]+)"', house.client().get("/screen").text)
    assert shown and "first=" in shown[1]
    with house.served() as server:
        with Page(server.port, shown[1]) as page:
            page.snapshot()
            house.choose("tulip-48")
            assert end_of(page)[-1] == "reload"
        with Page(server.port, shown[1]) as page:  # a screen that was without news meanwhile
            assert end_of(page) == ["reload"]
        with Page(server.port, "/screen/events") as page:
            page.snapshot()


def test_a_damaged_file_ends_the_news_of_people_and_not_the_screen_s(house: House) -> None:
    dora = house.somebody("Dora", "door")
    with (
        house.served() as server,
        Page(server.port, "/events", cookie(dora)) as page,
        Page(server.port, "/screen/events") as screen,
    ):
        page.snapshot()
        screen.snapshot()
        house.access._file.path.write_bytes(b"{")
        assert "snapshot" not in end_of(page)
        house.book.scan("Zoë Ødegård", reason="revoked")
        screen.snapshot(lambda view: view["mode"] == "answer")
