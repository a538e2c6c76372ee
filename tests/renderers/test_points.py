"""Splatted point clouds: against a plain loop over discs, and against the mesh the points were drawn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.errors import ConfigError
from gapdata.geometry.transforms import transform_points
from gapdata.renderers import open_renderer
from gapdata.renderers.points import MAX_RADIUS_PX, NEAR_M, PointsRenderer, point_spacing, splat
from gapdata.scene import PointCloud, Scene
from tests.fixtures.scenes import box_room, camera_at, plane_scene, surface_points


def cloud_of(xyz, normal=None, seed=0):
    rng = np.random.default_rng(seed)
    count = len(xyz)
    return PointCloud(
        xyz=np.asarray(xyz, np.float32),
        color=rng.integers(0, 256, (count, 3), np.uint8),
        normal=np.zeros((count, 3), np.float32)
        if normal is None
        else np.asarray(normal, np.float32),
        instance=rng.integers(0, 9, count).astype(np.uint16),
    )


def cloud_scene(cloud, camera):
    frames = plane_scene().frames
    return Scene(
        id="cloud",
        source="test",
        frames=(replace(frames[0], camera=camera),),
        points=cloud,
    )


def slow_splat(cloud, radius, camera):
    """Every disc against every pixel, one at a time."""
    points = transform_points(camera.world2cam, cloud.xyz.astype(np.float64))
    normals = cloud.normal.astype(np.float64) @ camera.cam2world[:3, :3]
    depth = np.full((camera.height, camera.width), np.inf, np.float32)
    winner = np.full(depth.shape, -1)
    K = camera.K
    for index, (p, n, r) in enumerate(zip(points, normals, radius, strict=True)):
        if p[2] <= NEAR_M:
            continue
        n = n if n.any() else p
        own = tuple(
            np.floor(K[axis, axis] * p[axis] / p[2] + K[axis, 2] + 0.5) for axis in range(2)
        )
        for v in range(camera.height):
            for u in range(camera.width):
                ray = np.array([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], 1.0])
                z = n @ p / (n @ ray) if abs(n @ ray) > 1e-9 else -1.0
                met = z > 0 and np.linalg.norm(z * ray - p) <= r
                met = met and max(abs(u - own[0]), abs(v - own[1])) <= MAX_RADIUS_PX
                if not met and (u, v) != own:
                    continue
                z = np.float32(z if met else p[2])
                if z < depth[v, u]:
                    depth[v, u], winner[v, u] = z, index
    depth[winner < 0] = 0
    return depth, winner


@pytest.mark.parametrize("with_normals", [False, True])
def test_splat_equals_the_slow_loop(with_normals):
    rng = np.random.default_rng(3)
    xyz = rng.uniform([-0.5, -1.5, -1.2], [3.0, 1.5, 1.2], (150, 3))
    normal = rng.normal(size=(150, 3)) if with_normals else None
    if with_normals:
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    cloud = cloud_of(xyz, normal)
    radius = rng.uniform(0.01, 0.25, 150).astype(np.float32)
    camera = camera_at((0, 0, 0), (1, 0, 0), height=24, width=32)
    depth, winner = splat(cloud, radius, camera)
    slow_depth, slow_winner = slow_splat(cloud, radius, camera)
    assert (winner >= 0).mean() > 0.4
    np.testing.assert_array_equal(winner, slow_winner)
    np.testing.assert_allclose(depth, slow_depth, rtol=1e-6)


def test_a_dense_plane_is_closed_and_exact():
    scene = plane_scene(2.0, half=3.0)
    cloud = surface_points(scene, 60_000)
    view = PointsRenderer(replace(scene, mesh=None, points=cloud)).render(scene.frames[0])
    covered = view.depth > 0
    assert covered.mean() > 0.97
    np.testing.assert_allclose(view.depth[covered], 2.0, rtol=1e-5)
    np.testing.assert_allclose(
        view.normal[covered], np.tile([0, 0, -1], (covered.sum(), 1)), atol=1e-5
    )
    assert (view.instance[covered] == 1).all()
    assert (view.depth_source, view.normal_source, view.amodal) == ("points", "points", ())


def test_a_dense_room_looks_like_its_mesh():
    scene = box_room(2)
    view = PointsRenderer(replace(scene, points=surface_points(scene, 150_000))).render(
        scene.frames[0]
    )
    truth = open_renderer("raycast", replace(scene, lights=())).render(scene.frames[0])
    covered = view.depth > 0
    assert covered.mean() > 0.97
    assert np.median(np.abs(view.depth - truth.depth)[covered]) < 1e-4
    same = covered & (view.instance == truth.instance)
    assert same.sum() / covered.sum() > 0.93
    agree = (view.normal * truth.normal).sum(axis=-1)[same] > 0.99
    assert agree.mean() > 0.95  # discs of neighbouring faces reach over the edges
    # One instance, one colour in this scene.
    np.testing.assert_array_equal(view.rgb[same], truth.rgb[same])


def test_the_nearer_point_hides_the_farther():
    cloud = cloud_of([(4, 0, 0), (2, 0, 0), (3, 0, 0)])
    camera = camera_at((0, 0, 0), (1, 0, 0), height=9, width=9)
    depth, winner = splat(cloud, np.full(3, 0.001, np.float32), camera)
    assert winner[4, 4] == 1
    assert depth[4, 4] == pytest.approx(2.0)
    assert (winner >= 0).sum() == 1


def test_points_behind_the_camera_are_not_drawn():
    cloud = cloud_of([(-2, 0, 0), (0.01, 0, 0)])
    camera = camera_at((0, 0, 0), (1, 0, 0), height=9, width=9)
    depth, winner = splat(cloud, np.full(2, 0.1, np.float32), camera)
    assert (winner == -1).all()
    assert not depth.any()


def test_spacing_of_a_square_grid():
    y, z = np.meshgrid(np.arange(20) * 0.05, np.arange(20) * 0.05)
    spacing = point_spacing(np.stack([np.zeros(400), y.ravel(), z.ravel()], 1).astype(np.float32))
    inner = spacing.reshape(20, 20)[1:-1, 1:-1]
    np.testing.assert_allclose(inner, 0.05, rtol=1e-4)


def test_spacing_of_very_few_points():
    assert point_spacing(np.zeros((1, 3), np.float32)).shape == (1,)
    assert (point_spacing(np.eye(3, dtype=np.float32)) == np.float32(0.2)).all()


def test_clouds_without_normals_take_them_from_depth():
    scene = plane_scene(2.0, half=3.0)
    cloud = surface_points(scene, 60_000)
    cloud = replace(cloud, normal=np.zeros_like(cloud.normal))
    view = PointsRenderer(replace(scene, mesh=None, points=cloud)).render(scene.frames[0])
    assert view.normal_source == "depth"
    valid = view.normal.any(axis=-1)
    assert valid.mean() > 0.8
    assert np.median(view.normal[valid][:, 2]) < -0.99


def test_coarse_depth_is_small():
    scene = plane_scene(2.0, half=3.0)
    renderer = PointsRenderer(replace(scene, mesh=None, points=surface_points(scene, 20_000)))
    depth, camera = renderer.coarse_depth(scene.frames[0])
    assert depth.shape == (camera.height, camera.width)
    np.testing.assert_allclose(depth[depth > 0], 2.0, rtol=1e-5)


def test_scenes_without_points_are_refused():
    with pytest.raises(ConfigError, match="needs a point cloud"):
        open_renderer("points", box_room(2))
    empty = cloud_scene(cloud_of(np.zeros((0, 3))), camera_at((0, 0, 0), (1, 0, 0)))
    with pytest.raises(ConfigError, match="needs a point cloud"):
        open_renderer("points", empty)
