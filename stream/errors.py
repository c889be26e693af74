"""What can go wrong in the stream and needs a person; everything else is a state of a leg (see health.py).

PlatypusError
├── ChildError (OSError)            a program of ours cannot be started
├── BadStreamKey (ValueError)       a key that cannot be one
├── StreamClosed (RuntimeError)     the director was closed
├── OrderNotKept (OSError)          the order was carried out, but will not survive a power cut
├── NotLive (RuntimeError)          what to show was said, and nobody watches
├── IsLive (RuntimeError)           a pre-flight was asked for, and viewers watch already
├── NoNextTalk (LookupError)        the agenda has come to its end
├── NoSuchTalk (LookupError)        the agenda has no talk of this id
├── BadSlate (ValueError)           what was rendered cannot be played in a loop
└── FilmNotMade (OSError)           a recording stays as it is for now
"""

from __future__ import annotations

from hardware.errors import PlatypusError


class ChildError(PlatypusError, OSError):
    """A program the stream needs cannot be started."""

    code = "child"


class BadStreamKey(PlatypusError, ValueError):
    """A stream key that no server can have given; the message never holds the key."""

    code = "bad_stream_key"


class StreamClosed(PlatypusError, RuntimeError):
    """A command came after the director had been closed."""

    code = "stream_closed"


class OrderNotKept(PlatypusError, OSError):
    """The order holds now, but could not be written down for the next boot."""

    code = "order_not_kept"


class NotLive(PlatypusError, RuntimeError):
    """A command says what viewers should see while the stream is stopped."""

    code = "not_live"


class IsLive(PlatypusError, RuntimeError):
    """The camera and the destinations are in use: how they are is in the stream's state."""

    code = "is_live"


class NoNextTalk(PlatypusError, LookupError):
    """The talk on stage is the last one of the agenda."""

    code = "no_next_talk"


class NoSuchTalk(PlatypusError, LookupError):
    """A talk was chosen that the agenda does not have, or has no more."""

    code = "no_such_talk"


class BadSlate(PlatypusError, ValueError):
    """A transport stream that is no loop of whole frames of picture and sound."""

    code = "bad_slate"


class FilmNotMade(PlatypusError, OSError):
    """A recording cannot be made an MP4 now; it stays as it is."""

    code = "film_not_made"
