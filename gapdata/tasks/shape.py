"""What is said of an object's make: its shape and its material. Asked only where the source says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from gapdata.tasks.candidates import OPTIONS, drawn, shuffled
from gapdata.tasks.facts import HALF_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import MARKED, refer, referable
from gapdata.tasks.size import shown_whole

Array = np.ndarray

# Shapes that an attribute may state, and what one would say instead of each; an outline only has the other one.
SHAPES: Mapping[str, tuple[str, ...]] = {
    "box": ("cylinder", "sphere"),
    "capsule": ("box", "sphere"),
    "cone": ("box", "cylinder", "sphere"),
    "cube": ("cylinder", "sphere"),
    "cylinder": ("box", "sphere"),
    "pyramid": ("box", "cylinder", "sphere"),
    "sphere": ("box", "cylinder"),
    "torus": ("box", "cylinder", "sphere"),
    "round": ("rectangular",),
    "rectangular": ("round",),
}
OUTLINES = ("round", "rectangular")
ALIKE = frozenset({"box", "cube"})  # never offered together: a cube is a box
ROUND_ABOUT = ("cone", "cylinder", "sphere", "torus")
SQUARE_ABOUT = ("box", "cube", "flat", "pyramid", "rectangular")
# Materials that are asked for. Two in one row look alike and are never offered together.
MATERIALS: tuple[tuple[str, ...], ...] = (
    ("wood", "wicker"), ("metal",), ("plastic", "rubber"), ("glass",), ("ceramic", "stone"), ("fabric", "wool"),
    ("paper", "cardboard"),
)  # fmt: skip
# Objects that show more than one material, so that none is the main one.
MIXED = frozenset({"clock", "lamp", "mirror", "picture", "plant", "whiteboard", "window"})
# How an object may be named without telling, or painting over, what is asked of it.
STYLES_FOR: Mapping[str, tuple[str, ...]] = {
    "color": ("point", "box"),
    "material": MARKED,
    "shape": MARKED,
}
WIDTH_DIRECTIONS = 36
EVEN_WIDTH = 0.1  # relative spread of horizontal widths that parts round bodies from others


def described(
    facts: Facts, task: str, views: Sequence[int], rule: SeenRule, attribute: str
) -> list[int]:
    """Columns of the objects that a marker can name, of which the source states an attribute.

    The others are counted as dropped.
    """
    columns = referable(facts, task, views, rule, STYLES_FOR[attribute])
    known = [c for c in columns if getattr(facts.scene.instances[c].attributes, attribute)]
    facts.drop(task, f"{attribute} not known", len(columns) - len(known))
    return known


def attribute_answer(
    truth: str, wrong: Sequence[str], rng: np.random.Generator
) -> tuple[str, dict[str, Any]]:
    """The claim, "" for a choice, and the answer's fields: a choice, or a claim that is true half the time.

    `wrong` begins with what is offered instead of the truth.
    """
    claim = truth if rng.random() < 0.5 else wrong[0]
    is_claim = bool(rng.random() < 0.5)
    options = shuffled((truth, *wrong[: OPTIONS - 1]), rng)
    if is_claim:
        return claim, {"format": "yesno", "value": claim == truth}
    return "", {"format": "choice", "value": truth, "choices": options}


def lifelike(facts: Facts, attribute: str, rng: np.random.Generator) -> list[str]:
    """The attribute's values among the scene's objects in random order, the frequent ones more often early.

    Wrong options drawn this way are as frequent as right ones, so that no option is a good guess by its name.
    """
    instances = facts.scene.instances
    objects = [instances[column] for column in np.flatnonzero(facts.scene.is_object).tolist()]
    said = sorted(getattr(instance.attributes, attribute) for instance in objects)
    return list(dict.fromkeys(said[index] for index in rng.permutation(len(said)).tolist()))


def _in_turn(rows: Sequence[Sequence[str]], values: Sequence[str]) -> list[str]:
    """One value of each row: of those in `values` the first, in their order, and then the first of other rows."""

    def place(row: Sequence[str]) -> int:
        return min((values.index(value) for value in row if value in values), default=len(values))

    found = [(place(row), row) for row in rows]
    found.sort(key=lambda pair: pair[0])
    return [values[at] if at < len(values) else row[0] for at, row in found]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShapeName:
    """The plain shape of an object: box, cylinder, cone, ...; or whether its outline is round or rectangular."""

    name: ClassVar[str] = "shape_name"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "plain shape of an object"
    counterparts: ClassVar[str] = "none; geometry-language alignment"

    seen: SeenRule = HALF_SEEN
    candidates: int = 4  # shapes tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a shape that has a plain name, about half of them as a claim; no shape is asked more often."""
        for views in facts.view_sets("single", "all"):
            columns = described(facts, self.name, views, self.seen, "shape")
            shapes = {c: facts.scene.instances[c].attributes.shape for c in columns}
            for shape, own in drawn(sorted(set(shapes.values())), self.candidates, rng):
                like = [column for column in columns if shapes[column] == shape]
                column = like[int(own.integers(len(like)))]
                facts.drop(self.name, "another of that shape is asked", len(like) - 1)
                if shape not in SHAPES:
                    facts.drop(self.name, "shape has no plain name")
                    continue
                claim, answer = attribute_answer(shape, _other_shapes(facts, shape, own), own)
                (named,) = refer(facts, views, (column,), own, STYLES_FOR["shape"])
                kind = "outline" if shape in OUTLINES else "solid"
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{kind}_{answer['format']}",
                    views=views,
                    objects=(facts.id(column),),
                    evidence={"shape": shape, "claim": claim},
                    margin=1.0,
                    references=(named,),
                    slots=name_slots(x=named.words) | claim_slots(claim),
                    **answer,
                )


