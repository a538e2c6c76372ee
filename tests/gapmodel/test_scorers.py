"""Scores of public benchmarks: the modes agree on plain replies and differ exactly at each documented quirk."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gapdata.errors import ConfigError
from gapmodel.benchmarks import (
    BENCHMARKS,
    Mode,
    detection_3d,
    scanrefer,
    score_benchmark,
    spar_bench,
    vsi_bench,
)
from gapmodel.metrics.boxes import boxes_from_bbox_3d, iou_matrix


def _modes(module: Any, row: dict[str, Any], reply: str) -> tuple[Any, Any]:
    """What a reply earns in the two modes: compatible, strict."""
    return module.score(row, reply, "compatible"), module.score(row, reply, "strict")


# VSI-Bench

OPTIONS = ["A. sofa", "B. bed", "C. door", "D. lamp"]


def _vsi(kind: str, truth: str) -> dict[str, Any]:
    return {"question_type": kind, "ground_truth": truth, "options": OPTIONS}


@pytest.mark.parametrize(
    ("reply", "compatible", "strict"),
    [
        ("B", 1, 1), ("b", 1, 1), ("B.", 1, 1), ("B. bed", 1, 1), ("A", 0, 0), ("A. sofa", 0, 0), ("", 0, 0),
        ("(B)", 0, 1), ("B) bed", 0, 1), ("bed", 0, 1), ("The answer is B", 0, 1), ("B.\nbed", 0, 1),
        ("B sofa bed", 1, 0),  # the first word alone is read, in the strict mode it says nothing clear
        ("B. sofa", 1, 0),  # a letter with another option's words
    ],
)  # fmt: skip
def test_vsi_options(reply: str, compatible: float, strict: float) -> None:
    for kind in ("object_rel_distance", "route_planning", "object_rel_direction_hard"):
        assert _modes(vsi_bench, _vsi(kind, "B"), reply) == (compatible, strict)


@pytest.mark.parametrize(
    ("kind", "truth", "reply", "compatible", "strict"),
    [
        ("object_abs_distance", "2.0", "2.0", 1, 1),
        ("object_abs_distance", "2.0", "3.1", 0, 0),
        ("object_abs_distance", "2.0", "2.3", 0.8, 0.8),
        ("object_abs_distance", "2.0", "2.0 m", 1, 1),
        ("object_abs_distance", "2.0", "2.0m", 0, 1),
        ("object_abs_distance", "2.0", "200 cm", 0, 1),
        ("object_abs_distance", "2.0", "about 2.0", 0, 1),
        ("object_abs_distance", "2.0", "2.0 chairs", 1, 0),
        ("object_counting", "3", "three", 0, 1),
        ("object_counting", "3", "3 chairs", 1, 0),
        ("object_size_estimation", "80", "80", 1, 1),
        ("object_size_estimation", "80", "0.8 m", 0, 1),
        ("object_size_estimation", "80", "80cm", 0, 1),
        ("room_size_estimation", "20.5", "20.5 square meters", 1, 1),
        ("room_size_estimation", "20.5", "nothing", 0, 0),
        ("object_abs_distance", "0.8", "0.6", 0.5, 0.6),  # the error is a bit above a quarter in binary
        ("object_abs_distance", "2.0", "nan", 0, 0),
    ],
)  # fmt: skip
def test_vsi_numbers(kind: str, truth: str, reply: str, compatible: float, strict: float) -> None:
    assert _modes(vsi_bench, _vsi(kind, truth), reply) == pytest.approx((compatible, strict))


def test_vsi_directions_are_one_of_the_means() -> None:
    kinds = [
        "object_rel_direction_easy",
        "object_rel_direction_easy",
        "object_rel_direction_hard",
        "object_counting",
    ]
    rows = [_vsi(kind, "B") for kind in kinds]
    scores = [1.0, 0.0, 1.0, 0.5]
    strict = vsi_bench.summarise(rows, scores, "strict")
    compatible = vsi_bench.summarise(rows, scores, "compatible")
    assert strict["object_rel_direction"] == 0.75
    assert compatible["object_rel_direction"] == 0.5  # the medium ones count as wrong
    assert (strict["overall"], compatible["overall"]) == (0.625, 0.5)
    assert vsi_bench.summarise(rows[3:], [0.5], "strict")["overall"] == 0.5
    assert vsi_bench.summarise(rows[3:], [0.5], "compatible")["overall"] == 0.25
    with pytest.raises(ValueError, match="unknown question type"):
        vsi_bench.score(_vsi("weight", "1"), "1", "strict")


# SPAR-Bench


@pytest.mark.parametrize(
    ("reply", "compatible", "strict"),
    [
        ("A", 1, 1), ("a", 1, 1), ("A. left", 1, 1), ("B", 0, 0), ("B. left", 0, 0), ("(A)", 0, 1),
        ("", 1, 0),  # nothing is contained in everything
        ("Apple", 1, 0),
        ("all of them", 1, 0),
        ("The answer is A", 0, 1),
    ],
)  # fmt: skip
def test_spar_options(reply: str, compatible: float, strict: float) -> None:
    row = {"task": "position_matching", "answer": "A"}
    assert _modes(spar_bench, row, reply) == (compatible, strict)


@pytest.mark.parametrize(
    ("task", "reply", "compatible", "strict"),
    [
        ("depth_prediction_oc", "2.0", 1, 1),
        ("depth_prediction_oc", "2.3", 0.8, 0.8),
        ("depth_prediction_oc", "2.0m", 1, 1),
        ("depth_prediction_oc", "-2.0", 1, 0),
        ("depth_prediction_oc", "200 cm", 0, 1),
        ("depth_prediction_oc", "2.0 cm", 1, 0),
        ("depth_prediction_oc", "object 1 is 2.0 m away", 0.1, 0),
        ("depth_prediction_oc_mv", "object 1 is 2.0 m away", 1, 0),
        ("depth_prediction_oc_mv", "", 0, 0),
        ("distance_prediction_oo", "far", 0, 0),
    ],
)
def test_spar_numbers(task: str, reply: str, compatible: float, strict: float) -> None:
    row = {"task": task, "answer": "2.0"}
    assert _modes(spar_bench, row, reply) == pytest.approx((compatible, strict))


@pytest.mark.parametrize(
    ("reply", "compatible", "strict"),
    [
        ("move_right:1.0,rotate_up:20", 1, 1),
        ("move_left:-1.0,rotate_up:20", 1, 1),
        ("rotate_up:20", 0.8, 0.8),
        ("move_right:1.5,rotate_up:20", 0.8 + 0.2 * 0.4, 0.8 + 0.2 * 0.1),  # off by a third of 1.5, half of 1.0
        ("move_right:1.0,rotate_up:20,move_up:0.2", 0.8, 0.8),
        ("", 0, 0), ("move right", 0, 0), ("move_right:far", 0, 0),
    ],
)  # fmt: skip
def test_spar_view_changes(reply: str, compatible: float, strict: float) -> None:
    row = {"task": "view_change_infer", "answer": "move_right:1.0,rotate_up:20"}
    assert _modes(spar_bench, row, reply) == pytest.approx((compatible, strict))


def test_spar_view_changes_that_are_predicted_to_be_none_count_as_they_are() -> None:
    row = {"task": "view_change_infer", "answer": "move_right:0.3"}
    # 0.3 against a prediction of 0 is an error of 0.3, within five of ten tolerances.
    assert _modes(spar_bench, row, "move_up:0.0") == pytest.approx((0.8 + 0.2 * 0.5, 0.8))


def test_spar_levels() -> None:
    tasks = [
        "view_change_infer",
        "position_matching",
        "depth_prediction_oc",
        "spatial_imagination_oo_mv",
    ]
    rows = [{"task": task, "answer": "A"} for task in tasks]
    scores = [1.0, 0.0, 0.5, 0.25]
    strict = spar_bench.summarise(rows, scores, "strict")
    compatible = spar_bench.summarise(rows, scores, "compatible")
    assert (compatible["middle"], strict["middle"]) == (0.0, 0.5)
    for figures in (strict, compatible):
        assert (figures["low"], figures["high"], figures["overall"]) == (0.5, 0.25, 0.4375)
    assert len({*spar_bench.LOW, *spar_bench.MIDDLE, *spar_bench.HIGH}) == 20
    assert "low" not in spar_bench.summarise(rows[:1], scores[:1], "strict")
    with pytest.raises(ValueError, match="unknown task"):
        spar_bench.score({"task": "weight", "answer": "1"}, "1", "strict")


# 3D detection


def _box(label: str, x: float, angles: tuple[float, float, float] = (0, 0, 0)) -> dict[str, Any]:
    return {"label": label, "bbox_3d": [x, 0, 0, 1, 2, 3, *angles]}


def _lines(rows: list[dict[str, Any]]) -> str:
    return "```json\n[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n```"


def _matched(
    row: dict[str, Any], reply: str, mode: Mode, label: str = "chair"
) -> tuple[int, int, int]:
    counts = detection_3d.score(row, reply, mode).get(label)
    return (counts.matched, counts.predicted, counts.true) if counts else (0, 0, 0)


def test_detection_of_plain_rows_is_the_same() -> None:
    row = {"boxes": [_box("chair", 0), _box("chair", 5, (0.3, 0, 0)), _box("bed", 9)]}
    reply = _lines([_box("chair", 5.1, (0.3, 0, 0)), _box("chair", 20), _box("bed", 9)])
    for mode in ("compatible", "strict"):
        assert _matched(row, reply, mode) == (1, 2, 2)
        assert _matched(row, reply, mode, "bed") == (1, 1, 1)


def test_detection_reads_angles_in_the_wrong_order() -> None:
    angles = (0.6, 0.9, -0.7)
    row = {"boxes": [_box("chair", 0, angles)]}
    assert _matched(row, _lines([_box("chair", 0, angles)]), "compatible") == (1, 1, 1)
    # The true box turned by 90 degrees in its own frame, with its sizes renamed, is the same box: only to who reads it right.
    turn = Rotation.from_euler("zxy", angles) * Rotation.from_euler("x", 90, degrees=True)
    same = {"label": "chair", "bbox_3d": [0, 0, 0, 1, 3, 2, *turn.as_euler("zxy")]}
    thin = {"label": "chair", "bbox_3d": [0, 0, 0, 0.2, 3, 2, *turn.as_euler("zxy")]}
    row_thin = {"boxes": [{"label": "chair", "bbox_3d": [0, 0, 0, 0.2, 2, 3, *angles]}]}
    assert _matched(row, _lines([same]), "strict") == (1, 1, 1)
    assert _matched(row_thin, _lines([thin]), "strict") == (1, 1, 1)
    assert _matched(row_thin, _lines([thin]), "compatible") == (0, 1, 1)
    about_one_axis = {"boxes": [_box("chair", 0, (0.5, 0, 0))]}
    for mode in ("compatible", "strict"):
        assert _matched(about_one_axis, _lines([_box("chair", 0, (0.5, 0, 0))]), mode) == (1, 1, 1)


def test_detection_reads_line_by_line() -> None:
    row = {"boxes": [_box("chair", 0), _box("chair", 5)]}
    whole = _lines([_box("chair", 0), _box("chair", 5)])
    cut = whole[: whole.rindex("0, 0]}")]
    assert (_matched(row, cut, "compatible"), _matched(row, cut, "strict")) == (
        (1, 1, 2),
        (0, 0, 2),
    )
    spread = json.dumps([_box("chair", 0)], indent=1)
    assert (_matched(row, spread, "compatible"), _matched(row, spread, "strict")) == (
        (0, 0, 2),
        (1, 1, 2),
    )
    quoted = str(_box("chair", 0))
    assert (_matched(row, quoted, "compatible"), _matched(row, quoted, "strict")) == (
        (1, 1, 2),
        (0, 0, 2),
    )
    code = "{'label': 'chair', 'bbox_3d': [0] * 9}\n{'label': __import__('os'), 'bbox_3d': 1}"
    assert _matched(row, code, "compatible") == (0, 0, 2)
    short = '{"label": "chair", "bbox_3d": [0, 0, 0]}'
    assert (_matched(row, short, "compatible"), _matched(row, short, "strict")) == (
        (0, 1, 2),
        (0, 0, 2),
    )


def test_detection_labels_and_their_case() -> None:
    row = {"boxes": [_box("chair", 0)]}
    reply = _lines([_box("Chair", 0)])
    assert (_matched(row, reply, "compatible"), _matched(row, reply, "strict")) == (
        (0, 0, 1),
        (1, 1, 1),
    )


def test_detection_matches_in_the_order_of_the_reply() -> None:
    row = {"boxes": [_box("chair", 0), _box("chair", 0.9)]}
    reply = _lines(
        [_box("chair", 0.4), _box("chair", -0.4)]
    )  # the first is nearer to the partner of the second
    assert (_matched(row, reply, "compatible")[0], _matched(row, reply, "strict")[0]) == (1, 2)


def test_detection_at_exactly_a_quarter() -> None:
    row = {"boxes": [{"label": "chair", "bbox_3d": [0, 0, 0, 4, 4, 4, 0, 0, 0]}]}
    reply = _lines([{"label": "chair", "bbox_3d": [0, 0, 1, 4, 4, 1, 0, 0, 0]}])
    assert (_matched(row, reply, "compatible")[0], _matched(row, reply, "strict")[0]) == (0, 1)


def test_detection_means_over_categories() -> None:
    rows = [{"boxes": [_box("chair", 0), _box("towel", 5)]}]
    reply = _lines([_box("chair", 0), _box("towel", 5), _box("piano", 9)])
    strict = score_benchmark("detection-3d", rows, [reply], "strict")
    compatible = score_benchmark("detection-3d", rows, [reply], "compatible")
    assert (strict["f1_all"], strict["micro_precision"], strict["micro_recall"]) == (
        1.0,
        2 / 3,
        1.0,
    )
    assert compatible["f1_8"] == pytest.approx(1 / 8)
    assert compatible["f1_31"] == pytest.approx(1 / 31)  # "towel" is not in the list
    lamp = score_benchmark(
        "detection-3d", [{"boxes": [_box("lamp", 0)]}], [_lines([_box("lamp", 0)])], "compatible"
    )
    assert (lamp["f1_20"], lamp["f1_31"]) == pytest.approx(
        (1 / 20, 2 / 31)
    )  # "lamp" is there twice


# ScanRefer


def _refer(pictures: int = 2) -> dict[str, Any]:
    poses = np.tile(np.eye(4), (pictures, 1, 1))
    poses[:, :3, :3] = Rotation.from_euler("xyz", [-100, 20, 35], degrees=True).as_matrix()
    poses[:, 0, 3] = np.arange(pictures) * 10.0
    align = np.eye(4)
    align[:3, :3] = Rotation.from_euler("z", 0.4).as_matrix()
    return {
        "gt_bbox": [1.0, 2, 0.5, 0.3, 2, 3, 0, 0, 0],
        "axis_align_matrix": align.tolist(),
        "cam2global": poses.tolist(),
    }


def _in_camera(row: dict[str, Any], frame: int) -> list[float]:
    """The true box as a perfect model would write it in a camera's frame."""
    to_scene = np.array(row["axis_align_matrix"]) @ np.array(row["cam2global"][frame])
    back = np.linalg.inv(to_scene)
    center = back[:3, :3] @ row["gt_bbox"][:3] + back[:3, 3]
    angles = Rotation.from_matrix(back[:3, :3]).as_euler("zxy")
    return [*center.tolist(), *row["gt_bbox"][3:6], *angles.tolist()]


