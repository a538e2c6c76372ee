"""How a question names an object: words or a drawn marker that fit exactly one instance in the asked views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from gapdata.markers import COLORS, marker, point_radius
from gapdata.tasks.candidates import shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import is_plural
from gapdata.tasks.pointing import deepest_pixel

Array = np.ndarray

NAMED = ("label", "attribute")
IN_WORDS = (*NAMED, "ordinal")
MARKED = ("point", "box", "mask")
ANY = (*IN_WORDS, *MARKED)

LABEL_SHARE = 0.5  # of the objects whose label alone fits nothing else
RANKS = ("leftmost", "second", "third")
MAX_ROW = 5  # objects among which one is counted out
MIN_STEP = 0.05  # of the image width, between the middles of objects that are counted out
MIN_BOX_SHARE = 0.3  # of a drawn box's pixels, that show the object itself
MAX_BOX_OVERLAP = 0.5  # intersection over union of a drawn box with what another instance fills
MIN_AROUND_POINT = 4.0  # times the area of a drawn point, which lies on the object as a whole, that the object fills
SAME_PLACE = 0.05  # metres between the centres of two boxes, and between their sides, that are one
SAME_SHARE = (
    0.3  # ... and that part of their longest side at most: small things may lie side by side
)

ADJECTIVES: Mapping[str, str] = {"wood": "wooden"}
UNTOLD = frozenset(
    {"paint", "paper", "leaf", "wax", "tile", "fruit"}
)  # materials that tell no two objects apart
# Words for what one may call the other way; an object is not told from a rival by them.
ALIKE = frozenset(
    frozenset(pair.split())
    for pair in (
        "white beige", "white gray", "gray beige", "gray black", "beige brown", "beige yellow",
        "brown orange", "brown red", "brown black", "red orange", "red pink", "orange yellow",
        "orange pink", "pink purple", "purple blue", "blue turquoise", "green turquoise",
        "green yellow", "ceramic stone", "ceramic plastic", "ceramic glass", "plastic rubber",
        "plastic metal", "fabric wool", "fabric leather", "wood wicker", "fabric carpet",
        "wool carpet",
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A noun phrase without article that means one object. `markers` are what it needs drawn."""

    instance: int  # id of the object
    words: str
    style: str  # one of ANY
    markers: tuple[Mapping[str, Any], ...] = ()


def referable(
    facts: Facts, task: str, views: Sequence[int], rule: SeenRule, styles: Sequence[str] = ANY
) -> list[int]:
    """Columns of the objects seen in some asked view that one of the styles names alone.

    Sorted by label, then by how much the views show of it. An instance of which the asked views show only a trace,
    or that is hidden there, is still a rival.
    """
    kept, unseen, unnamed = facts.once(_referable, tuple(views), rule, tuple(styles))
    facts.drop(task, "object not seen well enough", unseen)
    facts.drop(task, "nothing names the object alone", unnamed)
    return list(kept)


def _referable(
    facts: Facts, views: tuple[int, ...], rule: SeenRule, styles: tuple[str, ...]
) -> tuple[list[int], int, int]:
    """The columns, how many objects are not seen well enough, and how many of the others no style names alone."""
    candidates = facts.once(_present, views) & facts.scene.is_object
    seen = candidates & facts.seen(rule)[list(views)].any(axis=0)
    shown = np.flatnonzero(seen).tolist()
    kept = [column for column in shown if _styles(facts, views, column, styles)]
    pixels = facts.visibility.pixels[list(views)].sum(axis=0)
    kept.sort(key=lambda column: (facts.scene.labels[column], -int(pixels[column])))
    return kept, int(candidates.sum()) - len(shown), len(shown) - len(kept)


def refer(
    facts: Facts,
    views: Sequence[int],
    columns: Sequence[int],
    rng: np.random.Generator,
    styles: Sequence[str] = ANY,
) -> tuple[Reference, ...]:
    """References to objects that `referable` gave for the same views and styles; no two share words or a colour.

    Raises ValueError for more objects than there are colours.
    """
    if len(columns) > len(COLORS):
        raise ValueError(f"refer: expected at most {len(COLORS)} objects, found {len(columns)}")
    rows = tuple(views)
    colors = shuffled(tuple(COLORS), rng)
    return tuple(
        _reference(facts, rows, column, color, styles, rng)
        for column, color in zip(columns, colors, strict=False)
    )


