"""Renderers turn a scene and a frame into a view. One file a renderer, one line here."""

from __future__ import annotations

import importlib
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera
from gapdata.scene import Frame, Scene
from gapdata.view import View


@runtime_checkable
class Renderer(Protocol):
    """Draws the frames of one scene; pure and deterministic: the same frame gives the same arrays.

    Constructed as `RendererClass(scene, height=H, width=W)`, where acceleration structures are built once;
    (H, W) = None keeps each frame's own image size. Raises ConfigError when the scene lacks what it needs.
    """

    def render(self, frame: Frame) -> View:
        """All layers of a frame, with amodal masks where the scene has a mesh."""
        ...

    def coarse_depth(self, frame: Frame) -> tuple[Float32[np.ndarray, "h w"], Camera]:
        """A cheap small depth map of the frame and its camera, for choosing views."""
        ...


RENDERERS: dict[str, str] = {
    "captured": "gapdata.renderers.captured:CapturedRenderer",
    "captured_on_depth": "gapdata.renderers.captured:CapturedOnDepthRenderer",
    "mitsuba": "gapdata.renderers.mitsuba:MitsubaRenderer",
    "mitsuba_cuda": "gapdata.renderers.mitsuba:MitsubaCudaRenderer",
    "mitsuba_llvm": "gapdata.renderers.mitsuba:MitsubaLlvmRenderer",
    "points": "gapdata.renderers.points:PointsRenderer",
    "raycast": "gapdata.renderers.raycast:RaycastRenderer",
}


def open_renderer(
    name: str, scene: Scene, *, height: int | None = None, width: int | None = None
) -> Renderer:
    """The named renderer, ready for the scene's frames. Raises ConfigError for a name that is not there."""
    if name not in RENDERERS:
        raise ConfigError(
            f"unknown renderer {name!r}: expected one of {', '.join(sorted(RENDERERS))}"
        )
    module, _, attribute = RENDERERS[name].partition(":")
    renderer: Renderer = getattr(importlib.import_module(module), attribute)(
        scene, height=height, width=width
    )
    return renderer
