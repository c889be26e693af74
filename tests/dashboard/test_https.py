"""HTTPS for the phones: a certificate that stays, a real nginx in front, and nobody who can pretend through it."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from cryptography import x509
from dashboard_house import House, wait_for

from hardware.clock import SystemClock
from kiosk.dashboard.certificate import (
    Certificate,
    CertificateError,
    names_of_machine,
    own_certificate,
    read_certificate,
)
from kiosk.dashboard.front import Front, nginx_config
from kiosk.dashboard.settings import DashboardSettings, HttpsSettings
from kiosk.demo.servers import free_port

NOW = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
NAMES = ["localhost", "door.local", "127.0.0.1", "fd00::7"]


def trusting(certificate: Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.chain))


class Web:
    """A house behind nginx, and who visits it."""

    def __init__(self, house: House, front: Front, port: int) -> None:
        self.house = house
        self.front = front
        self.port = port
        self._trust = trusting(front.certificate)
        self.visits = ExitStack()

    def connect(self) -> http.client.HTTPSConnection:
        visit = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=self._trust)
        self.visits.callback(visit.close)
        return visit

    def get(self, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        visit = self.connect()
        visit.request("GET", path, headers=headers or {})
        return visit.getresponse()


@contextmanager
def behind_nginx(house: House, folder: Path) -> Iterator[Web]:
    clock = SystemClock()
    port = free_port()
    certificate = own_certificate(folder / "tls", ["127.0.0.1"], clock.stamp().wall)
    settings = HttpsSettings(host="127.0.0.1", port=port)
    with (
        Front(settings, certificate, folder / "run", clock) as front,
        house.served(upstream=front.upstream),
    ):
        front.start()
        wait_for(lambda: front.cause == "" and is_open(port))
        web = Web(house, front, port)
        with web.visits:
            yield web


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# -- the certificate --------------------------------------------------------------------------------------------------


def test_a_certificate_is_made_once_and_kept(tmp_path: Path) -> None:
    first = own_certificate(tmp_path, NAMES, NOW)
    assert own_certificate(tmp_path, ["other"], NOW + timedelta(days=700)) == first
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    assert len(first.sha256) == 95


def test_it_is_good_for_every_name_and_no_longer_than_phones_accept(tmp_path: Path) -> None:
    made = own_certificate(tmp_path, [*NAMES, "localhost"], NOW)
    certificate = x509.load_pem_x509_certificate(made.chain.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "door.local"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "fd00::7"]
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=825)


def test_it_is_made_anew_before_it_ends(tmp_path: Path) -> None:
    first = own_certificate(tmp_path, NAMES, NOW)
    second = own_certificate(tmp_path, NAMES, first.ends_at - timedelta(days=29))
    assert second.sha256 != first.sha256


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
@pytest.mark.parametrize("rest", [b"", b"-----BEGIN NONSENSE-----"])
def test_a_damaged_one_is_made_anew(tmp_path: Path, name: str, rest: bytes) -> None:
    first = own_certificate(tmp_path, NAMES, NOW)
    (tmp_path / name).write_bytes(rest)
    assert own_certificate(tmp_path, NAMES, NOW).sha256 != first.sha256


def test_a_certificate_of_ones_own_is_refused_with_the_reason(tmp_path: Path) -> None:
    mine, other = (own_certificate(tmp_path / name, NAMES, NOW) for name in ("mine", "other"))
    assert read_certificate(mine.chain, mine.key) == mine
    with pytest.raises(CertificateError, match="is the key of another certificate"):
        read_certificate(mine.chain, other.key)
    with pytest.raises(CertificateError, match="cannot be read: No such file"):
        read_certificate(tmp_path / "none.pem", mine.key)
    with pytest.raises(CertificateError, match="PEM, without password"):
        read_certificate(mine.key, mine.key)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file")
    with pytest.raises(CertificateError, match="no certificate can be kept"):
        own_certificate(tmp_path / "tls", NAMES, NOW)


def test_the_machine_knows_what_browsers_call_it() -> None:
    names = names_of_machine()
    assert {"localhost", "127.0.0.1"} <= set(names)
    assert any(name.endswith(".local") for name in names)


# -- nginx in front ---------------------------------------------------------------------------------------------------


def test_a_phone_gets_the_pages_by_https_with_a_cookie_that_goes_no_other_way(house: House, tmp_path: Path) -> None:
    house.organizer()
    with behind_nginx(house, tmp_path) as web:
        answer = web.get("/login")
        assert answer.status == 200
        assert "Log in" in answer.read().decode()
        assert answer.getheader("Strict-Transport-Security") is None, "the screen's plain page has the same name"
        cookie = SimpleCookie(answer.getheader("Set-Cookie") or "")["platypus"]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
        assert stat.S_IMODE(web.front.upstream.stat().st_mode) == 0o600
    assert not web.front.upstream.exists()


def test_who_comes_without_tls_is_led_to_https(house: House, tmp_path: Path) -> None:
    with behind_nginx(house, tmp_path) as web:
        plain = http.client.HTTPConnection("127.0.0.1", web.port, timeout=5)
        web.visits.callback(plain.close)
        plain.request("GET", "/login?next=screen")
        answer = plain.getresponse()
        assert answer.status == 301
        assert answer.getheader("Location") == f"https://127.0.0.1:{web.port}/login?next=screen"


def test_nobody_can_lend_themselves_another_address(house: House, tmp_path: Path) -> None:
    house.organizer()
    seen: list[str | None] = []
    house.app.before_request_funcs.setdefault(None, []).append(lambda: seen.append(_peer()))
    lies = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-By"), "203.0.113.9")
    with behind_nginx(house, tmp_path) as web:
        assert web.get("/login", {**lies, "Forwarded": "for=203.0.113.9;host=evil.example"}).status == 200
    assert seen == ["127.0.0.1"]


def _peer() -> str | None:
    import flask

    assert flask.request.host.startswith("127.0.0.1")
    return flask.request.remote_addr


def test_live_news_come_at_once_through_it(house: House, tmp_path: Path) -> None:
    with behind_nginx(house, tmp_path) as web:
        organizer = house.organizer()
        cookie = organizer.get_cookie("platypus")
        assert cookie is not None
        visit = web.connect()
        visit.request("GET", "/events", headers={"Cookie": f"platypus={cookie.value}"})
        answer = visit.getresponse()
        assert (answer.status, answer.getheader("Content-Type")) == (200, "text/event-stream; charset=utf-8")
        lines = [answer.readline() for _ in range(5)]
        assert any(line.startswith(b"event: snapshot") for line in lines)


def test_files_are_compressed_and_pages_with_their_tokens_are_not(house: House, tmp_path: Path) -> None:
    house.organizer()
    packed = {"Accept-Encoding": "gzip"}
    with behind_nginx(house, tmp_path) as web:
        reader = web.get("/static/vendor/zxing_reader.wasm", packed)
        assert reader.getheader("Content-Encoding") == "gzip"
        assert len(reader.read()) < 450_000
        assert web.get("/static/live.js", packed).getheader("Content-Encoding") == "gzip"
        assert web.get("/login", packed).getheader("Content-Encoding") is None


def test_a_hundred_who_never_finish_their_request_keep_nobody_out(house: House, tmp_path: Path) -> None:
    with behind_nginx(house, tmp_path) as web, ExitStack() as slow:
        for _ in range(100):
            one = slow.enter_context(socket.create_connection(("127.0.0.1", web.port), timeout=5))
            tls = slow.enter_context(trusting(web.front.certificate).wrap_socket(one, server_hostname="127.0.0.1"))
            tls.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400\r\n\r\npin=1")
        assert web.get("/healthz").read() == b"ok\n"


def test_a_body_without_end_is_refused_before_it_is_read(house: House, tmp_path: Path) -> None:
    with behind_nginx(house, tmp_path) as web:
        visit = web.connect()
        visit.putrequest("POST", "/talks/upload")
        visit.putheader("Content-Length", str(10_000_000))
        visit.endheaders()
        assert visit.getresponse().status == 413


def test_nginx_that_is_killed_is_back_by_itself(house: House, tmp_path: Path) -> None:
    with behind_nginx(house, tmp_path) as web:
        pid = int((tmp_path / "run/https/nginx.pid").read_text())
        os.kill(pid, 9)
        wait_for(lambda: web.front.cause != "")
        wait_for(lambda: web.front.cause == "" and is_open(web.port), 10)
        assert web.get("/healthz").status == 200


def test_a_port_that_is_taken_is_said_and_tried_again(house: House, tmp_path: Path) -> None:
    clock = SystemClock()
    certificate = own_certificate(tmp_path / "tls", NAMES, NOW)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = HttpsSettings(host="127.0.0.1", port=other.getsockname()[1])
        with Front(settings, certificate, tmp_path / "run", clock) as front:
            front.start()
            wait_for(lambda: "Address already in use" in front.cause, 10)
            other.close()
            wait_for(lambda: front.cause == "", 10)


@pytest.mark.parametrize("folder", ["/a b", '/a"b', "/a$b", "/a;b", "/a:b", "/a\nb"])
def test_a_path_that_would_be_more_than_a_path_to_nginx_is_refused(tmp_path: Path, folder: str) -> None:
    certificate = own_certificate(tmp_path, NAMES, NOW)
    with pytest.raises(ValueError, match="choose another folder"):
        nginx_config(HttpsSettings(), certificate, Path("/run/x.sock"), Path(folder))


# -- what may be chosen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert DashboardSettings(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.168.1.5", "door.local"])
def test_plain_http_for_the_network_has_to_be_asked_for_in_words(host: str) -> None:
    with pytest.raises(ValueError, match='plain_http = "whole-network"'):
        DashboardSettings(host=host)
    assert DashboardSettings(host=host, plain_http="whole-network").host == host


def test_a_certificate_and_its_key_go_together() -> None:
    with pytest.raises(ValueError, match="go together"):
        HttpsSettings(certificate="/etc/ssl/door.pem")


def test_the_process_itself_serves_https(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "platypus.toml"
    config.write_text(
        f'state_dir = "{tmp_path}/state"\nrun_dir = "{tmp_path}/run"\n[bus]\nsocket = "{tmp_path}/bus.sock"\n'
        '[door]\nevent = "evening"\n[door.camera]\nkind = "pictures"\nfolder = "."\n'
        f'[dashboard]\nport = 0\n[dashboard.https]\nhost = "127.0.0.1"\nport = {port}\n'
    )
    run = [sys.executable, "-m", "kiosk"]
    subprocess.run(
        [*run, "event", "create", "evening", "--name", "Evening", "--capacity", "5", "--config", str(config)],
        check=True,
        capture_output=True,
    )
    with subprocess.Popen([*run, "dashboard", "--config", str(config)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(3)]
            assert "certificate" in said[1]
            assert f":{port}/first/" in said[2]
            wait_for(lambda: is_open(port), 10)
            certificate = read_certificate(tmp_path / "state/tls/certificate.pem", tmp_path / "state/tls/key.pem")
            assert certificate.sha256 in said[1]
            with closing(
                http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=trusting(certificate))
            ) as visit:
                visit.request("GET", "/healthz")
                assert visit.getresponse().status == 200
        finally:
            process.terminate()
    wait_for(lambda: not is_open(port))


def test_without_its_https_the_process_says_an_address_that_works(tmp_path: Path) -> None:
    config = tmp_path / "platypus.toml"
    config.write_text(
        f'state_dir = "{tmp_path}/state"\nrun_dir = "{tmp_path}/run"\n[bus]\nsocket = "{tmp_path}/bus.sock"\n'
        '[door]\nevent = "evening"\n[door.camera]\nkind = "pictures"\nfolder = "."\n[dashboard]\nport = 0\n'
        f'[dashboard.https]\ncertificate = "{tmp_path}/none.pem"\nkey = "{tmp_path}/none.key"\n'
    )
    run = [sys.executable, "-m", "kiosk"]
    create = ["event", "create", "evening", "--name", "Evening", "--capacity", "5", "--config", str(config)]
    subprocess.run([*run, *create], check=True, capture_output=True)
    with subprocess.Popen(
        [*run, "dashboard", "--config", str(config)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            where, first = (process.stdout.readline() for _ in range(2))
        finally:
            process.terminate()
    assert where.split()[1].startswith("http://127.0.0.1:")
    assert f"{where.split()[1]}/first/" in first
