"""One round of the post: every letter once, at the pace that the server bears, and what came of each.

At least once, never lost: a letter counts as sent when the server took it, and that is noted before the next one goes.
If we are killed between the two, or the line breaks before the server's answer, that one letter goes again; it has the
same Message-ID, by which most mailboxes show it once.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple, Protocol

from hardware.clock import Clock
from kiosk.post.courier import Courier, NoCourier, RefusedForGood, RefusedForNow
from kiosk.post.letter import Letter

log = logging.getLogger(__name__)

RETRY_S = (60.0, 300.0, 900.0, 1800.0)  # a greylist opens after some 5 minutes


class Due(NamedTuple):
    """A letter that is to go; it is written when its turn has come, since its pictures take a megabyte for ten."""

    number: int  # of the ticket
    write: Callable[[], Letter]


class Failed(NamedTuple):
    """A letter that did not go."""

    number: int
    why: str
    is_for_good: bool


class Done(NamedTuple):
    """What a round did."""

    sent: Sequence[int]
    failed: Sequence[Failed]
    left: Sequence[int]  # nobody tried, or not to the end: the round ended before
    stopped_by: str = ""  # why it ended before; "": it did not
    is_interrupted: bool = False  # by whoever ran it


class Onlooker(Protocol):
    """Hears how the round goes."""

    def sent(self, number: int, done: int, total: int) -> None:
        """A letter was taken and noted."""

    def waits(self, seconds: float, letters: int) -> None:
        """Nothing to do for a while: so many letters are still to go."""


def deliver(
    due: Sequence[Due],
    courier: Courier,
    per_minute: int,
    clock: Clock,
    wait: Callable[[float], None],
    note: Callable[[Letter], None],
    onlooker: Onlooker,
) -> Done:
    """Send all of `due`. `note` makes a letter that was taken durable; `wait` lets seconds pass.

    Raises what `note` raises: without it, letters would go twice.
    """
    turn = count()
    waiting = [(0.0, next(turn), 0, each) for each in due]  # when (monotonic), which first, tries so far
    sent: list[int] = []
    failed: list[Failed] = []
    free_s = clock.monotonic()  # when the pace lets the next one go
    broken = 0  # times in a row that there was no courier

    def done(why: str = "", *, is_interrupted: bool = False, hand: Sequence[Due] = ()) -> Done:
        left = [*(each.number for each in hand), *(each.number for *_, each in waiting)]
        log.info("post event=round sent=%d failed=%d left=%d", len(sent), len(failed), len(left))
        return Done(sent, failed, sorted(left), why, is_interrupted)

    while waiting:
        at_s, place, tries, each = heapq.heappop(waiting)
        try:
            now_s = clock.monotonic()
            pause_s = max(at_s, free_s) - now_s
            if pause_s > 60 / per_minute + 1:
                onlooker.waits(pause_s, len(waiting) + 1)
            if pause_s > 0:
                wait(pause_s)
            free_s = clock.monotonic() + 60 / per_minute
            letter = each.write()
            courier.send(letter)
            note(letter)
            sent.append(each.number)
            onlooker.sent(each.number, len(sent), len(due))
        except KeyboardInterrupt:
            return done(is_interrupted=True, hand=[each])
        except RefusedForGood as error:
            log.warning("post event=refused ticket=%d", each.number)
            failed.append(Failed(each.number, str(error), is_for_good=True))
        except RefusedForNow as error:
            log.info("post event=deferred ticket=%d tries=%d", each.number, tries + 1)
            if tries == len(RETRY_S):
                failed.append(Failed(each.number, str(error), is_for_good=False))
            else:
                heapq.heappush(waiting, (clock.monotonic() + RETRY_S[tries], next(turn), tries + 1, each))
        except NoCourier as error:
            if not sent or broken == len(RETRY_S):  # it never worked, or has not for an hour
                return done(str(error), hand=[each])
            log.warning("post event=no-courier ticket=%d times=%d", each.number, broken + 1)
            free_s = clock.monotonic() + RETRY_S[broken]  # nobody else would get through either
            broken += 1
            heapq.heappush(waiting, (at_s, place, tries, each))
            continue
        broken = 0
    return done()
