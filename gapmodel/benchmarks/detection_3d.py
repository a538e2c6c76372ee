"""3D detection of VG-LLM and GAP-MLLM on ScanNet or ARKitScenes. A row has boxes: [{label, bbox_3d of 9 numbers}].

`compatible` follows inference_det.py of github.com/ZestfulJX/GAP-MLLM, whose scorer is that of VG-LLM
(src/lmms_eval/tasks/threedod/utils.py). Its quirks:

- Labels hold extrinsic z, x, y angles (scipy's "zxy"); the scorer reads them as intrinsic ones (PyTorch3D's "ZXY"), for
  truth and prediction alike. Boxes that tilt about more than one axis are others then.
- A reply is read line by line, each line a Python literal: a list that breaks off keeps its finished lines, a row that
  spans several lines is lost, and labels are compared with their case.
- Predictions take the free true box of the largest IoU in the order of the reply, so an early one can take the only
  partner of a later one. The IoU has to exceed 0.25.
- The means are over 31 fixed categories, `lamp` twice among them and `towel` written `towl`; a category that the data do
  not show counts as 0, and what is predicted under other labels is not seen.

`strict` reads JSON, angles as they were written, matches as many boxes as can be matched at an IoU of 0.25 or more, and
takes the mean over the categories that the truth shows; predictions under other labels cost precision in `micro_`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gapdata.answers import AnswerError, parse_answer
from gapmodel.benchmarks import Mode
from gapmodel.benchmarks.replies import published_unfenced
from gapmodel.metrics.boxes import boxes_from_bbox_3d, iou_matrix
from gapmodel.metrics.detection import MIN_IOU, Counts, match_detections, total

CATEGORIES_8 = ("chair", "cabinet", "table", "bin", "couch", "bed", "bathtub", "toilet")
CATEGORIES_20 = (
    *("chair", "pillow", "cabinet", "table", "lamp", "couch", "desk", "stand", "bed", "backpack"),
    *("bathtub", "ottoman", "dresser", "bin", "toilet", "refrigerator", "stove", "microwave"),
    *("monitor", "computer"),
)
CATEGORIES_31 = (
    *CATEGORIES_20,
    *("window", "shelf", "curtain", "plant", "stairs", "picture", "book", "bottle", "lamp"),
    *("towl", "sink"),
)
_SETS = {"8": CATEGORIES_8, "20": CATEGORIES_20, "31": CATEGORIES_31}


def score(row: Mapping[str, Any], reply: str, mode: Mode) -> dict[str, Counts]:
    """Matched, predicted and true boxes by label."""
    if mode == "strict":
        try:
            return match_detections(parse_answer(reply, "list"), row["boxes"])
        except AnswerError:
            return match_detections([], row["boxes"])
    found, wanted = _by_label(_literal_lines(reply)), _by_label(row["boxes"])
    return {
        label: _greedy(found.get(label, []), wanted.get(label, []))
        for label in sorted({*found, *wanted})
    }


def summarise(
    rows: Sequence[Mapping[str, Any]], scores: Sequence[dict[str, Counts]], mode: Mode
) -> dict[str, float]:
    """Precision, recall and F1, means over the categories; `_8`, `_20` and `_31` of those sets, `micro_` over all boxes."""
    labels = sorted({label for score in scores for label in score})
    counts = {label: total(s[label] for s in scores if label in s) for label in labels}
    if mode == "compatible":
        sets: Mapping[str, Sequence[str]] = _SETS
    else:
        sets = {"all": [label for label in labels if counts[label].true]}
    figures = {}
    for name, members in sets.items():
        of_set = [counts.get(label, Counts()) for label in members]
        for figure in ("precision", "recall", "f1"):
            values = [_figure(one, figure) for one in of_set]
            figures[f"{figure}_{name}"] = sum(values) / max(len(values), 1)
    everything = total(counts.values())
    micro = {f"micro_{name}": _figure(everything, name) for name in ("precision", "recall", "f1")}
    return {**figures, **micro}


def _figure(counts: Counts, name: str) -> float:
    # Nothing to find and nothing found is 0 in the published means.
    return getattr(counts, name) if counts.predicted + counts.true else 0.0


def _literal_lines(reply: str) -> list[dict[str, Any]]:
    """The rows of a reply that stand on a line of their own."""
    rows = []
    for line in published_unfenced(reply).split("\n"):
        text = line.strip().strip(",")
        if "bbox_3d" not in text and "label" not in text:
            continue
        try:
            row = ast.literal_eval(text)
            box = np.array(row["bbox_3d"], np.float64)
            hash(row["label"])
        except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
            continue
        # Other than nine numbers are a prediction that overlaps nothing.
        rows.append(
            {"label": row["label"], "bbox_3d": box if box.shape == (9,) else np.full(9, np.nan)}
        )
    return rows


def _by_label(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    by_label: dict[str, list[Any]] = {}
    for row in rows:
        by_label.setdefault(str(row["label"]), []).append(row["bbox_3d"])
    return by_label


def _greedy(found: Sequence[Any], wanted: Sequence[Any]) -> Counts:
    """Matches in the order of the predictions, with the angles read in the wrong order."""
    iou = iou_matrix(
        *(boxes_from_bbox_3d(np.array(rows, np.float64), euler="ZXY") for rows in (found, wanted))
    )
    matched = 0
    for row in iou:
        if len(row) and row.max() > MIN_IOU:
            iou[:, int(row.argmax())] = 0.0
            matched += 1
    return Counts(matched=matched, predicted=len(found), true=len(wanted))
