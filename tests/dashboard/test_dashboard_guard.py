"""What the pages refuse: strangers, foreign sites, foreign hosts, bodies without end; and how they say so."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest
from dashboard_house import NAME, PIN, House, token_on
from itsdangerous import TimestampSigner

from kiosk.dashboard.guard import CONTENT_POLICY
from kiosk.dashboard.settings import DashboardSettings
from kiosk.news import Reply

PROXIED = {"X-Forwarded-For": "203.0.113.9"}
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


def test_the_link_leads_to_a_form_and_looking_does_not_use_it_up(house: House) -> None:
    token = house.access.login_link()
    client = house.client()
    for _ in range(3):  # chats fetch links for a preview
        assert "Choose a name and a PIN" in house.client().get(f"/first/{token}").text
    answer = client.post(
        f"/first/{token}", data={"name": NAME, "pin": PIN, "csrf_token": token_on(client, f"/first/{token}")}
    )
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Inside now" in client.get("/").text


def test_a_used_link_says_how_to_get_another(house: House) -> None:
    token = house.access.login_link()
    house.access.invitations.use(token, NAME, PIN)
    answer = house.client().get(f"/first/{token}")
    assert answer.status_code == 410
    assert "platypus dashboard --new-login" in answer.text


def test_an_expired_link_cannot_set_a_pin(house: House) -> None:
    token = house.access.login_link()
    client = house.client()
    form = {"name": NAME, "pin": PIN, "csrf_token": token_on(client, f"/first/{token}")}
    house.clock.advance(1801)
    assert client.post(f"/first/{token}", data=form).status_code == 410
    assert not house.access.people.all()


def test_a_weak_pin_is_refused_with_the_reason_beside_the_form(house: House) -> None:
    token = house.access.login_link()
    client = house.client()
    answer = client.post(
        f"/first/{token}", data={"name": NAME, "pin": "000000", "csrf_token": token_on(client, f"/first/{token}")}
    )
    assert answer.status_code == 422
    assert "Too easy to guess" in answer.text
    assert 'name="pin"' in answer.text


def test_wrong_pins_are_throttled_and_told_how_long(house: House) -> None:
    house.organizer()
    client = house.client()
    form = {"name": NAME, "pin": "wrong-1", "csrf_token": token_on(client, "/login")}
    codes = [client.post("/login", data=form).status_code for _ in range(5)]
    assert codes == [403, 403, 403, 403, 429]
    answer = client.post("/login", data=form | {"pin": PIN})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) in {5, 6}
    assert "Wait 5 s" in answer.text
    house.clock.advance(5)
    assert client.post("/login", data=form | {"pin": PIN}).status_code == 303


@pytest.mark.parametrize("path", ["/", "/stream/stop"])
def test_a_stranger_is_sent_to_the_login(house: House, path: str) -> None:
    answer = house.client().get(path)
    assert (answer.status_code, answer.location) == (303, "/login")


def test_every_route_but_the_named_ones_needs_a_session(house: House) -> None:
    open_to_all = {"/login", "/language/<choice>", "/first/<token>", "/healthz", "/privacy", "/static/<path:filename>"}
    client = house.client()
    for rule in house.app.url_map.iter_rules():
        if rule.rule not in open_to_all:
            answer = client.get(re.sub(r"<int.*?\)?:\w+>", "1", rule.rule), environ_base=ELSEWHERE)
            assert answer.status_code in {303, 401, 405}, rule.rule


def test_news_is_not_for_strangers(house: House) -> None:
    assert house.client().get("/events").status_code == 401
    assert house.client().get("/screen/events", environ_base=ELSEWHERE).status_code == 401


def test_health_says_ok_and_nothing_more(house: House) -> None:
    assert house.client().get("/healthz").text == "ok\n"


@pytest.mark.parametrize("path", ["/stream/start", "/stream/stop", "/stream/retry", "/logout"])
def test_a_press_without_the_token_does_nothing_and_says_open_the_page_again(house: House, path: str) -> None:
    client = house.organizer()
    answer = client.post(path)
    assert answer.status_code == 400
    assert "Open the page again" in answer.text
    assert house.news.commands == []
    assert client.get("/").status_code == 200  # still logged in


def test_a_press_is_still_taken_hours_later(house: House) -> None:
    client = house.organizer()
    form = {"csrf_token": token_on(client, "/")}
    house.clock.advance(5 * 3600)
    assert client.post("/stream/start", data=form).status_code == 303
    assert [command.do for command in house.news.commands] == ["start"]


def test_a_press_nobody_answers_is_said(house: House) -> None:
    client = house.organizer()
    house.news.reply = None
    client.post("/stream/retry", data={"csrf_token": token_on(client, "/")})
    assert "did not answer within 5 s" in client.get("/").text


def test_a_press_the_stream_refuses_is_said_in_its_words(house: House) -> None:
    client = house.organizer()
    house.news.reply = Reply(ok=False, error="no destination has a key; write one in secrets.toml")
    client.post("/stream/start", data={"csrf_token": token_on(client, "/")})
    assert "no destination has a key" in client.get("/").text


def test_a_cookie_stolen_before_a_new_pin_is_worth_nothing_after(house: House) -> None:
    client = house.organizer()
    cookie = client.get_cookie("platypus")
    assert cookie
    house.choose("other-pin-9")
    thief = house.client()
    thief.set_cookie("platypus", cookie.value)
    assert thief.get("/").status_code == 303
    assert thief.get("/events").status_code == 401


def test_a_forged_cookie_is_no_session(house: House) -> None:
    client = house.client()
    client.set_cookie("platypus", "eyJfdXNlcl9pZCI6IngifQ.aSRFAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA")
    assert client.get("/").status_code == 303


def test_logging_out_ends_the_session(house: House) -> None:
    client = house.organizer()
    client.post("/logout", data={"csrf_token": token_on(client, "/")})
    assert client.get("/").status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(house: House) -> None:
    client = house.client()
    header = client.get(f"/first/{house.access.login_link()}").headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header
    assert "Secure" not in header  # by http in the room; a browser would not keep it


@pytest.mark.parametrize("off_s", [-90 * 86400, 90 * 86400], ids=["in the past", "in the future"])
def test_a_clock_that_is_set_logs_nobody_out(house: House, off_s: float) -> None:
    """A cookie that was signed by a wall clock far from today's, as on a Pi that has just found its time server."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(super().get_timestamp() + off_s)

    client = house.somebody(NAME, "organizer")
    serializer = house.app.session_interface.get_signing_serializer(house.app)  # type: ignore[attr-defined]
    with client.session_transaction() as session:
        serializer.signer = Signer
        client.set_cookie("platypus", serializer.dumps(dict(session)))
        signed = client.get_cookie("platypus")
    other = house.client()
    other.set_cookie("platypus", signed.value if signed else "")
    assert other.get("/").status_code == 200


