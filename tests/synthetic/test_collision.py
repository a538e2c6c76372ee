"""The separating-axis test against a sampled twin, and the limits of touching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gapdata.synthetic.collision import TOUCH, Obstacles, Prism, contains, outlines_overlap
from gapdata.synthetic.shapes import circle, rectangle


def _half_planes(outline: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edge = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1) / np.linalg.norm(edge, axis=1)[:, None]
    return normal, (outline * normal).sum(axis=1)


def _inner_radius(a: np.ndarray, b: np.ndarray) -> float:
    """Radius of the largest circle inside both outlines (a linear program); negative when disjoint."""
    normals, reach = (np.concatenate(x) for x in zip(_half_planes(a), _half_planes(b), strict=True))
    result = linprog(
        [0, 0, -1], A_ub=np.column_stack([normals, np.ones(len(normals))]), b_ub=reach,
        bounds=[(None, None)] * 3, method="highs",
    )  # fmt: skip
    return float(result.x[2])


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.floats(0.1, 2), st.floats(0.1, 2)),
    yaw=st.floats(-3, 3),
    at=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    round_one=st.booleans(),
)
def test_overlap_agrees_with_a_linear_program(
    size: tuple[float, float], yaw: float, at: tuple[float, float], round_one: bool
) -> None:
    c, s = np.cos(yaw), np.sin(yaw)
    a = rectangle(*size) @ np.array([[c, s], [-s, c]]) + at
    b = circle(0.6, 16) if round_one else rectangle(1.2, 0.7)
    radius = _inner_radius(a, b)
    if abs(radius) > 1e-5:
        assert outlines_overlap(a, b) == (radius > 0)
        assert outlines_overlap(b, a) == (radius > 0)


@pytest.mark.parametrize(
    ("gap", "hit"), [(0.0, False), (1e-9, False), (-0.5 * TOUCH, False), (-1e-3, True)]
)
def test_touching_is_not_overlap(gap: float, hit: bool) -> None:
    obstacles = Obstacles()
    obstacles.add([Prism(outline=rectangle(1.0, 1.0), low=0.0, high=1.0)])
    beside = Prism(outline=rectangle(1.0, 1.0) + [1 + gap, 0], low=0.0, high=1.0)
    above = Prism(outline=rectangle(0.2, 0.2), low=1 + gap, high=2.0)
    assert obstacles.hit([beside]) == hit
    assert obstacles.hit([above]) == hit


def test_many_obstacles_and_forgetting() -> None:
    obstacles = Obstacles()
    prisms = [Prism(outline=rectangle(0.5, 0.5) + [k, 0], low=0.0, high=1.0) for k in range(200)]
    obstacles.add(prisms)
    assert len(obstacles) == 200
    assert obstacles.hit([prisms[150]])
    obstacles.forget(100)
    assert not obstacles.hit([prisms[150]])
    assert obstacles.hit([prisms[99]])


def test_contains() -> None:
    outline = circle(1.0, 24)
    assert contains(outline, outline)
    assert contains(outline, rectangle(1.2, 1.2))
    assert not contains(outline, rectangle(1.2, 1.2) + [0.5, 0.0])
