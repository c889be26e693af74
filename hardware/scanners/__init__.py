"""Barcode scanners: another source of codes, beside the camera.

with open_scanner(ScannerSettings(name="barcode", layout="fr")) as scanner:
    code = scanner.next_code(timeout_s=1.0)  # bytes, or None
"""

from __future__ import annotations

from hardware.scanners.decoder import Decoder, KeyEvent
from hardware.scanners.evdev import EventDevice, KeyDevice, find_by_name
from hardware.scanners.scanner import FakeScanner, Scanner
from hardware.scanners.settings import ScannerSettings
from hardware.scanners.usb import UsbScanner, open_scanner

__all__ = [
    "Decoder",
    "EventDevice",
    "FakeScanner",
    "KeyDevice",
    "KeyEvent",
    "Scanner",
    "ScannerSettings",
    "UsbScanner",
    "find_by_name",
    "open_scanner",
]