def test_a_phone_can_log_in_while_the_clock_is_months_behind(house: House) -> None:
    """It would throw away a cookie that expires in its past."""
    house.choose(PIN)
    client = house.client()
    form = {"name": NAME, "pin": PIN, "csrf_token": token_on(client, "/login")}
    assert "Expires" in client.post("/login", data=form).headers["Set-Cookie"]
    house.clock.is_trusted = False
    client = house.client()
    form = {"name": NAME, "pin": PIN, "csrf_token": token_on(client, "/login")}
    assert "Expires" not in client.post("/login", data=form).headers["Set-Cookie"]


def test_by_https_the_cookie_is_secure(make_house: Callable[..., House]) -> None:
    house = make_house(public_url="https://door.example.org")
    path = f"/first/{house.access.login_link()}"
    assert "Secure" in house.client().get(path, headers={"Host": "door.example.org"}).headers["Set-Cookie"]
    assert "Secure" not in house.client().get(path, headers={"Host": "192.0.2.4:8080"}).headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/login", "/healthz", "/no-such-page", "/static/live.js", "/screen"])
def test_every_answer_forbids_what_pages_do_not_need(house: House, path: str) -> None:
    with house.client().get(path) as answer:
        headers = answer.headers
    assert headers["Content-Security-Policy"] == CONTENT_POLICY
    assert "unsafe" not in CONTENT_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert path.startswith("/static") or headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "local", ""])
def test_a_foreign_host_is_turned_away(house: House, host: str) -> None:
    answer = house.client().get("/login", headers={"Host": host})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "192.0.2.4:8080", "[2001:db8::4]:8080", "platypus.local", "Door.Example.org"],
)
def test_the_hosts_of_a_venue_are_known(make_house: Callable[..., House], host: str) -> None:
    house = make_house(hosts=("door.example.org",))
    assert house.client().get("/login", headers={"Host": host}).status_code == 200


def test_an_over_large_body_is_refused_before_it_is_read(house: House) -> None:
    answer = house.client().post("/login", data={"pin": "x" * 20_000})
    assert answer.status_code == 413
    assert "Too large" in answer.text


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
def test_no_path_leads_out_of_the_static_folder(house: House, path: str) -> None:
    answer = house.client().get(path, follow_redirects=True)
    assert answer.status_code == 404
    assert "Nothing here" in answer.text


def test_a_fault_of_ours_is_said_without_its_insides(house: House) -> None:
    client = house.organizer()
    house.book.failure = RuntimeError("secret-inside")
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something broke" in answer.text
    assert "secret-inside" not in answer.text


def test_login_never_leads_to_another_site(house: House) -> None:
    house.organizer()
    client = house.client()
    form = {"name": NAME, "pin": PIN, "csrf_token": token_on(client, "/login")}
    assert client.post("/login?next=https://evil.example/", data=form).location == "/"
    client = house.client()
    form = {"name": NAME, "pin": PIN, "csrf_token": token_on(client, "/login")}
    assert client.post("/login?next=screen", data=form).location == "/screen"


def test_the_screen_is_open_on_this_machine_only(house: House) -> None:
    client = house.client()
    assert client.get("/screen").status_code == 200
    assert client.get("/screen", environ_base=ELSEWHERE).location == "/login?next=screen"
    assert client.get("/screen", headers=PROXIED).status_code == 303
    assert client.get("/screen", headers={"Host": "platypus.local"}).status_code == 303
    assert house.organizer().get("/screen", environ_base=ELSEWHERE).status_code == 200


def test_a_name_on_a_ticket_is_text_and_never_markup(house: House) -> None:
    house.book.scan("<script>alert(1)</script>")
    page = house.organizer().get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_pages_have_no_inline_script_and_no_inline_style(house: House) -> None:
    house.book.scan("Ada")
    client = house.organizer()
    for path in ("/", "/login", "/stream/stop", "/screen", "/nowhere"):
        page = client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page), path


@pytest.mark.parametrize(
    "options", [{"time_zone": "Mars/Base"}, {"public_url": "door"}, {"port": 70000}, {"colour": 1}]
)
def test_settings_that_make_no_sense_are_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(options))):
        msgspec.convert(options, DashboardSettings)
