"""From keys to codes: what a scanner typed, as text that ends with Enter (or Tab). Pure.

Wrong is worse than nothing at a door: after the kernel lost events, or a key that types nothing, what was typed is
thrown away up to the next Enter, and so is a code that stopped half way (somebody pulled the trigger and the plug).
"""

from __future__ import annotations

import logging
import unicodedata
from typing import NamedTuple

from hardware.scanners.layouts import (
    CROWNS,
    DEAD_KEYS,
    KEY_ALT_GR,
    KEY_CAPS_LOCK,
    KEY_ENTER,
    KEY_KP_ENTER,
    KEY_LEFT_ALT,
    KEY_LEFT_CTRL,
    KEY_LEFT_SHIFT,
    KEY_RIGHT_CTRL,
    KEY_RIGHT_SHIFT,
    KEY_TAB,
    LAYOUTS,
    Key,
)

log = logging.getLogger(__name__)

EV_SYN, EV_KEY = 0, 1  # linux/input-event-codes.h
SYN_DROPPED = 3  # the kernel's buffer ran over: events are missing
UP, DOWN = 0, 1  # and 2: held so long that it repeats

LONGEST = 7089  # characters: the digits of the largest QR code there is (ISO/IEC 18004, version 40-L)

_SHIFTS = frozenset({KEY_LEFT_SHIFT, KEY_RIGHT_SHIFT})
_CTRLS = frozenset({KEY_LEFT_CTRL, KEY_RIGHT_CTRL})
_SILENT = _CTRLS | {KEY_LEFT_ALT}  # held: a command, not a letter
_MODIFIERS = _SHIFTS | _SILENT | {KEY_ALT_GR}
_ENDS = frozenset({KEY_ENTER, KEY_KP_ENTER, KEY_TAB})


class KeyEvent(NamedTuple):
    """One struct input_event without its time: see linux/input.h."""

    type: int
    code: int
    value: int


class Decoder:
    """Turns the events of one scanner into codes. `layout` is a key of `LAYOUTS`."""

    def __init__(self, layout: str, *, forget_s: float = 1.0) -> None:
        self._keys = LAYOUTS[layout]
        self._dead = DEAD_KEYS[layout]
        self._forget_s = forget_s
        self._newest_s = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget everything, also which keys are down: the scanner was unplugged, or events were lost."""
        self._typed: list[str] = []
        self._held: set[int] = set()
        self._crown = ""  # a dead key that waits
        self._is_caps = False
        self._is_spoiled = False  # until the next end

    def feed(self, event: KeyEvent, at_s: float) -> bytes | None:
        """One event, read at the monotonic time `at_s`. Returns a code (UTF-8, never empty) when this ends one."""
        if event.type == EV_SYN and event.code == SYN_DROPPED:
            log.warning("event=scanner-lost-keys")
            self.reset()
            self._is_spoiled = True
            self._newest_s = at_s
            return None
        if event.type != EV_KEY:
            return None
        if at_s - self._newest_s > self._forget_s:
            self._forget()
        self._newest_s = at_s
        if event.value == UP:
            self._held.discard(event.code)
        elif event.code in _MODIFIERS:
            self._held.add(event.code)
        elif event.value != DOWN:  # a scanner means no key twice by holding it
            pass
        elif event.code in _ENDS or (self._held & _CTRLS and self._is_line_end(event.code)):
            return self._end()
        elif event.code == KEY_CAPS_LOCK:
            self._is_caps = not self._is_caps
        else:
            self._type(event.code)
        return None

    def _is_line_end(self, code: int) -> bool:
        """Ctrl-M and Ctrl-J: how some scanners send the control characters for the end of a line."""
        key = self._keys.get(code)
        return key is not None and key.plain in ("m", "j")

    def _type(self, code: int) -> None:
        key = self._keys.get(code)
        character = "" if key is None or self._held & _SILENT else self._level(key)
        if not character:
            log.debug("event=scanner-unknown-key code=%d", code)
            self._is_spoiled = True  # a letter of the code is missing
            return
        if not self._crown and code in self._dead and KEY_ALT_GR not in self._held:
            self._crown = character
            return
        crown, self._crown = self._crown, ""
        if crown:
            character = _crowned(crown, character)
        if len(self._typed) >= LONGEST:
            self._is_spoiled = True
            self._typed.clear()
        if not self._is_spoiled:
            self._typed.append(character)

    def _level(self, key: Key) -> str:
        if KEY_ALT_GR in self._held:
            return key.alt_gr
        is_shifted = bool(self._held & _SHIFTS)
        if self._is_caps and key.plain.isalpha() and key.shifted == key.plain.upper():
            is_shifted = not is_shifted
        return key.shifted if is_shifted else key.plain

    def _end(self) -> bytes | None:
        text = "".join(self._typed) + self._crown
        is_spoiled = self._is_spoiled
        self._clear()
        if is_spoiled:
            log.warning("event=scanner-code-dropped reason=keys-are-missing")
            return None
        return text.encode() or None

    def _forget(self) -> None:
        if self._typed:
            log.info("event=scanner-forgot characters=%d", len(self._typed))
        self._clear()

    def _clear(self) -> None:
        self._typed.clear()
        self._crown = ""
        self._is_spoiled = False


def _crowned(crown: str, character: str) -> str:
    if character == " ":
        return crown
    one = unicodedata.normalize("NFC", character + CROWNS[crown])
    return one if len(one) == 1 else crown + character
