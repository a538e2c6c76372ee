"""Distances between surfaces against a convex solver, and the sampling behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from gapdata.geometry.transforms import rotation_about_z
from gapdata.scene import Scene
from gapdata.tasks import triangles as triangles_module
from gapdata.tasks.facts import SceneFacts
from gapdata.tasks.triangles import Triangles
from tests.fixtures.scenes import MeshBuilder, surface_points


def two_boxes(rng: np.random.Generator) -> tuple[Scene, float]:
    """Two turned boxes, and their distance by bounded least squares over both boxes' coordinates."""
    builder, parts = MeshBuilder(), []
    for sign in (-1, 1):
        size, yaw = rng.uniform(0.1, 1.5, 3), float(rng.uniform(-3, 3))
        center = np.array([sign * rng.uniform(1.2, 2.5), *rng.uniform(-1, 1, 2)])
        builder.box(center.tolist(), size.tolist(), "box", yaw=yaw)
        parts.append((center, rotation_about_z(yaw), size))
    (a, turn_a, size_a), (b, turn_b, size_b) = parts
    half = 0.5 * np.concatenate([size_a, size_b])
    solved = lsq_linear(np.hstack([turn_a, -turn_b]), b - a, (-half, half), tol=1e-14)
    return builder.scene([]), float(np.sqrt(2 * solved.cost))


@pytest.mark.parametrize("seed", range(40))
def test_distance_of_boxes_agrees_with_a_convex_solver(seed):
    scene, expected = two_boxes(np.random.default_rng(seed))
    surfaces = SceneFacts(scene).surfaces
    assert surfaces.distance(0, 1) == pytest.approx(expected, abs=1e-4)
    assert surfaces.distance(0, 1) >= expected - 1e-5
    assert surfaces.distance(1, 0) == surfaces.distance(0, 1)


def test_distance_of_point_clouds_is_that_of_their_nearest_points():
    scene, expected = two_boxes(np.random.default_rng(3))
    cloud = surface_points(scene, 1500)
    a, b = (cloud.xyz[cloud.instance == number].astype(np.float64) for number in (1, 2))
    a, b = a[:1000], b[:1000]
    keep = np.concatenate([np.flatnonzero(cloud.instance == number)[:1000] for number in (1, 2)])
    cloud = replace(
        cloud,
        xyz=cloud.xyz[keep], color=cloud.color[keep], normal=cloud.normal[keep], instance=cloud.instance[keep],
    )  # fmt: skip
    slow = np.linalg.norm(a[:, None] - b[None], axis=-1).min()
    measured = SceneFacts(replace(scene, mesh=None, points=cloud)).surfaces.distance(0, 1)
    assert measured == pytest.approx(slow, abs=1e-9)
    assert measured >= expected - 1e-6


def test_touching_boxes_are_at_distance_zero():
    scene = MeshBuilder().box((0, 0, 0), (1, 1, 1), "a").box((1, 0, 0), (1, 1, 1), "b").scene([])
    assert SceneFacts(scene).surfaces.distance(0, 1) == pytest.approx(0, abs=1e-9)


def test_an_instance_without_a_surface_is_infinitely_far():
    scene = MeshBuilder().box((0, 0, 0), (1, 1, 1), "a").scene([])
    ghost = replace(scene.instances[0], id=9)
    facts = SceneFacts(replace(scene, instances=(*scene.instances, ghost)))
    assert facts.surfaces.distance(0, 1) == np.inf


def test_surface_points_lie_on_the_surface_and_spread_by_area():
    scene = MeshBuilder().box((0, 0, 0), (1, 2, 4), "box").scene([])
    points = SceneFacts(scene).surfaces.points(0)
    face_gap = np.abs(np.abs(points) - [0.5, 1, 2])
    assert np.allclose(face_gap.min(axis=1), 0, atol=1e-6)
    spread = points[-512:]
    on_ends = np.isclose(np.abs(spread[:, 2]), 2).mean()
    assert on_ends == pytest.approx(2 * 2 / (2 * (2 + 4 + 8)), abs=0.02)


