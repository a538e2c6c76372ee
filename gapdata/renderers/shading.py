"""Colour of mesh hits: interpolated vertex colours, textures, lights with one soft shadow, tone mapping."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from gapdata.geometry.camera import Camera
from gapdata.mesh_surface import SurfaceColor, linear_to_srgb
from gapdata.renderers.mesh_caster import Hits, MeshCaster
from gapdata.renderers.rays import ray_slopes
from gapdata.renderers.shadows import shadowed_share
from gapdata.scene import AnyLight, Light, Mesh, Sky, Sun

Array = np.ndarray

BACKGROUND = np.array([128, 128, 128], np.uint8)  # where a ray hits nothing and there is no sky
# Light that surfaces hand on to each other is estimated as in an integrating sphere: with flux P, surface
# A and mean albedo rho the mean irradiance is P / (A (1 - rho)), of which rho is indirect.
MEAN_ALBEDO = 0.4
EXPOSURE = 1.2  # tone-mapping input of a white surface under the mean irradiance
CEILING_SHARE = 0.8  # indirect irradiance from above, relative to the mean of above and below
GROUND_ALBEDO = 0.25  # of the land under a sky, which lights what looks down
LOWEST_KEY = (
    0.35  # sine of the sun's elevation that exposure assumes at least: low suns light walls
)
WHITE = 0.98  # of the tone curve's highest value
TONE_STEPS_PER_UNIT = 8192  # of the tone table, which ends at 8


class Shader:
    """Tables of one scene's colours and lights, made once; `shade` colours the hits of a camera.

    Lit scenes: Lambert reflection of all lights (irradiance color / r**2 times the cosine, the sun's times
    the cosine) and of an ambient term that is brighter from above, shadow rays for the first light that is
    not the sky only, then exposure and the curve 1 - exp(-x). Unlit scenes (no lights): colours as they are.
    """

    def __init__(self, caster: MeshCaster, lights: tuple[AnyLight, ...]) -> None:
        self.caster = caster
        self._color = SurfaceColor(caster.mesh)
        steps = np.arange(8 * TONE_STEPS_PER_UNIT) / TONE_STEPS_PER_UNIT
        tone = 1.0 - np.exp(-steps) if lights else np.minimum(steps, 1.0)
        self._tone = np.rint(255.0 * linear_to_srgb(tone)).astype(np.uint8)
        self._lamps = tuple(light for light in lights if isinstance(light, Light))
        self._suns = tuple(light for light in lights if isinstance(light, Sun))
        self._skies = tuple(light for light in lights if isinstance(light, Sky))
        shading = [light for light in lights if isinstance(light, Light | Sun)]
        self._key = shading[0] if shading else None
        self._lamp_side = [
            caster.face_normal @ lamp.position.astype(np.float32) - caster.face_offset
            for lamp in self._lamps
        ]
        self._is_lit = bool(lights)
        if lights:
            self._indoors = _mean_irradiance(caster.mesh, self._lamps)
            self._from_sky = _sky_irradiance(self._skies)
            self._from_ground = GROUND_ALBEDO * (self._from_sky + _sun_irradiance(self._suns, 0.0))
            mean = self._indoors + self._from_sky + _sun_irradiance(self._suns, LOWEST_KEY)
            self._exposure = np.float32(EXPOSURE / mean.mean())

    def shade(self, hits: Hits) -> UInt8[Array, "H W 3"]:
        """Colour (sRGB) of every pixel; BACKGROUND where nothing was hit."""
        assert hits.uv is not None
        shape = hits.depth.shape
        face, uv = hits.face.reshape(-1), hits.uv.reshape(-1, 2)
        footprint = (hits.depth / np.float32(hits.camera.K[0, 0])).reshape(-1)
        color = self._color.at(face, uv, footprint)
        if self._is_lit:
            for channel, irradiance in enumerate(self.irradiance(hits)):
                color[:, channel] *= irradiance.reshape(-1)
        rgb = self.developed(color).reshape(*shape, 3)
        missed = hits.face < 0
        rgb[missed] = self._behind(hits.camera, missed) if self._skies else BACKGROUND
        return rgb

    @property
    def white_radiance(self) -> np.float32:
        """The radiance that comes out white, WHITE of the tone curve's way."""
        return np.float32(-np.log(1 - WHITE) / (np.pi * self._exposure))

    def developed(self, light: Float32[Array, "*n 3"]) -> UInt8[Array, "*n 3"]:
        """Pixels (sRGB) of albedo times irradiance, which is pi times radiance; changes its argument."""
        if self._is_lit:
            light *= self._exposure
        light *= TONE_STEPS_PER_UNIT
        light += 0.5
        np.minimum(light, len(self._tone) - 1, out=light)
        return np.take(self._tone, light.astype(np.uint16))

    def _behind(self, camera: Camera, missed: Bool[Array, "H W"]) -> UInt8[Array, "n 3"]:
        """Colour of pixels whose rays hit nothing: the sky, and hazy land below the horizon."""
        row, column = np.nonzero(missed)
        x, y = ray_slopes(camera, column, row)
        axes = camera.cam2world[2, :3]
        sine = (axes[0] * x + axes[1] * y + axes[2]) / np.sqrt(x * x + y * y + 1.0)
        value = np.pi * self.radiance_behind(sine) * float(self._exposure) * TONE_STEPS_PER_UNIT
        value += 0.5
        return np.take(self._tone, np.minimum(value, len(self._tone) - 1).astype(np.uint16))

    def radiance_behind(self, sine: Float[Array, " n"]) -> Float[Array, "n 3"]:
        """Linear radiance of the sky by the sine of elevation, and of hazy land below the horizon."""
        radiance = np.zeros((len(sine), 3))
        for sky in self._skies:
            radiance += sky.horizon + np.maximum(sine, 0)[:, None] * (sky.zenith - sky.horizon)
        horizon = np.sum([sky.horizon for sky in self._skies], axis=0)
        radiance[sine < 0] = 0.5 * (horizon + self._from_ground / np.pi)
        return radiance

    def irradiance(self, hits: Hits) -> Float32[Array, "3 H W"]:
        """Linear irradiance of each pixel's surface, from the ambient term and all lights."""
        caster, face = self.caster, hits.face
        facing = caster.facing(hits.camera)
        up = 0.5 + 0.5 * facing * caster.face_normal[:, 2]
        share = (1 - CEILING_SHARE) + (2 * CEILING_SHARE - 1) * up
        ambient = 2 * MEAN_ALBEDO * share[:, None] * self._indoors
        ambient += self._from_ground + up[:, None] * (self._from_sky - self._from_ground)
        table = ambient.T.astype(np.float32)
        total = np.stack([np.take(channel, face, mode="wrap") for channel in table])
        place = hits.coordinates_world()
        for number, lamp in enumerate(self._lamps):
            # Distance from the lamp to the face's plane, on the side that the camera sees.
            height = np.maximum(self._lamp_side[number] * facing, 0)
            strength = np.take(height, face, mode="wrap")
            if lamp is self._key:
                self._cast_shadow(strength, place, hits)
            square = np.zeros_like(strength)
            for axis, at in zip(place, lamp.position.astype(np.float32), strict=True):
                square += (axis - at) ** 2
            strength /= np.maximum(square * np.sqrt(square), np.float32(1e-9))
            _add_light(total, strength, lamp.color)
        for sun in self._suns:
            cosine = np.maximum(facing * (caster.face_normal @ sun.direction.astype(np.float32)), 0)
            strength = np.take(cosine, face, mode="wrap")
            if sun is self._key:
                self._cast_shadow(strength, place, hits)
            _add_light(total, strength, sun.color)
        return np.asarray(total)

    def _cast_shadow(
        self, strength: Float32[Array, "H W"], place: Float32[Array, "3 H W"], hits: Hits
    ) -> None:
        """Takes off the strength what the mesh hides of the key light."""
        assert self._key is not None
        lit = np.flatnonzero(strength)
        instance = self.caster.instances_at(hits)
        hidden = shadowed_share(self.caster, self._key, lit, place, instance)
        strength.reshape(-1)[lit] *= 1 - hidden