def test_scanrefer_of_a_perfect_reply() -> None:
    row = _refer()
    for frame in (0, 1):
        reply = (
            "```json\n" + json.dumps({"frame": frame, "bbox_3d": _in_camera(row, frame)}) + "\n```"
        )
        assert _modes(scanrefer, row, reply) == pytest.approx((1.0, 1.0), abs=1e-6)
    far = json.dumps({"frame": 5, "bbox_3d": _in_camera(row, 0)})
    assert _modes(scanrefer, row, far) == (0.0, 0.0)
    assert _modes(scanrefer, row, "on the left") == (0.0, 0.0)
    summary = score_benchmark("scanrefer", [row, row], [far, reply], "strict")
    assert summary == pytest.approx({"acc_25": 0.5, "acc_50": 0.5, "mean_iou": 0.5})


def test_scanrefer_reads_angles_in_the_wrong_order() -> None:
    row = _refer()
    to_scene = np.array(row["axis_align_matrix"]) @ np.array(row["cam2global"][0])
    beside = to_scene[:3, :3].T @ (np.array([1.2, 2.5, 0.9]) - to_scene[:3, 3])
    angles = (0.9, 0.7, -0.8)  # in the scene
    turn = to_scene[:3, :3].T @ Rotation.from_euler("zxy", angles).as_matrix()
    written = Rotation.from_matrix(turn).as_euler("zxy")
    reply = {"frame": 0, "bbox_3d": [*beside.tolist(), 0.5, 2, 3, *written.tolist()]}
    expected = [
        iou_matrix(
            boxes_from_bbox_3d(np.array([[1.2, 2.5, 0.9, 0.5, 2, 3, *angles]]), euler=euler),
            boxes_from_bbox_3d(np.array([row["gt_bbox"]])),
        )[0, 0]
        for euler in ("ZXY", "zxy")
    ]
    assert abs(expected[0] - expected[1]) > 0.01
    assert _modes(scanrefer, row, json.dumps(reply)) == pytest.approx(tuple(expected))


