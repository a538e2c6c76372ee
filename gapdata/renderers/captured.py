"""Rendering by copying: a scan's own colour and depth on one pixel grid, with what its mesh adds."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera
from gapdata.geometry.depth import DepthTolerance, normals_from_depth, resample_depth
from gapdata.renderers.image_size import ImageSize
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.scene import Frame, Recording, Scene
from gapdata.view import AmodalMask, View

Array = np.ndarray

# A pixel of a depth sensor is 2 mm a metre or less, and scan meshes have triangles of 1 to 2 cm.
CAST_STRIDE = 4


class CapturedRenderer:
    """A scan's own RGB-D on the grid of its colour images, or of those resized to (height, width).

    Depth is resampled nearest, never blended. Colour is resized by area averaging. Instances, normals and
    amodal masks come from the mesh, where the scene has one, seen from the frame's pose and cast with
    CAST_STRIDE (see MeshCaster). Instances and
    normals are kept only where the sensor confirms the mesh: its depth agrees within `tolerance`, or the
    pixel lies in a hole narrower than `hole_width` pixels of the depth map between such depths. Elsewhere
    something that the mesh lacks may stand in front (wide holes are typical of black and shiny objects),
    or the pose drifted. Depth stays 0 in all holes. Without a mesh there are no instances, and normals
    come from depth.
    """

    tolerance = DepthTolerance(a=0.04, b=0.01)
    hole_width = 5

    def __init__(self, scene: Scene, height: int | None = None, width: int | None = None) -> None:
        if not any(frame.recording for frame in scene.frames):
            raise ConfigError(
                f"{scene.source}: {scene.id}: renderer {self._name} needs recorded frames, found none; "
                "use renderer raycast or points"
            )
        self._where = f"{scene.source}: {scene.id}"
        self._size = ImageSize(height, width)
        self._caster = None
        if scene.mesh is not None:
            self._caster = MeshCaster(scene.mesh, scene.instances, stride=CAST_STRIDE)

    def render(self, frame: Frame) -> View:
        """All layers of a frame."""
        recording = self._recording(frame)
        camera = self._size.of(self._grid(frame, recording))
        depth = resample_depth(recording.read_depth(), recording.depth_camera, camera)
        rgb = recording.read_rgb()
        untouched = _same_grid(camera, frame.camera)
        if not untouched:
            rgb = resample_color(rgb, frame.camera, camera)
        jpeg = recording.read_jpeg() if untouched and recording.read_jpeg else None
        pixels_per_depth_pixel = camera.K[0, 0] / recording.depth_camera.K[0, 0]
        instance, normal, amodal = self._from_mesh(camera, depth, pixels_per_depth_pixel)
        return View(
            frame_id=frame.id,
            timestamp_s=frame.timestamp_s,
            camera=camera,
            rgb=rgb,
            depth=depth,
            normal=normal,
            instance=instance,
            depth_source="sensor",
            normal_source="mesh" if self._caster else "depth",
            jpeg=jpeg,
            amodal=amodal,
        )

    def coarse_depth(self, frame: Frame) -> tuple[Float32[Array, "h w"], Camera]:
        """A small sensor depth map of the frame and its camera."""
        recording = self._recording(frame)
        camera = ImageSize.coarse(frame.camera)
        return resample_depth(recording.read_depth(), recording.depth_camera, camera), camera

    _name = "captured"

    def _grid(self, frame: Frame, recording: Recording) -> Camera:
        """The camera whose pixel grid the views follow."""
        return frame.camera

    def _recording(self, frame: Frame) -> Recording:
        if frame.recording is None:
            raise ConfigError(
                f"{self._where}: frame {frame.id}: expected a recording, found a planned camera only; "
                "use renderer raycast or points"
            )
        return frame.recording

    def _from_mesh(
        self, camera: Camera, depth: Float32[Array, "H W"], pixels_per_depth_pixel: float
    ) -> tuple[UInt16[Array, "H W"], Float32[Array, "H W 3"], tuple[AmodalMask, ...]]:
        """(instance, normal, amodal) of a view; without a mesh no instances, and normals from depth."""
        if self._caster is None:
            return np.zeros(depth.shape, np.uint16), normals_from_depth(depth, camera.K), ()
        hits = self._caster.cast(camera)
        instance, normal = self._caster.instances_at(hits), self._caster.normals_at(hits)
        measured = depth > 0
        agrees = measured & (np.abs(depth - hits.depth) <= self.tolerance.at(depth))
        width = 2 * round((self.hole_width - 1) / 2 * pixels_per_depth_pixel) + 1
        closed = cv2.morphologyEx(
            agrees.view(np.uint8), cv2.MORPH_CLOSE, np.ones((width, width), np.uint8)
        )
        doubtful = (closed == 0) | (measured & ~agrees)
        instance[doubtful], normal[doubtful] = 0, 0
        return instance, normal, self._caster.amodal_masks(hits)


class CapturedOnDepthRenderer(CapturedRenderer):
    """A scan's own RGB-D on the grid of its depth maps: depth is kept as recorded and colour is resampled.

    Pixels that the colour camera does not see are black.
    """

    _name = "captured_on_depth"

    def _grid(self, frame: Frame, recording: Recording) -> Camera:
        return recording.depth_camera


def resample_color(
    rgb: UInt8[Array, "h w 3"], source: Camera, target: Camera
) -> UInt8[Array, "th tw 3"]:
    """Colour on the target camera's grid, for two cameras at one pose; black outside the source image.

    The source is first brought to the target's focal lengths by area averaging, so that shrinking does not
    alias; what is left is a shift by the principal points, which is bilinear.
    """
    scale_x = target.K[0, 0] / source.K[0, 0]
    scale_y = target.K[1, 1] / source.K[1, 1]
    resized = source.resized(
        max(1, round(source.height * scale_y)), max(1, round(source.width * scale_x))
    )
    if (resized.height, resized.width) != rgb.shape[:2]:
        shrinks = resized.height * resized.width < source.height * source.width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        rgb = cv2.resize(rgb, (resized.width, resized.height), interpolation=how)
    if _same_grid(resized, target):
        return rgb
    columns, rows = (
        (np.arange(size) - target.K[axis, 2]) / target.K[axis, axis] * resized.K[axis, axis]
        + resized.K[axis, 2]
        for axis, size in enumerate((target.width, target.height))
    )
    grid = partial(np.broadcast_to, shape=(target.height, target.width))
    map_x = grid(columns[None, :]).astype(np.float32)
    map_y = grid(rows[:, None]).astype(np.float32)
    return np.asarray(cv2.remap(rgb, map_x, map_y, cv2.INTER_LINEAR, borderValue=(0, 0, 0)))


def _same_grid(a: Camera, b: Camera) -> bool:
    """Whether two cameras have the same size and intrinsics (to a thousandth of a pixel)."""
    return (a.height, a.width) == (b.height, b.width) and bool(np.abs(a.K - b.K).max() < 1e-3)
