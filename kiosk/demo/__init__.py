"""A simulated venue on one machine: every part real but the people, the lens and the wire of the pins."""

from kiosk.demo.evening import DemoError
from kiosk.demo.venue import run_demo

__all__ = ["DemoError", "run_demo"]