def test_scanrefer_without_a_frame() -> None:
    row = _refer()
    reply = json.dumps({"bbox_3d": _in_camera(row, 0)})
    assert _modes(scanrefer, row, reply) == pytest.approx((1.0, 0.0), abs=1e-6)
    assert _modes(scanrefer, _refer(1), reply) == pytest.approx((1.0, 1.0), abs=1e-6)


def test_scanrefer_reads_python_literals() -> None:
    row = _refer()
    reply = str({"frame": 1, "bbox_3d": _in_camera(row, 0)})
    # As Python it is read, but its frame is looked for in JSON: picture 0.
    assert _modes(scanrefer, row, reply) == pytest.approx((1.0, 0.0), abs=1e-6)
    code = '{"frame": 0, "bbox_3d": [0] * 9}'
    assert _modes(scanrefer, row, code) == (0.0, 0.0)


def test_unknown_benchmarks_modes_and_missing_replies_are_named() -> None:
    assert sorted(BENCHMARKS) == ["detection-3d", "scanrefer", "spar-bench", "vsi-bench"]
    with pytest.raises(ConfigError, match="expected one of vsi-bench"):
        score_benchmark("vsi", [], [], "strict")
    with pytest.raises(ConfigError, match="expected one of compatible, strict"):
        score_benchmark("vsi-bench", [], [], "loose")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="1 rows but 0 replies"):
        score_benchmark("vsi-bench", [_vsi("object_counting", "1")], [], "strict")
