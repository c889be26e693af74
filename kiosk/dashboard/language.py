"""Which language a page speaks, and its sentences in it: French and English, out of one gettext catalogue.

Flask-Babel finds the language of a request and lets templates speak it. Words are also made outside of requests, where
news are sent: so the functions here ask for the language of the moment, which `speaking` sets for a while, and look a
sentence up in the same catalogue. English is the language of the source: what the catalogue does not know is said in
it, and so is everything that nobody asked for in another (a log, a test of words alone). Nothing translated is kept:
tables hold the English sentences, marked by `say_later`, and are looked up when they are said.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import flask
import flask_babel
from babel.dates import format_datetime
from babel.numbers import format_decimal
from werkzeug.exceptions import HTTPException

from kiosk.dashboard.settings import Language

SOURCE: Language = "en"
NAMES: Mapping[Language, str] = {"fr": "Français", "en": "English"}  # as its speakers call it
COOKIE = "platypus-language"
_YEAR_S = 365 * 24 * 3600
_FOLDER = Path(__file__).parent / "translations"
_held: ContextVar[Language | None] = ContextVar("language", default=None)


def _(sentence: str, **values: object) -> str:
    """The sentence in the language of the moment."""
    text = _catalogue(spoken()).gettext(sentence)
    return text % values if values else text


def pgettext(context: str, sentence: str, **values: object) -> str:
    """The same for a word that means several things: `context` says which."""
    text = _catalogue(spoken()).pgettext(context, sentence)
    return text % values if values else text


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """The same by number, which the sentences may call `%(num)s`."""
    return _catalogue(spoken()).ngettext(one, many, num) % {"num": num, **values}


def say_later(sentence: str) -> str:
    """Marks a sentence for the catalogue that is said by `_` when its time comes."""
    return sentence


class Later:
    """A sentence with its values that may still be said in any language: to whoever pressed, and to the list."""

    def __init__(self, say: Callable[[], str]) -> None:
        self._say = say

    def __str__(self) -> str:
        return self._say()

    @property
    def source(self) -> str:
        """As logs and lists keep it."""
        with speaking(SOURCE):
            return self._say()


def later(sentence: str, **values: object) -> Later:
    """A sentence to be said in more than one language; its values may be such sentences too."""
    return Later(partial(_, sentence, **values))


def spoken() -> Language:
    """The language of the moment."""
    held = _held.get()
    if held is not None:
        return held
    locale = flask_babel.get_locale()  # None outside of a request
    return _known(locale.language if locale else None) or SOURCE


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak `language` for a while, in a request or outside of any."""
    mark = _held.set(language)
    try:
        with flask_babel.force_locale(language):  # what templates ask
            yield
    finally:
        _held.reset(mark)


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    return gettext.translation("messages", _FOLDER, [language], fallback=language == SOURCE)


def wanted(default: Language) -> Language:
    """What whoever asks wants: their own choice, else their browser's, else the venue's."""
    if not flask.has_request_context():
        return default
    chosen = _known(flask.request.cookies.get(COOKIE))
    return chosen or _known(flask.request.accept_languages.best_match(get_args(Language))) or default


def of_page(default: Language) -> Language:
    """The language of the page that asks for news: news must not change it under the reader."""
    return _known(flask.request.args.get("language")) or default


def day_and_time(at: datetime, pattern: str) -> str:
    """A moment in its own zone, by CLDR's pattern: "EEEE d MMMM, HH:mm"."""
    return format_datetime(at, pattern, tzinfo=at.tzinfo, locale=spoken())


def decimal(number: float) -> str:
    """A number with one digit behind its point or comma."""
    return format_decimal(number, format="0.0", locale=spoken())


def add_language(app: flask.Flask, default: Language) -> None:
    """Let pages speak, and the link in their foot choose. `default`: for browsers that want none of our languages."""
    flask_babel.Babel(app, default_locale=SOURCE, locale_selector=lambda: wanted(default))
    app.jinja_env.globals.update(spoken=spoken, languages=NAMES, same_page=_same_page)

    @app.get("/language/<choice>")
    def language(choice: str) -> flask.typing.ResponseReturnValue:
        chosen = _known(choice)
        if chosen is None:
            flask.abort(404)
        answer = flask.redirect(_back(flask.request.args.get("next", "/")), 303)
        is_secure = app.session_interface.get_cookie_secure(app)
        answer.set_cookie(COOKIE, chosen, max_age=_YEAR_S, secure=is_secure, httponly=True, samesite="Lax")
        return answer


def _known(name: str | None) -> Language | None:
    return next((each for each in get_args(Language) if each == name), None)


def _same_page() -> str:
    """Where this page is found again in another language; the first page when it is the answer to a press."""
    request = flask.request
    return _back(request.full_path.removesuffix("?") if request.method in {"GET", "HEAD"} else request.path)


def _back(to: str) -> str:
    """`to` when it is a page of ours that can be opened, else the first page. Never an address from outside."""
    try:
        parts = urlsplit(to)
        flask.current_app.create_url_adapter(flask.request).match(parts.path, method="GET")  # type: ignore[union-attr]
    except (HTTPException, ValueError):
        return "/"
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc else "/"
