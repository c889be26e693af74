"""Our side of the camera module's process: its start, the pipe that the encoder reads, and why it ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from pathlib import Path

import msgspec

import stream
from stream.process import Child
from stream.settings import CameraModule, Picture

_PIPE_BYTES = 1 << 20  # what an ordinary user may ask for: most of a picture
_PACKAGES = Path(stream.__file__).parents[1]  # where the child, with an environment of its own, finds our packages
_END_LIMIT_S = 0.5  # one that is well ends within a picture when nobody reads


class ModuleFeed:
    """A running camera module. Raises ChildError when it cannot be started."""

    def __init__(self, source: CameraModule, picture: Picture) -> None:
        ours, theirs = os.pipe()
        with contextlib.suppress(PermissionError):  # a machine that allows less: the usual 64 kB do as well
            fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        argv = [sys.executable, "-m", "stream.camera_module", str(theirs)]
        argv += [msgspec.json.encode(each).decode() for each in (source, picture)]
        try:
            self._child = Child("camera-module", argv, give_fds=(theirs,), folder=_PACKAGES)
        except BaseException:
            os.close(ours)
            raise
        self.frames_fd = ours  # to be given to the encoder, which closes it

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def stop(self) -> str | None:
        """End it, when nobody reads its pictures any more. Returns what was wrong with it, if that ended it."""
        code = self._child.wait(_END_LIMIT_S)
        self._child.stop()
        if not code:  # None: it had to be told
            return None
        said = [line for line in self._child.last_lines if line.startswith("[error]")]
        return said[-1].removeprefix("[error]").strip() if said else f"the camera module's program ended ({code})"
