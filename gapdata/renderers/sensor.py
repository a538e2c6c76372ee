"""What a real camera would have recorded: a renderer's exact views, spoiled the way sensors spoil them.

Depth follows published measurements of RGB-D sensors; colour gets blur, a rolling shutter's skew, noise, exposure
and white balance.
Everything else of a view (normals, instances, amodal masks, cameras) stays exact. The noise of a view
depends on the seed, the scene and the frame only.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from scipy.special import ndtr

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera
from gapdata.mesh_surface import LINEAR_OF_BYTE, linear_to_srgb
from gapdata.renderers import Renderer
from gapdata.scene import Frame, Scene
from gapdata.view import View

Array = np.ndarray

NONE, DEPTH, FULL = "none", "depth", "full"
SENSORS = (NONE, DEPTH, FULL)
FAR_M = 1e6  # beyond everything
SHINY = frozenset({"metal", "glass", "mirror", "ceramic"})


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthSensor:
    """A structured-light or time-of-flight depth camera.

    Axial noise has the standard deviation floor + growth (z - 0.4)^2 metres and the lateral noise that of
    `lateral` pixels (Nguyen, Izadi and Lovell, 3DIMPVT 2012, for Kinect: 0.0012, 0.0019 and about 0.8 pixels).
    A hole of a cause appears with the given probability; holes come in blobs of about `blob` pixels.
    """

    floor: float = 0.0012  # metres
    growth: float = 0.0019  # a metre
    lateral: float = 0.5  # pixels, of what is looked at
    grain: float = 0.8  # pixels over which axial noise is alike
    nearest: float = 0.25  # metres; nearer and farther is not measured
    farthest: float = 10.0
    edge_step: float = (
        0.04  # of the depth: what lies so far behind a neighbour is in the emitter's shadow
    )
    edge_reach: int = 3  # pixels on each side
    edge_holes: float = 0.7
    grazing: float = (
        0.3  # cosine between ray and normal below which the signal fades away to none at 0
    )
    dark: float = 0.02  # linear brightness below which likewise
    dark_holes: float = 0.6
    shiny_holes: float = 0.2
    stray_holes: float = 0.003
    blob: float = 2.5


@dataclass(frozen=True, kw_only=True, slots=True)
class ColorSensor:
    """A small colour camera that chooses its exposure and white balance, not always well."""

    stops: float = 0.35  # standard deviation of the exposure's error in factors of 2, a scene
    stops_frame: float = 0.08  # ... and of its drift, a frame
    balance: float = 0.05  # of the logarithms of red's and blue's gains, a scene
    shutter_s: tuple[float, float] = (1 / 250, 1 / 30)
    max_blur: float = 15.0  # pixels
    readout_s: tuple[float, float] = (0.005, 0.03)  # from the first row's exposure to the last's
    max_skew: float = 3.0  # pixels that first and last row may lie apart from the middle one
    read_noise: tuple[float, float] = (0.001, 0.005)  # of white, linear
    shot_noise: tuple[float, float] = (1e-4, 1e-3)  # variance a linear brightness
    vignette: float = 0.12  # light lost in the corners


class SensorRenderer:
    """A renderer whose views are what a sensor would have recorded.

    Raises ConfigError for a view whose depth was not exact: a second noise on recorded depth means nothing.
    """

    def __init__(
        self, renderer: Renderer, scene: Scene, kind: str, seed: int,
        depth: DepthSensor = DepthSensor(), color: ColorSensor = ColorSensor(),
    ) -> None:  # fmt: skip
        if kind not in (DEPTH, FULL):
            raise ConfigError(f"sensor: expected {DEPTH} or {FULL}, found {kind!r}")
        self._renderer, self._scene, self._kind = renderer, scene, kind
        self._depth, self._color = depth, color
        self._words = [seed, zlib.crc32(scene.id.encode()), zlib.crc32(b"sensor")]
        shiny = [item.id for item in scene.instances if item.attributes.material in SHINY]
        self._shiny = np.zeros(max((item.id for item in scene.instances), default=0) + 1, bool)
        self._shiny[shiny] = True
        self._place = {frame.id: number for number, frame in enumerate(scene.frames)}

    def render(self, frame: Frame) -> View:
        """All layers of a frame, with the sensor's depth and, of a "full" sensor, its colour."""
        view = self._renderer.render(frame)
        if view.depth_source != "mesh" or view.rgb is None:
            raise ConfigError(
                f"{self._scene.source}: {self._scene.id}: a simulated sensor needs exact depth, found depth "
                f"from {view.depth_source}; use renderer raycast or mitsuba, or sensor none"
            )
        rng = np.random.default_rng([*self._words, zlib.crc32(frame.id.encode())])
        depth = self._measured(view, rng)
        rgb = self._photographed(view, frame, rng) if self._kind == FULL else view.rgb
        return replace(view, depth=depth, rgb=rgb, depth_source="sensor")

    def coarse_depth(self, frame: Frame) -> tuple[Float32[Array, "h w"], Camera]:
        """A small exact depth map of the frame and its camera, for choosing views."""
        return self._renderer.coarse_depth(frame)

    def _measured(self, view: View, rng: np.random.Generator) -> Float32[Array, "H W"]:
        """Depth with noise and holes."""
        assert view.depth is not None
        exact, model = view.depth, self._depth
        height, width = exact.shape
        shift = model.lateral * rng.standard_normal((2, height, width))
        row = np.clip(np.arange(height)[:, None] + np.rint(shift[0]), 0, height - 1)
        column = np.clip(np.arange(width) + np.rint(shift[1]), 0, width - 1)
        depth = exact[row.astype(np.int64), column.astype(np.int64)]
        # A shifted sample of another surface is a pixel that flies at its edge; along one surface it keeps the slope.
        depth = np.where(np.abs(depth - exact) > model.edge_step * exact, depth, exact)
        sigma = model.floor + model.growth * (exact - 0.4) ** 2
        depth = depth + sigma * _field(rng, exact.shape, model.grain)
        valid = (exact > model.nearest) & (exact < model.farthest) & (depth > 0)
        lost = ndtr(_field(rng, exact.shape, model.blob)) < self._hole_probability(view)
        return np.where(valid & ~lost, depth, 0.0).astype(np.float32)

    def _hole_probability(self, view: View) -> Float[Array, "H W"]:
        """How likely each pixel is not measured: the causes do not know of each other."""
        assert view.depth is not None
        assert view.rgb is not None
        assert view.instance is not None
        model = self._depth
        cosine = _incidence(view)
        # What is not hit at all is no neighbour to be behind of, and a slope is no edge.
        depth = np.where(view.depth > 0, view.depth, np.float32(FAR_M))
        size = 2 * model.edge_reach + 1
        nearest = cv2.erode(depth, np.ones((size, size), np.uint8))
        slope = np.sqrt(1 - np.minimum(cosine, 1.0) ** 2) / np.maximum(cosine, 1e-3)
        step = model.edge_step + 2 * model.edge_reach / view.camera.K[0, 0] * slope
        shadowed = depth - nearest > step * depth
        bright = LINEAR_OF_BYTE[view.rgb].max(axis=-1)
        kept = (1 - model.edge_holes * shadowed) * (1 - model.stray_holes)
        kept *= np.clip(cosine / model.grazing, 0.0, 1.0)
        kept *= 1 - model.dark_holes * np.clip(1 - bright / model.dark, 0.0, 1.0)
        kept *= 1 - model.shiny_holes * self._shiny[view.instance]
        return np.asarray(1 - kept)

    def _photographed(
        self, view: View, frame: Frame, rng: np.random.Generator
    ) -> UInt8[Array, "H W 3"]:
        """Colour with motion blur, exposure, white balance, vignetting and noise, all in linear light."""
        assert view.rgb is not None
        model = self._color
        of_scene = np.random.default_rng([*self._words, 0])
        stops = model.stops * of_scene.standard_normal()
        balance = model.balance * of_scene.standard_normal(2)
        read, shot = of_scene.uniform(*model.read_noise), of_scene.uniform(*model.shot_noise)
        stops += model.stops_frame * rng.standard_normal()
        gain = 2.0**stops * np.exp([balance[0], 0.0, balance[1]])
        shutter = float(np.exp(rng.uniform(*np.log(model.shutter_s))))
        readout = float(of_scene.uniform(*model.readout_s))
        motion = self._motion(frame, view.camera)
        skew = np.clip(0.5 * readout * motion, -model.max_skew, model.max_skew)
        light = _skewed(LINEAR_OF_BYTE[view.rgb], skew)
        light = _blurred(light, np.clip(shutter * motion, -model.max_blur, model.max_blur))
        height, width = light.shape[:2]
        across = (2 * np.arange(width) - width + 1) / width
        down = (2 * np.arange(height) - height + 1) / height
        falloff = 1 - 0.5 * model.vignette * (across**2 + down[:, None] ** 2)
        light = light * (gain * falloff[..., None])
        # More gain amplifies the same few photons.
        noise = np.sqrt(read**2 + shot * np.maximum(gain, 1.0) * light)
        light = light + noise * rng.standard_normal(light.shape)
        return np.rint(255 * linear_to_srgb(np.clip(light, 0.0, 1.0))).astype(np.uint8)

    def _motion(self, frame: Frame, camera: Camera) -> Float[Array, "2"]:
        """Pixels a second that the middle of the picture moves by, as the camera turns towards its next frame."""
        frames, place = self._scene.frames, self._place[frame.id]
        if len(frames) == 1:
            return np.zeros(2)
        other = frames[place + 1] if place + 1 < len(frames) else frames[place - 1]
        elapsed = other.timestamp_s - frame.timestamp_s
        ahead = camera.cam2world[:3, :3].T @ other.camera.cam2world[:3, 2]
        if elapsed == 0 or ahead[2] <= 0.1:
            return np.zeros(2)  # another take
        return np.asarray(camera.K[[0, 1], [0, 1]] * ahead[:2] / ahead[2] / elapsed)


