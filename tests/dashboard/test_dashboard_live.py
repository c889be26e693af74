"""Live news over a real server: fast, whole, capped, never held up by one page, and honest when it stops."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from dashboard_house import House, token_on, wait_for

from hardware.clock import SystemClock
from kiosk.dashboard.live import BACKLOG, Live, TooManyListeners
from kiosk.dashboard.server import UNREAD_LIMIT_MS, DashboardServer, PortTaken
from kiosk.news import DoorState, ScanNews

OK = DoorState(gate="main", camera="ok")


class Page:
    """An open page: an SSE client over http.client, one event at a time."""

    def __init__(self, port: int, path: str, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._connection.request("GET", path, headers={"Cookie": f"platypus={cookie}"} if cookie else {})
        self.answer = self._connection.getresponse()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self.answer.close()

    def event(self) -> tuple[str, dict[str, Any]] | None:
        """The next event and its data; None at the end."""
        kind = ""
        while line := self.answer.readline():
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                kind = text.removeprefix("event: ")
            elif text.startswith("data: "):
                return kind, json.loads(text.removeprefix("data: "))
        return None

    def snapshot(self, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next snapshot that is as wanted."""
        while event := self.event():
            if event[0] == "snapshot" and wanted(event[1]):
                return event[1]
        raise AssertionError("the stream ended")


def cookie_of(house: House) -> str:
    cookie = house.organizer().get_cookie("platypus")
    assert cookie
    return str(cookie.value)


def news_of(house: House, **scan: Any) -> None:
    """A scan as the real door tells it: in the ledger first, then on the bus."""
    row = house.book.scan(scan.pop("holder", None), **scan)
    count = house.book.head_count()
    house.news.say(
        ScanNews(
            scan_id=row.scan_id, gate=row.gate, at=row.at.isoformat(), is_admitted=row.is_admitted, reason=row.reason,
            inside=count.inside, capacity=count.capacity,
        )
    )  # fmt: skip


@pytest.fixture
def busy(make_house: Callable[..., House]) -> House:
    house = make_house(clock=SystemClock(), beat_s=0.2)
    house.news.say(OK)
    return house


def test_a_page_gets_the_whole_picture_first_and_then_every_change(busy: House) -> None:
    with busy.served() as server, Page(server.port, "/events", cookie_of(busy)) as page:
        assert page.answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert page.snapshot()["people"]["inside"] == "0"
        news_of(busy, holder="Ada")
        changed = page.snapshot(lambda view: bool(view["answers"]))
        assert changed["people"]["inside"] == "1"
        assert changed["answers"][0]["who"] == "Ada"


def test_an_answer_reaches_the_screen_within_150_ms(busy: House) -> None:
    waits_s = []
    with busy.served() as server, Page(server.port, "/screen/events") as page:
        page.snapshot()
        for number in range(1, 6):
            began_s = time.perf_counter()
            news_of(busy)
            page.snapshot(lambda view, number=number: view["answer"] == number)  # type: ignore[misc]
            waits_s.append(time.perf_counter() - began_s)
    assert sorted(waits_s)[2] < 0.15, waits_s


def test_an_answer_reaches_the_screen_even_with_the_bus_dead(busy: House) -> None:
    with busy.served() as server, Page(server.port, "/screen/events") as page:
        page.snapshot()
        busy.book.scan(reason="already_redeemed")
        assert page.snapshot(lambda view: view["mode"] == "answer")["title"] == "Already used"


def test_the_screen_s_news_carries_no_name(busy: House) -> None:
    with busy.served() as server, Page(server.port, "/screen/events") as page:
        page.snapshot()
        news_of(busy, holder="Ada Byron")
        assert "Ada" not in json.dumps(page.snapshot(lambda view: view["mode"] == "answer"))


def test_a_quiet_house_still_beats_at_least_every_two_seconds(make_house: Callable[..., House]) -> None:
    busy = make_house(clock=SystemClock())  # with the beat that real pages have
    with busy.served() as server, Page(server.port, "/events", cookie_of(busy)) as page:
        page.snapshot()
        began_s = time.monotonic()
        events = [page.event() for _ in range(2)]
        assert time.monotonic() - began_s < 4
        assert all(event and event[0] in {"beat", "snapshot"} for event in events)


def test_pages_hear_nothing_while_the_ledger_hangs(busy: House) -> None:
    with busy.served() as server, Page(server.port, "/events", cookie_of(busy)) as page:
        page.snapshot()
        busy.book.may_read.clear()
        busy.news.say(OK)
        quiet = threading.Event()
        threading.Thread(target=lambda: (page.event(), quiet.set()), daemon=True).start()
        assert not quiet.wait(0.7)  # more than three beats: the page will call itself stale
        busy.book.may_read.set()
        assert quiet.wait(5)


def test_pages_open_while_the_ledger_hangs_and_show_no_number(busy: House) -> None:
    client = busy.organizer()
    with busy.live:
        wait_for(lambda: busy.live.worker.quiet_s < 1)
        busy.book.may_read.clear()
        try:
            busy.news.say(OK)
            wait_for(lambda: "The ledger does not answer." in client.get("/").text)
        finally:
            busy.book.may_read.set()


def test_a_phone_out_of_reach_does_not_hold_its_thread_for_long(busy: House) -> None:
    with busy.served() as server, Page(server.port, "/screen/events") as page:
        page.snapshot()
        wires = [
            channel.socket
            for channel in server._sockets.values()
            if isinstance(channel.socket, socket.socket) and channel.connected
        ]
        limits_ms = [wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) for wire in wires]
    assert limits_ms
    assert set(limits_ms) == {UNREAD_LIMIT_MS}


