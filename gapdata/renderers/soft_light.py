"""Light without sharp edges: from other surfaces, from the sky, and from lamps beside the first.

All are sampled at every second pixel of both axes with one ray each: neighbours look in different directions and aim
at different places (interleaved sampling), means over a window within one surface take the noise away, and
`spread` puts them on all pixels. The first bounce is gathered at the pixel, the others come from `Radiosity`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Int, Int32

from gapdata.renderers.light import DirectLight, aims, disc, dither, height_above, hidden, strength
from gapdata.renderers.mesh_caster import Hits, MeshCaster
from gapdata.renderers.radiosity import PLASTIC, START_M, Radiosity, around
from gapdata.renderers.surroundings import Surroundings
from gapdata.renderers.window import Window, spread
from gapdata.scene import Sun

Array = np.ndarray

TILE = 8  # samples a side of the pattern
PLACES = TILE * TILE
PASSES = 2  # of the window: the first takes the pattern away, the second its edges
REACH_RAYS = 4096  # in all directions, that find where a lamp's light goes
REACH_SLACK_M = 0.3
_ORDER = dither(TILE)
_SPOTS = disc(PLACES).astype(np.float32)
_TURNS = (((np.arange(PLACES) + 0.5) * PLASTIC[0]) % 1.0).astype(
    np.float32
)  # which lamp is aimed at


class SoftLight:
    """Tables of one scene, made once.

    `lamps` are those whose shadows are soft.
    """

    def __init__(
        self, caster: MeshCaster, radiosity: Radiosity, lamps: Sequence[DirectLight],
        surroundings: Surroundings,
    ) -> None:  # fmt: skip
        self._caster, self._radiosity, self._lamps = caster, radiosity, lamps
        self._surroundings = surroundings
        self._reach = [_reach(caster, lamp) for lamp in lamps]

    def irradiance(
        self, hits: Hits, place: Float32[Array, "3 H W"], members: Int32[Array, "H W"]
    ) -> Float32[Array, "3 H W"]:
        """The soft light that falls on each pixel's surface.

        `place` is where in the world each is, `members` which smooth surface it is of.
        """
        face, own = hits.face[::2, ::2], members[::2, ::2]
        height, width = face.shape
        order = _ORDER[np.arange(height)[:, None] % TILE, np.arange(width) % TILE].reshape(-1)
        hit = np.flatnonzero(face >= 0)
        spots = _Spots(self._caster, hits, hit, place, order[hit])
        whole, share = self._lamps_at(spots)
        found = [*self._gathered(spots), share]
        layers = np.zeros((len(found), height * width), np.float32)
        layers[:, hit] = found
        layers = layers.reshape(len(found), height, width)
        window = Window(own, TILE)
        for _ in range(PASSES):
            layers = window.means(layers)
        light = layers[:3]
        light.reshape(3, -1)[:, hit] += whole * layers[-1].reshape(-1)[hit]
        if self._surroundings.has_sky:
            seen = layers[3] / np.maximum(layers[4], np.float32(1e-9))
            light.reshape(3, -1)[:, hit] += (
                self._surroundings.unhidden(spots.normal).T * seen.reshape(-1)[hit]
            )
        return spread(light, members)

    def _gathered(self, spots: _Spots) -> list[Float32[Array, " n"]]:
        """What one ray of each spot meets: light of a surface (3) and, where there is a sky, it as seen and as if nothing hid it."""
        direction = around(spots.normal, np.take(_SPOTS, spots.order, axis=0))
        met = self._caster.sides_met(spots.points + START_M * spots.normal, direction)
        found = list(self._radiosity.sent_by(met).T)
        if self._surroundings.has_sky:
            unhidden = self._surroundings.light(direction[:, 2]).mean(axis=-1)
            found += [np.where(met < 0, unhidden, np.float32(0)), unhidden]
        return found

    def _lamps_at(self, spots: _Spots) -> tuple[Float32[Array, "3 n"], Float32[Array, " n"]]:
        """The lamps' irradiance if nothing were in their way, and whether it gets through.

        One ray answers for all: each spot aims at one lamp, chosen as often as the lamp's share of the light.
        """
        amounts = np.zeros((len(self._lamps), len(spots.order)), np.float32)
        whole = np.zeros((3, len(spots.order)), np.float32)
        for lamp, reach, amount in zip(self._lamps, self._reach, amounts, strict=True):
            above = height_above(lamp, spots.normal, spots.offset)
            lit = np.flatnonzero((above > 0) & _inside(spots.points, reach))
            amount[lit] = strength(lamp, above[lit], np.take(spots.points, lit, axis=0).T)
            for channel, part in enumerate(lamp.color.astype(np.float32)):
                whole[channel] += amount * part
            amount *= np.float32(lamp.color.mean())
        upto = np.cumsum(amounts, axis=0)
        through = np.zeros(len(spots.order), np.float32)
        chosen = (upto <= _TURNS[spots.order] * whole.mean(axis=0)).sum(axis=0)
        for number, lamp in enumerate(self._lamps):
            own = np.flatnonzero(chosen == number)
            at, place = np.take(spots.points, own, axis=0), np.take(spots.order, own)
            through[own] = ~hidden(self._caster, lamp, at, place, PLACES)
        return whole, through


class _Spots:
    """Pixels that are sampled, `hit` of every second one: where they are, and which way each looks."""

    def __init__(
        self, caster: MeshCaster, hits: Hits, hit: Int[Array, " n"], place: Float32[Array, "3 H W"], order: Int[Array, " n"]
    ) -> None:  # fmt: skip
        face = hits.face[::2, ::2].reshape(-1)[hit]
        facing = caster.facing(hits.camera)
        self.points = np.stack(
            [np.take(axis[::2, ::2].reshape(-1), hit) for axis in place], axis=-1
        )
        self.normal = np.take(caster.face_normal * facing[:, None], face, axis=0)
        self.offset = np.take(caster.face_offset * facing, face)
        self.order = order


def _inside(
    points: Float32[Array, "n 3"], box: tuple[Float32[Array, "3"], Float32[Array, "3"]]
) -> Bool[Array, " n"]:
    inside = np.ones(len(points), bool)
    for axis, low, high in zip(points.T, *box, strict=True):
        inside &= (axis >= low) & (axis <= high)
    return inside


def _reach(
    caster: MeshCaster, lamp: DirectLight
) -> tuple[Float32[Array, "3"], Float32[Array, "3"]]:
    """(low, high) corners of a box that holds all that a lamp shines on directly."""
    everywhere = np.full(3, np.inf, np.float32)
    if isinstance(lamp, Sun):
        return -everywhere, everywhere
    z = 1.0 - (2.0 * np.arange(REACH_RAYS) + 1.0) / REACH_RAYS  # Fibonacci's sphere
    angle = np.pi * (3.0 - 5.0**0.5) * np.arange(REACH_RAYS)
    flat = np.sqrt(1.0 - z * z)
    direction = np.stack([flat * np.cos(angle), flat * np.sin(angle), z], -1).astype(np.float32)
    origin = aims(lamp, REACH_RAYS)
    far = caster.distances(origin, direction)
    if np.isinf(far).any():
        return -everywhere, everywhere
    ends = origin + far[:, None] * direction
    slack = np.float32(REACH_SLACK_M)
    return ends.min(axis=0) - slack, ends.max(axis=0) + slack
