"""Detected boxes against true ones: matched one to one within a label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment

from gapmodel.metrics.boxes import boxes_from_bbox_3d, iou_matrix

Array = np.ndarray

MIN_IOU = 0.25
_SLACK = 1e-7  # an overlap of exactly the threshold counts, whatever its last digits are


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Boxes that were matched, predicted and true; sums add up over questions."""

    matched: int = 0
    predicted: int = 0
    true: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            matched=self.matched + other.matched,
            predicted=self.predicted + other.predicted,
            true=self.true + other.true,
        )

    @property
    def precision(self) -> float:
        """Matched of predicted; 0 when nothing was predicted."""
        return self.matched / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Matched of true; 0 when there was nothing to find."""
        return self.matched / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 1 when there was nothing to find and nothing was predicted."""
        both = self.predicted + self.true
        return 2 * self.matched / both if both else 1.0


def count_matches(iou: Float[Array, "P T"], min_iou: float = MIN_IOU) -> int:
    """The most pairs of one predicted and one true box, each used once, that overlap by at least `min_iou`."""
    return len(best_pairs(iou >= min_iou - _SLACK, iou))


def best_pairs(allowed: Bool[Array, "P T"], value: Float[Array, "P T"]) -> list[tuple[int, int]]:
    """One-to-one pairs: as many allowed ones as possible, and of these ways the one of the greatest total value (0 to 1)."""
    if allowed.size == 0:
        return []
    # One more pair always outweighs what all values together can add.
    weight = np.where(allowed, 1.0 + value / (1.0 + min(allowed.shape)), 0.0)
    rows, columns = linear_sum_assignment(weight, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if allowed[r, c]]


def match_detections(
    predicted: Sequence[Mapping[str, Any]],
    true: Sequence[Mapping[str, Any]],
    min_iou: float = MIN_IOU,
) -> dict[str, Counts]:
    """Counts by label (as `plain_label` writes it) of one question's rows {label, bbox_3d}."""
    found, wanted = _by_label(predicted), _by_label(true)
    counts = {}
    for label in sorted({*found, *wanted}):
        iou = iou_matrix(
            boxes_from_bbox_3d(np.array(found.get(label, []), np.float64)),
            boxes_from_bbox_3d(np.array(wanted.get(label, []), np.float64)),
        )
        counts[label] = Counts(
            matched=count_matches(iou, min_iou), predicted=iou.shape[0], true=iou.shape[1]
        )
    return counts


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    return sum(counts, Counts())


def plain_label(label: str) -> str:
    """A label without case and surplus blanks."""
    return " ".join(label.casefold().split())


def _by_label(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Sequence[float]]]:
    by_label: dict[str, list[Sequence[float]]] = defaultdict(list)
    for row in rows:
        by_label[plain_label(row["label"])].append(row["bbox_3d"])
    return by_label
