"""What every request passes: a known Host, a session where one is needed, and headers that forbid the rest."""

from __future__ import annotations

import ipaddress
from datetime import datetime

import flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from werkzeug.exceptions import BadRequest

from hardware.clock import Clock
from kiosk.dashboard.settings import DashboardSettings

# Everything comes from us, nothing is inline: a name on a ticket can never become a script.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_FILM_POLICY = f"{CONTENT_POLICY}; media-src 'self' blob:"  # a script may give the player what it fetched
# A phone as a scanner: a reader in WebAssembly, in a worker, whose own policy is that of its script's answer.
_SCAN_POLICY = CONTENT_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'")
_SCAN_WORKER = "/static/scan/worker.js"
_LOCAL_NETWORKS = tuple(  # RFC 1918, RFC 3927; RFC 4193, RFC 4291
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
_MAY_BE_KEPT = frozenset({"static", "watch_playlist", "watch_segment"})  # as they say themselves
_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


class Cookies(SecureCookieSessionInterface):
    """Session cookies that are Secure exactly when the page came by https, and that no wrong clock ends.

    One installation may be reached both ways: by https through a proxy, and by http in the room. How long a login lasts
    is told by the list of phones, by a clock that never jumps: that of a Pi without a network may be months behind, and
    a phone throws away a cookie that expires in its past.
    """

    def __init__(self, settings: DashboardSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def open_session(self, app: flask.Flask, request: flask.Request) -> SecureCookieSession:
        serializer = self.get_signing_serializer(app)
        value = request.cookies.get(self.get_cookie_name(app))
        if serializer is None or value is None:
            return self.session_class()
        try:
            return self.session_class(serializer.loads(value))  # however old it is by the wall clock
        except BadSignature:
            return self.session_class()

    def get_expiration_time(self, app: flask.Flask, session: SessionMixin) -> datetime | None:
        return super().get_expiration_time(app, session) if self._clock.stamp().is_trusted else None

    def get_cookie_secure(self, app: flask.Flask) -> bool:
        is_public = self._settings.is_public_url_secure and host_name(flask.request.host) == self._settings.public_host
        return flask.request.is_secure or is_public


def guard(app: flask.Flask, settings: DashboardSettings) -> None:
    """Check the Host of every request first, and put the headers on every answer."""
    names = {"localhost", *(name.lower() for name in settings.hosts)}
    if settings.public_host:
        names.add(settings.public_host)

    @app.before_request
    def refuse_unknown_host() -> None:
        name = host_name(flask.request.host)
        # A page elsewhere can point its own name at our address (DNS rebinding); it cannot own an IP or .local.
        if not (name in names or name.endswith(".local") or _is_address(name)):
            raise BadRequest(
                f"This page is not known by the name {name!r}. Use the address the Pi shows, "
                "or add the name to hosts under [dashboard] in platypus.toml."
            )

    @app.after_request
    def put_headers(response: flask.Response) -> flask.Response:
        is_scan = flask.request.endpoint == "door_scan"
        response.headers["Content-Security-Policy"] = _policy(flask.request)
        response.headers["Permissions-Policy"] = f"camera=({'self' if is_scan else ''}), microphone=(), geolocation=()"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if flask.request.endpoint not in _MAY_BE_KEPT or response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store"
        return response


def _policy(request: flask.Request) -> str:
    if request.endpoint == "watch":
        return _FILM_POLICY
    return _SCAN_POLICY if request.endpoint == "door_scan" or request.path == _SCAN_WORKER else CONTENT_POLICY


def host_name(host: str) -> str:
    """The name in a Host header, without the port, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().removesuffix(".")


def is_on_this_machine(request: flask.Request) -> bool:
    """Whether the browser runs beside us: a loopback peer that called us so, and no proxy in between."""
    if any(header in request.headers for header in _FORWARDED):
        return False
    name = host_name(request.host)
    return _is_loopback(request.remote_addr or "") and is_own_name(name)


def is_own_name(name: str) -> bool:
    """Whether only this machine finds itself under this name."""
    return name == "localhost" or _is_loopback(name)


def is_in_local_network(request: flask.Request) -> bool:
    """Whether the browser is here at the venue: it has a private address, and no proxy passed its request on.

    A loopback address is the venue's only for a browser on this machine: else it is the end of a tunnel.
    """
    if any(header in request.headers for header in _FORWARDED) or not _is_address(request.remote_addr or ""):
        return False
    address = ipaddress.ip_address(request.remote_addr or "")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    is_private = any(address in network for network in _LOCAL_NETWORKS if network.version == address.version)
    return is_private or is_on_this_machine(request)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ipaddress.ip_address(name).is_loopback