def test_a_ledger_that_fails_is_said_and_comes_back(busy: House) -> None:
    with busy.served() as server, Page(server.port, "/events", cookie_of(busy)) as page:
        page.snapshot()
        busy.book.failure = OSError("disk I/O error")
        assert "disk I/O error" in page.snapshot(lambda view: view["trouble"] != "")["trouble"]
        busy.book.failure = None
        assert page.snapshot(lambda view: view["trouble"] == "")["people"]["inside"] == "0"


def test_forty_open_pages_leave_room_for_a_press(busy: House) -> None:
    cookie = cookie_of(busy)
    client = busy.client()
    client.set_cookie("platypus", cookie)
    token = token_on(client, "/")
    changed = client.get_cookie("platypus")
    assert changed
    with busy.served() as server, ExitStack() as pages:
        opened = [pages.enter_context(Page(server.port, "/events", changed.value)) for _ in range(40)]
        for page in opened:
            page.snapshot()
        began_s = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        headers = {"Cookie": f"platypus={changed.value}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/stream/retry", urlencode({"csrf_token": token}), headers)
        status = connection.getresponse().status
        took_s = time.perf_counter() - began_s
        connection.close()
        assert status == 303
        assert took_s < 1
        assert [command.do for command in busy.news.commands] == ["retry"]


def test_beyond_the_cap_a_page_is_told_to_come_back_and_a_place_is_freed_when_one_leaves(
    make_house: Callable[..., House],
) -> None:
    house = make_house(clock=SystemClock(), most_listeners=2, beat_s=0.2)
    with house.served() as server, Page(server.port, "/screen/events") as first:
        with Page(server.port, "/screen/events") as second, Page(server.port, "/screen/events") as third:
            first.snapshot()
            second.snapshot()
            assert third.answer.status == 503
            assert third.answer.getheader("Retry-After") == "5"
        wait_for(lambda: house.live.listeners == 1, 10)
        with Page(server.port, "/screen/events") as fourth:
            assert fourth.answer.status == 200


def test_a_page_that_does_not_read_is_dropped_and_holds_nobody_up(busy: House) -> None:
    with busy.live:
        slow, quick = busy.live.join(), busy.live.join()
        heard: list[int] = []
        reader = threading.Thread(target=lambda: heard.extend(s.number for s in quick if s))
        reader.start()
        for _ in range(BACKLOG + 4):
            before = busy.live.now().number
            busy.news.say(OK)
            wait_for(lambda before=before: busy.live.now().number > before)
        wait_for(lambda: slow.is_over)
        wait_for(lambda: len(heard) > BACKLOG)
        assert not quick.is_over
    reader.join(5)
    assert not reader.is_alive()
    assert heard == sorted(heard)


def test_after_the_stop_nobody_joins(house: House) -> None:
    with house.live:
        listener = house.live.join()
    assert listener.is_over
    with pytest.raises(TooManyListeners):
        house.live.join()


def test_a_new_pin_ends_the_news_of_those_who_were_logged_in(busy: House) -> None:
    with busy.served() as server, Page(server.port, "/events", cookie_of(busy)) as page:
        page.snapshot()
        busy.choose("other-pin-9")
        end_s = time.monotonic() + 5
        while page.event():
            assert time.monotonic() < end_s


def test_what_was_answered_before_the_start_is_not_shown_as_new(busy: House) -> None:
    busy.book.scan("Ada")
    assert busy.live.now().screen(None).mode == "idle"


def test_a_stop_ends_open_pages_at_once(busy: House) -> None:
    with busy.served() as server:
        page = Page(server.port, "/screen/events")
        page.snapshot()
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 4
    assert page.event() is None or page.event() is None
    page.__exit__()


def test_a_taken_port_is_said_in_one_sentence_with_what_to_do(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} is taken.*choose another port"):
            DashboardServer(house.app, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_said(house: House, host: str) -> None:
    with pytest.raises(PortTaken, match="Correct host"):
        DashboardServer(house.app, host, 0)


@pytest.mark.parametrize(
    ("path", "length"),
    [("/login", 20_000), ("/login", 200_000), ("/login", 10_000_000_000), ("/talks/upload", 3_000_000)],
)
def test_a_body_without_end_is_refused_by_its_length(busy: House, path: str, length: int) -> None:
    with busy.served() as server, socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
        wire.sendall(head.encode() + b"pin=" + b"x" * min(length - 4, 30_000))
        assert b" 413 " in wire.recv(100)


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/%2e%2e/access.py", "//etc/passwd", "/static/..\\app.py"]
)
def test_on_the_wire_too_no_path_leads_outside(busy: House, path: str) -> None:
    with busy.served() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
    assert answer.status in {303, 308, 404}
    assert b"import" not in text
    assert b"root:" not in text


def test_the_live_worker_goes_on_after_a_fault_of_ours(busy: House, caplog: pytest.LogCaptureFixture) -> None:
    live: Live = busy.live
    with live:
        busy.book.failure = RuntimeError("a fault")
        busy.news.say(OK)
        wait_for(lambda: "snapshot-failed" in caplog.text)
        busy.book.failure = None
        before = time.monotonic()
        wait_for(lambda: live.worker.quiet_s < time.monotonic() - before)
        assert live.worker.failure is None
