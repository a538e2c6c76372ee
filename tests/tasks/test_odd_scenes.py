"""Scenes with nothing, little, too much or nonsense in them: no crash, no ambiguous question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.geometry.boxes import Box
from gapdata.renderers.points import PointsRenderer
from gapdata.scene import Instance
from gapdata.tasks import TASKS, open_task
from tests.fixtures.asking import ask, facts_of, rendered
from tests.fixtures.scenes import MeshBuilder, camera_at, plane_scene, surface_points

TASK_LIST = [open_task(name) for name in sorted(TASKS)]
# What can be asked of views alone, and of single pixels.
VIEWS_ONLY = {"relative_pose", "camera_motion", "view_change", "overlap", "frame_order"}
POINTWISE = {
    "free_space_point",
    "pixel_correspondence",
    "point_depth",
    "point_depth_order",
    "pointmap",
    "pointmap_list",
} | VIEWS_ONLY


def everything(facts):
    return [qa for seed in range(3) for qa in ask(facts, *TASK_LIST, seed=seed)]


def cameras():
    return [camera_at((0, 0, 1), (4, 0, 0.5)), camera_at((0.5, 0.3, 1.1), (4, 0, 0.5))]


def floor(builder=None):
    corners = [(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)]
    return (builder or MeshBuilder()).quad(corners, "floor")


def test_no_instances_at_all():
    scene = replace(floor().scene(cameras()), instances=())
    views = [replace(v, instance=np.zeros_like(v.instance), amodal=()) for v in rendered(scene)]
    rows = everything(facts_of(scene, views))
    assert {qa.task for qa in rows} <= VIEWS_ONLY


def test_only_structure():
    rows = everything(facts_of(floor().scene(cameras())))
    assert {qa.task for qa in rows} <= POINTWISE
    assert "pointmap" in {qa.task for qa in rows}


def test_one_object():
    facts = facts_of(floor(MeshBuilder().box((4, 0, 0.5), (1, 1, 1), "box")).scene(cameras()))
    tasks = {qa.task for qa in everything(facts)}
    assert {"object_size", "object_count", "detect_objects", "ground_object"} <= tasks
    assert not tasks & {"object_distance", "closest_object", "viewer_relation", "object_direction"}


def test_views_that_see_nothing():
    scene = plane_scene()
    (view,) = rendered(scene)
    blind = replace(
        view,
        depth=np.zeros_like(view.depth),
        instance=np.zeros_like(view.instance),
        normal=np.zeros_like(view.normal),
        amodal=(),
    )
    assert everything(facts_of(scene, [blind, blind])) == []


def test_a_sample_without_views():
    assert everything(facts_of(plane_scene(), [])) == []


@pytest.mark.parametrize("size", [1, 3, 5])
def test_tiny_images(size):
    scene = floor(MeshBuilder().box((4, 0, 0.5), (1, 1, 1), "box")).scene(
        [camera_at((0, 0, 1), (4, 0, 0.5), height=size, width=size)]
    )
    everything(facts_of(scene))


def test_two_identical_objects_at_the_same_place():
    builder = MeshBuilder().box((4, 0, 0.5), (1, 1, 1), "box").box((4, 0, 0.5), (1, 1, 1), "box")
    facts = facts_of(floor(builder).scene(cameras()))
    for qa in everything(facts):
        assert qa.task in POINTWISE | {"detect_objects"}


def test_objects_of_no_size_and_without_a_surface():
    builder = MeshBuilder().box((4, 0, 0.5), (0, 0, 0), "dot").box((4, 1, 0.5), (1, 1, 0), "sheet")
    scene = floor(builder.box((4, -1, 0.5), (1, 1, 1), "box")).scene(cameras())
    point = Box(center=np.array([3.0, 0, 1]), size=np.zeros(3), rotation=np.eye(3))
    ghost = Instance(id=77, label="ghost", nyu40=0, box=point, aabb=point)
    rows = everything(facts_of(replace(scene, instances=(*scene.instances, ghost))))
    assert rows
    assert not any(77 in qa.objects for qa in rows)


@pytest.mark.parametrize(
    "label", ["椅子", "{x} {0}", 'a "quoted" thing', "chaise-longue №5", "\\n", "s", "```"]
)
def test_labels_with_odd_characters(label):
    builder = (
        MeshBuilder().box((4, 0.8, 0.5), (1, 1, 1), label).box((4, -0.8, 0.5), (1, 1, 1), "box")
    )
    rows = everything(facts_of(floor(builder).scene(cameras())))
    named = [qa for qa in rows if label in qa.question]
    assert named
    assert any(row["label"] == label for qa in rows if qa.format == "list" for row in qa.value)


@pytest.mark.parametrize("label", ["", "  ", "object", "unknown"])
def test_objects_without_a_usable_name_are_not_asked_about(label):
    builder = (
        MeshBuilder().box((4, 0.8, 0.5), (1, 1, 1), label).box((4, -0.8, 0.5), (1, 1, 1), "box")
    )
    rows = everything(facts_of(floor(builder).scene(cameras())))
    assert rows
    assert not any(1 in qa.objects for qa in rows)


def test_two_thousand_instances():
    builder = MeshBuilder()
    rng = np.random.default_rng(0)
    for number in range(2000):
        x, y = rng.uniform(1, 9), rng.uniform(-4, 4)
        builder.box((x, y, 0.1), (0.1, 0.1, 0.1), f"thing {number % 700}")
    scene = builder.scene(cameras())
    scene = replace(scene, mesh=None, points=surface_points(scene, 60000))
    renderer = PointsRenderer(scene)
    assert everything(facts_of(scene, [renderer.render(frame) for frame in scene.frames]))