@pytest.fixture(scope="module")
def swarms():
    """Groups of random triangles, one of them without area, and points to be nearest to."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 9, 20)
    corners = rng.normal(size=(counts.sum(), 3, 3))
    corners[3] = corners[3, :1]
    stop = np.cumsum(counts)
    groups = rng.permutation(np.repeat(np.arange(20), 3))
    return corners, stop - counts, stop, groups, rng.normal(size=(60, 3)) * 2


def test_the_nearest_point_of_triangles_is_never_beaten_by_a_dense_sampling(swarms):
    corners, start, stop, groups, points = swarms
    weights = np.random.default_rng(1).dirichlet((1, 1, 1), 4000)
    found = Triangles(corners, start, stop).nearest(points, groups)
    for group, point, nearest in zip(groups, points, found, strict=True):
        own = corners[start[group] : stop[group]]
        dense = np.einsum("wc,fcx->fwx", weights, own).reshape(-1, 3)
        best = np.linalg.norm(dense - point, axis=1).min()
        distance = np.linalg.norm(nearest - point)
        assert distance <= best + 1e-12
        assert distance >= best - 0.2
        assert np.linalg.norm(dense - nearest, axis=1).min() < 0.2


def test_nearest_points_do_not_depend_on_what_else_is_asked(swarms, monkeypatch):
    corners, start, stop, groups, points = swarms
    triangles = Triangles(corners, start, stop)
    together = triangles.nearest(points, groups)
    alone = [triangles.nearest(points[[row]], groups[[row]])[0] for row in range(len(points))]
    assert np.array_equal(together, alone)
    monkeypatch.setattr(triangles_module, "BLOCK", 20)
    assert np.array_equal(triangles.nearest(points, groups), together)


@pytest.fixture(scope="module")
def heap():
    """Thirty turned boxes of all sizes, some within others."""
    rng, builder = np.random.default_rng(5), MeshBuilder()
    for number in range(30):
        size, yaw = rng.uniform(0.1, 2, 3).tolist(), float(rng.uniform(-3, 3))
        builder.box(rng.uniform(-5, 5, 3).tolist(), size, f"thing {number}", yaw=yaw)
    return builder.scene([])


def test_distances_measured_together_are_those_measured_alone(heap):
    pairs = [(a, b) for a in range(30) for b in range(a)]
    together = SceneFacts(heap).surfaces
    together.measure(pairs)
    alone = SceneFacts(heap).surfaces
    assert all(together.distance(*pair) == alone.distance(*pair[::-1]) for pair in pairs)
    assert together.distances(3, [7, 3, 1]).tolist() == [alone.distance(3, b) for b in (7, 3, 1)]


@pytest.mark.parametrize("is_mesh", [True, False])
def test_the_nearest_of_several_is_found_without_measuring_all(heap, is_mesh):
    scene = heap if is_mesh else replace(heap, mesh=None, points=surface_points(heap, 20000))
    surfaces, every = SceneFacts(scene).surfaces, SceneFacts(scene).surfaces
    others = np.arange(12, 30)
    column, found = surfaces.nearest_of(range(12), others)
    assert found.tolist() == [every.distances(a, others.tolist()).min() for a in range(12)]
    assert found.tolist() == [every.distance(a, b) for a, b in enumerate(column.tolist())]
    assert [part.tolist() for part in surfaces.nearest_of([0], others[:0])] == [[-1], [np.inf]]
    assert [part.tolist() for part in surfaces.nearest_of([], others)] == [[], []]


@pytest.mark.parametrize("offset", [0.0, 0.1, 0.2, 0.3])
def test_surfaces_that_come_close_in_two_places_are_measured_in_the_nearer_one(offset):
    """A plate 5 cm above another at shared corners, and 4.9 cm where a second one faces the inside of its area."""
    builder = MeshBuilder().box((0, 0, 0), (3, 3, 0.1), "plate")
    near, far = MeshBuilder(), MeshBuilder()
    far.box((-1.0, -1.0, 0.15), (1.0, 1.0, 0.1), "far")
    near.box((0.55 + offset, 0.6 - offset, 0.149), (1.0, 1.0, 0.1), "near")
    vertices = np.concatenate([far.vertices[0], near.vertices[0]])
    faces = np.concatenate([far.faces[0], near.faces[0] + len(far.vertices[0])])
    scene = builder.add(vertices, faces, "steps").scene([])
    assert SceneFacts(scene).surfaces.distance(0, 1) == pytest.approx(0.049, abs=1e-5)
