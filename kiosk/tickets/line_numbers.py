"""The numbers on the paper list: a ticket's own number in its event, and a digit that notices a slip of the finger.

"27-4" is ticket no. 27. Its last digit is Damm's (H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004):
every single wrong digit and every swap of two neighbours is noticed, of other mistakes nine in ten. Each event begins
the sum at another place, so that of the paper of another event, up to nine before or after in the ledger, no number
fits. A ticket keeps its number whatever a later list says, so an old paper stays good.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_DAMM = (  # a weakly totally anti-symmetric quasigroup of order 10, with zeros on its diagonal
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
_WRITTEN = re.compile(r"([1-9]\d{0,8})[-.]?(\d)")  # none begins with 0, so what a slip makes of one is noticed
# As phones and paper write a dash.
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\u00ad_"), "-")


class LineNumber(NamedTuple):
    """A number as it was typed."""

    number: int  # of the ticket
    check: int

    def fits(self, event_id: int) -> bool:
        """Whether it is a number of the paper of that event."""
        return self.check == _check(event_id, self.number)

    def __str__(self) -> str:
        return f"{self.number}-{self.check}"


def line_number(event_id: int, number: int) -> str:
    """How the paper of an event calls ticket `number`."""
    return str(LineNumber(number, _check(event_id, number)))


def read_line_number(text: str) -> LineNumber | None:
    """What somebody typed, with or without its dash; None when that is no number of any paper."""
    found = _WRITTEN.fullmatch(plain_digits(text))
    if found is None:
        return None
    return LineNumber(int(found[1]), int(found[2]))


def plain_digits(text: str) -> str:
    """`text` with the digits, dashes and colons of any keyboard as 0 to 9, - and :"""
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _check(event_id: int, number: int) -> int:
    row = event_id % 10
    for digit in str(number):
        row = int(_DAMM[row][int(digit)])
    return row
