"""Colour of mesh hits: interpolated vertex colours, textures, point lights with one shadow, tone mapping."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, UInt8

from gapdata.mesh_surface import SurfaceColor, linear_to_srgb
from gapdata.renderers.mesh_caster import Hits, MeshCaster
from gapdata.scene import Light, Mesh

Array = np.ndarray

BACKGROUND = np.array([128, 128, 128], np.uint8)  # where a ray hits nothing
# Light that surfaces hand on to each other is estimated as in an integrating sphere: with flux P, surface
# A and mean albedo rho the mean irradiance is P / (A (1 - rho)), of which rho is indirect.
MEAN_ALBEDO = 0.4
EXPOSURE = 1.2  # tone-mapping input of a white surface under the mean irradiance
CEILING_SHARE = 0.8  # indirect irradiance from above, relative to the mean of above and below
TONE_STEPS_PER_UNIT = 8192  # of the tone table, which ends at 8


class Shader:
    """Tables of one scene's colours and lights, made once; `shade` colours the hits of a camera.

    Lit scenes: Lambert reflection of all lights (irradiance color / r**2 times the cosine) and of an
    ambient term that is brighter from above, shadow rays for the first light only, then exposure and the
    curve 1 - exp(-x). Unlit scenes (no lights): colours as they are.
    """

    def __init__(self, caster: MeshCaster, lights: tuple[Light, ...]) -> None:
        self.caster = caster
        self._color = SurfaceColor(caster.mesh)
        steps = np.arange(8 * TONE_STEPS_PER_UNIT) / TONE_STEPS_PER_UNIT
        tone = 1.0 - np.exp(-steps) if lights else np.minimum(steps, 1.0)
        self._tone = np.rint(255.0 * linear_to_srgb(tone)).astype(np.uint8)
        self._lights = lights
        self._light_side = [
            caster.face_normal @ light.position.astype(np.float32) - caster.face_offset
            for light in lights
        ]
        if lights:
            self._mean_irradiance = _mean_irradiance(caster.mesh, lights)
            self._exposure = np.float32(EXPOSURE / self._mean_irradiance.mean())

    def shade(self, hits: Hits) -> UInt8[Array, "H W 3"]:
        """Colour (sRGB) of every pixel; BACKGROUND where nothing was hit."""
        assert hits.uv is not None
        shape = hits.depth.shape
        face, uv = hits.face.reshape(-1), hits.uv.reshape(-1, 2)
        footprint = (hits.depth / np.float32(hits.camera.K[0, 0])).reshape(-1)
        color = self._color.at(face, uv, footprint)
        if self._lights:
            for channel, irradiance in enumerate(self.irradiance(hits)):
                color[:, channel] *= irradiance.reshape(-1)
            color *= self._exposure
        color *= TONE_STEPS_PER_UNIT
        color += 0.5
        np.minimum(color, len(self._tone) - 1, out=color)
        rgb = np.take(self._tone, color.astype(np.uint16)).reshape(*shape, 3)
        rgb[hits.face < 0] = BACKGROUND
        return rgb

    def irradiance(self, hits: Hits) -> Float32[Array, "3 H W"]:
        """Linear irradiance of each pixel's surface, from the ambient term and all lights."""
        caster, face = self.caster, hits.face
        facing = caster.facing(hits.camera)
        up = 0.5 + 0.5 * facing * caster.face_normal[:, 2]
        share = (1 - CEILING_SHARE) + (2 * CEILING_SHARE - 1) * up
        share_at = np.take(share.astype(np.float32), face, mode="wrap")
        ambient = (2 * MEAN_ALBEDO * self._mean_irradiance).astype(np.float32)
        total = share_at * ambient[:, None, None]
        x, y, z = hits.coordinates_world()
        for number, light in enumerate(self._lights):
            # Distance from the light to the face's plane, on the side that the camera sees.
            height = np.maximum(self._light_side[number] * facing, 0)
            strength = np.take(height, face, mode="wrap")
            if number == 0:
                lit = np.flatnonzero(strength)
                points = np.stack([axis.reshape(-1)[lit] for axis in (x, y, z)], axis=1)
                strength.reshape(-1)[lit[caster.is_shadowed(points, light.position)]] = 0
            lx, ly, lz = light.position.astype(np.float32)
            square = (x - lx) ** 2
            square += (y - ly) ** 2
            square += (z - lz) ** 2
            strength /= np.maximum(square * np.sqrt(square), np.float32(1e-9))
            for channel, intensity in enumerate(light.color.astype(np.float32)):
                total[channel] += strength * intensity
        return np.asarray(total)


def _mean_irradiance(mesh: Mesh, lights: tuple[Light, ...]) -> Float[Array, "3"]:
    """Mean irradiance on the walls of the scene's bounding box, with reflections; see MEAN_ALBEDO."""
    flux = 4 * np.pi * np.sum([light.color for light in lights], axis=0)
    x, y, z = (mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)).astype(np.float64)
    return np.asarray(flux / (2 * (x * y + y * z + z * x) * (1 - MEAN_ALBEDO)))
