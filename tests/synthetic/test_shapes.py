"""Every solid is closed, faces outwards, and has the volume of the textbook formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapdata.synthetic import shapes
from tests.synthetic.oracle import shells_of, signed_volume

EXAMPLES = {
    "block": shapes.block((1.0, 2.0, 0.5)),
    "soft_block": shapes.soft_block((0.6, 0.4, 0.2), 0.05),
    "tapered": shapes.tapered((0.2, 0.1), (0.4, 0.3), 0.7),
    "cylinder": shapes.cylinder(0.3, 1.2, segments=32),
    "ball": shapes.ball(0.2),
    "pillow": shapes.pillow((0.5, 0.4, 0.12)),
    "bowl": shapes.lathe([(0.05, 0.0), (0.1, 0.08), (0.09, 0.08), (0.04, 0.01)]),
    "bar": shapes.bar((0, 0, 0), (0.3, 0.4, 1.2), 0.02),
    "level bar": shapes.bar((0, 0, 1), (0.3, 0.4, 1), 0.02),
    "tube": shapes.tube(np.array([[0.0, 0, 0], [0, 0, 0.2], [0.1, 0, 0.3], [0.2, 0, 0.25]]), 0.01),
}


def _triangles(solid: shapes.Solid) -> np.ndarray:
    return solid.vertices[solid.faces]


@pytest.mark.parametrize("name", EXAMPLES)
def test_closed_outward_and_without_slivers(name: str) -> None:
    solid = EXAMPLES[name]
    triangles = _triangles(solid)
    area = np.linalg.norm(
        np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1
    )
    assert area.min() > 1e-10
    _, ids = np.unique(np.round(triangles.reshape(-1, 3), 7), axis=0, return_inverse=True)
    ids = ids.reshape(-1, 3)
    edges = {(int(f[i]), int(f[(i + 1) % 3])) for f in ids for i in range(3)}
    assert len(edges) == 3 * len(ids), "an edge is used twice in the same direction"
    assert edges == {(b, a) for a, b in edges}, "an edge has no partner: the surface is open"
    assert len(shells_of(triangles)) == 1
    assert signed_volume(triangles) > 0
    low, high = solid.vertices.min(axis=0), solid.vertices.max(axis=0)
    assert (solid.low, solid.high) == pytest.approx((low[2], high[2]))
    assert solid.outline.min(axis=0) == pytest.approx(low[:2])
    assert solid.outline.max(axis=0) == pytest.approx(high[:2])


def test_volumes() -> None:
    def volume(name: str) -> float:
        return signed_volume(_triangles(EXAMPLES[name]))

    assert volume("block") == pytest.approx(1.0)
    # A regular 32-gon of circumradius r has area 16 r^2 sin(2 pi / 32).
    assert volume("cylinder") == pytest.approx(16 * 0.09 * np.sin(np.pi / 16) * 1.2)
    assert volume("ball") == pytest.approx(4 / 3 * np.pi * 0.2**3, rel=0.04)
    low, high, middle = 0.2 * 0.1, 0.4 * 0.3, 0.3 * 0.2
    assert volume("tapered") == pytest.approx(0.7 * (low + 4 * middle + high) / 6)
    # Frustum of revolution minus the hollow, both 20-gons.
    polygon = 10 * np.sin(2 * np.pi / 20)

    def frustum(a: float, b: float, h: float) -> float:
        return polygon * h * (a * a + a * b + b * b) / 3

    assert volume("bowl") == pytest.approx(frustum(0.05, 0.1, 0.08) - frustum(0.04, 0.09, 0.07))


@settings(max_examples=30, deadline=None)
@given(
    yaw=st.floats(-7, 7),
    angle=st.floats(-3, 3),
    axis=st.sampled_from([0, 1]),
    offset=st.tuples(*[st.floats(-5, 5)] * 3),
)
def test_moving_keeps_volume_and_bounds(
    yaw: float, angle: float, axis: int, offset: tuple[float, float, float]
) -> None:
    moved = EXAMPLES["soft_block"].tilted(axis, angle).turned(yaw).moved(offset)
    assert signed_volume(_triangles(moved)) == pytest.approx(
        signed_volume(_triangles(EXAMPLES["soft_block"]))
    )
    assert moved.low == pytest.approx(moved.vertices[:, 2].min(), abs=1e-9)
    hull = shapes.hull_2d(moved.vertices[:, :2])
    x, y = moved.outline.T
    u, v = hull.T
    area = 0.5 * (x @ np.roll(y, -1) - np.roll(x, -1) @ y)
    assert area == pytest.approx(0.5 * (u @ np.roll(v, -1) - np.roll(u, -1) @ v))
    assert area > 0


def test_texture_coordinates_are_metres() -> None:
    solid = EXAMPLES["block"]
    for face in solid.faces:
        corner, uv = solid.vertices[face], solid.uv[face]
        for i in range(3):
            in_space = np.linalg.norm(corner[i] - corner[i - 1])
            assert np.linalg.norm(uv[i] - uv[i - 1]) == pytest.approx(in_space)
