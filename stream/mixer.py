"""The vision mixer: puts on air what the scene says, and a slate for as long as the camera cannot be shown.

The camera is shown when it gives frames. When it is silent for 0.7 s, or its encoder ends, a slate stands in within the
same session; the camera comes back at its next keyframe after it has been well for a second, or at its first one when
only the encoder fell over. At the very start nothing
is shown before its first picture, for up to FIRST_PICTURE_LIMIT_S: then viewers at least learn that there will be one.
The sound follows the scene alone: while a slate merely stands in, viewers go on hearing the room.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, Literal, Protocol

from hardware.clock import Clock
from stream.camera_watch import CameraWatch
from stream.hub import Hub, Inlet
from stream.order import Scene
from stream.slate_loop import SlateLoop
from stream.slate_source import SlateSource
from stream.talks import Talks
from stream.wishes import Wish, slate_of

log = logging.getLogger(__name__)

FIRST_PICTURE_LIMIT_S = 12.0  # as long as a network camera may take to answer
STANDING_IN: Final = "the camera gives no picture: viewers see a slate until it is back"
NO_SLATE: Final = "no slate is ready yet: viewers see nothing for a moment"
_WISH_PERIOD_S = 0.5  # a countdown changes once a minute


class SlateShelf(Protocol):
    """Where rendered slates are; Studio is one."""

    def best(self, wish: Wish) -> SlateLoop | None:
        """The best there is for a wish, at once."""


class Mixer:
    """Between `begin` and `end` it follows the scene whenever it looks. Safe with threads, waits for nobody."""

    def __init__(self, slates: SlateSource, studio: SlateShelf, talks: Talks, clock: Clock) -> None:
        self._slates = slates
        self._studio = studio
        self._talks = talks
        self._clock = clock
        self._lock = threading.Lock()
        self._hub: Hub | None = None
        self._camera: Inlet | None = None
        self._room: Inlet | None = None
        self._watch: CameraWatch | None = None
        self._scene = Scene()
        self._begun_s = 0.0
        self._is_standing_in = False
        self._is_camera_selected = False
        self._has_no_slate = False
        self._wish: tuple[Scene, Wish, float] | None = None

    @property
    def on_air(self) -> Literal["camera", "slate", ""]:
        """What viewers see now."""
        camera = self._camera
        if camera is not None and camera.is_on_air:
            return "camera"
        return "slate" if self._slates.is_on_air else ""

    @property
    def cause(self) -> str:
        """Why viewers do not see what the scene says, in words; "" when they do."""
        if self._has_no_slate:
            return NO_SLATE
        return STANDING_IN if self._is_standing_in and self.on_air != "camera" else ""

    @property
    def is_room_heard(self) -> bool:
        """Whether viewers hear the room now."""
        hub, room = self._hub, self._room
        return hub is not None and room is not None and hub.hears(room)

    def begin(self, hub: Hub, camera: Inlet, watch: CameraWatch, scene: Scene, *, room: Inlet | None) -> None:
        """Mix for `hub`, from `scene` on. `room` gives the sound, and may be the camera; without one there is none."""
        with self._lock:
            self._hub, self._camera, self._watch, self._room = hub, camera, watch, room
            self._begun_s = self._clock.monotonic()
            self._is_camera_selected = False
        self.show(scene)

    def end(self) -> None:
        """Leave the hub alone from now on; safe to call twice."""
        with self._lock:
            self._hub = self._camera = self._watch = self._room = None
            self._is_standing_in = self._has_no_slate = False

    def show(self, scene: Scene) -> None:
        """Put `scene` on air: a slate at once, the camera at its next keyframe."""
        with self._lock:
            self._scene = scene
            self._is_standing_in = False
            self._follow()

    def look(self) -> None:
        """See whether the camera is well and the slate is the right one; call it some ten times a second."""
        with self._lock:
            self._follow()

    def _follow(self) -> None:
        if self._hub is None or self._camera is None:
            return
        now_s = self._clock.monotonic()
        self._hub.select_sound(self._room if self._scene.has_room_sound else None)
        if self._scene.program == "camera" and self._can_show_camera(self._hub, now_s):
            self._has_no_slate = False
            if not self._is_camera_selected:
                self._is_camera_selected = True
                self._hub.select(self._camera)
            return
        if self._awaits_first_keyframe(self._hub, self._camera, now_s):
            return
        self._is_camera_selected = False
        loop = self._studio.best(self._slate(now_s))
        self._has_no_slate = loop is None
        self._slates.show(loop, stands_in=self._is_standing_in)

    def _can_show_camera(self, hub: Hub, now_s: float) -> bool:
        if self._watch is None:
            return False
        if self._is_standing_in:
            self._is_standing_in = not self._watch.is_well(now_s)
            if not self._is_standing_in:
                log.info("program event=camera-back")
        elif self._watch.is_quiet(now_s):
            is_first = hub.frame_at_s is None and not self._watch.has_begun
            self._is_standing_in = not is_first or now_s - self._begun_s > FIRST_PICTURE_LIMIT_S
            if self._is_standing_in:
                log.warning("program event=slate-stands-in cause=camera-quiet")
        return not self._is_standing_in

    def _awaits_first_keyframe(self, hub: Hub, camera: Inlet, now_s: float) -> bool:
        """Whether the slate that stands in leaves by itself, since only the encoder fell over."""
        if self._scene.program != "camera" or self._watch is None or not self._watch.returns_at_once(now_s):
            return False
        if not self._slates.is_on_air and not camera.is_on_air:
            return False
        if not self._is_camera_selected:
            self._is_camera_selected = True
            hub.select(camera)
        return True

    def _slate(self, now_s: float) -> Wish:
        if self._wish is None or self._wish[0] != self._scene or now_s - self._wish[2] > _WISH_PERIOD_S:
            wall = self._clock.stamp().wall
            self._wish = (self._scene, slate_of(self._scene, self._talks, wall), now_s)
        return self._wish[1]