def _incidence(view: View) -> Float[Array, "H W"]:
    """Cosine between each pixel's ray and its normal; 1 where there is none."""
    assert view.normal is not None
    K = view.camera.K
    x = (np.arange(view.camera.width) - K[0, 2]) / K[0, 0]
    y = ((np.arange(view.camera.height) - K[1, 2]) / K[1, 1])[:, None]
    along = x * view.normal[..., 0] + y * view.normal[..., 1] + view.normal[..., 2]
    cosine = np.abs(along) / np.sqrt(x * x + y * y + 1)
    return np.where(view.normal.any(axis=-1), cosine, 1.0)


def _field(rng: np.random.Generator, shape: tuple[int, ...], reach: float) -> Float[Array, "H W"]:
    """Gaussian noise of unit variance that is alike over about `reach` pixels."""
    smooth = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), reach)
    return np.asarray(smooth / smooth.std())


def _skewed(light: Float32[Array, "H W 3"], skew: Float[Array, "2"]) -> Float32[Array, "H W 3"]:
    """The picture of a shutter that rolls down: rows below the middle show what comes up to `skew` pixels later."""
    if not np.abs(skew).max() > 0:
        return light
    height, width = light.shape[:2]
    late = np.linspace(-1, 1, height)[:, None] if height > 1 else np.zeros((1, 1))
    x = np.arange(width) + late * skew[0]
    y = np.arange(height)[:, None] + late * skew[1] + np.zeros(width)
    return cv2.remap(
        light, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def _blurred(light: Float32[Array, "H W 3"], motion: Float[Array, "2"]) -> Float32[Array, "H W 3"]:
    """The picture smeared evenly along a motion in pixels."""
    length = float(np.linalg.norm(motion))
    if length < 1.0:
        return light
    reach = int(np.ceil(0.5 * length)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for share in np.linspace(-0.5, 0.5, 4 * reach + 1):
        x, y = reach + share * motion
        left, top = int(x), int(y)
        right, low = x - left, y - top
        kernel[top, left] += (1 - right) * (1 - low)
        kernel[top, left + 1] += right * (1 - low)
        kernel[top + 1, left] += (1 - right) * low
        kernel[top + 1, left + 1] += right * low
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum()))
