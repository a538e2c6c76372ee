"""Visibility, unique reference, extents and overlap, measured against hand-made views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.geometry.boxes import Box
from gapdata.geometry.camera import Camera, intrinsics
from gapdata.geometry.transforms import rotation_angle, rotation_from_euler_zxy, transform_points
from gapdata.tasks.facts import Facts, SceneFacts, SeenRule
from gapdata.view import AmodalMask
from tests.fixtures.asking import facts_of, rendered
from tests.fixtures.scenes import MeshBuilder, camera_at, planned, surface_points

ALL = SeenRule(min_visible=0.0, min_pixels=1.0)


def pane(builder, x, left, right, bottom, top, label):
    """A rectangle that faces a camera at the origin looking along +x; `left` is the larger y."""
    corners = [(x, left, bottom), (x, right, bottom), (x, right, top), (x, left, top)]
    return builder.quad(corners, label)


def looking_along_x(height=101, width=101):
    """A camera at the origin whose pixel (50, 50) looks along +x, 50 pixels a metre at 1 m."""
    camera = camera_at((0, 0, 0), (1, 0, 0), height=height, width=width)
    return replace(camera, K=intrinsics(50.0, 50.0, 50.0, 50.0))


@pytest.fixture(scope="module")
def occluded():
    """A back pane of 40 x 40 pixels, the right half behind a front pane, in front of a wall."""
    builder = MeshBuilder()
    pane(builder, 2.0, 0.8, -0.8, -0.8, 0.8, "picture")
    pane(builder, 1.0, 0.0, -0.6, -0.6, 0.6, "whiteboard")
    pane(builder, 3.0, 9, -9, -9, 9, "wall")
    return builder.scene([looking_along_x()])


def test_half_hidden_is_half_occluded(occluded):
    measured = facts_of(occluded).visibility
    assert measured.ids.tolist() == [1, 2, 3]
    assert measured.visible[0, :2] == pytest.approx([0.5, 1.0], abs=0.03)
    assert measured.occluded[0, :2] == pytest.approx([0.5, 0.0], abs=0.03)
    assert measured.truncated[0, :2] == pytest.approx([0.0, 0.0], abs=0.01)
    assert measured.pixels[0, 0] == pytest.approx(20 * 40, rel=0.05)


def test_a_sensor_hole_is_neither_seen_nor_hidden(occluded):
    (view,) = rendered(occluded)
    depth, instance = view.depth.copy(), view.instance.copy()
    hole = np.s_[30:50, 30:50]  # a quarter of the back pane's 40 x 40 pixels
    depth[hole], instance[hole] = 0, 0
    measured = facts_of(occluded, [replace(view, depth=depth, instance=instance)]).visibility
    assert measured.visible[0, 0] == pytest.approx(0.25, abs=0.03)
    assert measured.occluded[0, 0] == pytest.approx(0.5, abs=0.03)


def test_what_lies_outside_the_image_is_truncated():
    scene = pane(MeshBuilder(), 1.0, 1.5, -0.5, -0.5, 0.5, "picture").scene([looking_along_x()])
    measured = facts_of(scene).visibility
    assert measured.truncated[0, 0] == pytest.approx(0.25, abs=0.03)
    assert measured.visible[0, 0] == pytest.approx(0.75, abs=0.03)


def test_without_a_mesh_visibility_is_a_lower_bound():
    builder = MeshBuilder().box((3, 0.7, 0), (0.8, 0.8, 0.8), "box")
    builder.box((2, -0.6, 0), (0.6, 0.6, 0.6), "chair").box((4, -0.9, 0), (0.6, 0.6, 0.6), "lamp")
    scene = builder.scene([looking_along_x()])
    with_mesh = facts_of(scene)
    bare = replace(scene, mesh=None, points=surface_points(scene, 6000))
    views = [replace(view, amodal=()) for view in with_mesh.views]
    without = facts_of(bare, views).visibility
    assert (without.visible <= with_mesh.visibility.visible + 0.02).all()
    assert without.visible[0, 0] > 0.15
    assert without.visible[0, 2] < 0.1
    total = without.visible + without.truncated + without.occluded
    assert (total <= 1 + 1e-6).all()


def test_seen_needs_both_the_fraction_and_pixels_in_proportion_to_the_image(occluded):
    facts = facts_of(occluded)
    assert facts.seen(SeenRule(min_visible=0.45))[0].tolist() == [True, True, False]
    assert facts.seen(SeenRule(min_visible=0.55))[0].tolist() == [False, True, False]
    pixels = float(facts.visibility.pixels[0, 0]) * (640 * 480) / (101 * 101)
    assert facts.seen(SeenRule(min_visible=0.2, min_pixels=pixels - 1))[0, 0]
    assert not facts.seen(SeenRule(min_visible=0.2, min_pixels=pixels + 1))[0, 0]


def room_with_rival(x, label="chair"):
    """A chair in front of the camera and another object of the given label at x metres."""
    builder = MeshBuilder().box((3, 0, 0), (0.5, 0.5, 0.5), "chair")
    builder.box((x, 1.2, 0), (0.2, 0.5, 0.5), label)
    return builder.scene([looking_along_x()])


def test_a_label_refers_only_when_it_fits_one_object_in_the_asked_views():
    assert facts_of(room_with_rival(3)).named("t", (0,), ALL) == []
    assert facts_of(room_with_rival(-3)).named("t", (0,), ALL) == [
        0
    ]  # the rival is behind the camera
    office = facts_of(room_with_rival(3, "office chair"))
    assert office.named("t", (0,), ALL) == [1]  # "the chair" may be either, "the office chair" not
    assert office.drops["t: label fits several objects"] == 1


def test_a_fully_hidden_rival_still_makes_a_reference_ambiguous():
    builder = MeshBuilder().box((3, 0, 0), (0.5, 0.5, 0.5), "chair")
    builder.box((4, 0, 0), (0.2, 0.2, 0.2), "chair")
    facts = facts_of(builder.scene([looking_along_x()]))
    assert facts.visibility.pixels[0, 1] == 0
    assert facts.named("t", (0,), ALL) == []


def test_rivals_count_only_in_the_asked_views():
    scene = room_with_rival(-3)
    back = replace(looking_along_x(), cam2world=camera_at((0, 0, 0), (-1, 0, 0)).cam2world)
    facts = facts_of(replace(scene, frames=planned([looking_along_x(), back])))
    assert facts.named("t", (0,), ALL) == [0]
    assert facts.named("t", (1,), ALL) == [1]
    assert facts.named("t", (0, 1), ALL) == []


def test_structure_is_never_named(room_facts):
    labels = {room_facts.scene.labels[c] for c in room_facts.named("t", (0, 1, 2, 3), ALL)}
    assert labels
    assert not labels & {"wall", "floor", "ceiling"}


def test_extents_leave_out_the_outermost_pixels(occluded):
    facts = facts_of(occluded)
    rows, columns = np.nonzero(facts.views[0].instance == 2)
    for axis, values in ((0, columns), (1, rows)):
        low, high = facts.extents[0, 1, [axis, axis + 2]]
        assert np.mean(values < low) <= 0.05 < np.mean(values <= low)
        assert np.mean(values < high) < 0.95 <= np.mean(values <= high)
    assert np.isnan(facts_of(room_with_rival(-3)).extents[0, 1]).all()


def test_overlap_is_whole_with_itself_symmetric_and_none_back_to_back():
    builder = pane(MeshBuilder(), 2.0, 9, -9, -9, 9, "wall")
    pane(builder, -2.0, -9, 9, -9, 9, "wall")
    front, back = camera_at((0, 0, 0), (1, 0, 0)), camera_at((0, 0, 0), (-1, 0, 0))
    half = Camera(K=front.K, cam2world=front.cam2world.copy(), height=96, width=128)
    shift = 2.0 * 64 / front.K[0, 0]  # half the image width on a wall 2 m away
    half.cam2world[1, 3] = -shift
    facts = facts_of(builder.scene([front, back, half, front]))
    assert facts.overlap(0, 3) == 1.0
    assert facts.overlap(0, 1) == 0.0
    assert facts.overlap(0, 2) == facts.overlap(2, 0) == pytest.approx(0.5, abs=0.04)


def test_a_box_in_camera_axes_is_the_same_box_and_stays_upright(room_facts):
    for view in range(4):
        world2cam = room_facts.views[view].camera.world2cam
        world_up = world2cam[:3, :3] @ [0, 0, 1]
        for column in np.flatnonzero(room_facts.scene.is_object).tolist():
            values = np.array(room_facts.bbox_3d(view, column))
            rotation = rotation_from_euler_zxy(values[6:])
            assert np.abs(world_up @ rotation).max() == pytest.approx(1)
            assert np.degrees(rotation_angle(rotation)) < 63
            said = Box(center=values[:3], size=values[3:6], rotation=rotation).corners
            true = transform_points(world2cam, room_facts.scene.instances[column].box.corners)
            assert np.abs(said[:, None] - true[None]).max(axis=-1).min(axis=0).max() < 1e-9


def test_an_upright_box_in_a_level_camera_has_a_yaw_only():
    builder = MeshBuilder().box((3, 0, 0), (0.4, 0.6, 0.8), "box", yaw=0.3)
    facts = facts_of(builder.scene([looking_along_x()]))
    # The camera's x is world -y and its y is world -z: a turn to the left is negative about y.
    expected = [0, 0, 3, 0.6, 0.8, 0.4, 0, 0, -0.3]
    assert facts.bbox_3d(0, 0) == pytest.approx(expected, abs=1e-6)


def test_a_view_without_layers_is_refused(occluded):
    (view,) = rendered(occluded)
    with pytest.raises(ValueError, match="no depth"):
        Facts(SceneFacts(occluded), [replace(view, depth=None)])


def test_amodal_masks_of_unknown_instances_are_ignored(occluded):
    (view,) = rendered(occluded)
    stray = AmodalMask(instance=999, top=0, left=0, mask=np.ones((2, 2), bool), outside=0)
    measured = facts_of(occluded, [replace(view, amodal=(*view.amodal, stray))]).visibility
    assert measured.visible.shape == (1, 3)
