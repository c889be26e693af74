"""What can go wrong between us and a pretix server."""

from __future__ import annotations

from hardware.errors import PlatypusError


class PretixError(PlatypusError, OSError):
    """A pretix server could not be asked, or did not do what it was asked; its text says why and what to do."""

    code = "pretix"


class PretixAway(PretixError):
    """There is no server, or it is in trouble itself: asked again later, it may answer."""

    code = "pretix_away"


class PretixRefused(PretixError):
    """The server does not let this device in, or knows no such thing: a person has to do something."""

    code = "pretix_refused"


class PretixRevoked(PretixRefused):
    """The server no longer knows this device."""

    code = "pretix_revoked"


class PretixRejected(PretixRefused):
    """The server did not take this one thing; others it may take."""

    code = "pretix_rejected"
