"""Solids that streets need besides the common ones: many boxes at once, ribbed hulls, rings, lumps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.shapes import Solid, Vector, circle, cylinder, loft, tube

Array = np.ndarray

_SIGNS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, 1.0)])
# Corners of the six faces, counter-clockwise from outside, and the two axes that texture each.
_FACES = np.array([
    [0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3],
])  # fmt: skip
_PLANES = np.array([[1, 2], [1, 2], [0, 2], [0, 2], [0, 1], [0, 1]])
_ARC = np.linspace(0.0, 0.5 * np.pi, 4)


def boxes(sizes: Float[Array, "n 3"], at: Float[Array, "n 3"]) -> Solid:
    """Boxes of (width, depth, height) with the centres of their bottoms at `at`, as one solid.

    Texture coordinates are the box's own x, y, z in metres, so that a pattern runs on from box to box.
    """
    corners = _SIGNS[None] * sizes[:, None] + at[:, None]
    vertices = corners[:, _FACES]  # box, face, corner, axis
    planes = np.broadcast_to(_PLANES[None, :, None, :], (*vertices.shape[:3], 2))
    uv = np.take_along_axis(vertices, planes, axis=3)
    quads = 4 * np.arange(6 * len(sizes))[:, None, None]
    faces = (quads + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    flat = vertices.reshape(-1, 3)
    return Solid(vertices=flat, faces=faces.astype(np.int32), uv=uv.reshape(-1, 2), cap=0)


def merged(solids: Sequence[Solid]) -> Solid:
    """Several solids as one, bounded by the prism around them all."""
    starts = np.cumsum([0, *(len(solid.vertices) for solid in solids)])
    return Solid(
        vertices=np.concatenate([solid.vertices for solid in solids]),
        faces=np.concatenate(
            [solid.faces + start for solid, start in zip(solids, starts, strict=False)]
        ).astype(np.int32),
        uv=np.concatenate([solid.uv for solid in solids]),
        cap=0,
    )


def rounded(width: float, depth: float, radius: float) -> Float[Array, "16 2"]:
    """Corners of a rectangle about the origin with rounded corners, counter-clockwise."""
    arc = radius * np.stack([np.cos(_ARC), np.sin(_ARC)], axis=-1)
    quarters = np.stack([arc, arc[:, ::-1] * [-1, 1], -arc, arc[:, ::-1] * [1, -1]])
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    inner = 0.5 * np.array([width, depth]) - radius
    return np.asarray((quarters + (signs * inner)[:, None]).reshape(-1, 2))


def hull(stations: Sequence[tuple[float, float, float, float]], radius: float) -> Solid:
    """A body along y through stations (y, width, low z, high z), its cross-sections rounded rectangles."""
    rings = []
    for y, width, low, high in stations:
        section = rounded(width, high - low, min(radius, 0.45 * width, 0.45 * (high - low)))
        rings.append(np.stack([
            -section[:, 0], np.full(len(section), y), section[:, 1] + 0.5 * (low + high)
        ], axis=-1))  # fmt: skip
    return loft(np.stack(rings))


def cabin(
    low: tuple[float, float, float], high: tuple[float, float, float], heights: tuple[float, float], radius: float
) -> Solid:  # fmt: skip
    """A body between two levels: (width, first y, last y) of its rounded outline below and above."""
    rings = []
    for (width, first, last), z in zip((low, high), heights, strict=True):
        outline = rounded(width, last - first, radius) + [0.0, 0.5 * (first + last)]
        rings.append(np.column_stack([outline, np.full(len(outline), z)]))
    return loft(np.stack(rings))


def wheel(radius: float, width: float, at: Vector, segments: int = 24) -> Solid:
    """A disc whose axle runs along x, its centre at `at`."""
    disc = cylinder(radius, width, (0.0, 0.0, -0.5 * width), segments)
    return disc.tilted(1, 0.5 * np.pi).moved(at)


def ring(radius: float, thickness: float, at: Vector, segments: int = 24) -> Solid:
    """A round tyre about an axle along x: outer radius and thickness, its centre at `at`."""
    middle = radius - 0.5 * thickness
    angle = np.linspace(-0.5 * np.pi, 1.5 * np.pi, segments + 1)
    path = np.stack([np.zeros(len(angle)), np.cos(angle), np.sin(angle)], axis=-1) * middle
    return tube(path, 0.5 * thickness, 8).moved(at)


def lump(
    rng: np.random.Generator, size: Vector, at: Vector, *, rough: float = 0.18, segments: int = 12
) -> Solid:  # fmt: skip
    """An uneven blob of (width, depth, height) about a centre, as foliage has."""
    levels = segments // 2 + 1
    polar = np.linspace(-0.5 * np.pi, 0.5 * np.pi, levels)
    unit = circle(1.0, segments)
    bumps = 1.0 + rough * rng.standard_normal((levels, segments)).clip(-1.5, 1.5)
    rings = np.empty((levels, segments, 3))
    rings[..., :2] = unit[None] * (np.cos(polar)[:, None] * bumps)[..., None]
    rings[..., 2] = np.sin(polar)[:, None] * bumps
    rings[0], rings[-1] = [0.0, 0.0, -1.0], [0.0, 0.0, 1.0]
    half = 0.5 * np.asarray(size, np.float64)
    return loft(rings * half).moved(at)
