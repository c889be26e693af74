"""What every camera gives: the newest frame, or the reason why there is none."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, TypeAlias

if TYPE_CHECKING:  # a process without a camera of its own reads only its settings: numpy is 13 MB
    import numpy as np
    from numpy.typing import NDArray

Luma: TypeAlias = "NDArray[np.uint8]"


class Frame(NamedTuple):
    """One picture of the door, in grey."""

    y: Luma  # (height, width), 0 black to 255 white; may be a strided view, never written again
    taken_s: float  # time.monotonic() when the camera made it
    number: int  # frames the camera made before this one; a jump of n+1 means n were dropped


class Camera(Protocol):
    """Something that looks at the door; opened by `open_camera`, closed by leaving its `with` block."""

    @property
    def name(self) -> str:
        """What it is, for logs and people; carries no password."""

    def newest(self, timeout_s: float) -> Frame:
        """A frame newer than the last one given, waiting for it if need be.

        Raises `CameraStalled` when the camera is open but gave nothing for `timeout_s`; `CameraError`, also
        after `timeout_s`, while it cannot be opened (it is tried again meanwhile: call again); `CameraGone` at once
        when it will not come back, `EndOfFilm` of these when a file or folder has been shown wholly.
        """

    def close(self) -> None:
        """Let go of the device. Safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
