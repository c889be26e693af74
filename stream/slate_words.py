"""What slates say, in the languages they speak. Every language has every word: a test sees to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Language = Literal["en", "fr"]


class SlateWords(NamedTuple):
    """One language. {} stands for what is filled in."""

    starts_at: str  # a time
    starts_soon: str
    any_moment: str
    in_time: str  # a duration
    minute: str
    minutes: str  # a number
    up_next: str
    in_a_moment: str
    pause: str
    back_at: str  # a time
    back_soon: str
    thanks: str
    see_you: str
    right_back: str
    sponsors: str
    hour_minute: str  # of a time
    days: tuple[str, str, str, str, str, str, str]  # from Monday
    day_and_time: str  # a day, the day of the month, a time

    def time(self, moment: datetime, now: datetime) -> str:
        """A moment of the clock on the wall, with its day when that is not today's. Both in the venue's zone."""
        clock = self.hour_minute.format(moment)
        if moment.date() == now.date():
            return clock
        return self.day_and_time.format(self.days[moment.weekday()], moment.day, clock)

    def countdown(self, left: timedelta) -> str:
        """How long until something begins, in whole minutes, the one that has begun counted."""
        minutes = -(-left // timedelta(minutes=1))
        if minutes <= 0:
            return self.any_moment
        if minutes < 60:
            return self.in_time.format(self.minute if minutes == 1 else self.minutes.format(minutes))
        if minutes < 24 * 60:
            return self.in_time.format(f"{minutes // 60}\u00a0h\u00a0{minutes % 60:02d}")
        return ""  # the day is said already


_ENGLISH = SlateWords(
    starts_at="Starts at {}",
    starts_soon="Starts soon",
    any_moment="any moment now",
    in_time="in {}",
    minute="1\u00a0minute",
    minutes="{}\u00a0minutes",
    up_next="Up next",
    in_a_moment="In a moment",
    pause="Break",
    back_at="Back at {}",
    back_soon="Back soon",
    thanks="Thank you!",
    see_you="See you next time.",
    right_back="We will be right back",
    sponsors="Thanks to our sponsors",
    hour_minute="{:%H:%M}",
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    day_and_time="{2}, {0}\u00a0{1}",
)

_FRENCH = SlateWords(
    starts_at="Début à {}",
    starts_soon="Ça commence bientôt",
    any_moment="d'un instant à l'autre",
    in_time="dans {}",
    minute="1\u00a0minute",
    minutes="{}\u00a0minutes",
    up_next="À suivre",
    in_a_moment="Dans un instant",
    pause="Pause",
    back_at="Reprise à {}",
    back_soon="On revient bientôt",
    thanks="Merci\u00a0!",
    see_you="À la prochaine fois.",
    right_back="Nous revenons tout de suite",
    sponsors="Merci à nos sponsors",
    hour_minute="{:%H\u00a0h\u00a0%M}",
    days=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    day_and_time="{2}, {0}\u00a0{1}",
)

SLATE_WORDS: Mapping[Language, SlateWords] = {"en": _ENGLISH, "fr": _FRENCH}
