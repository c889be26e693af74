"""Our side of the program that looks at a few seconds of film."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

import stream
from stream.errors import ChildError
from stream.process import Child

_PACKAGES = Path(stream.__file__).parents[1]  # where the child, with an environment of its own, finds our packages
_LIMIT_S = 20.0  # a slow Pi loads numpy and PyAV for 3 s


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    pictures: int  # keyframes that could be decoded
    is_black: bool
    edge_px: float | None  # width of the sharpest edges in pixels; None: nothing in the picture has any


def sample_of(film: bytes, folder: Path) -> Sample:
    """Have a transport stream (H.264) looked at; `folder` holds it meanwhile. Raises ChildError, OSError."""
    path = folder.absolute() / "sample.ts"
    try:
        path.write_bytes(film)
        with Child("sampling", [sys.executable, "-m", "stream.sampling", str(path)], folder=_PACKAGES) as child:
            code = child.wait(_LIMIT_S)
            if code is None:
                child.kill()
    finally:
        path.unlink(missing_ok=True)
    try:
        return msgspec.json.decode(child.last_lines[-1], type=Sample)
    except (IndexError, msgspec.MsgspecError) as error:
        said = child.last_lines[-1] if child.last_lines else "nothing"
        raise ChildError(f"the camera's pictures could not be looked at ({code}): {said}") from error
