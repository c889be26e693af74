"""The root of every error we raise, and how they are named.

Each leaf also is the built-in it resembles, carries a stable `code` for programs, and a message for people that
says what was wrong, with the value, and what to do.

    PlatypusError
    ├── hardware: CameraError (OSError), its CameraStalled (TimeoutError) and CameraGone with EndOfFilm (EOFError);
    │             PanelError (OSError) with PinClash (ValueError) and StrikeBusy (BlockingIOError);
    │             PassageError (OSError); ScannerError (OSError)
    ├── stream:   see stream/errors.py
    └── kiosk:    ConfigError (ValueError), TicketFileError (ValueError), UnknownEvent (LookupError), BusError ...
"""

from __future__ import annotations

from typing import ClassVar


class PlatypusError(Exception):
    """Anything that went wrong in a way we foresaw; its text is fit for a volunteer."""

    code: ClassVar[str] = "error"


class CameraError(PlatypusError, OSError):
    """A camera cannot be opened or read."""

    code = "camera"


class CameraStalled(CameraError, TimeoutError):
    """A camera is open but gave no frame in time."""

    code = "camera_stalled"


class CameraGone(CameraError):
    """A camera that will not come back by itself; asking again gives the same answer."""

    code = "camera_gone"


class EndOfFilm(CameraGone, EOFError):
    """A file or folder was shown to its end; no frame will come any more."""

    code = "end_of_film"


class PanelError(PlatypusError, OSError):
    """A light, buzzer or counter cannot be driven."""

    code = "panel"


class PassageError(PlatypusError, OSError):
    """The beam pair or the exit button cannot be read."""

    code = "passage"


class ScannerError(PlatypusError, OSError):
    """A barcode scanner cannot be opened or read."""

    code = "scanner"
