"""What stands where on a ticket: the card of 105 x 148 mm (A6), and the label of 62 mm.

Event, time and place above on the look's colours; below, on white, whose ticket it is and its QR, as large as there is
room for. The label has no colours: its printer burns black.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from PIL import Image

from kiosk.tickets.codes import groups
from kiosk.tickets.design import Design
from kiosk.tickets.drawing import BLACK, QUIET_ZONE, Area, Colour, Drawing, Inset, Item, Symbol
from kiosk.tickets.ticket_words import TicketWords
from kiosk.tickets.typesetting import PX, Type
from stream.look import scaled

# mm
CARD = (105.0, 148.0)  # four are an A4 sheet
LABEL_WIDTH = 62.0  # of a continuous roll such as Brother's DK-22205
LABEL_EDGE = 4.0  # its printer leaves 3 mm white
SMALLEST_MODULE = 0.8  # read by every reader of ours at 150 dpi; a phone in a hand does better
_EDGE = 6.0
_PAD = 5.0  # within the band
_INNER = CARD[0] - 2 * _EDGE
_STEP = 2 / 15  # modules grow by this: whole pixels in a picture of 7.5 px a mm
_LARGEST_MODULE = 15 * _STEP
_LABEL_MODULE = 1.5  # 12 dots at 203 dpi; 49.5 mm with its quiet zone
_SPONSOR = (13.0, 7.0)
_MOST_SPONSORS = 6  # on a ticket; more take turns, ticket by ticket

_NAME, _LABEL_NAME = 6.6, 6.4
_SOFT: Colour = "#555555"


class Printable(NamedTuple):
    """What stands on one ticket."""

    number: int
    code: str
    holder: str
    product: str
    persons: int = 1


class Evening(NamedTuple):
    """What stands on all of them."""

    name: str
    when: datetime | None = None  # in the venue's zone
    venue: str = ""


class Cards:
    """Draws the cards of one event in one language."""

    def __init__(self, evening: Evening, design: Design, say: TicketWords) -> None:
        self._design = design
        self._say = say
        self.ground, self._foot = _band(evening, design, say)  # the same on every card
        self._logos = [_inset(each, *_SPONSOR) for each in design.sponsors]

    def prepare(self, tickets: Sequence[Printable]) -> None:
        """Set the names that are pictures, many at a time."""
        self._design.type.prepare((each.holder for each in tickets), _NAME, is_bold=True)

    def own(self, ticket: Printable, rows: Sequence[Sequence[bool]]) -> Drawing:
        """What stands on this card alone, above the `ground`. `rows` are the modules of its QR."""
        set_, say = self._design.type, self._say
        items: list[Item] = []
        y = self._foot + 4.5
        number = set_.place(say.ticket_number.format(ticket.number), _EDGE, y, _INNER, 2.9, _SOFT)
        items += number.items
        y += number.height + 2.0
        name = set_.place(ticket.holder, _EDGE, y, _INNER, _NAME, is_bold=True, most_lines=2)
        items += name.items
        y += name.height + 2.0
        kind = set_.place(kind_of(ticket, say), _EDGE, y, _INNER, 4.0, _SOFT)
        items += kind.items
        y += kind.height
        foot = CARD[1] - _EDGE
        sponsors = self._sponsors(ticket.number)
        if sponsors:
            foot -= _SPONSOR[1]
            items += _row(sponsors, foot)
            foot -= 2.0
        hint = set_.place(say.if_unread, _EDGE, foot - 2.8, _INNER, 2.7, _SOFT, is_centred=True)
        foot -= 2.8 + 1.6 + 3.6
        code = set_.place(groups(ticket.code), _EDGE, foot, _INNER, 3.5, is_centred=True)
        items += [*hint.items, *code.items]
        side = len(rows) + 2 * QUIET_ZONE
        module = max(SMALLEST_MODULE, min(_LARGEST_MODULE, int((foot - y) / side / _STEP) * _STEP))
        spare = foot - y - module * side
        items.append(Symbol((CARD[0] - module * side) / 2, y + spare / 2, module, rows))
        return Drawing(*CARD, items)

    def _sponsors(self, number: int) -> Sequence[Inset]:
        there = self._logos
        count = min(len(there), _MOST_SPONSORS)
        first = (number - 1) * count if len(there) > count else 0
        return [there[(first + at) % len(there)] for at in range(count)]


class Labels:
    """Draws the labels of one event in one language."""

    def __init__(self, evening: Evening, design: Design, say: TicketWords) -> None:
        self._type = design.type
        self._say = say
        self._head, self._foot = _label_head(evening, design.type, say)

    def prepare(self, tickets: Sequence[Printable]) -> None:
        """Set the names that are pictures, many at a time."""
        self._type.prepare((each.holder for each in tickets), _LABEL_NAME, is_bold=True)

    def whole(self, ticket: Printable, rows: Sequence[Sequence[bool]]) -> Drawing:
        """A label, as long as it needs."""
        width = LABEL_WIDTH - 2 * LABEL_EDGE
        say, items, y = self._say, list(self._head), self._foot + 3.2
        for text, size, most_lines, gap in (
            (ticket.holder, _LABEL_NAME, 3, 1.8),
            (kind_of(ticket, say), 3.8, 1, 0.0),
        ):
            placed = self._type.place(
                text, LABEL_EDGE, y, width, size, is_bold=size == _LABEL_NAME, most_lines=most_lines
            )
            items += [_without_colour(each) for each in placed.items]
            y += placed.height + (gap if placed.items else 0)
        symbol = Symbol(0, y, _LABEL_MODULE, rows)
        items.append(symbol._replace(x=(LABEL_WIDTH - symbol.side) / 2))
        y += symbol.side
        said = groups(ticket.code)
        for text, size, gap in (
            (said[:19], 3.5, 0.8),
            (said[20:], 3.5, 1.8),
            (say.if_unread, 2.6, 1.2),
            (say.ticket_number.format(ticket.number), 2.6, 0.0),
        ):
            placed = self._type.place(text, LABEL_EDGE, y, width, size, most_lines=2, is_centred=True)
            items += placed.items
            y += placed.height + gap
        return Drawing(LABEL_WIDTH, y + LABEL_EDGE, items)


def kind_of(ticket: Printable, say: TicketWords) -> str:
    """What a ticket is good for: its kind, and for how many."""
    parts = [ticket.product, say.persons.format(ticket.persons) if ticket.persons > 1 else ""]
    return " · ".join(part for part in parts if part)


def _band(evening: Evening, design: Design, say: TicketWords) -> tuple[Drawing, float]:
    """The coloured head of a card, and where it ends."""
    look, x, width = design.look, _EDGE + _PAD, _INNER - 2 * _PAD
    y = _EDGE + _PAD
    items: list[Item] = []
    if design.logo is not None:
        logo = _inset(design.logo, 46.0, 11.0)
        items.append(logo._replace(x=x, y=y))
        y += logo.height + 3.5
    for text, size, colour, is_bold, most_lines, gap in (
        (evening.name, 6.2, look.text, True, 2, 2.6),
        (say.when(evening.when) if evening.when else "", 4.1, look.accent, True, 1, 1.8),
        (evening.venue, 3.5, look.text, False, 2, 0.0),
    ):
        placed = design.type.place(text, x, y, width, size, colour, is_bold=is_bold, most_lines=most_lines)
        items += placed.items
        y += placed.height + (gap if placed.items else 0)
    foot = y + _PAD
    bar = Area(_EDGE, foot, _INNER, 1.0, look.accent)
    return Drawing(*CARD, [Area(_EDGE, _EDGE, _INNER, foot - _EDGE, look.background), bar, *items]), foot + 1.0


def _label_head(evening: Evening, type_: Type, say: TicketWords) -> tuple[Sequence[Item], float]:
    width = LABEL_WIDTH - 2 * LABEL_EDGE
    items: list[Item] = []
    y = LABEL_EDGE
    for text, size, is_bold, gap in (
        (evening.name, 4.6, True, 1.6),
        (say.when(evening.when) if evening.when else "", 3.3, False, 1.0),
        (evening.venue, 3.0, False, 0.0),
    ):
        placed = type_.place(text, LABEL_EDGE, y, width, size, is_bold=is_bold, most_lines=2)
        items += [_without_colour(each) for each in placed.items]
        y += placed.height + (gap if placed.items else 0)
    y += 2.2
    return [*items, Area(LABEL_EDGE, y, width, 0.4, BLACK)], y + 0.4


def _row(logos: Sequence[Inset], y: float) -> Sequence[Item]:
    """Logos side by side in the middle, with as much between any two."""
    gap = 2.8
    x = (CARD[0] - sum(each.width for each in logos) - gap * (len(logos) - 1)) / 2
    placed = []
    for each in logos:
        placed.append(each._replace(x=x, y=y + (_SPONSOR[1] - each.height) / 2))
        x += each.width + gap
    return placed


def _inset(logo: Image.Image, width: float, height: float) -> Inset:
    fitted = scaled(logo, (round(width * PX), round(height * PX)))
    return Inset(0, 0, fitted.width / PX, fitted.height / PX, fitted)


def _without_colour(item: Item) -> Item:
    """An emoji on a label is grey: its printer has no colours."""
    return item._replace(picture=item.picture.convert("LA")) if isinstance(item, Inset) else item
