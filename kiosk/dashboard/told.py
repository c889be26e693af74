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

from kiosk.dashboard.language import SOURCE, _, spoken
from kiosk.dashboard.told_forms import FORMS

_VALUE = re.compile(r"%\((\w+)\)s")
_JOINT = re.compile(r"\n\s*|(?<=[.!?])\s+|; ")
_DECIMAL = re.compile(r"\d+\.\d+")


def told(text: str) -> str:
    """`text` in the language of the moment."""
    if spoken() == SOURCE or not text:
        return text
    found = known(text)
    if found is not None:
        form, values = found
        said = _(form) % {name: _value(name, value) for name, value in values.items()} if values else _(form)
        return said[:1].upper() + said[1:] if text[:1].isupper() else said
    parts = _JOINT.split(text)
    if len(parts) == 1:
        return text
    joints = [*_JOINT.findall(text), ""]
    return "".join(told(part) + joint for part, joint in zip(parts, joints, strict=True))


def sentence(text: str) -> str:
    """`text` told, with a capital and a full stop."""
    text = told(text.strip())
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?", "…")) else ".")


@lru_cache(maxsize=2000)
def known(text: str) -> tuple[str, Mapping[str, str]] | None:
    """The form of a sentence and its values, or None."""
    for form, pattern in _patterns():
        if match := pattern.fullmatch(text):
            return form, match.groupdict()
    return None


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Every form as an expression. First those that begin by themselves, and of these those that say most."""
    forms = sorted(set(FORMS), key=lambda form: (form.startswith("%("), -len(_VALUE.sub("", form))))
    # Only a sentence of several lines has values of several: else each line is told by itself.
    return [(form, re.compile(_expression(form), re.DOTALL if "\n" in form else 0)) for form in forms]


def _expression(form: str) -> str:
    # Split by values: literal, name, literal, name, ..., literal.
    parts = _VALUE.split(form)
    literals = [re.escape(part.replace("%%", "%")) for part in parts[::2]]
    if parts[0][:1].isalpha():  # it may stand at the beginning of a sentence, or behind something
        first = parts[0][0]
        literals[0] = f"[{first.lower()}{first.upper()}]{re.escape(parts[0][1:])}"
    seen: set[str] = set()
    expression = literals[0]
    for name, literal in zip(parts[1::2], literals[1:], strict=True):
        expression += (f"(?P={name})" if name in seen else f"(?P<{name}>.+?)") + literal
        seen.add(name)
    return expression


def _value(name: str, value: str) -> str:
    if name.startswith("said"):
        return told(value)
    return value.replace(".", ",") if spoken() == "fr" and _DECIMAL.fullmatch(value) else value
