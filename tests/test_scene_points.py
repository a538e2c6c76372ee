"""Scene points: on the surfaces, uniform by area, seeded, and visible exactly where views see them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.errors import SourceError
from gapdata.geometry.camera import inside_image
from gapdata.geometry.depth import HIDDEN, SEEN
from gapdata.renderers import open_renderer
from gapdata.scene import Scene
from gapdata.scene_points import SEEN_SHARE, sample_scene_points
from tests.fixtures.scenes import (
    MeshBuilder,
    box_room,
    camera_at,
    plane_scene,
    recorded,
    surface_points,
)


def views_of(scene, count=3, renderer="raycast"):
    drawn = open_renderer(renderer, scene)
    return [drawn.render(frame) for frame in scene.frames[:count]]


def test_exactly_the_wanted_number_with_every_field_aligned():
    scene = box_room(4)
    views = views_of(scene)
    for count in (1, 7, 500):
        points = sample_scene_points(scene, views, count=count, rng=np.random.default_rng(1))
        assert points.xyz_world.shape == (count, 3)
        assert points.pixel.shape == (3, count, 2)
        assert points.visible.shape == (3, count)


def test_points_lie_on_the_faces_of_their_instance():
    scene = box_room(4)
    points = sample_scene_points(scene, views_of(scene), count=800, rng=np.random.default_rng(2))
    boxes = {item.id: item.box for item in scene.instances}
    for number in np.unique(points.instance):
        chosen = points.instance == number
        xyz = points.xyz_world[chosen].astype(np.float64)
        box = boxes[int(number)]
        assert box.contains(xyz, margin=1e-4).all()
        local = np.abs((xyz - box.center) @ box.rotation)
        assert (np.abs(local - 0.5 * box.size).min(axis=1) < 1e-4).all()  # on a side, not within


def test_share_of_seen_points():
    scene = box_room(4)
    points = sample_scene_points(scene, views_of(scene), count=1000, rng=np.random.default_rng(3))
    seen = (points.visible == SEEN).any(axis=0).mean()
    assert seen == pytest.approx(SEEN_SHARE, abs=0.01)


def test_pixels_and_visibility_against_the_views():
    scene = box_room(4)
    views = views_of(scene)
    points = sample_scene_points(scene, views, count=1500, rng=np.random.default_rng(4))
    for number, view in enumerate(views):
        pixel, z = view.camera.project(points.xyz_world.astype(np.float64))
        np.testing.assert_allclose(points.pixel[number], pixel, atol=1e-2)
        seen = points.visible[number] == SEEN
        inside = inside_image(pixel, view.camera.height, view.camera.width)
        assert not (seen & ~inside).any()
        column, row = np.floor(pixel[seen].T + 0.5).astype(int)
        # A seen point is what its pixel shows; at the very edge of an object it may be the one beside.
        assert (view.instance[row, column] == points.instance[seen]).mean() > 0.95
        behind = np.isnan(points.pixel[number]).any(axis=1)
        np.testing.assert_array_equal(behind, z <= 0)
        assert (points.visible[number][behind] == HIDDEN).all()


def test_normals_of_seen_points_face_their_first_view():
    scene = box_room(4)
    views = views_of(scene)
    points = sample_scene_points(scene, views, count=1000, rng=np.random.default_rng(5))
    first = (points.visible == SEEN).argmax(axis=0)
    seen = (points.visible == SEEN).any(axis=0)
    centers = np.stack([view.camera.center_world for view in views])[first]
    toward = ((centers - points.xyz_world) * points.normal_world).sum(axis=1)
    assert (toward[seen] > -1e-5).all()
    np.testing.assert_allclose(np.linalg.norm(points.normal_world, axis=1), 1, atol=1e-5)


def test_uniform_by_area():
    """Two squares of 3 : 1 area, no views to prefer: counts follow the areas (5 sigma)."""
    builder = MeshBuilder().quad([(0, 0, 0), (3, 0, 0), (3, 1, 0), (0, 1, 0)], "table", (9, 9, 9))
    builder.quad([(5, 0, 0), (6, 0, 0), (6, 1, 0), (5, 1, 0)], "bed", (99, 0, 250))
    scene = builder.scene([camera_at((0, 0, 2), (1, 0, 0))])
    points = sample_scene_points(scene, [], count=4000, rng=np.random.default_rng(6))
    first = points.instance == 1
    assert first.sum() == pytest.approx(3000, abs=5 * np.sqrt(4000 * 0.75 * 0.25))
    assert (points.rgb[first] == [9, 9, 9]).all()
    assert (points.rgb[~first] == [99, 0, 250]).all()
    inside = points.xyz_world[first] / [3, 1, 1]
    np.testing.assert_allclose(inside[:, :2].mean(axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(inside[:, :2].var(axis=0), 1 / 12, rtol=0.1)


def test_texture_colours_reach_the_points():
    scene = plane_scene(2.0, half=1.0)
    texture = np.zeros((1, 2, 3), np.uint8)
    texture[0, 0], texture[0, 1] = (200, 0, 0), (0, 0, 200)
    mesh = replace(
        scene.mesh,
        vertex_color=np.full((4, 3), 255, np.uint8),
        uv=np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32),  # u grows with y
        face_texture=np.zeros(2, np.int16),
        textures=(texture,),
    )
    scene = replace(scene, mesh=mesh)
    points = sample_scene_points(scene, [], count=2000, rng=np.random.default_rng(7))
    share = (points.xyz_world[:, 1] + 1) / 2
    red, blue = np.abs(share - 0.25) < 0.02, np.abs(share - 0.75) < 0.02
    assert red.sum() > 20
    assert np.abs(points.rgb[red].astype(int) - [200, 0, 0]).max() < 45
    assert (points.rgb[red, 0] > 3 * points.rgb[red, 2]).all()
    assert (points.rgb[blue, 2] > 3 * points.rgb[blue, 0]).all()


def test_same_seed_same_points_other_seed_others():
    scene = box_room(4)
    views = views_of(scene)
    a, b, c = (
        sample_scene_points(scene, views, count=300, rng=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(a.xyz_world, b.xyz_world)
    np.testing.assert_array_equal(a.visible, b.visible)
    assert not np.array_equal(a.xyz_world, c.xyz_world)


def test_from_a_cloud_also_when_it_is_too_small():
    room = box_room(4)
    cloud = surface_points(room, 50)
    scene = replace(room, mesh=None, points=cloud)
    points = sample_scene_points(scene, views_of(room), count=200, rng=np.random.default_rng(8))
    assert points.xyz_world.shape == (200, 3)
    known = {tuple(row) for row in cloud.xyz.tolist()}
    assert {tuple(row) for row in points.xyz_world.tolist()} <= known


def test_from_depth_when_there_is_nothing_else():
    scan = replace(recorded(plane_scene(2.0)), mesh=None, instances=())
    views = views_of(scan, 1, "captured")
    points = sample_scene_points(scan, views, count=100, rng=np.random.default_rng(9))
    np.testing.assert_allclose(points.xyz_world[:, 0], 2.0, atol=1e-5)
    assert (points.visible == SEEN).all()
    column, row = np.rint(points.pixel[0]).astype(int).T
    np.testing.assert_array_equal(points.rgb, views[0].rgb[row, column])


def test_nothing_to_draw_from_is_an_error():
    scan = replace(recorded(plane_scene(2.0), spoil_depth=np.zeros_like), mesh=None)
    views = views_of(scan, 1, "captured")
    with pytest.raises(SourceError, match="expected surfaces"):
        sample_scene_points(scan, views, count=10, rng=np.random.default_rng(0))
    bare = Scene(id="bare", source="test", frames=())
    with pytest.raises(SourceError, match="test: bare: expected surfaces"):
        sample_scene_points(bare, [], count=10, rng=np.random.default_rng(0))
