"""Which colour an object has: as its source says, where the picture bears it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from gapdata.tasks.candidates import OPTIONS, drawn, shuffled
from gapdata.tasks.facts import HALF_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import refer
from gapdata.tasks.shape import (
    MIXED,
    STYLES_FOR,
    attribute_answer,
    claim_slots,
    described,
    lifelike,
)

Array = np.ndarray

# sRGB colours that bear each name, light and dark.
SHADES: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "beige": ((225, 205, 175), (190, 168, 138)),
    "black": ((20, 20, 20), (50, 50, 50)),
    "blue": ((35, 70, 160), (105, 150, 205), (25, 35, 80)),
    "brown": ((105, 65, 40), (150, 100, 60), (60, 40, 28)),
    "gray": ((95, 95, 95), (140, 140, 140), (180, 180, 180)),
    "green": ((50, 130, 60), (120, 165, 105), (30, 65, 40)),
    "orange": ((230, 120, 35), (180, 95, 30)),
    "pink": ((230, 150, 170), (210, 85, 130)),
    "purple": ((105, 60, 140), (165, 130, 195)),
    "red": ((195, 35, 40), (120, 22, 28)),
    "turquoise": ((55, 165, 170), (125, 200, 200)),
    "white": ((250, 250, 250), (225, 225, 225)),
    "yellow": ((240, 205, 55), (190, 155, 40)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Color:
    """The colour of an object. Its pixels are nearer to that colour than to every other one that is offered."""

    name: ClassVar[str] = "color"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "main colour of an object"
    counterparts: ClassVar[str] = "none; geometry-language alignment"

    seen: SeenRule = HALF_SEEN
    min_gap: float = 10.0  # CIELAB units by which every wrong colour is farther from the pixels
    max_distance: float = 25.0  # CIELAB units between the pixels and the nearest shade of the truth
    min_pixels: float = 100.0  # that show the object: JPEG blurs the colours of what is smaller
    candidates: int = 4  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object, about half of them as a claim."""
        for views in facts.view_sets("single", "all"):
            columns = described(facts, self.name, views, self.seen, "color")
            for column, own in drawn(columns, self.candidates, rng):
                truth = facts.scene.instances[column].attributes.color
                if truth not in SHADES:
                    facts.drop(self.name, "colour has no shades to compare with")
                    continue
                others = [*lifelike(facts, "color", own), *shuffled(tuple(SHADES), own)]
                names = [name for name in dict.fromkeys(others) if name in SHADES]
                wrong = [name for name in names if name != truth][: OPTIONS - 1]
                claim, answer = attribute_answer(truth, wrong, own)
                pixels = facts.visibility.pixels[list(views), column]
                best = views[int(pixels.argmax())]
                if pixels.max() < self.min_pixels:
                    facts.drop(self.name, "too few pixels")
                    continue
                away = facts.once(color_distances, best, column)
                gap = min(away[name] for name in wrong) - away[truth]
                if facts.scene.labels[column] in MIXED:
                    facts.drop(self.name, "has several colours")
                    continue
                if away[truth] > min(self.max_distance, *away.values()):
                    facts.drop(self.name, "picture shows another colour")
                    continue
                if gap < self.min_gap:
                    facts.drop(self.name, "picture does not tell the colours apart")
                    continue
                (named,) = refer(facts, views, (column,), own, STYLES_FOR["color"])
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{answer['format']}",
                    views=views,
                    objects=(facts.id(column),),
                    evidence={
                        "color": truth,
                        "claim": claim,
                        "view": best,
                        "distances": [away[name] for name in (truth, *wrong)],
                        "min_gap": self.min_gap,
                    },
                    margin=gap,
                    references=(named,),
                    slots=name_slots(x=named.words) | claim_slots(claim),
                    **answer,
                )


def color_distances(facts: Facts, view: int, column: int) -> dict[str, float]:
    """CIELAB distance from the median colour of what a view shows of an instance to the nearest shade of each name."""
    picture = facts.views[view].rgb
    assert picture is not None
    left, top, right, bottom = facts.bounds[view, column].astype(int).tolist()
    window = np.s_[top : bottom + 1, left : right + 1]
    pixels: UInt8[Array, "n 3"] = picture[window][facts.columns(view)[window] == column]
    away = np.linalg.norm(_shades() - _lab(np.median(pixels, axis=0)[None]), axis=-1)
    first = np.cumsum([0, *map(len, SHADES.values())])[:-1]
    return dict(zip(SHADES, np.minimum.reduceat(away, first).tolist(), strict=True))


@cache
def _shades() -> Float[Array, "n 3"]:
    """All shades, name by name."""
    return _lab(np.array([shade for shades in SHADES.values() for shade in shades], np.float64))


def _lab(colors: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
    image = (colors[None] / 255.0).astype(np.float32)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[0])
