"""Each page in the language of whoever reads it, chosen by a link in its foot, and none of the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from dashboard_house import House, found_at, token_on
from language_stage import CHECKED, STREAM, fill, says, texts, words_in
from test_dashboard_live import Page
from test_rights import rules

from kiosk.dashboard import catalogue
from kiosk.dashboard.language import COOKIE, speaking
from kiosk.ledger import Hand
from stream.health import StreamState


def english_words() -> set[str]:
    """Words that stand in an English sentence, and in no French one."""
    english, french = set(), set()
    for each in catalogue.written():
        if each.id:
            english |= words_of(each.id)
            french |= words_of(each.string)
    return {word for word in english - french if len(word) > 2}


def words_of(text: Any) -> set[str]:
    joined = text if isinstance(text, str) else " ".join(text)
    return set(words_in(re.sub(r"%\(\w+\)s", " ", joined)).casefold().split())


@pytest.fixture
def full(make_house: Callable[..., House], tmp_path: Path) -> House:
    house = make_house(reads_ledger=True, language="en", watch="local")
    fill(house, tmp_path)
    return house


@pytest.mark.parametrize("stream", [STREAM, CHECKED, None], ids=["live", "checked", "as ordered"])
def test_no_page_says_in_french_what_it_says_in_english(full: House, stream: StreamState | None) -> None:
    ada = full.somebody("Ada", "organizer")
    if stream is not None:
        full.news.say(stream)
    ada.post("/people/invite", data={"csrf_token": token_on(ada, "/"), "role": "door"})
    token = full.access.invitations.make("door", "id-of-Ada")[0]
    full.access.tokens.make("Ada", "viewer", "id-of-Ada")
    english = english_words()
    paths = [
        *(path for _, method, path in rules(full.app) if method == "GET"),
        f"/first/{token}",
        found_at(ada, "jean"),
    ]
    paths += [found_at(ada, "jean"), found_at(ada, "zzz"), "/talks/edit/t1", "/nowhere"]
    walked = 0
    for path in paths:
        if path in {"/static/live.js", "/events", "/screen/events", "/metrics", "/healthz", "/language/en"}:
            continue
        if path.startswith(("/screen", "/watch", "/api/", "/report.", "/tickets/paper.pdf")) or "/print/" in path:
            continue  # in the venue's language, see below; programs are told in English; a sheet of paper is no page
        client = full.client() if path.startswith(("/login", "/first")) else ada
        there, here = says(client, path, "en"), says(client, path, "fr-CA,fr;q=0.9,en;q=0.5")
        assert there and len(there) == len(here), path
        walked += 1
        for text in here:
            assert not words_of(text) & english, (path, text)
            assert not words_in(text) or text not in there, (path, text)
    assert walked > 15


@pytest.mark.parametrize("path", ["/screen", "/watch"])
def test_what_all_see_together_is_in_the_venue_s_language(make_house: Callable[..., House], path: str) -> None:
    for settings, language in [
        ({}, "en"),
        ({"language": "fr"}, "fr"),
        ({"language": "fr", "screen_language": "en"}, "en"),
        ({"screen_language": "fr"}, "fr"),
    ]:
        client = make_house(**settings).somebody("Ada", "organizer")
        page = client.get(path, headers={"Accept-Language": "fr" if language == "en" else "en"}).text
        assert f'<html lang="{language}">' in page
        found = [text for text in texts(page) if words_in(text)]
        assert ("En direct" in found or "Bienvenue" in page or "Adressez-vous à un bénévole" in found) == (
            language == "fr"
        )


@pytest.mark.parametrize(
    ("browser", "language"),
    [("fr", "fr"), ("fr-CH, fr;q=0.9, en;q=0.8", "fr"), ("en-GB,en;q=0.9,fr;q=0.1", "en"), ("de,ar", "fr"), ("", "fr")],
)
def test_a_browser_says_what_its_reader_speaks_and_else_the_venue_does(
    make_house: Callable[..., House], browser: str, language: str
) -> None:
    page = make_house(language="fr").client().get("/login", headers={"Accept-Language": browser}).text
    assert f'<html lang="{language}">' in page


def test_one_s_own_choice_holds_for_a_year_and_says_nothing_else(house: House) -> None:
    client = house.somebody("Ada", "organizer")
    found = found_at(client, "zoe")
    page = client.get(found).text
    link = unescape(re.search(r'href="([^"]*)" lang="fr"', page)[1])  # type: ignore[index]
    answer = client.get(link)
    assert (answer.status_code, answer.location) == (303, found)
    (cookie,) = [each for each in answer.headers.getlist("Set-Cookie") if each.startswith(COOKIE)]
    assert re.fullmatch(rf"{COOKIE}=fr; (Expires=[^;]*; )?Max-Age=31536000; HttpOnly; Path=/; SameSite=Lax", cookie), (
        cookie
    )
    page = client.get(found, headers={"Accept-Language": "en"}).text
    assert '<html lang="fr">' in page and "Chercher un billet" in page
    assert 'aria-current="true">Français' in page and 'aria-current="true">English' not in page
    client.get("/language/en")
    assert '<html lang="en">' in client.get("/door").text


def test_a_cookie_that_is_not_ours_chooses_nothing(house: House) -> None:
    client = house.client()
    client.set_cookie(COOKIE, "../../fr")
    assert '<html lang="en">' in client.get("/login").text
    assert client.get("/language/de").status_code == 404
    assert client.get("/language/..%2ffr").status_code == 404


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "nowhere",
        "/nowhere",
        "/people/invite",
        "javascript:1",
    ],
)
def test_the_choice_leads_to_a_page_of_ours_only(house: House, to: str) -> None:
    assert house.client().get("/language/fr", query_string={"next": to}).location == "/"


def test_every_page_but_one_that_is_shown_once_lets_choose(full: House) -> None:
    ada = full.somebody("Ada", "organizer")
    for path in (
        "/",
        "/stream",
        "/door",
        "/talks",
        "/people",
        "/changes",
        "/report",
        "/own-pin",
        "/stream/stop",
        "/talks/add",
        "/nowhere",
    ):
        assert ada.get(path).text.count('hreflang="fr"') == 1, path
    assert full.client().get("/login").text.count('hreflang="fr"') == 1
    refused = full.client().post("/login", data={"csrf_token": "old"}, headers={"Accept-Language": "fr"})
    assert refused.status_code == 400 and "Rouvrez la page" in refused.text and 'hreflang="en"' in refused.text
    invited = ada.post("/people/invite", data={"csrf_token": token_on(ada, "/"), "role": "door"})
    assert "hreflang" not in invited.text


def test_a_press_is_answered_in_french_and_noted_for_all_to_read(full: House) -> None:
    ada = full.somebody("Ada", "organizer")
    full.somebody("Zoë", "door")
    token = token_on(ada, "/people")
    data = {"csrf_token": token, "person": "id-of-Zoë", "role": "viewer"}
    french = {"Accept-Language": "fr"}
    answer = ada.post("/people/role", data=data, headers=french, follow_redirects=True)
    assert "Zoë a maintenant le rôle : lecture." in answer.text.replace("\N{NO-BREAK SPACE}", " ")
    assert full.noted()[0].what == "People: Zoë is now viewer."
    ada.post("/people/role", data=data | {"person": "id-of-Ada"}, headers=french)
    assert full.noted()[0].why == "This is the last organizer: make somebody else one first."
    changes = ada.get("/changes", headers=french).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Personnes : Zoë a maintenant le rôle : lecture." in changes
    assert "est la dernière personne à l" in changes and "Ada (organisation)" in changes
    assert "People: Zoë is now viewer." in ada.get("/changes").text


def test_what_the_stream_refuses_is_told_in_french(full: House) -> None:
    ada = full.somebody("Ada", "organizer")
    french = {"Accept-Language": "fr"}
    answer = ada.post("/stream/camera", data={"csrf_token": token_on(ada, "/")}, headers=french, follow_redirects=True)
    assert "La diffusion est arrêtée, personne ne le verrait" in answer.text
    token, revision = token_on(ada, "/talks"), re.search(r'name="revision" value="(\w+)"', ada.get("/talks").text)
    data: dict[str, Any] = {"csrf_token": token, "revision": revision[1] if revision else ""}
    answer = ada.post("/talks/add", data=data | {"title": "x", "minutes": "bidule"}, headers=french)
    assert "La durée" in answer.text and "est pas une durée comme 20 (minutes)" in answer.text
    assert answer.status_code == 422


def test_two_open_pages_hear_the_same_news_each_in_its_language(full: House) -> None:
    def cookie(name: str) -> str:
        found = full.somebody(name, "organizer").get_cookie("platypus")
        return str(found.value) if found else ""

    full.news.say(STREAM)
    with (
        full.served() as server,
        Page(server.port, "/events?language=fr", cookie("Ada")) as french,
        Page(server.port, "/events?language=en", cookie("Léa")) as english,
        Page(server.port, "/events", cookie("Zoë")) as unsaid,
    ):
        there, here = english.snapshot(), french.snapshot()
        assert unsaid.snapshot()["doors"] == there["doors"]
        assert there["doors"][0]["detail"].startswith("Check people in by hand. Codes are seen")
        assert here["doors"][0]["detail"].startswith("Pointez les arrivées à la main. Des codes sont vus")
        assert here["stream"]["viewers"]["title"] == "Un carton"
        assert {line["name"] for line in here["stream"]["lines"]} >= {"Enregistrement", "Aperçu", "hall"}
        full.ledger.correct(full.evening, 1, Hand("Ada (door) BCD", "f" * 32, "desk", full.clock.stamp()))
        full.live.nudge()
        row = french.snapshot(lambda view: view["answers"][0]["short"] == "Corrigé de +1")["answers"][0]
        assert (row["who"], row["note"]) == ("Comptage", "par Ada (entrée) BCD")
        row = english.snapshot(lambda view: view["answers"][0]["short"] == "Corrected by +1")["answers"][0]
        assert (row["who"], row["note"]) == ("Head count", "by Ada (door) BCD")


def test_a_snapshot_is_made_once_in_each_language(full: House) -> None:
    snapshot = full.live.now()
    with speaking("fr"):
        french = snapshot.home
        assert snapshot.home is french
    with speaking("en"):
        assert snapshot.home is not french and snapshot.home is snapshot.home


def test_dates_and_numbers_are_french_too(full: House) -> None:
    full.news.say(STREAM)
    ada, french = full.somebody("Ada", "viewer"), {"Accept-Language": "fr"}
    assert "Mardi 24 novembre, 19:00" in ada.get("/", headers=french).text
    page = ada.get("/stream", headers=french).text
    assert "2,5\N{NO-BREAK SPACE}Mb/s" in page and "0,8\N{NO-BREAK SPACE}Mo attendent ici" in page


def test_a_name_within_a_sentence_is_text_in_both_languages(house: House) -> None:
    client = house.somebody("<b>%(x)s' &", "organizer")
    for language, begins in (("en", "You are"), ("fr", "Vous êtes")):
        page = client.get("/own-pin", headers={"Accept-Language": language}).text
        assert f"{begins} <strong>&lt;b&gt;%(x)s&#39; &amp;</strong>" in page
        assert "<b>" not in client.get(found_at(client, "<b>zz"), headers={"Accept-Language": language}).text
