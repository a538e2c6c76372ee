"""Colour of mesh hits: interpolated vertex colours, textures, point lights with one shadow, tone mapping."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8

from gapdata.renderers.mesh_caster import Hits, MeshCaster
from gapdata.scene import Light, Mesh

Array = np.ndarray

BACKGROUND = np.array([128, 128, 128], np.uint8)  # where a ray hits nothing
# Light that surfaces hand on to each other is estimated as in an integrating sphere: with flux P, surface
# A and mean albedo rho the mean irradiance is P / (A (1 - rho)), of which rho is indirect.
MEAN_ALBEDO = 0.5
EXPOSURE = 1.6  # tone-mapping input of a white surface under the mean irradiance
CEILING_SHARE = 0.8  # indirect irradiance from above, relative to the mean of above and below
TONE_STEPS_PER_UNIT = 8192  # of the tone table, which ends at 8


def srgb_to_linear(encoded: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Linear light of sRGB values, both in [0, 1] (IEC 61966-2-1)."""
    return np.asarray(
        np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    )


def linear_to_srgb(linear: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Values in sRGB of linear light, both in [0, 1]; inverse of `srgb_to_linear`."""
    return np.asarray(
        np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    )


class Shader:
    """Tables of one scene's colours and lights, made once; `shade` colours the hits of a camera.

    Lit scenes: Lambert reflection of all lights (irradiance color / r**2 times the cosine) and of an
    ambient term that is brighter from above, shadow rays for the first light only, then exposure and the
    curve 1 - exp(-x). Unlit scenes (no lights): colours as they are.
    """

    def __init__(self, caster: MeshCaster, lights: tuple[Light, ...]) -> None:
        self.caster = caster
        mesh = caster.mesh
        linear = srgb_to_linear(np.arange(256) / 255.0).astype(np.float32)
        self._color = _corner_table(linear[mesh.vertex_color], mesh.faces)
        self._textures = _TextureTable(mesh, linear) if _is_textured(mesh) else None
        steps = np.arange(8 * TONE_STEPS_PER_UNIT) / TONE_STEPS_PER_UNIT
        tone = 1.0 - np.exp(-steps) if lights else np.minimum(steps, 1.0)
        self._tone = np.rint(255.0 * linear_to_srgb(tone)).astype(np.uint8)
        self._lights = lights
        self._light_side = [
            caster.face_normal @ light.position.astype(np.float32) - caster.face_offset
            for light in lights
        ]
        if lights:
            self._mean_irradiance = _mean_irradiance(mesh, lights)
            self._exposure = np.float32(EXPOSURE / self._mean_irradiance.mean())

    def shade(self, hits: Hits) -> UInt8[Array, "H W 3"]:
        """Colour (sRGB) of every pixel; BACKGROUND where nothing was hit."""
        shape = hits.depth.shape
        face, uv = hits.face.reshape(-1), hits.uv.reshape(-1, 2)
        color = _interpolate(self._color, face, uv)
        if self._textures is not None:
            self._textures.multiply(color, hits)
        if self._lights:
            color *= self._irradiance(hits)
            color *= self._exposure
        color *= TONE_STEPS_PER_UNIT
        color += 0.5
        np.minimum(color, len(self._tone) - 1, out=color)
        rgb = np.take(self._tone, color.astype(np.uint16)).reshape(*shape, 3)
        rgb[hits.face < 0] = BACKGROUND
        return rgb

    def _irradiance(self, hits: Hits) -> Float32[Array, "n 3"]:
        """Linear irradiance of each pixel's surface: ambient and all lights."""
        caster, face = self.caster, hits.face.reshape(-1)
        points = hits.points_world().reshape(-1, 3)
        facing = caster.facing(hits.camera)
        up = 0.5 + 0.5 * facing * caster.face_normal[:, 2]
        share = (1 - CEILING_SHARE) + (2 * CEILING_SHARE - 1) * up
        ambient = (2 * MEAN_ALBEDO * self._mean_irradiance).astype(np.float32) * share[:, None]
        total = np.take(ambient.astype(np.float32), face, axis=0, mode="wrap")
        for number, light in enumerate(self._lights):
            # Distance from the light to the face's plane, on the side that the camera sees.
            height = np.maximum(self._light_side[number] * facing, 0)
            strength = np.take(height, face, mode="wrap")
            lit = np.flatnonzero(strength)
            if number == 0:
                lit = lit[~caster.is_shadowed(points[lit], light.position)]
            offset = points[lit] - light.position.astype(np.float32)
            square = np.einsum("ij,ij->i", offset, offset)
            strength = strength[lit] / (square * np.sqrt(square))
            total[lit] += strength[:, None] * light.color.astype(np.float32)
        return total


def _mean_irradiance(mesh: Mesh, lights: tuple[Light, ...]) -> Float[Array, "3"]:
    """Mean irradiance on the walls of the scene's bounding box, with reflections; see MEAN_ALBEDO."""
    flux = 4 * np.pi * np.sum([light.color for light in lights], axis=0)
    x, y, z = (mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)).astype(np.float64)
    return np.asarray(flux / (2 * (x * y + y * z + z * x) * (1 - MEAN_ALBEDO)))


