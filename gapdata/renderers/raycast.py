"""Rendering by casting rays at a mesh: every layer exact, colour shaded."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera
from gapdata.renderers.image_size import ImageSize
from gapdata.renderers.mesh_caster import Hits, MeshCaster
from gapdata.renderers.shading import Shader
from gapdata.scene import Frame, Scene
from gapdata.view import View

Array = np.ndarray


class RaycastRenderer:
    """Draws any scene that has a mesh, synthetic or scanned.

    Depth, normals, instances and amodal masks come from the mesh alone. Scenes without lights, as scans
    are, show their mesh colours as they are.
    """

    def __init__(self, scene: Scene, height: int | None = None, width: int | None = None) -> None:
        if scene.mesh is None:
            raise ConfigError(
                f"{scene.source}: {scene.id}: renderer raycast needs a mesh, found none; "
                "use renderer captured or points"
            )
        self._size = ImageSize(height, width)
        self._caster = MeshCaster(scene.mesh, scene.instances)
        self.shader = Shader(self._caster, scene.lights)

    def render(self, frame: Frame) -> View:
        """All layers of a frame, with amodal masks."""
        hits = self.cast(frame)
        return self.view(frame, hits, self.shader.shade(hits))

    def cast(self, frame: Frame) -> Hits:
        """What the frame's pixels hit."""
        return self._caster.cast(self._size.of(frame.camera))

    def view(self, frame: Frame, hits: Hits, rgb: UInt8[Array, "H W 3"]) -> View:
        """All layers of a frame that has these hits and colours."""
        return View(
            frame_id=frame.id,
            timestamp_s=frame.timestamp_s,
            camera=hits.camera,
            rgb=rgb,
            depth=hits.depth,
            normal=self._caster.normals_at(hits),
            instance=self._caster.instances_at(hits),
            depth_source="mesh",
            normal_source="mesh",
            amodal=self._caster.amodal_masks(hits),
        )

    def glows(self, hits: Hits) -> Bool[Array, "H W"]:
        """Which pixels see a face that glows."""
        glow = self._caster.mesh.face_glow
        if glow is None:
            return np.zeros(hits.face.shape, bool)
        return np.take(np.append(glow, np.float32(0)), hits.face, mode="wrap") > 0

    def coarse_depth(self, frame: Frame) -> tuple[Float32[Array, "h w"], Camera]:
        """A small depth map of the frame and its camera."""
        camera = ImageSize.coarse(frame.camera)
        return self._caster.cast(camera).depth, camera
