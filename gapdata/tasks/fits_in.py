"""Whether one object would fit into the space of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.tasks.candidates import drawn
from gapdata.tasks.facts import HALF_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import refer, referable
from gapdata.tasks.size import shown_whole

Array = np.ndarray

YAWS = np.radians(np.linspace(0.0, 90.0, 361))  # turns of the inner box that are tried


@dataclass(frozen=True, kw_only=True, slots=True)
class FitsIn:
    """Whether an object's upright box, turned about the vertical as need be, fits into the upright box of another."""

    name: ClassVar[str] = "fits_in"
    formats: ClassVar[tuple[str, ...]] = ("yesno",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "whether an object would fit, upright, into the box of another"
    counterparts: ClassVar[str] = "RoboSpatial compatibility; geometry-language alignment"

    seen: SeenRule = HALF_SEEN
    max_truncated: float = 0.0  # of each object's pixels, in the view that shows it
    # By how much the larger of "the largest copy of one that fits" and "itself" exceeds the smaller.
    min_gap: float = 0.1
    max_scale: float = 3.0  # that ratio; beyond it the names alone would tell
    candidates: int = 8  # ordered pairs tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an ordered pair of named objects."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            for (a, b), own in drawn(list(permutations(columns, 2)), self.candidates, rng):
                if not (whole[a] and whole[b]):
                    facts.drop(self.name, "object truncated")
                    continue
                sizes = [facts.scene.instances[column].box.size for column in (a, b)]
                if min(size.min() for size in sizes) <= 0:
                    facts.drop(self.name, "object without volume")
                    continue
                scale = float(largest_scale(*sizes))
                ratio = max(scale, 1.0 / scale)
                if ratio < 1.0 + self.min_gap:
                    facts.drop(self.name, "a close fit")
                    continue
                if ratio > self.max_scale:
                    facts.drop(self.name, "sizes too different to need a look")
                    continue
                named = refer(facts, views, (a, b), own)
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="yesno",
                    views=views,
                    value=scale > 1.0,
                    objects=(facts.id(a), facts.id(b)),
                    evidence={
                        "sizes_m": [size.tolist() for size in sizes],
                        "largest_scale": scale,
                        "min_gap": self.min_gap,
                    },
                    margin=ratio - 1.0,
                    references=named,
                    holds=partial(_keeps_fit, a, b, scale > 1.0),
                    slots=name_slots(a=named[0].words, b=named[1].words),
                )


def largest_scale(inner: Float[Array, "*n 3"], outer: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    """The factor by which a box could grow and still fit, upright and at its best yaw, into another; below 1: it does not."""
    c, s = np.cos(YAWS), np.sin(YAWS)
    width, depth, height = np.moveaxis(np.maximum(inner, 1e-6)[..., None], -2, 0)
    across = outer[..., 0, None] / (width * c + depth * s)
    deep = outer[..., 1, None] / (width * s + depth * c)
    flat = np.minimum(across, deep).max(axis=-1)
    return np.asarray(np.minimum(flat, outer[..., 2] / height[..., 0]))


def _keeps_fit(inner: int, outer: int, fits: bool, noise: Noise) -> Bool[Array, " K"]:
    sizes = noise.sizes([inner, outer])
    return np.asarray((largest_scale(sizes[:, 0], sizes[:, 1]) > 1.0) == fits)
