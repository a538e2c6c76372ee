"""Colour of mesh hits: interpolated vertex colours, textures, direct and indirect light, tone mapping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from gapdata.geometry.camera import Camera
from gapdata.mesh_surface import SurfaceColor, linear_to_srgb
from gapdata.renderers.gloss import Gloss
from gapdata.renderers.light import DirectLight, height_above, power, strength
from gapdata.renderers.mesh_caster import Hits, MeshCaster
from gapdata.renderers.radiosity import Radiosity
from gapdata.renderers.rays import ray_slopes
from gapdata.renderers.shadows import shadowed_share
from gapdata.renderers.soft_light import SoftLight
from gapdata.renderers.surroundings import Surroundings
from gapdata.scene import LUMINANCE, AnyLight, Light, Mesh, Sky, Sun

Array = np.ndarray

BACKGROUND = np.array([128, 128, 128], np.uint8)  # where a ray hits nothing and there is no sky
# Exposure is that of an integrating sphere: with flux P, surface A and mean albedo rho the mean irradiance is
# P / (A (1 - rho)).
MEAN_ALBEDO = 0.4
EXPOSURE = 1.2  # tone-mapping input of a white surface under the mean irradiance
LOWEST_KEY = (
    0.35  # sine of the sun's elevation that exposure assumes at least: low suns light walls
)
WHITE = 0.98  # of the tone curve's highest value
TONE_STEPS_PER_UNIT = 8192  # of the tone table, which ends at 8
# A camera opens up where what it sees is dim: OPENING of the way, in stops, to a view whose luminance is METERED in the
# log mean (Reinhard et al., SIGGRAPH 2002), at most MOST_STOPS, in steps that rounding does not change.
METERED = 0.3
OPENING = 0.7
MOST_STOPS = 2.5
STOP_STEPS = 16
METERED_EVERY = 16  # pixels


class Shader:
    """Tables of one scene's colours and lights, made once; `shade` colours the hits of a camera.

    Lit scenes: Lambert reflection of all lights (irradiance color / r**2 times the cosine, the sun's times
    the cosine), each shadowed by the mesh, of the sky as far as it is seen, and of light that surfaces
    hand on to each other, and highlights of the first light; then exposure, a scene's and where a view is
    dim its own beside, and the curve 1 - exp(-x). The first light is the first that is not a sky or an area; its shadows have full resolution. Unlit scenes (no
    lights): colours as they are.
    """

    def __init__(self, caster: MeshCaster, lights: tuple[AnyLight, ...]) -> None:
        self.caster = caster
        self._color = SurfaceColor(caster.mesh)
        steps = np.arange(8 * TONE_STEPS_PER_UNIT) / TONE_STEPS_PER_UNIT
        tone = 1.0 - np.exp(-steps) if lights else np.minimum(steps, 1.0)
        self._tone = np.rint(255.0 * linear_to_srgb(tone)).astype(np.uint8)
        self._is_lit = bool(lights)
        self.surroundings = Surroundings(lights)
        if lights:
            self._light(lights)

    def _light(self, lights: tuple[AnyLight, ...]) -> None:
        """Prepare for lights."""
        caster = self.caster
        direct = [light for light in lights if not isinstance(light, Sky)]
        self._key = next((light for light in direct if isinstance(light, Light | Sun)), None)
        lamps = [light for light in direct if light is not self._key]
        roughness = caster.mesh.face_roughness
        self._gloss = None if roughness is None else Gloss(caster, roughness)
        glow = caster.mesh.face_glow
        self._glow = None if glow is None or not glow.any() else np.append(glow, np.float32(0))
        around = self.surroundings
        indoors = _mean_irradiance(caster.mesh, direct)
        self._mean = indoors + around.from_sky + around.from_suns(LOWEST_KEY)
        self._exposure = np.float32(EXPOSURE / self._mean.mean())
        radiosity = Radiosity(caster, self._color.of_faces(), direct, around)
        self._soft = SoftLight(caster, radiosity, lamps, around)

    def shade(self, hits: Hits) -> UInt8[Array, "H W 3"]:
        """Colour (sRGB) of every pixel; BACKGROUND where nothing was hit."""
        return self.developed(self.seen(hits), hits.face < 0)

    def seen(self, hits: Hits) -> Float32[Array, "H W 3"]:
        """Pi times the linear radiance that reaches each pixel; of unlit scenes, the colour there.

        Nothing comes from where nothing was hit, unless the sky.
        """
        assert hits.uv is not None
        face, uv = hits.face.reshape(-1), hits.uv.reshape(-1, 2)
        footprint = (hits.depth / np.float32(hits.camera.K[0, 0])).reshape(-1)
        color = self._color.at(face, uv, footprint)
        if self._is_lit:
            irradiance, highlights = self.light(hits)
            for channel, received in enumerate(irradiance):
                color[:, channel] *= received.reshape(-1)
            if highlights is not None:
                color += highlights.reshape(-1, 3)
        seen = color.reshape(*hits.depth.shape, 3)
        if self.surroundings.has_sky:
            missed = hits.face < 0
            seen[missed] = self._behind(hits.camera, missed)
        return seen

    @property
    def white_radiance(self) -> np.float32:
        """The radiance that comes out white, WHITE of the tone curve's way."""
        return np.float32(-np.log(1 - WHITE) / (np.pi * self._exposure))

    def developed(
        self, seen: Float32[Array, "H W 3"], missed: Bool[Array, "H W"]
    ) -> UInt8[Array, "H W 3"]:
        """The picture (sRGB) of what is `seen`, which it changes; `missed` are pixels where nothing was hit."""
        if self._is_lit:
            seen *= self._exposure * self._gain(
                seen if self.surroundings.has_sky else seen[~missed]
            )
        seen *= TONE_STEPS_PER_UNIT
        seen += 0.5
        np.minimum(seen, len(self._tone) - 1, out=seen)
        rgb = np.take(self._tone, seen.astype(np.uint16))
        if not self.surroundings.has_sky:
            rgb[missed] = BACKGROUND
        return rgb

    def _gain(self, seen: Float32[Array, "*n 3"]) -> np.float32:
        """By how much a camera that sees this is open beyond the scene's exposure; see METERED."""
        luminance = self._exposure * (
            seen.reshape(-1, 3)[::METERED_EVERY] @ LUMINANCE.astype(np.float32)
        )
        if not len(luminance):
            return np.float32(1)
        dim = np.log2(METERED) - np.log2(luminance + np.float32(1e-3)).mean()
        stops = min(max(OPENING * float(dim), 0.0), MOST_STOPS)
        return np.float32(2.0 ** (round(stops * STOP_STEPS) / STOP_STEPS))

    def _behind(self, camera: Camera, missed: Bool[Array, "H W"]) -> Float[Array, "n 3"]:
        """Pi times the radiance of pixels whose rays hit nothing: the sky, and hazy land below the horizon."""
        row, column = np.nonzero(missed)
        x, y = ray_slopes(camera, column, row)
        axes = camera.cam2world[2, :3]
        sine = (axes[0] * x + axes[1] * y + axes[2]) / np.sqrt(x * x + y * y + 1.0)
        return np.pi * self.surroundings.radiance(sine)

    def light(self, hits: Hits) -> tuple[Float32[Array, "3 H W"], Float32[Array, "H W 3"] | None]:
        """Linear irradiance of each pixel's surface from all lights, the sky and other surfaces; highlights.

        Highlights are pi times the reflected radiance; None where nothing shines.
        """
        caster, face, key = self.caster, hits.face, self._key
        place = hits.coordinates_world()
        members = np.take(caster.face_group, face, mode="wrap")
        total = self._soft.irradiance(hits, place, members)
        highlights = None
        if key is not None:
            above = height_above(key, caster.face_normal, caster.face_offset)
            above *= caster.facing(hits.camera)
            amount = strength(key, np.take(above, face, mode="wrap"), place)
            lit = np.flatnonzero(amount)
            amount.reshape(-1)[lit] *= 1 - shadowed_share(caster, key, lit, place, members)
            _add_light(total, amount, key.color)
            if self._gloss is not None:
                amount *= self._gloss.share(hits, key, place, members)
                highlights = amount[..., None] * key.color.astype(np.float32)
        if self._glow is not None:
            _add_light(total, np.take(self._glow, face, mode="wrap"), self._mean)
        return total, highlights


def _add_light(
    total: Float32[Array, "3 H W"], strength: Float32[Array, "H W"], color: Float[Array, "3"]
) -> None:
    for channel, intensity in enumerate(color.astype(np.float32)):
        total[channel] += strength * intensity


def _mean_irradiance(mesh: Mesh, lights: Sequence[DirectLight]) -> Float[Array, "3"]:
    """Mean irradiance on the walls of the scene's bounding box, with reflections; see MEAN_ALBEDO."""
    flux = np.sum([np.zeros(3), *map(power, lights)], axis=0)
    x, y, z = (mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)).astype(np.float64)
    return np.asarray(flux / (2 * (x * y + y * z + z * x) * (1 - MEAN_ALBEDO)))
