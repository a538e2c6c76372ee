"""Direct light against closed forms, and where rays aim."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.renderers.light import aims, disc, dither, height_above, power, strength
from gapdata.scene import AreaLight, Light, Sun

LAMP = Light(position=np.array([0.5, -1.0, 2.0]), color=np.array([3.0, 2.0, 1.0]))
WINDOW = AreaLight(
    position=np.array([0.0, 0.0, 1.5]),
    edges=np.array([[0.0, 1.2, 0.0], [0.0, 0.0, 1.0]]),  # shines along +x
    color=np.array([2.0, 2.0, 2.0]),
)


def on_plane(light: Light | AreaLight | Sun, points: np.ndarray, normal: np.ndarray) -> np.ndarray:
    normals = np.broadcast_to(normal, points.shape).astype(np.float32)
    points = points.astype(np.float32)
    above = height_above(light, normals, (normals * points).sum(axis=1))
    return strength(light, above, points.T)


def test_a_lamp_falls_off_with_the_square_and_the_cosine() -> None:
    points = np.random.default_rng(0).uniform(-2, 1.5, (200, 3)) * [1, 1, 0]
    ray = LAMP.position - points
    distance = np.linalg.norm(ray, axis=1)
    expected = ray[:, 2] / distance**3
    np.testing.assert_allclose(on_plane(LAMP, points, np.array([0, 0, 1])), expected, rtol=1e-5)
    assert not on_plane(LAMP, points, np.array([0, 0, -1])).any()


def test_a_window_by_quadrature() -> None:
    """Against the integral of radiance times both cosines over the rectangle: near, far, and aside."""
    side = (np.arange(200) + 0.5) / 200 - 0.5
    across, up = np.meshgrid(side, side)
    spots = (
        WINDOW.position
        + across.reshape(-1, 1) * WINDOW.edges[0]
        + up.reshape(-1, 1) * WINDOW.edges[1]
    )
    for point, normal, limit in [
        ((0.8, 0.0, 1.5), (-1, 0, 0), 0.03), ((1.5, 0.8, 0.9), (-1, 0, 0), 0.12),
        ((2.5, 0.3, 0.0), (0, 0, 1), 0.05), ((6.0, -2.0, 1.0), (-0.6, 0.8, 0), 0.01),
    ]:  # fmt: skip
        ray = spots - np.array(point)
        distance = np.linalg.norm(ray, axis=1)
        cosines = np.maximum(ray @ np.array(normal), 0) * np.maximum(-ray[:, 0], 0) / distance**2
        expected = (cosines / distance**2).mean()  # times area times radiance, which is color
        found = on_plane(WINDOW, np.array([point]), np.array(normal))[0]
        assert found == pytest.approx(expected, rel=limit), point


def test_behind_a_window_is_no_light() -> None:
    assert on_plane(WINDOW, np.array([[-0.5, 0.0, 1.0]]), np.array([1, 0, 0]))[0] == 0


def test_the_suns_light_is_the_cosine() -> None:
    sun = Sun(direction=np.array([0.6, 0.0, 0.8]), color=np.ones(3))
    assert on_plane(sun, np.array([[5.0, 5.0, 0.0]]), np.array([0, 0, 1]))[0] == pytest.approx(0.8)
    assert on_plane(sun, np.array([[5.0, 5.0, 0.0]]), np.array([-1, 0, 0]))[0] == 0


def test_power_is_the_integral_over_a_sphere() -> None:
    """Irradiance on the inside of a far sphere, times its area."""
    rng = np.random.default_rng(1)
    direction = rng.standard_normal((200_000, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    for light in (LAMP, WINDOW):
        points = light.position + 50.0 * direction
        normals = (-direction).astype(np.float32)
        above = height_above(light, normals, (normals * points.astype(np.float32)).sum(axis=1))
        mean = strength(light, above, points.astype(np.float32).T).mean()
        np.testing.assert_allclose(4 * np.pi * 2500 * mean * light.color, power(light), rtol=0.02)


@pytest.mark.parametrize("count", [16, 64])
def test_places_are_spread_over_the_light(count: int) -> None:
    """Different places of the unit disc with its mean and its second moment, 1/4 a direction; of a square, 1/12."""
    spot = disc(count)
    assert len(np.unique(spot.round(6), axis=0)) == count
    assert (np.linalg.norm(spot, axis=1) < 1).all()
    assert np.abs(spot.mean(axis=0)).max() < 0.05
    np.testing.assert_allclose((spot**2).mean(axis=0), 0.25, atol=0.03)
    square = (aims(WINDOW, count) - WINDOW.position) @ np.linalg.pinv(WINDOW.edges)
    assert (np.abs(square) <= 0.5).all()
    np.testing.assert_allclose((square**2).mean(axis=0), 1 / 12, atol=0.01)


def test_dither_holds_each_number_once_and_neighbours_far_apart() -> None:
    for side in (4, 8):
        order = dither(side)
        assert sorted(order.reshape(-1).tolist()) == list(range(side * side))
        assert np.abs(np.diff(order, axis=1)).min() >= side * side // 4
