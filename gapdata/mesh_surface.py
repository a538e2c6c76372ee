"""What a mesh is like at points of its faces: normals, colours, textures. Points are (face, barycentric uv)."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int, Int64, UInt8

from gapdata.scene import Mesh

Array = np.ndarray


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


LINEAR_OF_BYTE = srgb_to_linear(np.arange(256) / 255.0).astype(np.float32)


def face_planes(mesh: Mesh) -> tuple[Float32[Array, "F1 3"], Float32[Array, "F1"]]:
    """Unit normal n and offset d of each face's plane, n . x = d, and a last row of zeros for "no face".

    Normals follow the vertices' counter-clockwise order; faces without area have a zero normal.
    """
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
    normal = np.zeros((len(mesh.faces) + 1, 3))
    normal[:-1] = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal /= np.where(length > 0, length, 1.0)
    offset = np.zeros(len(normal))
    offset[:-1] = np.einsum("ij,ij->i", normal[:-1], a)
    return normal.astype(np.float32), offset.astype(np.float32)


class SurfaceColor:
    """The linear-light colour of a mesh's surface: vertex colours times textures. Face -1 is black."""

    def __init__(self, mesh: Mesh) -> None:
        self._vertex = CornerTable(LINEAR_OF_BYTE[mesh.vertex_color], mesh.faces)
        textured = bool(mesh.textures) and mesh.face_texture is not None and mesh.uv is not None
        self._texture = _TextureTable(mesh) if textured else None

    def at(
        self, face: Int[Array, "n"], uv: Float32[Array, "n 2"], footprint_m: Float32[Array, "n"]
    ) -> Float32[Array, "n 3"]:
        """Linear colour at points of faces, averaged over about `footprint_m` metres where textured."""
        color = self._vertex.at(face, uv)
        if self._texture is not None:
            self._texture.multiply(color, face, uv, footprint_m)
        return color


class CornerTable:
    """Values given at vertices, interpolated inside faces; zero on face -1."""

    def __init__(self, values: Float32[Array, "v c"], faces: Int[Array, "f 3"]) -> None:
        table = np.zeros((3, len(faces) + 1, values.shape[1]), np.float32)
        for corner in range(3):
            table[corner, :-1] = values[faces[:, corner]]
        table[1:] -= table[0]
        self.first, self.steps = table[0], table[1:]
        self._varies = [bool(step.any()) for step in self.steps]

    def at(self, face: Int[Array, "n"], uv: Float32[Array, "n 2"]) -> Float32[Array, "n c"]:
        """Values at points of faces; uv weighs the second and the third corner."""
        value = np.take(self.first, face, axis=0, mode="wrap")
        for corner in range(2):
            if self._varies[corner]:
                step = np.take(self.steps[corner], face, axis=0, mode="wrap")
                step *= uv[:, corner, None]
                value += step
        return value


class _TextureTable:
    """All textures as linear-light pyramids in one flat array of texels.

    A point is sampled bilinearly on the level whose texels are nearest to its footprint in size, so that
    distant textures neither shimmer nor alias.
    """

    def __init__(self, mesh: Mesh) -> None:
        assert mesh.uv is not None
        assert mesh.face_texture is not None
        self._uv = CornerTable(mesh.uv, mesh.faces)
        self._texture = np.append(mesh.face_texture, np.int16(-1)).astype(np.int64)
        pyramids = [_pyramid(texture) for texture in mesh.textures]
        self._last_level = np.array([len(levels) - 1 for levels in pyramids])
        self._first_level = np.concatenate([[0], np.cumsum(self._last_level + 1)[:-1]])
        levels = [level for pyramid in pyramids for level in pyramid]
        self._size = np.array([level.shape[:2] for level in levels])
        self._start = np.concatenate([[0], np.cumsum(self._size.prod(axis=1))[:-1]])
        self._texels = np.concatenate([level.reshape(-1, 3) for level in levels])
        self._log_density = self._texel_density(mesh)

    def _texel_density(self, mesh: Mesh) -> Float32[Array, "f1"]:
        """log2 of the texels per metre on each face at full resolution; 0 for faces without texture."""
        a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        (ux, uy), (vx, vy) = self._uv.steps[0, :-1].T, self._uv.steps[1, :-1].T
        height, width = self._size[self._first_level[self._texture[:-1]]].T
        texels = np.abs(ux * vy - uy * vx) * height * width
        density = np.zeros(len(mesh.faces) + 1, np.float32)
        known = np.flatnonzero((self._texture[:-1] >= 0) & (area > 0) & (texels > 0))
        density[known] = 0.5 * np.log2(texels[known] / area[known])
        return density

    def multiply(
        self,
        color: Float32[Array, "n 3"],
        face: Int[Array, "n"],
        uv: Float32[Array, "n 2"],
        footprint_m: Float32[Array, "n"],
    ) -> None:
        """Multiplies colours by the texture's colour on textured faces, in place."""
        index = np.flatnonzero(np.take(self._texture, face, mode="wrap") >= 0)
        face = face[index]
        texture = self._texture[face]
        level = np.rint(self._log_density[face] + np.log2(footprint_m[index])).astype(np.int64)
        level = np.clip(level, 0, self._last_level[texture]) + self._first_level[texture]
        color[index] *= self._bilinear(level, self._uv.at(face, uv[index]))

    def _bilinear(
        self, level: Int64[Array, "n"], uv: Float32[Array, "n 2"]
    ) -> Float32[Array, "n 3"]:
        """Colours at repeating texture coordinates; texel i of n has its centre at (i + 0.5) / n."""
        start, (height, width) = self._start[level], self._size[level].T
        x = (uv[:, 0] - np.floor(uv[:, 0])) * width.astype(np.float32) - np.float32(0.5)
        y = (uv[:, 1] - np.floor(uv[:, 1])) * height.astype(np.float32) - np.float32(0.5)
        left, top = np.floor(x), np.floor(y)
        share_x, share_y = (x - left)[:, None], (y - top)[:, None]
        columns = [np.mod(left.astype(np.int64) + step, width) for step in (0, 1)]
        lines = [np.mod(top.astype(np.int64) + step, height) * width + start for step in (0, 1)]

        def along(line: Int64[Array, "n"]) -> Float32[Array, "n 3"]:
            first, second = (np.take(self._texels, line + column, axis=0) for column in columns)
            second -= first
            second *= share_x
            second += first
            return second

        upper, lower = along(lines[0]), along(lines[1])
        lower -= upper
        lower *= share_y
        lower += upper
        return lower


def _pyramid(texture: UInt8[Array, "h w 3"]) -> list[Float32[Array, "_ _ 3"]]:
    """The texture in linear light and its halves by area averaging, down to one texel."""
    levels = [LINEAR_OF_BYTE[texture]]
    while max(levels[-1].shape[:2]) > 1:
        height, width = (max(1, size // 2) for size in levels[-1].shape[:2])
        levels.append(cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA))
    return levels