def _other_shapes(facts: Facts, shape: str, rng: np.random.Generator) -> list[str]:
    """What to offer besides a shape: the solids that are there too come first."""
    others = shuffled(SHAPES[shape], rng)
    if shape in OUTLINES:
        return list(others)
    there = [s for s in lifelike(facts, "shape", rng) if s in SHAPES and s not in OUTLINES]
    return [s for s in dict.fromkeys([*there, *others]) if s != shape and {s, shape} != ALIKE]


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What an object is mainly made of."""

    name: ClassVar[str] = "material"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "main material of an object"
    counterparts: ClassVar[str] = "none; geometry-language alignment"

    seen: SeenRule = HALF_SEEN
    candidates: int = 4  # materials tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a common material, about half of them as a claim; no material is asked more often."""
        for views in facts.view_sets("single", "all"):
            columns = described(facts, self.name, views, self.seen, "material")
            made_of = {c: facts.scene.instances[c].attributes.material for c in columns}
            for material, own in drawn(sorted(set(made_of.values())), self.candidates, rng):
                like = [column for column in columns if made_of[column] == material]
                column = like[int(own.integers(len(like)))]
                facts.drop(self.name, "another of that material is asked", len(like) - 1)
                rows = [row for row in MATERIALS if material not in row]
                if len(rows) == len(MATERIALS):
                    facts.drop(self.name, "material not a common one")
                    continue
                if facts.scene.labels[column] in MIXED:
                    facts.drop(self.name, "made of several materials")
                    continue
                wrong = _in_turn(rows, shuffled(sorted(set(made_of.values())), own))
                claim, answer = attribute_answer(material, wrong, own)
                (named,) = refer(facts, views, (column,), own, STYLES_FOR["material"])
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{answer['format']}",
                    views=views,
                    objects=(facts.id(column),),
                    evidence={"material": material, "claim": claim},
                    margin=1.0,
                    references=(named,),
                    slots=name_slots(x=named.words) | claim_slots(claim),
                    **answer,
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class SymmetricAxis:
    """Whether an object looks the same however far it is turned about its vertical axis.

    Asked where its stated shape and the evenness of its horizontal widths over all directions agree.
    """

    name: ClassVar[str] = "symmetric_axis"
    formats: ClassVar[tuple[str, ...]] = ("yesno",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "whether an object is rotationally symmetric about its vertical axis"
    counterparts: ClassVar[str] = "none; geometry-language alignment"

    seen: SeenRule = HALF_SEEN
    max_truncated: float = 0.0  # of the object's pixels, in the view that shows it
    min_gap: float = (
        0.05  # between the relative spread of widths and the one that parts the answers
    )
    candidates: int = 6  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object."""
        for views in facts.view_sets("single", "all"):
            columns = described(facts, self.name, views, self.seen, "shape")
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            for column, own in drawn(columns, self.candidates, rng):
                shape = facts.scene.instances[column].attributes.shape
                spread = width_spread(facts.scene.surfaces.points(column))
                gap = EVEN_WIDTH - spread if shape in ROUND_ABOUT else spread - EVEN_WIDTH
                if shape not in (*ROUND_ABOUT, *SQUARE_ABOUT):
                    facts.drop(self.name, "shape says nothing of symmetry")
                    continue
                if not whole[column]:
                    facts.drop(self.name, "object truncated")
                    continue
                if not gap >= self.min_gap:
                    facts.drop(self.name, "widths do not bear the shape out")
                    continue
                (named,) = refer(facts, views, (column,), own, STYLES_FOR["shape"])
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="yesno",
                    views=views,
                    value=shape in ROUND_ABOUT,
                    objects=(facts.id(column),),
                    evidence={
                        "shape": shape,
                        "width_spread": spread,
                        "even_width": EVEN_WIDTH,
                        "min_gap": self.min_gap,
                    },
                    margin=gap,
                    references=(named,),
                    slots=name_slots(x=named.words),
                )


def width_spread(points: Float[Array, "n 3"]) -> float:
    """How much the horizontal width of points differs between directions, in parts of the largest; NaN for none."""
    if len(points) == 0:
        return float("nan")
    angle = np.pi * np.arange(WIDTH_DIRECTIONS) / WIDTH_DIRECTIONS
    along = points[:, :2] @ np.stack([np.cos(angle), np.sin(angle)])
    width = np.ptp(along, axis=0)
    return float(1.0 - width.min() / max(float(width.max()), 1e-9))


def claim_slots(claim: str) -> dict[str, str]:
    """The slot of what a claim says; none for a choice."""
    return {"claim": claim} if claim else {}
