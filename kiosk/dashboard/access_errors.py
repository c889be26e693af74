"""Why somebody is not let in, or may not change who is.

AccessError (PlatypusError)
├── LinkGone (LookupError)          used, withdrawn, too old, or never given
├── BadName (ValueError)            nothing to call a person by; NameTaken: somebody is called so
├── WeakPin (ValueError)            too short or too easy to guess
├── WrongLogin (PermissionError)    the name, or the PIN; not said which
├── TooManyTries (PermissionError)  with `wait_s`
├── WrongToken (PermissionError)    not a program's token, or revoked; NoToken: none was shown
├── NotForRole (PermissionError)    known, and may not
├── UnknownPerson (LookupError)     removed meanwhile; UnknownPhone: logged out meanwhile; UnknownToken: revoked
├── LastOrganizer (ValueError)      nobody would be left who may let others in
├── TooMany (ValueError)            people or links, more than an event has
└── AccessFileError (OSError)       dashboard.json cannot be understood, read or written
"""

from __future__ import annotations

import math

from hardware.errors import PlatypusError


class AccessError(PlatypusError):
    """Somebody is not let in."""

    code = "access"


class LinkGone(AccessError, LookupError):
    """The link was used, was withdrawn, is too old, or was never given."""

    code = "link_gone"


class BadName(AccessError, ValueError):
    """Nothing to call a person by."""

    code = "bad_name"


class NameTaken(BadName):
    """Somebody is called so already."""

    code = "name_taken"


class WeakPin(AccessError, ValueError):
    """The PIN is too short or too easy to guess."""

    code = "weak_pin"


class WrongLogin(AccessError, PermissionError):
    """Not a name and its PIN."""

    code = "wrong_login"


class TooManyTries(AccessError, PermissionError):
    """Not looked at: too many wrong guesses before; see `wait_s`."""

    code = "too_many_tries"

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(f"Too many tries. Wait {math.ceil(wait_s)} s, then try again.")


class WrongToken(AccessError, PermissionError):
    """Not the token of a program, or one that was revoked."""

    code = "wrong_token"


class NoToken(AccessError, PermissionError):
    """A program showed no token."""

    code = "no_token"


class NotForRole(AccessError, PermissionError):
    """Whoever asks is known, and may not."""

    code = "not_for_role"


class UnknownPerson(AccessError, LookupError):
    """There is no such person any more."""

    code = "unknown_person"


class UnknownPhone(AccessError, LookupError):
    """That phone is not logged in any more."""

    code = "unknown_phone"


class UnknownToken(AccessError, LookupError):
    """That token was revoked."""

    code = "unknown_token"


class LastOrganizer(AccessError, ValueError):
    """Nobody would be left who may let others in."""

    code = "last_organizer"


class TooMany(AccessError, ValueError):
    """More people or links than an event has."""

    code = "too_many"


class AccessFileError(AccessError, OSError):
    """The file of people and phones cannot be understood, read or written."""

    code = "access_file"