def _corner_table(
    values: Float32[Array, "v c"], faces: Int64[Array, "f 3"] | Array
) -> tuple[Float32[Array, "f1 c"], ...]:
    """Value at each face's first corner and the steps to the other two, with a last row of zeros."""
    table = np.zeros((3, len(faces) + 1, values.shape[1]), np.float32)
    for corner in range(3):
        table[corner, :-1] = values[faces[:, corner]]
    table[1:] -= table[0]
    return tuple(table)


def _interpolate(
    table: tuple[Float32[Array, "f1 c"], ...],
    face: Int64[Array, "n"],
    uv: Float32[Array, "n 2"],
) -> Float32[Array, "n c"]:
    """Corner values interpolated inside the faces."""
    value = np.take(table[0], face, axis=0, mode="wrap")
    for axis in range(2):
        if table[1 + axis].any():
            step = np.take(table[1 + axis], face, axis=0, mode="wrap")
            step *= uv[:, axis, None]
            value += step
    return value


def _is_textured(mesh: Mesh) -> bool:
    return bool(mesh.textures) and mesh.face_texture is not None and mesh.uv is not None


class _TextureTable:
    """All textures as linear-light pyramids in one flat array of texels.

    A pixel is sampled bilinearly on the level whose texels are nearest to the pixel's footprint in size,
    so that distant textures neither shimmer nor alias.
    """

    def __init__(self, mesh: Mesh, linear: Float32[Array, "256"]) -> None:
        assert mesh.uv is not None
        assert mesh.face_texture is not None
        self._uv = _corner_table(mesh.uv, mesh.faces)
        self._texture = np.append(mesh.face_texture, np.int16(-1)).astype(np.int64)
        pyramids = [_pyramid(linear[texture]) for texture in mesh.textures]
        self._last_level = np.array([len(levels) - 1 for levels in pyramids])
        levels = [level for pyramid in pyramids for level in pyramid]
        counts = np.array([level.shape[0] * level.shape[1] for level in levels])
        self._first_level = np.concatenate([[0], np.cumsum(self._last_level + 1)[:-1]])
        self._start = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._size = np.array([level.shape[:2] for level in levels])
        self._texels = np.concatenate([level.reshape(-1, 3) for level in levels])
        self._log_density = self._texel_density(mesh)

    def _texel_density(self, mesh: Mesh) -> Float32[Array, "f1"]:
        """log2 of the texels per metre on each face at full resolution; 0 for faces without texture."""
        a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        (ux, uy), (vx, vy) = self._uv[1][:-1].T, self._uv[2][:-1].T
        height, width = self._size[self._first_level[self._texture[:-1]]].T
        texels = np.abs(ux * vy - uy * vx) * height * width
        density = np.zeros(len(mesh.faces) + 1, np.float32)
        known = (self._texture[:-1] >= 0) & (area > 0) & (texels > 0)
        density[:-1][known] = 0.5 * np.log2(texels[known] / area[known])
        return density

    def multiply(self, color: Float32[Array, "n 3"], hits: Hits) -> None:
        """Multiplies colours by the texture's colour at the hits of textured faces, in place."""
        face = hits.face.reshape(-1)
        index = np.flatnonzero(np.take(self._texture, face, mode="wrap") >= 0)
        face = face[index]
        uv = _interpolate(self._uv, face, hits.uv.reshape(-1, 2)[index])
        depth = hits.depth.reshape(-1)[index]
        texture = self._texture[face]
        footprint = np.log2(depth / np.float32(hits.camera.K[0, 0]))
        level = np.rint(self._log_density[face] + footprint).astype(np.int64)
        level = np.clip(level, 0, self._last_level[texture]) + self._first_level[texture]
        color[index] *= self._bilinear(level, uv)

    def _bilinear(
        self, level: Int64[Array, "n"], uv: Float32[Array, "n 2"]
    ) -> Float32[Array, "n 3"]:
        """Colours at repeating texture coordinates; texel i of n has its centre at (i + 0.5) / n."""
        size, start = self._size[level], self._start[level]
        height, width = size.T
        x = (uv[:, 0] - np.floor(uv[:, 0])) * width.astype(np.float32) - np.float32(0.5)
        y = (uv[:, 1] - np.floor(uv[:, 1])) * height.astype(np.float32) - np.float32(0.5)
        left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        right_share, bottom_share = (x - left)[:, None], (y - top)[:, None]
        columns, rows = (left % width, (left + 1) % width), (top % height, (top + 1) % height)

        def row(line: Int64[Array, "n"]) -> Float32[Array, "n 3"]:
            first, second = (
                np.take(self._texels, start + line * width + column, axis=0) for column in columns
            )
            second -= first
            second *= right_share.astype(np.float32)
            return np.asarray(first + second)

        upper, lower = row(rows[0]), row(rows[1])
        return np.asarray(upper + (lower - upper) * bottom_share.astype(np.float32))


def _pyramid(image: Float32[Array, "h w 3"]) -> list[Float32[Array, "_ _ 3"]]:
    """The image and its halves by area averaging, down to one texel."""
    import cv2

    levels = [image]
    while max(levels[-1].shape[:2]) > 1:
        height, width = (max(1, size // 2) for size in levels[-1].shape[:2])
        levels.append(cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA))
    return levels
