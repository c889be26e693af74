"""What can go wrong in the stream and needs a person; everything else is a state of a leg (see health.py).

PlatypusError
├── ChildError (OSError)            a program of ours cannot be started
├── BadStreamKey (ValueError)       a key that cannot be one
├── StreamClosed (RuntimeError)     the director was closed
└── OrderNotKept (OSError)          the order was carried out, but will not survive a power cut
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
