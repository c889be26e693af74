"""A machine with a camera module: our own process is the real one, picamera2 the stand-in, by a Python of its own.

The picture is a grey that tells the time, as that of sound_stage.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

_STAGED_PYTHON = """#!{python}
import os, runpy, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from hardware.cameras import fake_picamera2

class Module(fake_picamera2.FakePicamera2):
    is_paced = True
    cameras = [{{"Model": "imx708", "Num": 0}}] if Path({plugged!r}).exists() else []

    def capture_request(self, wait=None):
        if not Path({plugged!r}).exists():
            self.is_stuck.set()
        return super().capture_request(wait)

    def luma(self, number, stamp_ns):
        return int(16 + 219 * (stamp_ns % 1_000_000_000) / 1e9)

if {has_library}:
    sys.modules.update(fake_picamera2.fake_modules(Module))
else:
    sys.modules["picamera2"] = None
assert sys.argv[1] == "-m"
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__")
"""


class ModuleStage:
    """The machine. `python` is to be `sys.executable` for as long as it is on stage."""

    def __init__(self, folder: Path, *, has_library: bool = True) -> None:
        self._plugged = folder / "the-camera-module-is-plugged-in"
        self.real_python = sys.executable
        self.python = folder / "python"
        self.python.write_text(
            _STAGED_PYTHON.format(python=sys.executable, plugged=str(self._plugged), has_library=has_library)
        )
        self.python.chmod(0o755)

    def plug_in(self) -> None:
        """Now there is a camera."""
        self._plugged.touch()

    def unplug(self) -> None:
        """No picture comes any more, and the next one who looks finds no camera."""
        self._plugged.unlink(missing_ok=True)
