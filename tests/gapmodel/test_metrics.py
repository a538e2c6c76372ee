"""Metrics against what pencil and paper give, and against slower ways to compute the same."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, HalfspaceIntersection
from scipy.spatial.transform import Rotation

from gapdata.geometry.boxes import Box
from gapdata.geometry.transforms import rotation_from_euler_zxy
from gapmodel.metrics.bootstrap import scene_interval
from gapmodel.metrics.boxes import Boxes, boxes_from_bbox_3d, iou_matrix, pair_iou
from gapmodel.metrics.depth import depth_metrics
from gapmodel.metrics.detection import Counts, best_pairs, match_detections
from gapmodel.metrics.normal import angles_between, normal_metrics
from gapmodel.metrics.numbers import accuracy_of_errors, relative_accuracy
from gapmodel.metrics.pointmap import pointmap_metrics
from gapmodel.metrics.pose import pose_errors, pose_metrics
from gapmodel.metrics.retrieval import recall_at

SEEDS = st.integers(0, 2**32 - 1)


# Mean relative accuracy


@pytest.mark.parametrize(
    ("predicted", "true", "score"),
    [
        (2.0, 2.0, 1.0),
        (2.1, 2.0, 1.0),  # exactly 5 % off is within the last tolerance
        (1.9, 2.0, 1.0),
        (2.2, 2.0, 0.9),  # exactly 10 %
        (2.21, 2.0, 0.8),
        (3.0, 2.0, 0.1),  # exactly 50 %
        (3.01, 2.0, 0.0),
        (0.0, 2.0, 0.0),
        (-3.0, -2.0, 0.1),
        (0.0, 0.0, 1.0),
        (1e-9, 0.0, 0.0),
        (float("nan"), 2.0, 0.0),
        (float("inf"), 2.0, 0.0),
    ],
)
def test_relative_accuracy_is_the_share_of_ten_tolerances(
    predicted: float, true: float, score: float
) -> None:
    assert relative_accuracy(np.array([predicted]), np.array([true]))[0] == pytest.approx(score)


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_relative_accuracy_agrees_with_a_loop_over_percents(a: float, b: float) -> None:
    error = abs(a - b) / b
    near_an_edge = any(abs(error - part / 20) < 1e-6 for part in range(1, 11))
    counted = sum(error <= part / 20 for part in range(1, 11)) / 10
    found = relative_accuracy(np.array([a]), np.array([b]))[0]
    assert near_an_edge or found == pytest.approx(counted)


def test_accuracy_of_a_vector_uses_the_length_of_its_error() -> None:
    error, magnitude = np.array([0.5]), np.array([5.0])
    assert accuracy_of_errors(error, magnitude)[0] == pytest.approx(0.9)


# Depth and normals


def test_depth_metrics_of_a_scaled_map() -> None:
    true = np.random.default_rng(0).uniform(1, 4, (8, 10)).astype(np.float32)
    metrics = depth_metrics(1.2 * true, true)
    assert metrics["abs_rel"] == pytest.approx(0.2, abs=1e-6)
    assert metrics["rmse"] == pytest.approx(
        0.2 * math.sqrt((true.astype(float) ** 2).mean()), rel=1e-5
    )
    assert metrics["delta1"] == 1.0
    assert metrics["si_log"] == pytest.approx(0.0, abs=1e-6)
    assert metrics["abs_rel_aligned"] == pytest.approx(0.0, abs=1e-6)
    far = depth_metrics(1.3 * true, true)
    assert (far["delta1"], far["delta1_aligned"]) == (0.0, 1.0)


def test_depth_metrics_look_at_known_pixels_only() -> None:
    true = np.array([[1.0, 2.0], [0.0, np.nan]], np.float32)
    predicted = np.array([[1.5, 2.0], [77.0, 88.0]], np.float32)
    assert depth_metrics(predicted, true)["abs_rel"] == pytest.approx(0.25)
    assert depth_metrics(predicted, np.zeros_like(true)) == {}


def test_a_prediction_without_a_depth_is_wrong_but_finite() -> None:
    true = np.ones((1, 4), np.float32)
    metrics = depth_metrics(np.array([[np.nan, -1.0, 0.0, np.inf]], np.float32), true)
    assert metrics["abs_rel"] == pytest.approx(0.999)
    assert all(map(math.isfinite, metrics.values()))


def test_normal_metrics_of_normals_turned_by_known_angles() -> None:
    turned = np.deg2rad([0.0, 10.0, 20.0, 25.0, 90.0])
    predicted = np.stack([np.sin(turned), 0 * turned, -np.cos(turned)], axis=-1)[None]
    true = np.zeros((1, 5, 3))
    true[..., 2] = -1.0
    metrics = normal_metrics(3.0 * predicted, true)
    assert metrics["mean_angle_deg"] == pytest.approx(29.0)
    assert metrics["median_angle_deg"] == pytest.approx(20.0)
    assert [metrics[f"within_{a}"] for a in ("11.25", "22.5", "30")] == pytest.approx(
        [0.4, 0.6, 0.8]
    )
    true[0, 4] = 0.0  # unknown
    assert normal_metrics(predicted, true)["mean_angle_deg"] == pytest.approx(55 / 4)


@given(st.floats(0, math.pi), SEEDS)
def test_angles_are_right_at_both_ends(angle: float, seed: int) -> None:
    turn = Rotation.random(random_state=np.random.default_rng(seed)).as_matrix()
    a, b = np.array([[1.0, 0, 0]]), np.array([[math.cos(angle), math.sin(angle), 0]])
    assert angles_between(a @ turn.T, 2.5 * b @ turn.T)[0] == pytest.approx(angle, abs=1e-12)


def test_a_vector_without_direction_is_as_wrong_as_can_be() -> None:
    z = np.array([[0.0, 0, 1]] * 2)
    assert angles_between(np.array([[0.0, 0, 0], [np.nan, 0, 0]]), z) == pytest.approx(
        [math.pi] * 2
    )


# Poses


def _random_poses(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.random(count, random_state=rng).as_matrix()
    poses[:, :3, 3] = rng.normal(0, 2, (count, 3))
    return poses


@given(SEEDS)
def test_poses_in_another_common_frame_are_as_good(seed: int) -> None:
    poses = _random_poses(seed, 5)
    moved = _random_poses(seed + 1, 1)[0] @ poses[:4]
    metrics = pose_metrics(moved, poses[:4])
    assert metrics["rotation_deg"] == pytest.approx(0, abs=1e-5)
    assert metrics["translation_m"] == pytest.approx(0, abs=1e-9)
    assert metrics["rra_5"] == metrics["rta_5"] == 1.0
    assert metrics["auc_30"] == pytest.approx(1.0, abs=1e-6)


def test_pose_metrics_of_a_camera_turned_by_ten_degrees() -> None:
    true = np.tile(np.eye(4), (2, 1, 1))
    true[1, :3, 3] = [1.0, 0, 0]
    predicted = true.copy()
    predicted[1, :3, :3] = Rotation.from_euler("y", 10, degrees=True).as_matrix()
    predicted[1, :3, 3] = 2.0 * np.array([math.cos(0.1), math.sin(0.1), 0])
    metrics = pose_metrics(predicted, true)
    assert metrics["rotation_deg"] == pytest.approx(10)
    assert metrics["direction_deg"] == pytest.approx(math.degrees(0.1))
    assert [metrics[f"rra_{n}"] for n in (5, 15, 30)] == [0, 1, 1]
    assert [metrics[f"rta_{n}"] for n in (5, 15, 30)] == [0, 1, 1]
    assert [metrics[f"auc_{n}"] for n in (5, 15, 30)] == pytest.approx([0, 1 / 3, 2 / 3])


def test_the_area_under_the_recall_curve_is_its_integral() -> None:
    predicted, true = _random_poses(0, 6), _random_poses(0, 6)
    rng = np.random.default_rng(1)
    for pose in predicted:
        turn = Rotation.from_rotvec(rng.normal(0, 0.1, 3)).as_matrix()
        pose[:3, :3] = pose[:3, :3] @ turn
    errors = pose_errors(predicted, true)
    larger = np.maximum(errors["rotation_deg"], errors["direction_deg"])
    thresholds = (np.arange(30_000) + 0.5) / 1000
    integral = (larger[:, None] < thresholds).mean()
    assert pose_metrics(predicted, true)["auc_30"] == pytest.approx(integral, abs=1e-4)


def test_a_camera_that_did_not_move_has_no_direction() -> None:
    true = np.tile(np.eye(4), (2, 1, 1))
    predicted = true.copy()
    predicted[1, 0, 3] = 1.0
    metrics = pose_metrics(predicted, true)
    assert "rta_5" not in metrics
    assert (metrics["auc_5"], metrics["translation_m"]) == (1.0, 1.0)
    opposite = true.copy()
    opposite[1, 0, 3] = -1.0
    assert pose_metrics(opposite, predicted)["direction_deg"] == pytest.approx(180)
    assert pose_metrics(true[:1], true[:1]) == {}


# Points and retrieval


def test_pointmap_metrics_of_a_shifted_plane() -> None:
    u, v = np.meshgrid(np.arange(20) * 0.05, np.arange(10) * 0.05)
    true = np.stack([u, v, np.full_like(u, 2.0)], axis=-1)
    known = np.ones(u.shape, bool)
    metrics = pointmap_metrics(true + [0, 0, 0.2], true, known)
    assert metrics["error_m"] == metrics["accuracy_m"] == pytest.approx(0.2)
    assert metrics["completion_m"] == pytest.approx(0.2)
    assert metrics["f1_10cm"] == 0.0
    # Moved along itself by one grid step, all points but one column lie on the surface.
    along = pointmap_metrics(true + [0.05, 0, 0], true, known)
    assert along["error_m"] == pytest.approx(0.05)
    assert along["accuracy_m"] == pytest.approx(0.05 / 20)
    assert along["completion_m"] == pytest.approx(0.05 / 20)
    assert along["f1_10cm"] == 1.0
    assert pointmap_metrics(true, true, ~known) == {}


def test_accuracy_and_completion_agree_with_all_distances() -> None:
    rng = np.random.default_rng(0)
    p, t = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    apart = np.linalg.norm(p[:, None] - t[None], axis=-1)
    metrics = pointmap_metrics(p, t, np.ones(40, bool))
    assert metrics["accuracy_m"] == pytest.approx(apart.min(axis=1).mean())
    assert metrics["completion_m"] == pytest.approx(apart.min(axis=0).mean())


def test_recall_counts_the_first_positive_and_settles_ties_against_the_model() -> None:
    similarity = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 1.0, 1.0], [3.0, 2.0, 1.0]])
    positive = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0]], bool)
    recall = recall_at(similarity, positive, ks=(1, 2, 3))
    assert [recall[f"recall_{k}"] for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert (recall["median_rank"], recall["items"]) == (2, 3)
    assert recall_at(similarity[3:], positive[3:]) == {}
    with pytest.raises(ValueError, match="finite"):
        recall_at(np.array([[np.nan, 0.0]]), np.array([[True, False]]))


def test_recall_is_among_what_a_query_may_be_mistaken_for() -> None:
    similarity = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 2.0]])
    positive = np.array([[1, 0, 0], [0, 1, 0]], bool)
    negative = np.array([[0, 1, 0], [0, 0, 0]], bool)
    recall = recall_at(similarity, positive, negative, ks=(1, 2))
    assert (recall["recall_1"], recall["recall_2"], recall["items"]) == (0.0, 1.0, 2.0)


# Boxes


def _boxes(seed: int, count: int, spread: float = 0.5) -> Boxes:
    rng = np.random.default_rng(seed)
    rows = [rng.normal(0, spread, (count, 3)), rng.uniform(0.3, 2, (count, 3))]
    return boxes_from_bbox_3d(np.concatenate([*rows, rng.uniform(-3, 3, (count, 3))], axis=1))


def _half_spaces(boxes: Boxes, i: int) -> np.ndarray:
    normals = np.concatenate([boxes.rotation[i].T, -boxes.rotation[i].T])
    limits = np.tile(boxes.size[i] / 2, 2) + normals @ boxes.center[i]
    return np.c_[normals, -limits]


def _slow_volume(a: Boxes, b: Boxes, i: int) -> float:
    """Volume of the intersection as the hull of the vertices that qhull finds of twelve half-spaces."""
    sides = np.concatenate([_half_spaces(a, i), _half_spaces(b, i)])
    inner = linprog(
        [0, 0, 0, -1],
        A_ub=np.c_[sides[:, :3], np.ones(12)],
        b_ub=-sides[:, 3],
        bounds=[(None, None)] * 3 + [(0, None)],
    )
    if inner.status != 0 or inner.x[3] < 1e-9:
        return 0.0
    return float(ConvexHull(HalfspaceIntersection(sides, inner.x[:3]).intersections).volume)


def test_iou_agrees_with_the_intersection_of_half_spaces() -> None:
    a, b = _boxes(0, 150), _boxes(1, 150)
    shared = np.array([_slow_volume(a, b, i) for i in range(150)])
    expected = shared / (a.size.prod(axis=1) + b.size.prod(axis=1) - shared)
    assert 20 < (expected == 0).sum() < 130 or (expected > 0.05).sum() > 50
    assert pair_iou(a, b) == pytest.approx(expected, abs=1e-7)
    assert pair_iou(b, a) == pytest.approx(expected, abs=1e-7)
    assert np.diag(iou_matrix(a, b)) == pytest.approx(expected, abs=1e-7)


def test_iou_agrees_with_drawn_points() -> None:
    a, b = _boxes(2, 8), _boxes(3, 8)
    points = np.random.default_rng(0).uniform(-2.5, 2.5, (200_000, 3))
    for i, iou in enumerate(pair_iou(a, b)):
        inside = [
            Box(center=x.center[i], size=x.size[i], rotation=x.rotation[i]).contains(points)
            for x in (a, b)
        ]
        either = (inside[0] | inside[1]).sum()
        assert iou == pytest.approx((inside[0] & inside[1]).sum() / either, abs=0.02)


@given(SEEDS, st.floats(0, 1))
@settings(max_examples=30)
def test_iou_of_boxes_whose_faces_lie_in_common_planes(seed: int, shift: float) -> None:
    a = _boxes(seed, 4)
    along = a.rotation[:, :, 0] * a.size[:, :1]
    assert pair_iou(a, a) == pytest.approx(np.ones(4), abs=1e-6)
    slid = Boxes(center=a.center + shift * along, size=a.size, rotation=a.rotation)
    assert pair_iou(a, slid) == pytest.approx(np.full(4, (1 - shift) / (1 + shift)), abs=1e-6)
    beside = Boxes(center=a.center + along, size=a.size, rotation=a.rotation)
    assert pair_iou(a, beside) == pytest.approx(np.zeros(4), abs=1e-6)
    corner = a.center + np.einsum("nij,nj->ni", a.rotation, a.size / 4)
    eighth = Boxes(center=corner, size=a.size / 2, rotation=a.rotation)
    assert pair_iou(a, eighth) == pytest.approx(np.full(4, 1 / 8), abs=1e-6)
    quarter_turn = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    renamed = Boxes(center=a.center, size=a.size[:, [1, 0, 2]], rotation=a.rotation @ quarter_turn)
    assert pair_iou(a, renamed) == pytest.approx(np.ones(4), abs=1e-6)


@given(SEEDS)
@settings(max_examples=30)
def test_iou_does_not_change_when_both_boxes_move(seed: int) -> None:
    a, b, pose = _boxes(seed, 6), _boxes(seed + 1, 6), _random_poses(seed, 1)[0]

    def moved(boxes: Boxes) -> Boxes:
        turn = pose[:3, :3]
        center = boxes.center @ turn.T + 100 * pose[:3, 3]
        return Boxes(center=center, size=boxes.size, rotation=turn @ boxes.rotation)

    assert iou_matrix(moved(a), moved(b)) == pytest.approx(iou_matrix(a, b), abs=1e-6)


def test_boxes_that_are_none_overlap_nothing() -> None:
    good = [0, 0, 0, 1, 1, 1, 0, 0, 0]
    bad = np.array(
        [[0, 0, 0, 1, 1, -1, 0, 0, 0], [0, 0, 0, 1, 1, 0, 0, 0, 0], [0, 0, 0, 1e300, 1, 1, 0, 0, 0],
         [np.nan, 0, 0, 1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1, np.nan, 0, 0]]
    )  # fmt: skip
    iou = iou_matrix(boxes_from_bbox_3d(bad), boxes_from_bbox_3d(np.array([good])))
    assert iou[:4].tolist() == [[0.0]] * 4
    assert iou_matrix(boxes_from_bbox_3d(np.zeros((0, 9))), boxes_from_bbox_3d(bad)).shape == (0, 5)


@given(SEEDS)
def test_euler_angles_are_those_of_the_stored_boxes(seed: int) -> None:
    row = np.random.default_rng(seed).uniform(-3, 3, (1, 9))
    expected = rotation_from_euler_zxy(row[0, 6:])
    assert boxes_from_bbox_3d(row).rotation[0] == pytest.approx(expected, abs=1e-12)


# Detection


def _row(label: str, x: float) -> dict[str, object]:
    return {"label": label, "bbox_3d": [x, 0, 0, 1, 1, 1, 0, 0, 0]}


def test_each_box_is_matched_once_and_within_its_label() -> None:
    true = [_row("chair", 0.0), _row("chair", 5.0), _row("table", 9.0)]
    found = [_row("Chair", 0.1), _row("chair", 0.0), _row("table", 0.0), _row("lamp", 9.0)]
    counts = match_detections(found, true)
    assert counts["chair"] == Counts(matched=1, predicted=2, true=2)
    assert counts["table"] == Counts(matched=0, predicted=1, true=1)
    assert counts["lamp"] == Counts(matched=0, predicted=1, true=0)
    assert (counts["chair"].precision, counts["chair"].recall) == (0.5, 0.5)
    assert Counts().f1 == 1.0
    assert Counts(predicted=1).f1 == 0.0


def test_the_matching_finds_as_many_pairs_as_there_are() -> None:
    # Greedy in the order of predictions takes the better overlap of the first and leaves the second without a partner.
    true = [_row("chair", 0.0), _row("chair", 0.9)]
    found = [_row("chair", 0.4), _row("chair", -0.4)]
    assert match_detections(found, true)["chair"].matched == 2
    assert match_detections(found[:1], true)["chair"].matched == 1


@given(SEEDS)
@settings(max_examples=50)
def test_the_matching_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value = rng.uniform(size=(3, 4)).round(2)
    allowed = rng.uniform(size=(3, 4)) < 0.4

    def worth(order: tuple[int, ...]) -> tuple[int, float]:
        used = [(i, j) for i, j in enumerate(order) if allowed[i, j]]
        return len(used), sum(value[pair] for pair in used)

    best = max(worth(order) for order in permutations(range(4), 3))
    pairs = best_pairs(allowed, value)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs) == best[0]
    assert sum(value[pair] for pair in pairs) == pytest.approx(best[1])


# Intervals


def test_the_interval_of_independent_scenes_is_that_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0.5, 0.2, 400)
    low, high = scene_interval(scores, list(range(400)), rng)
    half = 1.96 * scores.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((scores.mean() - half, scores.mean() + half), abs=0.003)


def test_questions_of_one_scene_do_not_make_the_mean_surer() -> None:
    rng = np.random.default_rng(0)
    scenes = rng.uniform(size=20)
    once = scene_interval(scenes, list(range(20)), np.random.default_rng(1))
    often = scene_interval(
        np.repeat(scenes, 50), np.repeat(np.arange(20), 50).tolist(), np.random.default_rng(1)
    )
    assert often == pytest.approx(once)
    assert all(map(math.isnan, scene_interval(scenes, ["one"] * 20, rng)))
