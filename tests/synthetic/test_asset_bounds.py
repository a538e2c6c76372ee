"""Boxes that hold a mesh and surfaces on it: against dense samples of the mesh and shapes known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from gapdata.synthetic.assets.bounds import MAX_BOXES, bounds_of

PARTS = st.lists(
    st.tuples(
        st.tuples(*[st.floats(0.0, 0.6)] * 3),
        st.tuples(*[st.floats(0.02, 0.5)] * 3),
        st.sampled_from(["box", "ball", "cone"]),
        st.floats(-1.0, 1.0),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def boxes_mesh(*boxes) -> np.ndarray:
    """Triangles of boxes (x0, y0, z0, x1, y1, z1)."""
    meshes = []
    for box in np.asarray(boxes, np.float64):
        mesh = trimesh.creation.box(box[3:] - box[:3])
        meshes.append(mesh.triangles + 0.5 * (box[:3] + box[3:]))
    return np.concatenate(meshes)


def inside_any(points, boxes, slack=1e-6) -> np.ndarray:
    over = (points[:, None] >= boxes[None, :, :3] - slack) & (
        points[:, None] <= boxes[None, :, 3:] + slack
    )
    return over.all(axis=2).any(axis=1)


def volume_of_union(boxes, rng, count=20_000) -> float:
    low, high = boxes[:, :3].min(axis=0), boxes[:, 3:].max(axis=0)
    points = rng.uniform(low, high, (count, 3))
    return float(inside_any(points, boxes, 0.0).mean() * np.prod(high - low))


TABLE = (
    [0, 0, 0.7, 1.4, 0.8, 0.74],
    *([x, y, 0, x + 0.06, y + 0.06, 0.7] for x in (0, 1.34) for y in (0, 0.74)),
)


@settings(max_examples=25, deadline=None)
@given(PARTS)
def test_every_point_of_a_mesh_lies_in_a_box(parts):
    triangles = []
    for at, size, kind, turn in parts:
        if kind == "box":
            mesh = trimesh.creation.box(size)
        elif kind == "ball":
            mesh = trimesh.creation.icosphere(subdivisions=1, radius=0.5 * size[0])
        else:
            mesh = trimesh.creation.cone(0.5 * size[0], size[2], sections=8)
        mesh.apply_transform(trimesh.transformations.rotation_matrix(turn, [1, 2, 3]))
        triangles.append(mesh.triangles + np.array(at))
    mesh = np.concatenate(triangles)
    mesh = mesh - [0, 0, mesh[:, :, 2].min()]
    found = bounds_of(mesh)
    weights = np.random.default_rng(0).dirichlet([1, 1, 1], (len(mesh), 30))
    points = np.einsum("fkc,fcd->fkd", weights, mesh).reshape(-1, 3)
    assert inside_any(np.concatenate([points, mesh.reshape(-1, 3)]), found.boxes).all()
    assert len(found.boxes) <= MAX_BOXES or (found.boxes[:, 3:] > found.boxes[:, :3]).all()


def test_a_table_is_a_top_on_legs_with_free_floor_between():
    found = bounds_of(boxes_mesh(*TABLE))
    union = volume_of_union(found.boxes, np.random.default_rng(1))
    exact = 1.4 * 0.8 * 0.04 + 4 * 0.06 * 0.06 * 0.7
    widened = 1.4 * 0.8 * 0.04 + 4 * 0.1 * 0.1 * 0.7  # a leg's columns are 0.05 m wide
    assert exact < union < 1.05 * widened
    below = np.array([[0.7, 0.4, 0.35], [0.2, 0.4, 0.6], [0.7, 0.1, 0.0]])
    assert not inside_any(below, found.boxes).any()
    (surface,) = [s for s in found.surfaces if s[4] > 0.73]
    assert surface == pytest.approx([0, 0, 1.4, 0.8, 0.74, 10.0])


def test_boxes_never_reach_above_a_surface_beside_something_higher():
    # A desk with a hutch: the top's free part must stay usable at exactly its height.
    mesh = boxes_mesh([0, 0, 0, 1.2, 0.6, 0.72], [0, 0.4, 0.72, 1.2, 0.6, 1.1])
    found = bounds_of(mesh)
    for x0, y0, x1, y1, z, headroom in found.surfaces:
        spot = np.array([[0.5 * (x0 + x1), 0.5 * (y0 + y1), z + 1e-4]])
        assert not inside_any(spot, found.boxes, 0.0).any()
        assert headroom > 0
    desk = next(s for s in found.surfaces if abs(s[4] - 0.72) < 1e-6)
    assert desk[3] <= 0.4 + 1e-6
    assert desk[2] - desk[0] == pytest.approx(1.2)


def test_headroom_ends_at_the_next_board():
    boards = [[0, 0, z, 0.8, 0.3, z + 0.02] for z in (0.0, 0.4, 0.9)]
    sides = [[x, 0, 0, x + 0.02, 0.3, 0.92] for x in (-0.02, 0.8)]
    found = bounds_of(boxes_mesh(*boards, *sides))
    inner = {round(s[4], 6): round(s[5], 6) for s in found.surfaces if s[2] - s[0] > 0.6}
    assert inner == {0.02: 0.38, 0.42: 0.48, 0.92: 10.0}


def test_closed_things_are_solid_and_open_ones_are_not():
    closed = boxes_mesh([0, 0, 0, 1, 0.5, 0.8])
    front = np.isclose(closed[:, :, 1], 0.0).all(axis=1)
    bottom = np.isclose(closed[:, :, 2], 0.0).all(axis=1)
    middle = np.array([[0.5, 0.25, 0.4]])
    assert inside_any(middle, bounds_of(closed).boxes).all()
    assert inside_any(middle, bounds_of(closed[~bottom]).boxes).all()  # the floor closes it
    assert not inside_any(middle, bounds_of(closed[~front]).boxes).any()


def test_sloping_and_bumpy_tops_carry_nothing():
    slope = boxes_mesh([0, 0, 0, 1, 1, 0.5])
    slope[:, :, 2] += 0.3 * slope[:, :, 0] * (slope[:, :, 2] > 0.4)
    assert not len(bounds_of(slope).surfaces)
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.3).triangles + [0, 0, 0.3]
    assert not len(bounds_of(ball).surfaces)


def test_a_round_top_gives_rectangles_inside_the_circle():
    mesh = trimesh.creation.cylinder(0.5, 0.05, sections=48).triangles + [0, 0, 0.025]
    found = bounds_of(mesh)
    top = found.surfaces[0]
    corners = np.array([[top[a], top[b]] for a in (0, 2) for b in (1, 3)])
    assert np.linalg.norm(corners, axis=1).max() <= 0.51  # a column may miss a little of its corner
    assert (top[2] - top[0]) * (top[3] - top[1]) > 0.4  # the inscribed square has 0.5


def test_the_order_of_triangles_does_not_matter():
    mesh = boxes_mesh(*TABLE)
    shuffled = mesh[np.random.default_rng(2).permutation(len(mesh))]
    assert np.array_equal(bounds_of(mesh).boxes, bounds_of(shuffled).boxes)
    assert np.array_equal(bounds_of(mesh).surfaces, bounds_of(shuffled).surfaces)
