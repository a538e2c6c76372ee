"""ScanRefer (arXiv 1912.08830) answered in text: Acc@0.25 and Acc@0.5 of one box.

A row has gt_bbox (9 numbers in the axis-aligned scene), axis_align_matrix and cam2global, a 4 x 4 matrix for each
picture. A reply is JSON with bbox_3d, in the camera frame of the picture whose number it gives as `frame`.

`compatible` follows inference_vg_stagerefer.py of github.com/ZestfulJX/GAP-MLLM. Its quirks:

- A box is brought into the scene with extrinsic z, x, y angles, and these are then read as intrinsic ones, as in
  `detection_3d`. True boxes of ScanRefer are not turned and stay what they are.
- A reply without a frame, or whose frame cannot be read, is in the frame of picture 0.
- The reply is read as a Python literal, so 'single quotes' pass.

`strict` reads JSON and angles as they are written; without a frame there is no answer, unless the row has one picture.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from gapdata.answers import AnswerError, parse_answer
from gapmodel.benchmarks import Mode
from gapmodel.benchmarks.replies import published_unfenced
from gapmodel.metrics.boxes import Boxes, boxes_from_bbox_3d, iou_matrix
from gapmodel.metrics.records import read_record

Array = np.ndarray


def score(row: Mapping[str, Any], reply: str, mode: Mode) -> float:
    """Intersection over union of the replied box with the true one, 0 for what is no answer."""
    frame, box = _strict(row, reply) if mode == "strict" else _literal(reply)
    if box is None or not 0 <= frame < len(row["cam2global"]):
        return 0.0
    to_scene = np.array(row["axis_align_matrix"]) @ np.array(row["cam2global"][frame])
    euler = "zxy" if mode == "strict" else "ZXY"
    true = boxes_from_bbox_3d(np.array(row["gt_bbox"], np.float64)[None], euler=euler)
    return float(iou_matrix(_moved(box, to_scene, euler), true)[0, 0])


def summarise(
    rows: Sequence[Mapping[str, Any]], scores: Sequence[float], mode: Mode
) -> dict[str, float]:
    """Shares of rows with an IoU of at least 0.25 and 0.5, and the mean IoU."""
    iou = np.array(scores, np.float64)
    return {
        "acc_25": float((iou >= 0.25).mean()),
        "acc_50": float((iou >= 0.5).mean()),
        "mean_iou": float(iou.mean()),
    }


def _strict(row: Mapping[str, Any], reply: str) -> tuple[int, Float[Array, "9"] | None]:
    try:
        record = read_record(reply)
        if isinstance(record, dict) and "frame" not in record and len(row["cam2global"]) == 1:
            record = {**record, "frame": 0}
        named = {"view": record["frame"], "bbox_3d": record["bbox_3d"]}
        # Checked as a box answer is, then taken unrounded.
        parse_answer(json.dumps(named), "box")
    except (AnswerError, KeyError, TypeError, IndexError):
        return 0, None
    return named["view"], np.array(named["bbox_3d"], np.float64)


def _literal(reply: str) -> tuple[int, Float[Array, "9"] | None]:
    text = published_unfenced(reply)
    try:
        record = ast.literal_eval(text)
        box = np.array(record["bbox_3d"], np.float64)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        return 0, None
    try:
        frame = json.loads(text).get("frame", 0)
    except ValueError:
        frame = 0
    return frame if isinstance(frame, int) else -1, box if box.shape == (9,) else None


def _moved(box: Float[Array, "9"], to_scene: Float[Array, "4 4"], euler: str) -> Boxes:
    """The box in the scene, its angles written there as extrinsic zxy and read in the order `euler`."""
    rotation = to_scene[:3, :3] @ Rotation.from_euler("zxy", box[6:]).as_matrix()
    angles = Rotation.from_matrix(rotation).as_euler("zxy")
    center = to_scene[:3, :3] @ box[:3] + to_scene[:3, 3]
    return boxes_from_bbox_3d(np.concatenate([center, box[3:6], angles])[None], euler=euler)
