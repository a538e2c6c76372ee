"""Finding objects: the 9-DoF boxes of all, the view and box of one, a pixel on one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gapdata.tasks.candidates import drawn
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.pointing import deepest_pixel
from gapdata.tasks.question import Question
from gapdata.tasks.references import IN_WORDS, NAMED, Reference, refer, referable

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectObjects:
    """Boxes of all objects that the asked views show well.

    Objects of which they show only a trace are in the evidence as `unclear`: naming one is not wrong.
    """

    name: ClassVar[str] = "detect_objects"
    formats: ClassVar[tuple[str, ...]] = ("list",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = (
        "label and 9-DoF box of every object in view, in the first view's camera frame"
    )
    counterparts: ClassVar[str] = "GAP-MLLM detection; EmbodiedScan detection"

    seen: SeenRule = CLEARLY_SEEN
    single_views: int = 2  # views asked alone

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question about all views and some about single ones; rows by label, then by depth."""
        singles = [views for views, _ in drawn(facts.view_sets("single"), self.single_views, rng)]
        whole = [] if len(facts.views) == 1 else facts.view_sets("all")
        for views in singles + whole:
            rows = list(views)
            seen = facts.seen(self.seen)[rows].any(axis=0) & facts.scene.is_object
            unclear = facts.present[rows].any(axis=0) & facts.scene.is_object & ~seen
            boxes = [
                (facts.scene.labels[column], facts.bbox_3d(views[0], column), column)
                for column in np.flatnonzero(seen).tolist()
            ]
            if not boxes:
                facts.drop(self.name, "no object seen well enough")
                continue
            boxes.sort(key=lambda row: (row[0], round(row[1][2], 6)))
            yield Question(
                task=self.name,
                wording=self.name,
                format="list",
                views=views,
                value=[{"label": label, "bbox_3d": box} for label, box, _ in boxes],
                frame=self.frame,
                unit="m",
                objects=tuple(facts.id(column) for _, _, column in boxes),
                evidence={
                    "visible_fraction": [
                        float(facts.visibility.visible[rows, column].max()) for *_, column in boxes
                    ],
                    "min_visible": self.seen.min_visible,
                    "unclear": [facts.id(column) for column in np.flatnonzero(unclear).tolist()],
                },
                slots={"camera": _camera_words(views)},
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class GroundObject:
    """The view that shows a named object best, with the object's box; or a pixel on it."""

    name: ClassVar[str] = "ground_object"
    formats: ClassVar[tuple[str, ...]] = ("box", "pixel")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = "best view and 9-DoF box of a named object, or a pixel on it"
    counterparts: ClassVar[str] = (
        "GAP-MLLM grounding; ScanRefer; SPAR obj_frame_locate; RoboSpatial"
    )

    seen: SeenRule = CLEARLY_SEEN
    min_lead: float = 0.1  # part by which the second best view has to show fewer pixels
    min_inside: float = 3.0  # pixels from the pointed-at pixel to the edge of what is seen
    candidates: int = 3  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each view set some named objects; in a single view half of them by a pixel."""
        for views in facts.view_sets("single", "all"):
            # Which view is part of the answer: a marker, or "in image 2", would tell.
            styles = IN_WORDS if len(views) == 1 else NAMED
            columns = referable(facts, self.name, views, self.seen, styles)
            for column, own in drawn(columns, self.candidates, rng):
                is_pixel = len(views) == 1 and own.random() < 0.5
                (named,) = refer(facts, views, (column,), own, styles)
                question = (self._pixel if is_pixel else self._box)(facts, views, column, named)
                if question is not None:
                    yield question

    def _box(
        self, facts: Facts, views: tuple[int, ...], column: int, named: Reference
    ) -> Question | None:
        pixels = facts.visibility.pixels[list(views), column].astype(np.float64)
        best = int(pixels.argmax())
        others = np.delete(pixels, best)
        lead = 1.0 - float(others.max() / pixels[best]) if len(others) else 1.0
        if lead < self.min_lead:
            facts.drop(self.name, "two views show it about equally well")
            return None
        return Question(
            task=self.name,
            wording=f"{self.name}_box",
            format="box",
            views=views,
            value={"view": best, "bbox_3d": facts.bbox_3d(views[0], column)},
            frame=self.frame,
            unit="m",
            objects=(facts.id(column),),
            references=(named,),
            evidence={"pixels": pixels.tolist(), "lead": lead, "min_lead": self.min_lead},
            margin=lead,
            slots=name_slots(x=named.words) | {"camera": _camera_words(views)},
        )

    def _pixel(
        self, facts: Facts, views: tuple[int, ...], column: int, named: Reference
    ) -> Question | None:
        u, v, depth_inside = deepest_pixel(facts, views[0], column)
        if depth_inside < self.min_inside:
            facts.drop(self.name, "too thin to point at")
            return None
        camera = facts.views[views[0]].camera
        return Question(
            task=self.name,
            wording=f"{self.name}_pixel",
            format="pixel",
            views=views,
            value=[float(u), float(v)],
            frame="viewer",
            unit="px",
            objects=(facts.id(column),),
            references=(named,),
            evidence={
                "pixels_to_edge": depth_inside,
                "min_inside": self.min_inside,
                "any_pixel_of_the_object_is_right": True,
            },
            margin=depth_inside,
            slots=name_slots(x=named.words) | {"size": f"{camera.width} x {camera.height}"},
        )


def _camera_words(views: tuple[int, ...]) -> str:
    return "the camera" if len(views) == 1 else "the first image's camera"
