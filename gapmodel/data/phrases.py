"""Words for what an object is and for how two objects lie, where the boxes leave no doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int64

from gapmodel.data.geometry import SeenObject

Array = np.ndarray

# Upper and lower ends of the longest extent in metres of what is called so; between two classes no size is stated.
SIZES = (("small", 0.0, 0.35), ("medium-sized", 0.5, 1.0), ("large", 1.4, np.inf))
SHAPES = {
    "box": "box-shaped",
    "cylinder": "cylindrical",
    "sphere": "spherical",
    "flat": "flat",
    "round": "round",
    "rectangular": "rectangular",
}
MATERIALS = {"wood": "wooden", "wool": "woollen"}

# Phrase and inverse of each relation of `relations_hold`; sides are those of the first picture's viewer.
RELATIONS = (
    ("to the left of, seen from the first image", "to the right of, seen from the first image"),
    ("in front of, seen from the first image", "behind, seen from the first image"),
    ("above", "below"),
    ("larger than", "smaller than"),
    ("nearer to the first camera than", "farther from the first camera than"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RelationRule:
    """How far from its boundary a relation has to be to be stated."""

    gap: float = 0.05  # metres between the boxes along the axis
    nearer: float = 0.15  # metres between nearest points, and between centres
    larger: float = 1.5  # ratio of volumes; the longest extents keep half of its excess


@dataclass(kw_only=True, slots=True)
class PhraseBook:
    """The phrases of an example, each once, within a budget of tokens."""

    budget: int
    length: Callable[[str], int]  # tokens of a phrase
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, *phrases: str) -> list[int]:
        """The phrases' rows; -1 for all when they do not fit together."""
        new = dict.fromkeys(phrase for phrase in phrases if phrase not in self.rows)
        cost = sum(map(self.length, new))
        if cost > self.budget:
            return [-1] * len(phrases)
        self.budget -= cost
        for phrase in new:
            self.rows[phrase] = len(self.rows)
        return [self.rows[phrase] for phrase in phrases]


def describe(item: SeenObject, rng: np.random.Generator) -> str:
    """A noun phrase that is true of an object: "a large brown wooden box-shaped cabinet".

    Each word that is known stands in it with probability 0.8, so that objects are told by different words.
    """
    extent = float(item.box.size.max())
    size = next((name for name, low, high in SIZES if low <= extent <= high), "")
    material = item.attributes["material"]
    known = [
        size,
        item.attributes["color"],
        MATERIALS.get(material, material),
        SHAPES.get(item.attributes["shape"], ""),
    ]
    words = [
        word
        for word, keep in zip(known, rng.random(len(known)) < 0.8, strict=True)
        if word and keep
    ]
    phrase = " ".join([*words, item.label])
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def relations_hold(
    objects: Sequence[SeenObject], world2first: Float[Array, "4 4"], rule: RelationRule
) -> Bool[Array, "k O O"]:
    """[relation, a, b]: whether a clearly has the relation to b, for each of RELATIONS.

    Sides: the boxes do not meet along the viewer's axis. Above also along gravity. Front and nearer: both are before
    the camera.
    """
    count = len(objects)
    if not count:
        return np.zeros((len(RELATIONS), 0, 0), bool)
    first = [item.box.transformed(world2first) for item in objects]
    corners = np.stack([box.corners for box in first])
    low, high = corners.min(axis=1), corners.max(axis=1)
    world = np.stack([item.box.corners[:, 2] for item in objects])
    sizes = np.sort(np.stack([box.size for box in first]), axis=1)
    volume, longest = sizes.prod(axis=1), sizes[:, -1]
    centre = np.linalg.norm(np.stack([box.center for box in first]), axis=1)
    nearest = np.array([_distance_to_origin(box.center, box.size, box.rotation) for box in first])
    before = (low[:, 2] > 0)[:, None] & (low[:, 2] > 0)[None, :]

    def apart(axis: int) -> Bool[Array, "O O"]:
        return np.asarray(high[:, None, axis] + rule.gap <= low[None, :, axis])

    def less(values: Float[Array, " O"]) -> Bool[Array, "O O"]:
        return np.asarray(values[:, None] + rule.nearer <= values[None, :])

    above = world.min(axis=1)[:, None] >= world.max(axis=1)[None, :] + rule.gap
    longer = 1 + 0.5 * (rule.larger ** (1 / 3) - 1)
    larger = volume[:, None] >= rule.larger * volume[None, :]
    larger &= longest[:, None] >= longer * longest[None, :]
    larger &= volume[:, None] > 0
    return np.stack(
        [
            apart(0) & before,
            apart(2) & before,
            apart(1) & above,
            larger,
            less(nearest) & less(centre),
        ]
    )


def sample_relations(
    holds: Bool[Array, "k O O"], budget: int, rng: np.random.Generator
) -> Int64[Array, "Q 4"]:
    """At most `budget` rows (relation, a, b, turned), the relations in turn; turned: stated of b to a by the inverse."""
    triples = np.argwhere(holds)
    triples = triples[rng.permutation(len(triples))]
    # The first of every relation, then the second of every one ...
    rank = np.zeros(len(triples), np.int64)
    for relation in range(len(holds)):
        mine = triples[:, 0] == relation
        rank[mine] = np.arange(mine.sum())
    kept = triples[np.argsort(rank, kind="stable")][:budget]
    turned = rng.integers(0, 2, (len(kept), 1))
    return np.concatenate([kept, turned], axis=1).astype(np.int64)


def _distance_to_origin(
    center: Float[Array, "3"], size: Float[Array, "3"], rotation: Float[Array, "3 3"]
) -> float:
    """Distance from the frame's origin to the nearest point of a box; 0 inside."""
    local = np.abs(center @ rotation)
    return float(np.linalg.norm(np.maximum(local - 0.5 * size, 0)))
