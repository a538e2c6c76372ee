"""What a mesh is like at points of its faces: normals, colours, textures. Points are (face, barycentric uv)."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int, Int32, Int64, UInt8
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gapdata.scene import Mesh

Array = np.ndarray

SMOOTH_COSINE = float(np.cos(np.deg2rad(40.0)))  # faces that meet at a smaller angle look like one


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


ATLAS_WIDTH = 4096  # pixels; wider textures get a shelf of their own
LINEAR_OF_BYTE = srgb_to_linear(np.arange(256) / 255.0).astype(np.float32)


def face_planes(mesh: Mesh) -> tuple[Float32[Array, "F1 3"], Float32[Array, " F1"]]:
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


def face_areas(mesh: Mesh) -> Float[Array, " F"]:
    """Area of each face, square metres."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
    return np.asarray(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1))


def smooth_groups(mesh: Mesh, normal: Float32[Array, "F1 3"]) -> Int32[Array, " F1"]:
    """Number of the smooth surface of each face, and -1 in a last row for "no face"; `normal` as of `face_planes`.

    Faces of one instance belong together where they share an edge and meet at less than 40 degrees.
    """
    welded = _places(mesh)[mesh.faces]
    ends = np.sort(np.stack([welded, np.roll(welded, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2)
    face = np.repeat(np.arange(len(mesh.faces)), 3)
    key = (ends[:, 0] * np.int64(welded.max() + 1) + ends[:, 1]).astype(np.int64)
    order = np.argsort(key, kind="stable")
    first, second = face[order[:-1]], face[order[1:]]
    joined = (
        (key[order[:-1]] == key[order[1:]])
        & (mesh.face_instance[first] == mesh.face_instance[second])
        & ((normal[first] * normal[second]).sum(axis=1) > SMOOTH_COSINE)
    )
    edges = np.ones(joined.sum()), (first[joined], second[joined])
    graph = coo_matrix(edges, shape=(len(mesh.faces), len(mesh.faces)))
    return np.append(connected_components(graph, directed=False)[1], -1).astype(np.int32)


def smooth_normals(
    mesh: Mesh, normal: Float32[Array, "F1 3"], group: Int32[Array, " F1"]
) -> Float32[Array, "F 3 3"]:
    """Normals at each face's corners, of the smooth surface they are part of: unit means by area."""
    place = _places(mesh)[mesh.faces]
    key = place.astype(np.int64) * (group.max() + 1) + group[:-1, None]
    corner = np.unique(key, return_inverse=True)[1].reshape(-1)
    weighted = np.repeat(normal[:-1] * face_areas(mesh).astype(np.float32)[:, None], 3, axis=0)
    total = np.stack([np.bincount(corner, weighted[:, axis]) for axis in range(3)], axis=-1)
    unit = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)
    return unit[corner].reshape(-1, 3, 3).astype(np.float32)


def _places(mesh: Mesh) -> Int64[Array, " V"]:
    """A number for each vertex that vertices of one place share, whatever part they belong to."""
    bits = np.ascontiguousarray(mesh.vertices).view(np.dtype((np.void, 12))).reshape(-1)
    return np.unique(bits, return_inverse=True)[1].reshape(-1).astype(np.int64)


class SurfaceColor:
    """The linear-light colour of a mesh's surface: vertex colours times textures. Face -1 is black."""

    def __init__(self, mesh: Mesh) -> None:
        self._vertex = CornerTable(LINEAR_OF_BYTE[mesh.vertex_color][mesh.faces])
        textured = bool(mesh.textures) and mesh.face_texture is not None and mesh.uv is not None
        self._texture = _TextureAtlas(mesh) if textured else None

    def at(
        self, face: Int[Array, " n"], uv: Float32[Array, "n 2"], footprint_m: Float32[Array, " n"]
    ) -> Float32[Array, "n 3"]:
        """Linear colour at points of faces, averaged over about `footprint_m` metres where textured."""
        color = self._vertex.at(face, uv)
        if self._texture is not None:
            color *= self._texture.at(face, uv, footprint_m)
        return color

    def of_faces(self) -> Float32[Array, "F 3"]:
        """The mean linear colour of each face, whichever part of its texture it shows."""
        color = self._vertex.first[:-1] + self._vertex.steps[:, :-1].sum(axis=0) / 3
        if self._texture is not None:
            color *= self._texture.mean_of_faces()
        return color


class CornerTable:
    """Values given at faces' corners, interpolated inside; zero on face -1."""

    def __init__(self, values: Float32[Array, "f 3 c"]) -> None:
        table = np.zeros((3, len(values) + 1, values.shape[2]), np.float32)
        for corner in range(3):
            table[corner, :-1] = values[:, corner]
        table[1:] -= table[0]
        self.first, self.steps = table[0], table[1:]
        self._varies = [bool(step.any()) for step in self.steps]

    def at(self, face: Int[Array, " n"], uv: Float32[Array, "n 2"]) -> Float32[Array, "n c"]:
        """Values at points of faces; uv weighs the second and the third corner."""
        value = np.take(self.first, face, axis=0, mode="wrap")
        for corner in range(2):
            if self._varies[corner]:
                step = np.take(self.steps[corner], face, axis=0, mode="wrap")
                step *= uv[:, corner, None]
                value += step
        return value


class _TextureAtlas:
    """All textures as linear-light pyramids in one image, so that one `cv2.remap` samples them all.

    A point is sampled bilinearly on the level whose texels are nearest to its footprint in size, so that
    distant textures neither shimmer nor alias. Each level has a border of one texel that repeats its
    other side. Faces without texture get the last texture, which is white.
    """

    def __init__(self, mesh: Mesh) -> None:
        assert mesh.uv is not None
        assert mesh.face_texture is not None
        self._uv = CornerTable(mesh.uv[mesh.faces])
        pyramids = [_pyramid(texture) for texture in mesh.textures]
        pyramids.append([np.ones((1, 1, 3), np.float32)])
        texture = np.append(mesh.face_texture, np.int16(-1)).astype(np.int64)
        self._image, corners = _packed(pyramids)
        # Per level: (x, y) of its first texel's corner in the atlas, and (width, height).
        levels = [level for pyramid in pyramids for level in pyramid]
        size = np.array([level.shape[1::-1] for level in levels])
        self._corner, self._size = corners.astype(np.float32), size.astype(np.float32)
        counts = np.array([len(pyramid) for pyramid in pyramids])
        first = np.cumsum(counts) - counts
        self._first, self._last = first[texture], (first + counts - 1)[texture]
        self._log_density = self._texel_density(mesh, size[self._first[:-1]])

    def _texel_density(self, mesh: Mesh, size: Int64[Array, "f 2"]) -> Float32[Array, " f1"]:
        """log2 of the texels per metre on each face at full resolution, plus the number of its first level."""
        a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        (ux, uy), (vx, vy) = self._uv.steps[0, :-1].T, self._uv.steps[1, :-1].T
        texels = np.abs(ux * vy - uy * vx) * size.prod(axis=1)
        density = self._first.astype(np.float32)
        known = np.flatnonzero((area > 0) & (texels > 0))
        density[known] += 0.5 * np.log2(texels[known] / area[known]).astype(np.float32)
        return density

    def mean_of_faces(self) -> Float32[Array, "F 3"]:
        """The mean colour of each face's whole texture: its pyramid's last level."""
        x, y = self._corner[self._last[:-1]].astype(np.int64).T
        return self._image[y + 1, x + 1]

    def at(
        self, face: Int[Array, " n"], uv: Float32[Array, "n 2"], footprint_m: Float32[Array, " n"]
    ) -> Float32[Array, "n 3"]:
        """The texture's linear colour at points of faces; 1 where there is none."""
        # Rays that hit nothing have no footprint; any level serves them.
        level = np.log2(np.maximum(footprint_m, np.float32(1e-9)))
        level += np.take(self._log_density, face, mode="wrap")
        level = np.rint(level, out=level).astype(np.int64)
        np.maximum(level, np.take(self._first, face, mode="wrap"), out=level)
        np.minimum(level, np.take(self._last, face, mode="wrap"), out=level)
        position = self._uv.at(face, uv)
        position -= np.floor(position)
        position *= np.take(self._size, level, axis=0)
        position += np.take(self._corner, level, axis=0)
        # cv2.remap takes images below 32768 pixels a side: the list of points is folded.
        folded = np.zeros((2, -(-len(position) // 1024), 1024), np.float32)
        folded.reshape(2, -1)[:, : len(position)] = position.T
        sampled = cv2.remap(self._image, folded[0], folded[1], cv2.INTER_LINEAR)
        return np.asarray(sampled.reshape(-1, 3)[: len(position)])


def _packed(
    pyramids: list[list[Float32[Array, "_ _ 3"]]],
) -> tuple[Float32[Array, "H W 3"], Float32[Array, "l 2"]]:
    """All levels in one image, and the (x, y) at which the outer corner of each level's first texel lies.

    A pyramid is a column of levels; columns stand side by side on shelves of limited width.
    """
    columns = [
        [np.pad(level, ((1, 1), (1, 1), (0, 0)), mode="wrap") for level in levels]
        for levels in pyramids
    ]
    x = y = shelf = 0
    placed: list[tuple[int, int, Array]] = []
    for column in columns:
        width = max(level.shape[1] for level in column)
        if x and x + width > ATLAS_WIDTH:
            x, y, shelf = 0, y + shelf, 0
        below = y
        for level in column:
            placed.append((x, below, level))
            below += level.shape[0]
        x, shelf = x + width, max(shelf, below - y)
    atlas = np.zeros(
        (
            max(top + level.shape[0] for _, top, level in placed),
            max(left + level.shape[1] for left, _, level in placed),
            3,
        ),
        np.float32,
    )
    for left, top, level in placed:
        atlas[top : top + level.shape[0], left : left + level.shape[1]] = level
    # Texel i has its centre at (i + 0.5) / n, and cv2 has pixel centres at whole numbers.
    corners = np.array([(left + 0.5, top + 0.5) for left, top, _ in placed], np.float32)
    return atlas, corners


def _pyramid(texture: UInt8[Array, "h w 3"]) -> list[Float32[Array, "_ _ 3"]]:
    """The texture in linear light and its halves by area averaging, down to one texel."""
    levels = [LINEAR_OF_BYTE[texture]]
    while max(levels[-1].shape[:2]) > 1:
        height, width = (max(1, size // 2) for size in levels[-1].shape[:2])
        levels.append(cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA))
    return levels
