"""Points, sizes, camera distances, counts and make on scenes whose answers were worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from gapdata.tasks.color import Color
from gapdata.tasks.correspondence import PixelCorrespondence
from gapdata.tasks.counting import CountComparison
from gapdata.tasks.distance_camera import (
    CameraObjectDistance,
    DistanceOrder,
    NearestToCamera,
    camera_distances,
)
from gapdata.tasks.distance_change import DistanceChange
from gapdata.tasks.existence import Exists
from gapdata.tasks.facts import SeenRule
from gapdata.tasks.fits_in import FitsIn, largest_scale
from gapdata.tasks.points_depth import PointDepth
from gapdata.tasks.shape import Material, ShapeName, SymmetricAxis, width_spread
from gapdata.tasks.size import ObjectBox
from gapdata.tasks.size_order import ObjectVolumeOrder, SizeComparison
from tests.fixtures.asking import ask, facts_of
from tests.fixtures.scenes import MeshBuilder, camera_at
from tests.fixtures.worlds import SHOWN, world_facts
from tests.fixtures.worlds import world as showroom

SEEDS = range(12)
# label: centre and size, in the world; the camera stands at (0, 0, 1) and looks along +y
OBJECTS = {
    "chair": ((-1.0, 3.0, 0.5), (0.4, 0.4, 1.0)),
    "table": ((1.0, 3.0, 0.4), (1.2, 0.6, 0.8)),
    "lamp": ((-1.2, 5.0, 1.6), (0.4, 0.4, 0.6)),
    "shelf": ((0.3, 4.0, 1.5), (0.6, 0.3, 0.4)),
}
VOLUMES = {"lamp": 0.096, "shelf": 0.072, "chair": 0.16, "table": 0.576}
# By hand: the nearest points are corners and edges, from the intervals of the boxes.
FROM_CAMERA = {
    "chair": float(np.hypot(0.8, 2.8)),  # x: 0.8, y: 2.8, and the camera's height lies in its own
    "table": float(np.linalg.norm([0.4, 2.7, 0.2])),
    "lamp": float(np.linalg.norm([1.0, 4.8, 0.3])),
    "shelf": float(np.hypot(3.85, 0.3)),  # y: 4.0 - 0.15, z: 1.3 - 1.0
}


def camera(eye=(0.0, 0.0, 1.0), target=(0.0, 3.0, 1.0)):
    return camera_at(eye, target, height=240, width=320, fov_deg=80)


def world(*cameras):
    builder = MeshBuilder()
    for label, (center, size) in OBJECTS.items():
        builder.box(center, size, label)
    builder.quad([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], "floor")
    return builder.scene(cameras or [camera()])


@pytest.fixture(scope="module")
def facts():
    return facts_of(world())


@pytest.fixture(scope="module")
def pair_facts():
    """A second camera 1 m ahead of the first."""
    return facts_of(world(camera(), camera((0, 1, 1), (0, 4, 1))))


def every(facts, task):
    return [qa for seed in SEEDS for qa in ask(facts, task, seed=seed)]


def labels(facts, qa):
    return [facts.scene.labels[facts.scene.ids.tolist().index(number)] for number in qa.objects]


def named_label(facts, qa, words):
    """Label of the object that a part of the question or an option names."""
    (number,) = {r["object"] for r in qa.evidence["references"] if r["words"] == words}
    return facts.scene.labels[facts.scene.ids.tolist().index(number)]


def ordered_labels(facts, qa):
    return [
        named_label(facts, qa, words) for words in qa.value.removeprefix("the ").split(", the ")
    ]


def test_camera_object_distance(facts):
    rows = every(facts, CameraObjectDistance())
    assert {labels(facts, qa)[0] for qa in rows} >= {"table", "shelf"}
    assert {qa.format for qa in rows} == {"number", "choice"}
    for qa in rows:
        truth = FROM_CAMERA[labels(facts, qa)[0]]
        assert qa.evidence["distance_m"] == pytest.approx(truth, abs=1e-6)
        assert float(qa.answer.split()[0]) == pytest.approx(truth, abs=0.0051)


def test_an_object_whose_nearest_point_is_cut_off_is_not_measured():
    facts = facts_of(world(camera((1.0, 2.0, 1.4), (1.0, 4.0, 1.2))))  # over the table's near edge
    task = CameraObjectDistance(seen=SeenRule(min_visible=0.05))
    assert "table" not in {labels(facts, qa)[0] for qa in every(facts, task)}
    column = facts.scene.labels.index("table")
    assert np.isnan(camera_distances(facts, 0, [column])).all()


def test_nearest_to_camera(facts):
    values = set()
    for qa in every(facts, NearestToCamera()):
        distances = [FROM_CAMERA[label] for label in labels(facts, qa)]
        first, second = sorted(distances)[:2]
        assert qa.margin == pytest.approx(second - first, abs=1e-6)
        assert second - first >= max(0.15, 0.1 * second)
        if qa.choices:
            assert qa.choices.index(qa.value) == int(np.argmin(distances))
        else:
            assert qa.value == (distances[0] < distances[1])
            values.add(qa.value)
    assert values == {True, False}


def test_distance_order(facts):
    rows = every(facts, DistanceOrder())
    assert rows
    for qa in rows:
        steps = [FROM_CAMERA[label] for label in ordered_labels(facts, qa)]
        assert steps == sorted(steps)
        assert len(set(qa.choices)) == 4


def test_distance_change(pair_facts):
    words, kinds = set(), set()
    for qa in every(pair_facts, DistanceChange()):
        (label,) = labels(pair_facts, qa)
        center, size = (np.array(part) for part in OBJECTS[label])
        eyes = np.array([[0.0, view, 1.0] for view in qa.views])  # view 1 stands at y = 1
        away = np.linalg.norm(np.maximum(np.abs(eyes - center) - 0.5 * size, 0), axis=1)
        expected = "nearer" if away[1] < away[0] else "farther"
        kinds.add(qa.format)
        words.add(expected)
        if qa.format == "choice":
            assert qa.value == expected
        else:
            assert expected in qa.question
            assert qa.value == pytest.approx(abs(away[1] - away[0]), abs=1e-6)
    assert words == {"nearer", "farther"}
    assert kinds == {"choice", "number"}


def test_object_box(facts):
    rows = every(facts, ObjectBox())
    assert {labels(facts, qa)[0] for qa in rows} == set(OBJECTS)
    for qa in rows:
        (row,) = qa.value
        (x, y, z), (width, depth, height) = OBJECTS[row["label"]]
        assert [row["label"]] == labels(facts, qa)
        expected = [x, 1.0 - z, y, width, height, depth, 0, 0, 0]
        assert row["bbox_3d"] == pytest.approx(expected, abs=1e-6)


def test_size_comparison(facts):
    seen = set()
    extent = {
        "wider": lambda size: max(size[:2]),
        "taller": lambda size: size[2],
        "bigger": lambda size: np.cbrt(np.prod(size)),
    }
    for qa in every(facts, SizeComparison(max_ratio=9.0)):
        aspect = qa.template.split("_")[2]
        a, b = (extent[aspect](OBJECTS[label][1]) for label in labels(facts, qa))
        seen.add((aspect, qa.format))
        assert (qa.choices.index(qa.value) == 0 if qa.choices else qa.value) == (a > b)
        assert qa.margin == pytest.approx(abs(a - b))
        assert abs(a - b) >= 0.1 * max(a, b)
    assert len(seen) == 6


def test_object_volume_order(facts):
    rows = every(facts, ObjectVolumeOrder())
    assert rows
    for qa in rows:
        volumes = [VOLUMES[label] for label in ordered_labels(facts, qa)]
        assert volumes == sorted(volumes)
        roots = np.cbrt(volumes)
        assert qa.margin == pytest.approx((1 - roots[:-1] / roots[1:]).min())
    # The cube roots of lamp and shelf differ by 9 %.
    asked = {frozenset(labels(facts, qa)) for qa in rows}
    assert not any({"lamp", "shelf"} <= group for group in asked)


@pytest.mark.parametrize(
    ("inner", "outer", "scale"),
    [
        ((1, 1, 1), (2, 2, 3), 2.0), ((1, 1, 1), (2, 2, 0.5), 0.5), ((1, 2, 1), (2, 1, 1), 1.0),
        # A thin rod lies along the diagonal of a square.
        ((1, 1e-6, 0.1), (1, 1, 1), np.sqrt(2)),
        # 1 x 0.25 at 45 degrees spans 1.25 / sqrt(2) of a unit square either way.
        ((1, 0.25, 0.1), (1, 1, 1), np.sqrt(2) / 1.25),
    ],
)  # fmt: skip
def test_largest_scale(inner, outer, scale):
    boxes = np.array([inner, outer], np.float64)
    assert float(largest_scale(*boxes)) == pytest.approx(scale, abs=1e-4)


def test_fits_in(facts):
    answers = {}
    for qa in every(facts, FitsIn(max_scale=9.0)):
        answers[tuple(labels(facts, qa))] = qa.value
    assert answers[("lamp", "table")]  # 0.4 x 0.4 x 0.6 in 1.2 x 0.6 x 0.8
    assert not answers[("chair", "table")]  # higher
    assert not answers[("table", "chair")]
    assert not answers[("shelf", "chair")]  # 0.6 wide, the diagonal of the other's plan is 0.57
    assert ("lamp", "chair") not in answers  # its plan is just as large
    assert facts.drops["fits_in: a close fit"] > 0


def test_count_comparison_and_existence():
    builder = MeshBuilder()
    for x in (-1.2, 0.0, 1.2):
        builder.box((x, 3.0, 0.5), (0.4, 0.4, 1.0), "chair")
    for x in (-0.8, 0.8):
        builder.box((x, 4.0, 2.0), (0.3, 0.3, 0.3), "lamp")
    builder.box((0.0, -3.0, 0.5), (0.5, 0.5, 1.0), "sofa")  # behind the camera
    builder.box((2.0, -3.0, 0.5), (0.5, 0.5, 1.0), "desk lamp")
    builder.box((-2.0, -3.0, 0.5), (0.5, 0.5, 1.0), "curtains")
    builder.quad([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], "floor")
    facts = facts_of(builder.scene([camera()]))
    rows = every(facts, CountComparison())
    assert {qa.format for qa in rows} == {"choice", "yesno"}
    for qa in rows:
        assert dict(zip(qa.evidence["labels"], qa.evidence["counts"], strict=True)) == {
            "chair": 3,
            "lamp": 2,
        }
        assert qa.margin == 1.0
        is_first = qa.evidence["labels"][0] == "chair"
        assert qa.value == ("chairs" if qa.choices else is_first)
    known = {}
    for qa in every(facts, Exists()):
        known[qa.evidence["label"]] = qa.value
    # A desk lamp might be one of the lamps; curtains are not counted one by one.
    assert known == {"chair": True, "lamp": True, "sofa": False}
    assert facts.drops["exists: something alike is there"] > 0


def test_existence_is_not_denied_where_much_is_unlabelled():
    builder = MeshBuilder().box((0, 3, 0.5), (0.4, 0.4, 1.0), "chair")
    builder.box((0, -3, 0.5), (0.4, 0.4, 1.0), "sofa")
    builder.quad([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], "object")
    facts = facts_of(builder.scene([camera()]))
    assert {qa.value for qa in every(facts, Exists())} == {True}
    assert facts.drops["exists: too much of the picture is unlabelled"] > 0


def test_point_depth(pair_facts):
    formats = set()
    for qa in every(pair_facts, PointDepth()):
        view, (u, v) = qa.evidence["view"], qa.evidence["pixel"]
        depth = float(pair_facts.views[view].depth[int(v), int(u)])
        assert float(qa.answer.split()[0]) == pytest.approx(depth, abs=0.0051)
        formats.add((qa.format, len(qa.views), bool(qa.markers)))
    assert len(formats) == 8


def test_pixel_correspondence(pair_facts):
    """The second camera is 1 m ahead: a pixel moves away from the middle as its depth shrinks by 1 m."""
    K = pair_facts.views[0].camera.K
    seen = set()
    for qa in every(pair_facts, PixelCorrespondence()):
        source, target = qa.evidence["source_view"], qa.evidence["target_view"]
        pixel = np.array(qa.evidence["source_pixel"])
        u, v = pixel.astype(int)
        depth = float(pair_facts.views[source].depth[v, u])
        ahead = 1.0 if target == 1 else -1.0
        expected = K[:2, 2] + (pixel - K[:2, 2]) * depth / (depth - ahead)
        seen.add((qa.format, source))
        if qa.format == "pixel":
            assert qa.views == (target, source)
            assert qa.value == pytest.approx(expected, abs=1e-3)
            continue
        (right,) = [m for m in qa.markers if f"the {m['color']} point" == qa.value]
        assert right["view"] == target
        assert np.abs(np.array(right["pixel"]) - expected).max() <= 0.51
        assert [m["view"] for m in qa.markers] == [source] + 4 * [target]
        marks = [np.array(m["pixel"]) for m in qa.markers[1:]]
        apart = 0.08 * pair_facts.views[target].camera.height
        assert min(np.hypot(*(a - b)) for a, b in combinations(marks, 2)) >= apart - 0.5
    assert len(seen) == 4


MAKE = {label: (form, color, material) for label, _, _, form, color, material in SHOWN}


def test_shape_material_and_colour():
    facts = world_facts("showroom")
    outlines = {"bench": "rectangular", "rug": "round"}
    place = {ShapeName: 0, Color: 1, Material: 2}
    for task, index in place.items():
        answers = set()
        for qa in every(facts, task()):
            (label,) = labels(facts, qa)
            if label == "chair":
                continue  # there are three, each of its own colour
            truth = outlines.get(label) if index == 0 else None
            truth = truth or MAKE[label][index]
            assert label not in (truth, "lamp") or task is not Material
            if qa.format == "choice":
                assert qa.value == truth
            else:
                assert qa.value == (qa.evidence["claim"] == truth)
                assert qa.evidence["claim"] in qa.question
            answers.add(qa.answer)
        assert {"Yes", "No"} < answers
    assert facts.drops["material: made of several materials"] > 0  # the lamp


def test_a_colour_that_the_picture_does_not_show_is_not_asked():
    scene, views = showroom("showroom")
    facts = facts_of(scene, [replace(view, rgb=255 - view.rgb) for view in views])
    asked = {labels(facts, qa)[0] for qa in every(facts, Color())}
    assert asked <= {"chair"}  # one of them is gray, and stays so
    assert facts.drops["color: picture shows another colour"] > 0


def test_symmetric_axis():
    facts = world_facts("showroom")
    found = {}
    for qa in every(facts, SymmetricAxis()):
        found.setdefault(labels(facts, qa)[0], set()).add(qa.value)
    assert found["ball"] == found["stool"] == {True}
    assert found["cabinet"] == found["chest"] == {False}
    assert "rug" not in found  # round, but that is said of its outline
    assert found["box"] == {False}


def test_width_spread():
    circle = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    ring = np.stack([np.cos(circle), np.sin(circle), 0 * circle], axis=-1)
    square = np.array([[x, y, 0.0] for x in (-1, 1) for y in (-1, 1)])
    assert width_spread(ring) < 1e-3
    assert width_spread(square) == pytest.approx(1 - np.sqrt(0.5))
    assert np.isnan(width_spread(np.zeros((0, 3))))
