"""Which file of the recording a moment belongs to: a pure rule over the orders, one take after the other.

A talk's take begins with the slate that introduces it and ends with the next talk's, the end, or the stop: a break or a
hidden camera in the middle of it stays in it, as a chapter. What is before the first talk, and what is after the end,
are takes without a talk. Without an agenda each press of "next" begins a take.
"""

from __future__ import annotations

import msgspec

from stream.order import Order, Program
from stream.talks import TalkInfo, Talks


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded now. Two of the same `number` are in one file; there `program` makes chapters."""

    number: int = 0
    program: Program = "camera"
    talk_id: str | None = None
    talk: TalkInfo | None = None  # None also when the agenda never knew it

    @property
    def is_recorded(self) -> bool:
        """Whether it may be written to a file at all."""
        return self.talk is None or not self.talk.do_not_record


def next_take(before: Take | None, order: Order, talks: Talks) -> Take:
    """The take of a live `order`; `before` is the one until now, None when the stream was stopped."""
    talk_id = None if order.program in ("starting", "end") else order.talk
    talk = None if talk_id is None else talks.talk(talk_id) or order.remembers(talk_id)
    if before is None:
        return Take(number=1, program=order.program, talk_id=talk_id, talk=talk)
    is_same = talk_id == before.talk_id
    if talk_id is None and order.program == "next" != before.program:
        is_same = False
    number = before.number if is_same else before.number + 1
    return Take(number=number, program=order.program, talk_id=talk_id, talk=talk)
