"""Requests to one server and its answers as records; what goes wrong is told in words, never with a token."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec
import urllib3

from kiosk.tickets.pretix.errors import PretixAway, PretixError, PretixRefused, PretixRejected, PretixRevoked

_Kind = TypeVar("_Kind")

_TIMEOUT = urllib3.Timeout(connect=5.0, read=20.0)
_LARGEST_BYTES = 20_000_000  # a page of 50 orders has some 80 kB


class Said(NamedTuple):
    """An answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Wire:
    """Requests to one server: no redirect is followed, so no token goes anywhere else."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = {"Accept": "application/json", "Accept-Language": "en", "User-Agent": "Platypus", **headers}
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False, ssl_context=ssl.create_default_context())

    def ask(self, method: str, url: str, body: Mapping[str, Any] | None = None, also: Sequence[int] = ()) -> Said:
        """The answer; of others than success only those `also`. Raises PretixAway, PretixRefused."""
        try:
            response = self._pool.request(method, url, headers=self._headers, json=body, preload_content=False)
            try:
                content = response.read(_LARGEST_BYTES + 1)
            finally:
                response.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise PretixAway(
                f"{host_of(url)} shows a certificate that is not good for it ({_reason(error)}). Is there a login page "
                "of the wifi between, or a wrong clock?"
            ) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PretixAway(f"{host_of(url)} does not answer ({_reason(error)}). Is the network there?") from error
        if len(content) > _LARGEST_BYTES:
            raise PretixRefused(f"{host_of(url)} answers with more than {_LARGEST_BYTES // 1_000_000} MB")
        said = Said(response.status, response.headers, content)
        if 200 <= said.status < 300 or said.status in also:
            return said
        raise _refusal(host_of(url), said)


def _refusal(host: str, said: Said) -> PretixError:
    if said.status == 401:
        return PretixRevoked(f"{host} no longer knows this device (401): it was revoked. Enrol it again.")
    if said.status == 403:
        return PretixRefused(
            f"{host} does not let this device do that (403). In pretix its security profile must be pretixSCAN, and "
            "the event one of its events."
        )
    if said.status == 404:
        return PretixRefused(f"{host} knows no such event or check-in list (404): choose it again")
    if said.status == 429 or said.status >= 500:
        return PretixAway(f"{host} is in trouble itself (HTTP {said.status})")
    if 300 <= said.status < 400:
        return PretixAway(f"{host} sends us elsewhere (HTTP {said.status}): is there a login page of the wifi between?")
    return PretixRejected(f"{host} did not take what we sent (HTTP {said.status})")


def read(said: Said, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(said.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PretixAway(
            f"what came is no answer of pretix ({_short(error)}): is there a login page between?"
        ) from None


def convert(tree: Any, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise PretixRefused(f"pretix answered in a form that we do not know ({_short(error)})") from None


def host_of(url: str) -> str:
    return urlsplit(url).netloc


def _reason(error: BaseException) -> str:
    """The kind of failure, without addresses or tokens."""
    cause = error
    names = {
        "NewConnectionError": "no connection",
        "NameResolutionError": "its name is not found",
        "ConnectTimeoutError": "no connection within 5 s",
        "ReadTimeoutError": "no answer within 20 s",
        "ProtocolError": "it hung up",
        "SSLError": "TLS failed",
    }
    return names.get(type(cause).__name__, type(cause).__name__)


def _short(error: BaseException) -> str:
    return str(error).partition(" - at ")[0][:100]
