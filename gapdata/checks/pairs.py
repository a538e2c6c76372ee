"""Views against each other: what one measures, put into another, must agree in depth, instance and colour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from gapdata.checks.pixels import Index, Layers, grid, has_near, nearest, points_world
from gapdata.checks.thresholds import Thresholds

Array = np.ndarray
Faults = Iterator[tuple[str, str]]  # code, message

EVEN = 4.0  # times the tolerance: a step in depth beside a pixel that still tells whose it is

# Steps along rows and columns that turn a picture over.
_TURNS = {
    "as they are": (1, 1),
    "mirrored": (1, -1),
    "upside-down": (-1, 1),
    "turned": (-1, -1),
}


def pair_faults(views: Sequence[Layers], thresholds: Thresholds) -> Faults:
    """Each view's pixels put into the other views: free space, instance ids and colours must agree."""
    # Of view a's pixels in view b: compared, in front of b's surface, with ids in both, with one id.
    counts = np.zeros((len(views), len(views), 4), np.int64)
    colors: dict[str, list[Array]] = {name: [np.zeros((2, 0, 3))] for name in _TURNS}
    for a, view in enumerate(views):
        index = grid(view.depth > 0)
        points = points_world(view, index)
        for b, other in enumerate(views):
            if b != a:
                counts[a, b], matched = _compare(view, index, points, other, thresholds)
                for name, pair in _matched_colors(view, other, *matched).items():
                    colors[name].append(pair)
    compared, floating, labelled, same = counts.sum(axis=(0, 1)).tolist()
    share = thresholds.share(floating, compared)
    if share > thresholds.max_floating:
        yield (
            "reprojection",
            f"{share:.0%} of {compared} pixels lie in front of the surface that another view measures there, "
            f"expected at most {thresholds.max_floating:.0%}: wrong pose, K or depth unit?",
        )
    of_view = counts.sum(axis=0) + counts.sum(axis=1)
    for number, (compared, floating, _, _) in enumerate(of_view.tolist()):
        share = thresholds.share(floating, compared)
        if share > thresholds.max_floating_view:
            yield (
                "reprojection",
                f"view {number}: between it and the others, {share:.0%} of {compared} pixels lie in front of a "
                f"measured surface, expected at most {thresholds.max_floating_view:.0%}",
            )
    share = 1 - thresholds.share(labelled - same, labelled)
    if share < thresholds.min_same_instance:
        yield (
            "instance-match",
            f"{share:.0%} of {labelled} matched pixels have one instance id in both views, "
            f"expected at least {thresholds.min_same_instance:.0%}",
        )
    pairs = {name: np.concatenate(parts, axis=1) for name, parts in colors.items()}
    yield from _color_faults(pairs, thresholds)


def _compare(
    view: Layers,
    index: Index,
    points: Float[Array, "n 3"],
    other: Layers,
    thresholds: Thresholds,
) -> tuple[list[int], tuple[Index, Index]]:
    """Counts as in `pair_faults`, and the pixels of both views that see the same place."""
    pixel, z = other.camera.project(points)
    at, kept = nearest(pixel, other.camera)
    expected = z[kept]
    allowed = thresholds.depth.at(expected)
    floating = other.near[at] > expected + allowed
    agree = ~floating & (other.depth[at] > 0) & (other.far[at] >= expected - allowed)
    mine = (index[0][kept][agree], index[1][kept][agree])
    theirs = (at[0][agree], at[1][agree])
    ids = view.instance[mine]
    # Where depth jumps from pixel to pixel, what lies between may be of either side.
    is_even = other.far[theirs] - other.near[theirs] <= EVEN * allowed[agree]
    both = (ids > 0) & (other.instance[theirs] > 0) & is_even
    same = has_near(ids, other.instance, theirs)[both]
    masks = (floating | agree, floating, both, same)
    return [int(mask.sum()) for mask in masks], (mine, theirs)


def _matched_colors(
    view: Layers, other: Layers, mine: Index, theirs: Index
) -> dict[str, Float[Array, "2 n 3"]]:
    """Colours of matched pixels in the pictures as they are and in turned ones, each less its mean."""
    if not len(mine[0]):
        return {}
    found = {}
    for name, (flip_v, flip_u) in _TURNS.items():
        pair = np.stack(
            [view.rgb[::flip_v, ::flip_u][mine], other.rgb[::flip_v, ::flip_u][theirs]]
        ).astype(np.float64)
        found[name] = pair - pair.mean(axis=1, keepdims=True)  # exposure differs between pictures
    return found


def _color_faults(pairs: dict[str, Float[Array, "2 n 3"]], thresholds: Thresholds) -> Faults:
    """Matched pixels must look more alike than shuffled ones, and than those of the turned pictures."""
    ours, theirs = pairs["as they are"]
    count = len(ours)
    if count < thresholds.min_compared:
        return
    # A step coprime to the count visits every pixel once; near the golden section it sends neighbours far apart.
    step = next(s for s in range(int(0.382 * count), count) if math.gcd(s, count) == 1)
    shuffled = theirs[(np.arange(count) * step + step) % count]
    found = float(np.abs(ours - theirs).mean())
    rivals = {"shuffled": float(np.abs(ours - shuffled).mean()) * thresholds.max_color_ratio}
    for name in list(_TURNS)[1:]:
        rivals[name] = float(np.abs(np.subtract(*pairs[name])).mean())
    best = min(rivals, key=lambda name: rivals[name])
    if rivals["shuffled"] >= thresholds.min_color_contrast and rivals[best] < found:
        yield (
            "color",
            f"matched pixels differ by {found:.1f} of 255, {best} ones by {rivals[best]:.1f}: "
            "the pictures do not belong to this depth and these poses",
        )