def _add_light(
    total: Float32[Array, "3 H W"], strength: Float32[Array, "H W"], color: Float[Array, "3"]
) -> None:
    for channel, intensity in enumerate(color.astype(np.float32)):
        total[channel] += strength * intensity


def _sky_irradiance(skies: tuple[Sky, ...]) -> Float[Array, "3"]:
    """Irradiance of a level surface under the whole sky: the integral of radiance times cosine."""
    total = np.zeros(3)
    for sky in skies:
        total += np.pi * (sky.horizon + 2.0 * sky.zenith) / 3.0
    return total


def _sun_irradiance(suns: tuple[Sun, ...], lowest: float) -> Float[Array, "3"]:
    """Irradiance of a level surface from suns, each as if its sine of elevation were `lowest` at least."""
    total = np.zeros(3)
    for sun in suns:
        total += sun.color * max(lowest, float(sun.direction[2]))
    return total


def _mean_irradiance(mesh: Mesh, lights: tuple[Light, ...]) -> Float[Array, "3"]:
    """Mean irradiance on the walls of the scene's bounding box, with reflections; see MEAN_ALBEDO."""
    flux = 4 * np.pi * np.sum([np.zeros(3), *(light.color for light in lights)], axis=0)
    x, y, z = (mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)).astype(np.float64)
    return np.asarray(flux / (2 * (x * y + y * z + z * x) * (1 - MEAN_ALBEDO)))