def _reference(
    facts: Facts,
    views: tuple[int, ...],
    column: int,
    color: str,
    styles: Sequence[str],
    rng: np.random.Generator,
) -> Reference:
    instance = facts.id(column)
    options = _styles(facts, views, column, styles)
    others = [style for style in options if style != "label"]
    if "label" in options and (not others or rng.random() < LABEL_SHARE):
        return Reference(instance=instance, words=facts.scene.labels[column], style="label")
    style = others[int(rng.integers(len(others)))]
    if style == "attribute":
        phrases = facts.once(_attribute_phrases, views, column)
        words = phrases[int(rng.integers(len(phrases)))]
        return Reference(instance=instance, words=words, style=style)
    if style == "ordinal":
        counted = facts.once(_ordinals, views, column)
        view, phrase = counted[int(rng.integers(len(counted)))]
        words = f"{phrase}{_image(views, view)}"
        return Reference(instance=instance, words=words, style=style)
    marked = [view for view, kinds in facts.once(_marker_kinds, views, column) if style in kinds]
    view = marked[int(rng.integers(len(marked)))]
    return _marked(facts, views, column, (style, view, color))


def _marked(
    facts: Facts, views: tuple[int, ...], column: int, chosen: tuple[str, int, str]
) -> Reference:
    style, view, color = chosen
    details: dict[str, Any] = {"instance": facts.id(column)}
    phrase = f"object in the {color} box"
    if style == "box":
        details["bbox"] = facts.bounds[view, column].astype(int).tolist()
    elif style == "point":
        details["pixel"] = deepest_pixel(facts, view, column)[:2]
        phrase = f"object at the {color} point"
    else:
        phrase = f"object under the {color} mask"
    return Reference(
        instance=facts.id(column),
        words=f"{phrase}{_image(views, view)}",
        style=style,
        markers=(marker(style, view, color, **details),),
    )


def _image(views: tuple[int, ...], view: int) -> str:
    return "" if len(views) == 1 else f" in image {views.index(view) + 1}"


def _styles(
    facts: Facts, views: tuple[int, ...], column: int, styles: Sequence[str]
) -> tuple[str, ...]:
    """Which of the styles name the object alone, in the order of ANY."""
    every = facts.once(_every_style, views, column)
    return tuple([style for style in every if style in styles])


def _every_style(facts: Facts, views: tuple[int, ...], column: int) -> tuple[str, ...]:
    possible = set()
    if facts.once(_rivals, views)[column] == 1:
        possible.add("label")
    if facts.once(_attribute_phrases, views, column):
        possible.add("attribute")
    if facts.once(_ordinals, views, column):
        possible.add("ordinal")
    for _, kinds in facts.once(_marker_kinds, views, column):
        possible.update(kinds)
    return tuple(style for style in ANY if style in possible)


def _present(facts: Facts, views: tuple[int, ...]) -> Bool[Array, " N"]:
    return np.asarray(facts.present[list(views)].any(axis=0))


def _rivals(facts: Facts, views: tuple[int, ...]) -> Int[Array, " N"]:
    return facts.scene.rivals(_present(facts, views))


def _attribute_phrases(facts: Facts, views: tuple[int, ...], column: int) -> tuple[str, ...]:
    """Phrases such as "red chair" that fit this instance and none of the present ones with a fitting label.

    A rival whose attribute is unknown, or one that may pass for the same, leaves the phrase ambiguous.
    """
    rivals = facts.once(_present, views) & facts.scene.fitted(column)
    rivals[column] = False
    others = [facts.scene.instances[other].attributes for other in np.flatnonzero(rivals).tolist()]
    own, label = facts.scene.instances[column].attributes, facts.scene.labels[column]
    phrases = []
    for name in ("color", "material"):
        value = getattr(own, name)
        adjective = ADJECTIVES.get(value, value)
        if not value or value in UNTOLD or {value, adjective} & set(label.casefold().split()):
            continue
        if all(_differs(value, getattr(other, name)) for other in others):
            phrases.append(f"{adjective} {label}")
    return tuple(phrases)


def _differs(value: str, other: str) -> bool:
    known = bool(other) and other not in UNTOLD
    return known and other != value and frozenset((value, other)) not in ALIKE


def _ordinals(facts: Facts, views: tuple[int, ...], column: int) -> tuple[tuple[int, str], ...]:
    """(view, phrase) where a view shows all present instances that the label fits whole, side by side."""
    label = facts.scene.labels[column]
    if is_plural(label):
        return ()
    found = []
    for view in views:
        row = facts.once(_row, view, column)
        if column not in row:
            continue
        left, right = row.index(column), len(row) - 1 - row.index(column)
        if left <= right and left < len(RANKS):
            found.append((view, _counted(left, label, "left")))
        if right <= left and right < len(RANKS):
            found.append((view, _counted(right, label, "right")))
    return tuple(found)


