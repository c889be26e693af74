"""Takes names, addresses, codes and keys out of a text that somebody else will read.

Two ways, since neither is enough: what is known to be secret or personal is looked for as it is written, and what looks
like an address, a code or a key is taken for one. Rather too much goes than too little.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import unquote

GONE = "(removed)"
_SHORTEST = 3  # letters: fewer are in any word, and name nobody
_WORD = re.compile(r"\w+")
_PERSON_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s\"'<>]*@", re.IGNORECASE)
_BEHIND_HOST = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s\"'<>]+)/[^\s\"'<>]+", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s<>\"'(),;:=]+@[^\s<>\"'(),;:=]+")
# Of ours: 26 letters of base32, hashes, tokens. A word of 16 letters and digits is no part of a sentence.
_KEY = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{16,}\b|\b[A-Z2-7]{26}\b")


class Veil:
    """Over texts with these words in them: of a hundred thousand names it keeps those that begin with one of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._vocabulary = {word for text in texts for word in _WORD.findall(text)}
        self._by_first: dict[str, list[str]] = defaultdict(list)
        self._others: set[str] = set()  # words that begin with a sign

    def hide(self, words: Iterable[str]) -> None:
        """From now on these, too."""
        for given in words:
            for word in _forms(given):
                begin = _WORD.match(word)
                if begin is None:
                    self._others.add(word)
                elif begin[0] in self._vocabulary:
                    same = self._by_first[begin[0]]
                    if word not in same:
                        same.append(word)
                        same.sort(key=len, reverse=True)

    def over(self, text: str) -> str:
        """The text without them."""
        for word in sorted(self._others, key=len, reverse=True):
            text = text.replace(word, GONE)
        text = self._without_known(text)
        text = _PERSON_IN_URL.sub(rf"\1{GONE}@", text)
        text = _BEHIND_HOST.sub(rf"\1/{GONE}", text)
        text = _EMAIL.sub(GONE, text)
        return _KEY.sub(GONE, text)

    def _without_known(self, text: str) -> str:
        parts, end = [], 0
        for begin in _WORD.finditer(text):
            at = begin.start()
            if at < end:
                continue  # inside of what went already
            for word in self._by_first.get(begin[0], ()):
                if text.startswith(word, at) and not _goes_on(text, at + len(word)):
                    parts += [text[end:at], GONE]
                    end = at + len(word)
                    break
        return "".join([*parts, text[end:]])


def _forms(word: str) -> list[str]:
    """As it may be written, each part of a name with a capital, and whose an address is."""
    word = word.strip()
    found = [word]
    if " " in word:
        found += [part for part in _WORD.findall(word) if part[0].isupper()]
    if "%" in word:
        found.append(unquote(word))
    if "@" in word:
        found.append(word.partition("@")[0])
    return [each for each in found if len(each) >= _SHORTEST]


def _goes_on(text: str, at: int) -> bool:
    return at < len(text) and text[at - 1].isalnum() and (text[at].isalnum() or text[at] == "_")
