"""Views, matches, imagined places, maps and captions on scenes whose answers were worked out by hand.

The camera stands at (0, 0, 1) and looks along +y unless a test says otherwise.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from gapdata.captions import read_caption
from gapdata.scene import Attributes
from gapdata.tasks.camera_order import FrameOrder, Overlap, ViewChange
from gapdata.tasks.captioning import DescribeObject, ReferToObject
from gapdata.tasks.imagination import SceneMap, SpatialImagination, difference, imagined
from gapdata.tasks.matching import PositionMatching, SameObject
from gapdata.tasks.multiview import AppearanceOrder, ObjectFrameLocate
from gapdata.tasks.pointmap_list import PointmapList
from tests.fixtures.asking import ask, facts_of
from tests.fixtures.scenes import MeshBuilder, camera_at
from tests.fixtures.worlds import world_facts

SEEDS = range(12)
OBJECTS = {
    "chair": ((-1.0, 3.0, 0.5), (0.4, 0.4, 1.0)),
    "table": ((1.0, 3.0, 0.4), (1.2, 0.6, 0.8)),
    "lamp": ((-1.2, 5.0, 1.6), (0.4, 0.4, 0.6)),
    "sofa": ((2.0, 5.0, 0.5), (1.0, 0.8, 1.0)),
}


def camera(eye=(0.0, 0.0, 1.0), target=(0.0, 3.0, 1.0)):
    return camera_at(eye, target, height=240, width=320, fov_deg=80)


def turned(degrees, tilt=0.0, eye=(0.0, 0.0, 1.0)):
    """A camera turned to the left and tilted up."""
    a, t = np.radians([degrees, tilt])
    away = (-np.sin(a) * np.cos(t), np.cos(a) * np.cos(t), np.sin(t))
    return camera(eye, tuple(np.add(eye, away)))


def facts_with(*cameras):
    builder = MeshBuilder()
    for label, (center, size) in OBJECTS.items():
        builder.box(center, size, label)
    builder.quad([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], "floor")
    # A ring of walls, so that every camera has something to see.
    for x0, y0, x1, y1 in ((-9, 9, 9, 9), (9, 9, 9, -9), (9, -9, -9, -9), (-9, -9, -9, 9)):
        builder.quad([(x0, y0, 0), (x1, y1, 0), (x1, y1, 4), (x0, y0, 4)], "wall")
    scene = builder.scene(cameras or [camera()])
    said = Attributes(color="red", material="wood")
    instances = (replace(scene.instances[0], attributes=said), *scene.instances[1:])
    return facts_of(replace(scene, instances=instances))


def every(facts, task):
    return [qa for seed in SEEDS for qa in ask(facts, task, seed=seed)]


def labels(facts, qa):
    return [facts.scene.labels[facts.scene.ids.tolist().index(number)] for number in qa.objects]


def fenced(qa):
    return json.loads(qa.answer.strip("`").removeprefix("json"))


@pytest.mark.parametrize(
    ("degrees", "tilt", "word", "opposite"),
    [(20, 3, "left", "right"), (-20, -3, "right", "left"), (2, 15, "up", "down"), (-2, -15, "down", "up")],
)  # fmt: skip
def test_view_change(degrees, tilt, word, opposite):
    facts = facts_with(camera(), turned(degrees, tilt, eye=(0.3, 0.0, 1.2)))
    formats = set()
    for qa in every(facts, ViewChange()):
        formats.add(qa.format)
        forward = qa.views == (0, 1)
        right = word if forward else opposite
        if qa.format == "choice":
            assert qa.value == right
        elif qa.format == "yesno":
            assert qa.value == (f" {right}" in qa.question)
        elif forward:
            assert list(fenced(qa).values()) == pytest.approx(
                [0.3, -0.2, 0, degrees, tilt], abs=0.01
            )
    assert formats == {"choice", "yesno", "text"}


def test_a_view_that_turns_both_ways_alike_has_no_main_turn():
    facts = facts_with(camera(), turned(15, 15))
    assert {qa.format for qa in every(facts, ViewChange())} == {"text"}
    assert facts.drops["view_change: turn between two directions"] > 0


def test_frame_order_is_the_way_along_the_path():
    cameras = [camera((0.4 * n, 0, 1), (0.4 * n, 3, 1)) for n in range(4)]
    facts = facts_with(*cameras)
    for qa in every(facts, FrameOrder()):
        assert qa.views[0] == 0
        places = [int(word.removeprefix("image ")) - 1 for word in qa.value.split(", ")]
        assert [qa.views[place] for place in places] == [1, 2, 3]
        # 0-1-2-3 is 1.2 m; the next shortest way, 0-1-3-2 or 0-2-1-3, is 1.6 m.
        assert qa.margin == pytest.approx(1.6 / 1.2 - 1)


def test_frames_that_jump_about_have_no_order_to_infer():
    facts = facts_with(*[camera((x, 0, 1), (x, 3, 1)) for x in (0.0, 1.2, 0.4, 0.8)])
    assert every(facts, FrameOrder()) == []
    assert facts.drops["frame_order: another order is about as short a way"] > 0


def test_overlap():
    facts = facts_with(camera(), turned(5), turned(180))
    expected = {frozenset({0, 1}): True, frozenset({0, 2}): False, frozenset({1, 2}): False}
    for qa in every(facts, Overlap()):
        if qa.format == "yesno":
            assert qa.value == expected[frozenset(qa.views)]
        else:
            assert qa.views[0] in (0, 1)
            assert qa.views[int(qa.value.removeprefix("image ")) - 1] == 1 - qa.views[0]


# Which of the four views of "walk" show each thing whole, in part or as a trace, from its angles and 60 degrees of view.
SHOWN = {
    "table": [1, 2],
    "lamp": [2, 3],
    "sofa": [2, 3],
    "cabinet": [3, 4],
    "box": [3, 4],
    "desk": [4],
}


def test_object_frame_locate():
    facts = world_facts("walk")
    formats = set()
    for qa in every(facts, ObjectFrameLocate()):
        (label,) = labels(facts, qa)
        if label not in SHOWN:
            continue
        formats.add(qa.format)
        shown = SHOWN[label]
        if qa.format == "text":
            assert json.loads(qa.answer) == shown
        elif qa.format == "choice":
            assert [option for option in qa.choices if int(option[-1]) in shown] == [qa.value]
        else:
            (image,) = [n for n in range(1, 5) if f"image {n}" in qa.question]
            assert qa.value == (image in shown)
    assert formats == {"text", "choice", "yesno"}


def test_appearance_order():
    facts = world_facts("walk")
    first = {label: shown[0] for label, shown in SHOWN.items()} | {"chair": 1}
    for qa in every(facts, AppearanceOrder()):
        order = [first[label] for label in labels(facts, qa)]
        # A corner of the bed can be seen one view before the bed.
        assert "bed" not in labels(facts, qa)
        if qa.format == "choice":
            assert order == sorted(order)
            assert len(set(order)) == len(order) in (3, 4)
        else:
            assert qa.value == (order[0] < order[1])


def test_position_matching_and_same_object():
    facts = facts_with(camera(), camera((0.8, 0.5, 1.2), (0.3, 3, 0.8)))

    def marked(record):
        left, top, right, bottom = record["bbox"]
        inside = facts.views[record["view"]].instance[top : bottom + 1, left : right + 1]
        return int(np.bincount(inside.ravel()).argmax())

    for qa in every(facts, PositionMatching()):
        target = marked(qa.markers[0])
        assert target == qa.objects[0]
        assert qa.markers[0]["view"] == qa.views[0]
        if qa.format == "text":
            left, top, right, bottom = fenced(qa)["bbox_2d"]
            rows, columns = np.nonzero(facts.views[qa.views[1]].instance == target)
            assert (left, right) == (columns.min(), columns.max())
            assert (top, bottom) == (rows.min(), rows.max())
        else:
            (chosen,) = [m for m in qa.markers[1:] if f"the {m['color']} box" == qa.value]
            assert marked(chosen) == target
    values = set()
    for qa in every(facts, SameObject()):
        assert qa.value == (marked(qa.markers[0]) == marked(qa.markers[1]))
        values.add(qa.value)
    assert values == {True, False}


def test_what_is_seen_from_an_object_by_hand():
    centers = np.array([OBJECTS[label][0] for label in ("chair", "table", "sofa", "lamp")])
    # At (-1, 3) facing +x: the sofa is 3 ahead and 2 to the left, the lamp 0.2 behind and 2 to the left.
    np.testing.assert_allclose(imagined(centers), [[3, 2], [-0.2, 2]], atol=1e-12)
    lamp_minus_sofa = np.degrees(np.arctan2(2, -0.2) - np.arctan2(2, 3))
    assert difference(centers, "side") == pytest.approx(-lamp_minus_sofa)
    assert difference(centers, "depth") == pytest.approx(np.hypot(0.2, 2) - np.hypot(3, 2))


def test_spatial_imagination():
    facts = facts_with()
    formats = set()
    for qa in every(facts, SpatialImagination()):
        stand, face, *others = (np.array(OBJECTS[label][0][:2]) for label in labels(facts, qa))
        forward = (face - stand) / np.linalg.norm(face - stand)
        ahead = [float((other - stand) @ forward) for other in others]
        left = [float(np.cross([*forward, 0], [*(other - stand), 0])[2]) for other in others]
        formats.add(qa.format)
        if qa.format == "number":
            axis = ahead if "front" in qa.question or "behind" in qa.question else left
            assert qa.value == pytest.approx(abs(axis[0]))
            positive = "in front" in qa.question or "your left" in qa.question
            assert positive == (axis[0] > 0)
            continue
        bearings = np.arctan2(left, ahead)
        away = np.hypot(ahead, left)
        text = qa.question if qa.format == "yesno" else qa.value
        holds = {
            "to the left": bearings[0] > bearings[1],
            "to the right": bearings[0] < bearings[1],
            "nearer": away[0] < away[1],
            "farther": away[0] > away[1],
        }
        (claim,) = [words for words in holds if words in text]
        assert holds[claim] == (qa.value if qa.format == "yesno" else True)
    assert formats == {"choice", "yesno", "number"}


def test_scene_map():
    facts = facts_with()
    rows = every(facts, SceneMap(min_margin=0.01))
    assert rows
    for qa in rows:
        cell = qa.evidence["cell_m"]
        for row in fenced(qa):
            (label,) = [label for label in OBJECTS if row["label"].endswith(label)]
            x, y, _ = OBJECTS[label][0]
            assert row["cell"] == [int(5 + x // cell), int(4 - y // cell)]
        # The farthest thing asked about is 3 m or 5 m ahead.
        assert cell == (1.3 if {"lamp", "sofa"} & set(labels(facts, qa)) else 0.9)


def test_pointmap_list():
    facts = facts_with(camera(), turned(10, eye=(0.5, 0, 1)))
    counts = set()
    for qa in every(facts, PointmapList()):
        rows = fenced(qa)
        counts.add(len(rows))
        assert len(rows) == len(qa.evidence["pixels"]) == len(qa.markers or rows)
        for view, (u, v), row in zip(
            qa.evidence["views"], qa.evidence["pixels"], rows, strict=True
        ):
            shown = facts.views[view]
            depth = float(shown.depth[int(v), int(u)])
            ray = np.linalg.inv(shown.camera.K) @ [u, v, 1.0] * depth
            first = facts.views[qa.views[0]].camera.cam2world
            point = np.linalg.inv(first) @ shown.camera.cam2world @ [*ray, 1.0]
            assert row["point_3d"] == pytest.approx(point[:3], abs=0.006)
            column = facts.columns(view)[int(v), int(u)]
            assert row["label"] == facts.scene.labels[column]
    assert counts == {1, 2, 3, 4}


def test_describe_object():
    facts = facts_with()
    described = set()
    for qa in every(facts, DescribeObject()):
        (label,) = labels(facts, qa)
        described.add(label)
        caption = read_caption(qa.answer)
        width, depth, height = OBJECTS[label][1]
        assert caption.name == ("A red wooden chair" if label == "chair" else f"A {label}")
        assert (caption.height, caption.width) == pytest.approx((height, max(width, depth)))
        if label == "chair":
            # 1.2 m between the chair's and the table's sides, along x.
            assert (caption.neighbour, caption.distance, caption.side) == ("table", 1.2, "left")
    assert described >= {"chair", "table", "lamp"}


def test_refer_to_object():
    facts = facts_with()
    kinds = set()
    for qa in every(facts, ReferToObject()):
        kind = qa.template.split("/")[0]
        kinds.add(kind)
        options = {
            f"the {m['color']} box": number
            for m, number in zip(qa.markers, qa.objects, strict=False)
        }
        said = qa.evidence["references"][0]["object"]
        if kind == "refer_to_object_name":
            assert options[qa.value] == said
            continue
        boxes = {i.id: i.box for i in facts.scene.instances}
        gap = {
            number: np.linalg.norm(
                np.maximum(
                    np.abs(boxes[number].center - boxes[said].center)
                    - 0.5 * (boxes[number].size + boxes[said].size),
                    0,
                )
            )
            for number in qa.objects
        }
        pick = max if kind.endswith("farthest") else min
        assert options[qa.value] == pick(gap, key=gap.get)
    assert kinds == {f"refer_to_object_{kind}" for kind in ("name", "nearest", "farthest")}
