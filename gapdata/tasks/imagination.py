"""Seen from elsewhere: how things lie for someone who stands at one object and faces another, and from above."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.boxes import Box
from gapdata.tasks.camera_order import heading
from gapdata.tasks.candidates import drawn, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import NAMED, refer, referable

Array = np.ndarray

# Per kind, for a negative and a positive difference: the relation in a claim and the option in a choice.
WORDS = {
    "side": (("to the right of", "to the right"), ("to the left of", "to the left")),
    "depth": (("farther from you than", "farther"), ("nearer to you than", "nearer")),
}
AXIS = {"side": "x", "depth": "z"}
CELLS_M = (0.4, 0.6, 0.9, 1.3, 1.9, 2.8)  # widths of a map's cell
SIDES = (("behind you", "in front of you"), ("to your right", "to your left"))


def imagined(centers: Float[Array, "*k n 3"]) -> Float[Array, "*k m 2"]:
    """Metres (ahead, to the left) on the floor of the objects from the third on, for someone at the first facing the second."""
    offset = centers[..., 1:, :2] - centers[..., :1, :2]
    ahead = offset[..., 0, :] / np.linalg.norm(offset[..., 0, :], axis=-1, keepdims=True)
    left = np.stack([-ahead[..., 1], ahead[..., 0]], axis=-1)
    others = offset[..., 1:, :]
    parts = [(others * axis[..., None, :]).sum(axis=-1) for axis in (ahead, left)]
    return np.stack(parts, axis=-1)


def _stands_in(box: Box, other: Box) -> bool:
    """Whether the middle of a box lies within the floor area of another, whatever their heights."""
    return bool(other.contains(np.append(box.center[:2], other.center[2])))


def difference(centers: Float[Array, "*k 4 3"], kind: str) -> Float[Array, "*k"]:
    """How much more the third object than the fourth is to the left (degrees) or nearer (metres)."""
    seen = imagined(centers)
    if kind == "side":
        azimuth = np.degrees(np.arctan2(seen[..., 1], seen[..., 0]))
        return np.asarray(azimuth[..., 0] - azimuth[..., 1])
    away = np.linalg.norm(seen, axis=-1)
    return np.asarray(away[..., 1] - away[..., 0])


@dataclass(frozen=True, kw_only=True, slots=True)
class SpatialImagination:
    """For someone who stands at an object and faces another: how two others lie, or how far one is."""

    name: ClassVar[str] = "spatial_imagination"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno", "number")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "object"
    summary: ClassVar[str] = (
        "from one object's place facing another: sides, distances, offsets of others"
    )
    counterparts: ClassVar[str] = "SPAR spatial_imagination_oc, _oo"

    seen: SeenRule = CLEARLY_SEEN
    min_angle: float = 15.0  # degrees between the directions of the two objects
    min_gap: float = 0.15  # metres between their distances
    min_gap_ratio: float = 0.1  # likewise, of the larger distance
    max_azimuth: float = (
        75.0  # degrees from straight ahead, where left and right of each other mean something
    )
    min_separation: float = 0.5  # metres from where one stands to all others
    min_offset: float = 0.3  # metres ahead or to a side, when asked as a number
    candidates: int = 6  # groups tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For random groups of three or four objects one of the three kinds."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            for _, own in drawn(range(self.candidates), self.candidates, rng):
                kind = ("side", "depth", "offset")[int(own.integers(3))]
                size = 3 if kind == "offset" else 4
                if len(columns) < size:
                    continue
                group = [columns[i] for i in own.choice(len(columns), size, replace=False)]
                boxes = [facts.scene.instances[column].box for column in group]
                if any(_stands_in(boxes[0], other) for other in boxes[1:]):
                    facts.drop(self.name, "one object stands on or in another")
                    continue
                centers = np.stack([box.center for box in boxes])
                away = np.linalg.norm(centers[1:, :2] - centers[0, :2], axis=-1)
                if away.min() < max(self.min_separation, 0.5 * float(np.hypot(*boxes[0].size[:2]))):
                    facts.drop(self.name, "objects too near each other")
                    continue
                make = self._offset if kind == "offset" else self._compare
                question = make(facts, views, group, centers, kind, own)
                if question is not None:
                    yield question

    def _compare(
        self,
        facts: Facts,
        views: tuple[int, ...],
        group: list[int],
        centers: Float[Array, "4 3"],
        kind: str,
        rng: np.random.Generator,
    ) -> Question | None:
        seen = imagined(centers)
        more = float(difference(centers, kind))
        reach = float(np.linalg.norm(seen, axis=-1).max())
        azimuth = np.degrees(np.arctan2(np.abs(seen[:, 1]), seen[:, 0]))
        if kind == "side" and azimuth.max() > self.max_azimuth:
            facts.drop(self.name, "not both ahead")
            return None
        threshold = max(self.min_gap, self.min_gap_ratio * reach)
        threshold = self.min_angle if kind == "side" else threshold
        if abs(more) < threshold:
            facts.drop(self.name, "too nearly the same direction or distance")
            return None
        is_choice = bool(rng.random() < 0.5)
        claimed = bool(rng.random() < 0.5)
        options = shuffled([option for _, option in WORDS[kind]], rng)
        references = refer(facts, views, group, rng)
        words = [reference.words for reference in references]
        slots = name_slots(y=words[0], z=words[1], a=words[2], b=words[3])
        unit = "deg" if kind == "side" else "m"
        if not is_choice:
            slots["relation"] = WORDS[kind][int(claimed)][0]

        def holds(noise: Noise) -> Bool[Array, " K"]:
            return np.asarray((difference(noise.centers(group), kind) > 0) == (more > 0))

        return Question(
            task=self.name,
            wording=f"{self.name}_{kind if is_choice else 'yesno'}",
            format="choice" if is_choice else "yesno",
            views=views,
            value=WORDS[kind][int(more > 0)][1] if is_choice else claimed == (more > 0),
            frame=self.frame,
            unit=unit,
            choices=options if is_choice else (),
            objects=tuple(facts.id(column) for column in group),
            references=references,
            evidence={
                "ahead_left_m": seen.tolist(),
                "axis": AXIS[kind],
                "difference": more,
                f"min_{'angle_deg' if kind == 'side' else 'gap_m'}": threshold,
            },
            margin=abs(more),
            slots=slots,
            holds=holds,
        )

    def _offset(
        self,
        facts: Facts,
        views: tuple[int, ...],
        group: list[int],
        centers: Float[Array, "3 3"],
        kind: str,
        rng: np.random.Generator,
    ) -> Question | None:
        seen = imagined(centers)[0]
        axis = int(rng.integers(2))
        if abs(seen[axis]) < self.min_offset:
            facts.drop(self.name, "hardly ahead or to a side")
            return None
        references = refer(facts, views, group, rng)
        words = [reference.words for reference in references]
        slots = name_slots(y=words[0], z=words[1], a=words[2])
        return Question(
            task=self.name,
            wording=f"{self.name}_{kind}",
            format="number",
            views=views,
            value=float(abs(seen[axis])),
            frame=self.frame,
            unit="m",
            objects=tuple(facts.id(column) for column in group),
            references=references,
            evidence={"ahead_left_m": [seen.tolist()], "measured": ("ahead", "left")[axis]},
            slots=slots | {"side": SIDES[axis][int(seen[axis] > 0)]},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneMap:
    """Cells of objects on a 10 x 10 map seen from above, the first camera in its middle and looking up the map."""

    name: ClassVar[str] = "scene_map"
    formats: ClassVar[tuple[str, ...]] = ("text",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = "column and row of objects on a top-down 10 x 10 grid, as JSON"
    counterparts: ClassVar[str] = "SPAR spatial_imagination_map_mv"

    seen: SeenRule = CLEARLY_SEEN
    cells: int = 10  # along each side
    max_elevation: float = 60.0  # degrees; a camera that looks steeper has no heading
    min_margin: float = 0.05  # metres from an object's centre to the edge of its cell
    candidates: int = 4  # groups tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For random groups of three or four objects their cells."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, NAMED)
            camera = facts.views[views[0]].camera
            azimuth, elevation = heading(camera.cam2world)
            if abs(elevation) > self.max_elevation:
                facts.drop(self.name, "camera looks too steeply up or down")
                continue
            ahead = np.array([np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))])
            axes = np.stack([[ahead[1], -ahead[0]], -ahead])  # right and back on the floor
            tried: set[tuple[int, ...]] = set()
            for _, own in drawn(range(self.candidates), self.candidates, rng):
                size = min(len(columns), int(own.integers(3, 5)))
                if size < 3:
                    continue
                group = [columns[i] for i in own.choice(len(columns), size, replace=False)]
                if tuple(sorted(group)) in tried:
                    continue
                tried.add(tuple(sorted(group)))
                centers = np.stack([facts.scene.instances[c].box.center[:2] for c in group])
                offset = (centers - camera.center_world[:2]) @ axes.T
                yield from self._question(facts, views, group, offset, own)

    def _question(
        self,
        facts: Facts,
        views: tuple[int, ...],
        group: list[int],
        offset: Float[Array, "n 2"],
        rng: np.random.Generator,
    ) -> Iterator[Question]:
        # Few sizes of cells, so that the size says little of how far the farthest object is.
        wide = [size for size in CELLS_M if 0.5 * self.cells * size > np.abs(offset).max()]
        if not wide:
            facts.drop(self.name, "objects too far apart")
            return
        cell = wide[0]
        place = offset / cell + 0.5 * self.cells
        to_edge = cell * np.abs(place - np.round(place))
        margin = float(to_edge.min())
        if margin < self.min_margin:
            facts.drop(self.name, "object at the edge of a cell")
            return
        references = refer(facts, views, group, rng, NAMED)
        words = [reference.words for reference in references]
        rows = [
            f'{{"label": {json.dumps(word, ensure_ascii=False)}, "cell": [{column}, {row}]}}'
            for word, (column, row) in zip(words, np.floor(place).astype(int).tolist(), strict=True)
        ]
        named = [f"the {word}" for word in words]
        yield Question(
            task=self.name,
            wording=self.name,
            format="text",
            views=views,
            value="```json\n[\n" + ",\n".join(rows) + "\n]\n```",
            frame=self.frame,
            unit="m",
            objects=tuple(facts.id(column) for column in group),
            references=references,
            evidence={
                "right_back_m": offset.tolist(),
                "cell_m": cell,
                "cells": self.cells,
                "min_margin_m": self.min_margin,
            },
            margin=margin,
            slots={
                "names": f"{', '.join(named[:-1])} and {named[-1]}",
                "cell": f"{cell:.1f}",
                "cells": str(self.cells),
                "camera": "the camera" if len(views) == 1 else "the first image's camera",
            },
        )
