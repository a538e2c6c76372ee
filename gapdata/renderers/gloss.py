"""Highlights: what smooth surfaces reflect of the key light, besides what they scatter.

GGX microfacets (Walter et al., EGSR 2007) under Schlick's Fresnel term, with the visibility approximation
1 / (4 (l . h)^2) (Kelemen and Szirmay-Kalos, Eurographics 2001). A light's own size makes its highlights wider
(Karis, Real shading in Unreal Engine 4, SIGGRAPH 2013). Normals are interpolated over smooth surfaces; they
bend highlights alone, never the normal layer.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int32, Int64

from gapdata.geometry.camera import Camera
from gapdata.mesh_surface import CornerTable, smooth_normals
from gapdata.renderers.mesh_caster import Hits, MeshCaster
from gapdata.renderers.window import spread
from gapdata.scene import Light, Sun

Array = np.ndarray

MATT = 0.75  # roughness from which highlights are too faint to draw
STRAIGHT = np.float32(0.04)  # share of light from straight ahead that is reflected


class Gloss:
    """Tables of one scene's faces that shine."""

    def __init__(self, caster: MeshCaster, roughness: Float32[Array, " F"]) -> None:
        shiny = np.flatnonzero(roughness < MATT)
        self._number = np.full(len(roughness) + 1, -1)  # of a face among those that shine
        self._number[shiny] = np.arange(len(shiny))
        self._roughness = roughness[shiny]
        own = np.append(shiny, -1)
        corners = smooth_normals(
            caster.mesh.part(shiny), caster.face_normal[own], caster.face_group[own]
        )
        self._normal = CornerTable(corners)
        self._facing, self._shiny = caster.facing, shiny

    def share(
        self,
        hits: Hits,
        light: Light | Sun,
        place: Float32[Array, "3 H W"],
        members: Int32[Array, "H W"],
    ) -> Float32[Array, "H W"]:
        """Pi times the radiance that each pixel reflects over the irradiance it gets of the light.

        Known at every second pixel of both axes, between them from those of the same smooth surface in `members`.
        """
        assert hits.uv is not None
        face = hits.face[::2, ::2]
        number = np.take(self._number, face.reshape(-1))
        pixel = np.flatnonzero(number >= 0)
        number = number[pixel]
        uv = np.take(hits.uv[::2, ::2].reshape(-1, 2), pixel, axis=0)
        coarse = np.zeros((1, *face.shape), np.float32)
        points = np.stack([np.take(axis[::2, ::2].reshape(-1), pixel) for axis in place], axis=-1)
        coarse.reshape(-1)[pixel] = self._at(hits.camera, light, number, uv, points)
        return spread(coarse, members)[0]

    def _at(
        self, camera: Camera, light: Light | Sun, number: Int64[Array, " n"], uv: Float32[Array, "n 2"],
        points: Float32[Array, "n 3"],
    ) -> Float32[Array, " n"]:  # fmt: skip
        normal = self._normal.at(number, uv)
        normal *= np.take(self._facing(camera)[self._shiny], number)[:, None]
        seen, _ = _unit(camera.center_world.astype(np.float32) - points)
        if isinstance(light, Sun):
            towards, wider = light.direction.astype(np.float32)[None], np.float32(0)
        else:
            towards, distance = _unit(light.position.astype(np.float32) - points)
            wider = np.float32(0.5 * light.radius) / np.maximum(distance, np.float32(1e-3))
        half, _ = _unit(seen + towards)
        cosine = np.clip(_dot(_unit(normal)[0], half), 0, 1)
        alpha = np.square(np.take(self._roughness, number))
        wide = np.minimum(alpha + wider, 1)
        # Were the light a point, `wide` would be alpha; its size spreads the same light further.
        lobe = np.square(alpha / (cosine * cosine * (wide * wide - 1) + 1))
        bend = np.clip(_dot(towards, half), 0.1, 1)
        fresnel = STRAIGHT + (1 - STRAIGHT) * (1 - bend) ** 5
        return (fresnel * lobe / (4 * bend * bend)).astype(np.float32)


def _unit(vector: Float32[Array, "n 3"]) -> tuple[Float32[Array, "n 3"], Float32[Array, " n"]]:
    length = np.sqrt(_dot(vector, vector))
    return vector / np.maximum(length, np.float32(1e-9))[:, None], length


def _dot(one: Float32[Array, "#n 3"], other: Float32[Array, "#n 3"]) -> Float32[Array, " #n"]:
    return np.einsum("nx,nx->n", one, other)
