"""Picture and film of what viewers see: who may have them, that they are new, and that nothing else can be had."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from dashboard_house import House, wait_for

import kiosk.dashboard
from stream.preview_files import PICTURE, PLAYLIST

VENDOR = Path(kiosk.dashboard.__file__).parent / "static" / "vendor"
ROOM_NEXT_DOOR = {"REMOTE_ADDR": "192.168.1.23"}
SEGMENT = "live-1234.ts"
FILM_PATHS = ["/watch", "/watch/live.m3u8", f"/watch/{SEGMENT}"]


@pytest.fixture
def on_air(house: House) -> House:
    put(house)
    return house


def put(house: House, age_s: float = 1.0) -> None:
    """As if the stream's process had made these so many seconds ago."""
    files = {PICTURE: b"\xff\xd8 a picture", PLAYLIST: f"#EXTM3U\n{SEGMENT}\n".encode(), SEGMENT: b"\x47" * 188}
    made_s = house.clock.stamp().wall.timestamp() - age_s
    for name, content in files.items():
        (house.preview_folder / name).write_bytes(content)
        os.utime(house.preview_folder / name, (made_s, made_s))


def test_an_organizer_gets_the_picture_with_its_age_and_nobody_keeps_it(on_air: House) -> None:
    answer = on_air.organizer().get("/preview.jpg")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", b"\xff\xd8 a picture")
    assert answer.headers["Picture-Age"] == "1.0"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("age_s", [11.0, 3600.0, -60.0])
def test_an_old_picture_is_no_picture(house: House, age_s: float) -> None:
    put(house, age_s)
    answer = house.organizer().get("/preview.jpg")
    assert (answer.status_code, answer.mimetype) == (404, "image/svg+xml")
    assert "No picture" in answer.text


def test_without_a_stream_there_is_no_picture_and_no_film(house: House) -> None:
    client = house.organizer()
    assert [client.get(path).status_code for path in ("/preview.jpg", *FILM_PATHS)] == [404, 200, 404, 404]


def test_the_film_of_a_stream_that_died_is_over(house: House) -> None:
    put(house, 21.0)
    assert house.organizer().get("/watch/live.m3u8").status_code == 404


def test_the_list_is_asked_for_anew_and_a_segment_is_kept_for_a_moment(on_air: House) -> None:
    client = on_air.organizer()
    playlist, segment = client.get("/watch/live.m3u8"), client.get(f"/watch/{SEGMENT}", buffered=True)
    assert playlist.mimetype == "application/vnd.apple.mpegurl"
    assert playlist.headers["Cache-Control"] == "no-cache"
    assert SEGMENT in playlist.text
    assert (segment.mimetype, segment.data) == ("video/mp2t", b"\x47" * 188)
    assert segment.headers["Cache-Control"] == "private, max-age=60, immutable"


@pytest.mark.parametrize(
    "name",
    [
        "live-1.ts/../../secrets.toml",
        "..%2f..%2fsecrets.toml",
        "%2e%2e/secrets.toml",
        "live-1%00.ts",
        "live-1.ts%0a",
        "picture.jpg",
        "live-.ts",
        "live-1.ts.tmp",
        "LIVE-1.TS",
        "live-9.ts",
    ],
)
def test_nothing_but_segments_can_be_had(on_air: House, name: str) -> None:
    """live-1.ts is a link to the secrets, live-9.ts a folder."""
    (on_air.preview_folder.parent / "secrets.toml").write_text("hush")
    (on_air.preview_folder / "live-1.ts").symlink_to(on_air.preview_folder.parent / "secrets.toml")
    (on_air.preview_folder / "live-9.ts").mkdir()
    client = on_air.organizer()
    for asked in (f"/watch/{name}", "/watch/live-1.ts"):
        answer = client.get(asked)
        assert answer.status_code in {404, 405}
        assert "hush" not in answer.text


@pytest.mark.parametrize("path", ["/preview.jpg", *FILM_PATHS])
def test_strangers_see_nothing_by_default(on_air: House, path: str) -> None:
    answer = on_air.client().get(path, environ_base=ROOM_NEXT_DOOR)
    assert answer.status_code in {303, 401}
    assert answer.status_code == 401 or answer.location == "/login?next=watch"


def test_the_room_next_door_may_watch_when_the_organizer_allows_it(make_house: Callable[..., House]) -> None:
    house = make_house(watch="local")
    put(house)
    client = house.client()
    for address in ("192.168.1.23", "10.0.0.7", "fe80::1", "::ffff:172.16.3.4", "127.0.0.1"):
        asked = [
            client.get(path, environ_base={"REMOTE_ADDR": address}, buffered=True).status_code for path in FILM_PATHS
        ]
        assert asked == [200, 200, 200], address
    assert client.get("/preview.jpg", environ_base=ROOM_NEXT_DOOR).status_code == 401, "that is the organizer's"
    assert client.get("/", environ_base=ROOM_NEXT_DOOR).status_code == 303


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("203.0.113.9", {}),
        ("2001:db8::1", {}),
        ("100.64.0.3", {}),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", {"Host": "venue.local"}),  # a tunnel that passes on what it gets
        ("192.168.1.23", {"Via": "1.1 proxy"}),
        ("not an address", {}),
    ],
)
def test_the_rest_of_the_world_may_not(make_house: Callable[..., House], address: str, headers: dict[str, str]) -> None:
    house = make_house(watch="local")
    put(house)
    for path in FILM_PATHS:
        answer = house.client().get(path, environ_base={"REMOTE_ADDR": address}, headers=headers)
        assert answer.status_code in {303, 401}


def test_the_page_tells_nothing_of_the_evening_and_may_play_what_it_fetched(make_house: Callable[..., House]) -> None:
    house = make_house(watch="local", screen_language="fr")
    answer = house.client().get("/watch", environ_base=ROOM_NEXT_DOOR)
    assert "La diffusion n'a pas encore commencé." in answer.get_data(as_text=True).replace("&#39;", "'")
    assert "Lightning" not in answer.text
    assert "media-src 'self' blob:" in answer.headers["Content-Security-Policy"]
    assert "blob:" not in house.client().get("/login").headers["Content-Security-Policy"]


def test_screens_that_do_not_read_take_no_thread_from_anybody(make_house: Callable[..., House]) -> None:
    house = make_house(watch="local")
    put(house)
    (house.preview_folder / SEGMENT).write_bytes(bytes(8_000_000))
    with house.served(threads=3) as server, ExitStack() as open_ones:
        for _ in range(6):
            slow = open_ones.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            slow.sendall(f"GET /watch/{SEGMENT} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert slow.recv(12) == b"HTTP/1.1 200"
        assert wait_for(lambda: urlopen(f"{server.url}/healthz", timeout=3).read()) == b"ok\n"  # noqa: S310 - ours


def test_what_is_kept_from_elsewhere_is_what_its_table_says() -> None:
    rows = re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    assert {name for name, _ in rows} == {path.name for path in VENDOR.iterdir() if path.suffix in {".js", ".wasm"}}
    for name, sha256 in rows:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == sha256
