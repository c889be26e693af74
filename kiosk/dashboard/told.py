"""Sentences that other processes say, in the language of the page.

Stream, door and ledger speak English on the bus, in logs and on the command line. A page knows such a sentence by its
form: `told_forms.FORMS` has one for each, whose French is in the catalogue like that of any other sentence. The
values of the sentence are put into the French one; a value whose name begins with `said` is a told sentence itself.
What has no form is shown as it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from kiosk.dashboard.language import SOURCE, _, spoken
from kiosk.dashboard.told_forms import FORMS

_VALUE = re.compile(r"%\((\w+)\)s")
_JOINT = re.compile(r"\n\s*|(?<=[.!?])\s+|; ")
_TOLD = "said"  # how the names of values begin that are told sentences themselves
_DECIMAL = re.compile(r"\d+\.\d+")


def told(text: str) -> str:
    """`text` in the language of the moment."""
    if spoken() == SOURCE or not text:
        return text
    found = known(text)
    if found is None:
        return _told_in_parts(text)
    form, values = found
    said = _(form) % {name: _value(name, value) for name, value in values.items()} if values else _(form)
    return said[:1].upper() + said[1:] if text[:1].isupper() else said


def _told_in_parts(text: str) -> str:
    parts = _JOINT.split(text)
    said = [told(part) for part in parts] if len(parts) > 1 else parts
    if said == parts:
        return text
    whole = said[0]
    for joint, then in zip(_JOINT.findall(text), said[1:], strict=True):
        whole = _("%(first)s; %(then)s", first=whole, then=then) if joint == "; " else whole + joint + then
    return whole


def sentence(text: str) -> str:
    """`text` told, with a capital and a full stop."""
    text = told(text.strip())
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?", "…")) else ".")


def known(text: str) -> tuple[str, Mapping[str, str]] | None:
    """The form of a sentence and its values, or None."""
    found = _best(text)
    return None if found is None else (found.form, found.values)


class _Fit(NamedTuple):
    explained: int  # how many characters are a form's, those of told values with them
    form: str
    values: Mapping[str, str]


@lru_cache(maxsize=2000)
def _best(text: str) -> _Fit | None:
    """The form that explains most of a sentence: a short one with a value that swallows the rest is not meant."""
    fits = []
    for form, own, pattern in _patterns():
        if match := pattern.fullmatch(text):
            values = match.groupdict()
            inner = [_best(value) for name, value in values.items() if name.startswith(_TOLD)]
            fits.append(_Fit(own + sum(fit.explained for fit in inner if fit is not None), form, values))
    return max(fits, key=lambda fit: fit.explained, default=None)


@cache
def _patterns() -> list[tuple[str, int, re.Pattern[str]]]:
    """Every form, how many characters it has of its own, and it as an expression."""
    # Only a sentence of several lines has values of several: else each line is told by itself.
    return [
        (form, len(_VALUE.sub("", form)), re.compile(_expression(form), re.DOTALL if "\n" in form else 0))
        for form in FORMS
    ]


def _expression(form: str) -> str:
    # Split by values: literal, name, literal, name, ..., literal.
    parts = _VALUE.split(form)
    literals = [re.escape(part) for part in parts[::2]]
    if parts[0][:1].isalpha():  # it may stand at the beginning of a sentence, or behind something
        first = parts[0][0]
        literals[0] = f"[{first.lower()}{first.upper()}]{re.escape(parts[0][1:])}"
    seen: set[str] = set()
    expression = literals[0]
    for name, literal in zip(parts[1::2], literals[1:], strict=True):
        expression += (f"(?P={name})" if name in seen else f"(?P<{name}>{_value_expression(name)})") + literal
        seen.add(name)
    return expression


def _value_expression(name: str) -> str:
    if name == "letters":
        return "[A-Z]{3}"
    return ".+?" if name.startswith(_TOLD) else "(?:(?!; ).)+?"  # where two sentences are joined, neither is a value


def _value(name: str, value: str) -> str:
    if name.startswith(_TOLD):
        return told(value)
    return value.replace(".", ",") if spoken() == "fr" and _DECIMAL.fullmatch(value) else value