def _counted(rank: int, label: str, end: str) -> str:
    return f"{end}most {label}" if rank == 0 else f"{RANKS[rank]} {label} from the {end}"


def _row(facts: Facts, view: int, column: int) -> list[int]:
    """Columns of the instances that the label fits, left to right, when nothing is cut, hidden or close; else none."""
    members = np.flatnonzero(facts.present[view] & facts.scene.fitted(column))
    whole = facts.seen(CLEARLY_SEEN)[view] & (facts.visibility.truncated[view] == 0.0)
    if not 2 <= len(members) <= MAX_ROW or not whole[members].all():
        return []
    extents = facts.extents[view, members]
    middles = 0.5 * (extents[:, 0] + extents[:, 2])
    order = np.argsort(middles, kind="stable")
    step = MIN_STEP * facts.views[view].camera.width
    if np.diff(middles[order]).min() < step or np.diff(extents[order][:, [0, 2]], axis=0).min() < 0:
        return []
    return [int(member) for member in members[order]]


def _marker_kinds(
    facts: Facts, views: tuple[int, ...], column: int
) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The asked views that show the object clearly, each with the kinds of marker that single it out there."""
    if facts.once(_copies)[column]:
        return ()
    shown = facts.once(_clear_views)[column]
    return tuple((view, facts.once(_kinds, view, column)) for view in views if view in shown)


def _clear_views(facts: Facts) -> list[set[int]]:
    """For each instance the views that show it clearly."""
    return [set(np.flatnonzero(seen).tolist()) for seen in facts.seen(CLEARLY_SEEN).T]


def _kinds(facts: Facts, view: int, column: int) -> tuple[str, ...]:
    kinds = ["mask"]
    camera, pixels = facts.views[view].camera, facts.visibility.pixels[view, column]
    if facts.once(_boxable, view)[column]:
        kinds.append("box")
    radius = point_radius(camera.height, camera.width)
    if (
        pixels >= MIN_AROUND_POINT * np.pi * radius**2
        and deepest_pixel(facts, view, column)[2] > radius
    ):
        kinds.append("point")
    return tuple(kinds)


def _boxable(facts: Facts, view: int) -> Bool[Array, " N"]:
    """Which instances a box around them singles out in a view: it shows them for a good part, and frames no other one."""
    shown = np.flatnonzero(facts.visibility.pixels[view])
    bounds = facts.bounds[view, shown]
    area = (bounds[:, 2] - bounds[:, 0] + 1) * (bounds[:, 3] - bounds[:, 1] + 1)
    low = np.maximum(bounds[:, None, :2], bounds[None, :, :2])
    high = np.minimum(bounds[:, None, 2:], bounds[None, :, 2:])
    both = np.maximum(high - low + 1, 0).prod(axis=-1)
    overlap = both / (area[:, None] + area - both)
    np.fill_diagonal(overlap, 0.0)
    share = facts.visibility.pixels[view, shown] / area
    result = np.zeros(len(facts.scene.ids), bool)
    result[shown] = (share >= MIN_BOX_SHARE) & (overlap.max(axis=1, initial=0) <= MAX_BOX_OVERLAP)
    return result


def _copies(facts: Facts) -> Bool[Array, " N"]:
    """Instances whose box is that of another one: what is drawn on one of them means both."""
    boxes = [instance.box for instance in facts.scene.instances]
    if not boxes:
        return np.zeros(0, bool)
    values = np.array([np.concatenate([box.center, np.sort(box.size)]) for box in boxes])
    order = np.argsort(values[:, 0], kind="stable")
    copies = np.zeros(len(values), bool)
    # Along x, those within reach are neighbours; the search stops where none is left.
    for step in range(1, len(values)):
        ahead, behind = order[step:], order[:-step]
        near = values[ahead, 0] - values[behind, 0] <= SAME_PLACE
        if not near.any():
            break
        limit = np.minimum(SAME_PLACE, SAME_SHARE * np.maximum(values[ahead, 5], values[behind, 5]))
        same = np.abs(values[ahead] - values[behind]).max(axis=1) <= limit
        copies[ahead[same]] = copies[behind[same]] = True
    return copies
