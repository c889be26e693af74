"""Two things that picamera2 asks of every camera, and libcamera's virtual one has not; mended when it is imported.

A raw stream: the virtual camera has none, and is to picamera2 what a USB camera is, which knows its sizes only. And
buffers: it wants a plane each for brightness and colours where picamera2 gives one for both. A `.pth` file imports this
when Python starts, since our camera processes are started by our own code.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NAME = "picamera2.picamera2"
MODES = [{"format": "NV12", "size": (1280, 720)}]


def bridge(module: ModuleType) -> None:
    """Mend the module `picamera2.picamera2`."""
    import libcamera

    class TwoPlanes(module.DmaAllocator):  # type: ignore[name-defined,misc]
        """Its buffers again, the colours as a plane of their own: the same memory, from where the brightness ends."""

        def allocate(self, configuration: Any, use_case: Any) -> None:
            super().allocate(configuration, use_case)
            for stream in configuration:
                luma_bytes = stream.stride * stream.size.height
                buffers = []
                for whole in self.frame_buffers[stream.stream]:
                    planes = []
                    for begin, length in ((0, luma_bytes), (luma_bytes, luma_bytes // 2)):
                        plane = libcamera.FrameBuffer.Plane()
                        plane.fd, plane.offset, plane.length = whole.planes[0].fd, begin, length
                        planes.append(plane)
                    buffer = libcamera.FrameBuffer(planes)
                    fd = buffer.planes[0].fd  # libcamera's own copy
                    self.mapped_buffers[buffer] = self.mapped_buffers.pop(whole)
                    self.mapped_buffers_used[fd] = False
                    self.libcamera_fds.append(fd)
                    buffers.append(buffer)
                self.frame_buffers[stream.stream] = buffers

    module.DmaAllocator = TwoPlanes  # type: ignore[attr-defined]
    module.Picamera2._get_raw_modes = lambda self: MODES  # type: ignore[attr-defined]
    module.Picamera2.sensor_modes = property(lambda self: [{"format": mode["format"]} for mode in MODES])  # type: ignore[attr-defined]


class _Bridged(Loader):
    def __init__(self, real: Loader) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        bridge(module)


class _Finder(MetaPathFinder):
    """Finds the one module, by the others' help."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None and spec.loader is not None
        spec.loader = _Bridged(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
