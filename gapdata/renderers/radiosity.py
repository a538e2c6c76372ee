"""Light that surfaces hand on to each other: how bright each face is once light has bounced until it is gone.

Radiosity (Goral et al., SIGGRAPH 1984) of patches, solved from samples: each receives light of the lamps directly and,
by rays in directions spread evenly by their cosine, what the faces there send back. Large faces are patches of
their own; small ones share one with those of their object that look the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Int, Int64

from gapdata.renderers.light import DirectLight, disc, height_above, hidden, strength
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.surroundings import Surroundings
from gapdata.scene import Sun

Array = np.ndarray

SAMPLES = 4000  # points on all surfaces together, each with both of its sides
MIN_SAMPLES = 2  # of a patch
RAYS = 16  # of a side
PLACES = 16  # of a lamp that samples aim at in turn
OWN_PATCH = 1 / 1500  # of all surface: larger faces have patches of their own
BOUNCES = 8
FIXTURE_M = 0.6  # nearer than this to a lamp no more is sent back: rays that meet its fixture would be bright dots
START_M = 1e-3  # along rays: a surface does not meet itself
# Steps of a sequence that fills the square evenly (Roberts, 2018): powers of the plastic number's inverse.
PLASTIC = np.array([0.7548776662466927, 0.5698402909980532])


class Radiosity:
    """The light that each side of each face sends back, times pi the radiance, once light has come to rest."""

    def __init__(
        self, caster: MeshCaster, albedo: Float32[Array, "f 3"], lights: Sequence[DirectLight],
        surroundings: Surroundings,
    ) -> None:  # fmt: skip
        self._caster, self._surroundings = caster, surroundings
        patch = _patches(caster)
        face, points = _samples(caster, patch)
        # Each sample once on the front and once on the back of its face.
        face, points = np.tile(face, 2), np.tile(points, (2, 1))
        back = np.repeat([0, 1], len(face) // 2)
        normal = caster.face_normal[face] * np.where(back, -1, 1).astype(np.float32)[:, None]
        own = 2 * patch[face] + back
        count = np.maximum(np.bincount(own, minlength=2 * patch.max() + 2), 1).astype(np.float32)
        direct = self._direct(lights, points, normal)
        met, seen = self._met(points, normal)
        side_patch = (2 * patch[:, None] + [0, 1]).reshape(-1)
        side_albedo = np.repeat(albedo, 2, axis=0)
        received = np.zeros((len(count), 3), np.float32)
        for _ in range(BOUNCES + 1):
            sent = side_albedo * received[side_patch]
            sent = np.concatenate([sent, np.zeros((1, 3), np.float32)])  # of what was not met
            total = direct + (sent[met] + seen).mean(axis=1)
            for channel in range(3):
                received[:, channel] = np.bincount(own, total[:, channel], len(count)) / count
        self._sent = np.concatenate(
            [side_albedo * received[side_patch], np.zeros((1, 3), np.float32)]
        )

    def sent_by(self, side: Int[Array, "*n"]) -> Float32[Array, "*n 3"]:
        """What sides of faces send back; 0 of nothing."""
        return np.take(self._sent, side, axis=0, mode="wrap")

    def _direct(
        self, lights: Sequence[DirectLight], points: Float32[Array, "n 3"], normal: Float32[Array, "n 3"]
    ) -> Float32[Array, "n 3"]:  # fmt: skip
        total = np.zeros(points.shape, np.float32)
        offset = (normal * points).sum(axis=1)
        for light in lights:
            amount = strength(light, height_above(light, normal, offset), points.T)
            if not isinstance(light, Sun):
                np.minimum(amount, np.float32(1 / FIXTURE_M**2), out=amount)
            lit = np.flatnonzero(amount)
            amount[lit] *= ~hidden(self._caster, light, points[lit], lit, PLACES)
            total += amount[:, None] * light.color.astype(np.float32)
        return total

    def _met(
        self, points: Float32[Array, "n 3"], normal: Float32[Array, "n 3"]
    ) -> tuple[Int64[Array, "n k"], Float32[Array, "n k 3"]]:
        """(side met or -1, what the sky sends where none is) along RAYS rays of each sample."""
        turn = (np.arange(len(points)) * PLASTIC[0]) % 1.0
        ray = disc(RAYS)[None].repeat(len(points), axis=0)
        angle = 2 * np.pi * turn[:, None]
        x = ray[..., 0] * np.cos(angle) - ray[..., 1] * np.sin(angle)
        y = ray[..., 0] * np.sin(angle) + ray[..., 1] * np.cos(angle)
        normals = np.repeat(normal, RAYS, axis=0)
        direction = around(normals, np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32))
        met = self._caster.sides_met(np.repeat(points, RAYS, axis=0) + START_M * normals, direction)
        seen = np.zeros((len(met), 3), np.float32)
        missed = np.flatnonzero(met < 0)
        seen[missed] = self._surroundings.light(direction[missed, 2])
        return met.reshape(-1, RAYS), seen.reshape(-1, RAYS, 3)


def around(normal: Float32[Array, "n 3"], spot: Float32[Array, "n 2"]) -> Float32[Array, "n 3"]:
    """Directions about normals whose projections on the plane are at places of the unit disc.

    Axes of the plane after Duff et al., Building an orthonormal basis, revisited (JCGT 2017).
    """
    x, y, z = normal.T
    sign = np.where(z >= 0, np.float32(1), np.float32(-1))
    a = -1 / (sign + z)
    b = x * y * a
    u, v = spot.T
    w = np.sqrt(np.maximum(1 - u * u - v * v, 0))
    return np.stack(
        [
            u * (1 + sign * x * x * a) + v * b + w * x,
            u * sign * b + v * (sign + y * y * a) + w * y,
            -u * sign * x - v * y + w * z,
        ],
        axis=-1,
    )


def _patches(caster: MeshCaster) -> Int64[Array, " f"]:
    """Number of the patch of each face."""
    area = caster.face_area
    normal = caster.face_normal[:-1]
    axis = np.abs(normal).argmax(axis=1)
    looks = 2 * axis + (np.take_along_axis(normal, axis[:, None], axis=1)[:, 0] < 0)
    key = caster.face_instance[:-1].astype(np.int64) * 6 + looks
    own = area > OWN_PATCH * area.sum()
    key[own] = key.max() + 1 + np.arange(own.sum())
    return np.asarray(np.unique(key, return_inverse=True)[1].reshape(-1))


def _samples(
    caster: MeshCaster, patch: Int64[Array, " f"]
) -> tuple[Int64[Array, " n"], Float32[Array, "n 3"]]:
    """(face, point) of samples spread evenly over each patch, more on larger ones."""
    order = np.argsort(patch, kind="stable")
    area: Float[Array, " f"] = np.cumsum(caster.face_area[order])
    ends = area[np.searchsorted(patch[order], np.arange(patch.max() + 1), side="right") - 1]
    sizes = np.diff(ends, prepend=0.0)
    counts = np.maximum(np.rint(SAMPLES * sizes / area[-1]).astype(np.int64), MIN_SAMPLES)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    at = np.repeat(ends - sizes, counts) + (number + 0.5) * np.repeat(sizes / counts, counts)
    face = order[np.minimum(np.searchsorted(area, at), len(order) - 1)]
    u, v = ((number[:, None] + 1) * PLASTIC % 1.0).T
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    a, b, c = (caster.mesh.vertices[caster.mesh.faces[face, i]] for i in range(3))
    points = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    return face, points.astype(np.float32)
