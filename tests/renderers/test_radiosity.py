"""Light that bounces until it is gone: energy balances in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.radiosity import Radiosity, around
from gapdata.renderers.shading import Shader
from gapdata.renderers.surroundings import GROUND_ALBEDO, Surroundings
from gapdata.scene import Light, Scene, Sky
from tests.fixtures.scenes import MeshBuilder, camera_at


def cube(size: float) -> Scene:
    box = MeshBuilder().box((0, 0, 0), (size, size, size), "box", (188, 188, 188))
    return box.scene([camera_at((0, 0, 0), (1, 0, 0))])


DARK = Surroundings(())


@pytest.mark.parametrize("albedo", [0.0, 0.3, 0.8])
def test_an_integrating_box(albedo: float) -> None:
    """All walls of a closed box together receive P / (1 - rho) of a lamp of power P, and send back rho of that."""
    caster = MeshCaster(cube(4.0).mesh)
    lamp = Light(position=np.zeros(3), color=np.array([1.0, 2.0, 0.5]))
    faces = np.full((len(caster.face_area), 3), albedo, np.float32)
    sent = Radiosity(caster, faces, [lamp], DARK)
    total = caster.face_area @ (
        sent.sent_by(2 * np.arange(len(faces))) + sent.sent_by(2 * np.arange(len(faces)) + 1)
    )
    bounces = sum(albedo**k for k in range(9))  # what is left after them is 13 % of 0.8's series
    np.testing.assert_allclose(total, albedo * 4 * np.pi * lamp.color * bounces, rtol=0.02)


def test_the_outside_of_a_lit_box_is_dark() -> None:
    caster = MeshCaster(cube(4.0).mesh)
    lamp = Light(position=np.zeros(3), color=np.ones(3))
    sent = Radiosity(caster, np.ones((12, 3), np.float32) / 2, [lamp], DARK)
    assert sent.sent_by(2 * np.arange(12)).max() == 0  # fronts look outwards
    assert sent.sent_by(2 * np.arange(12) + 1).min() > 0
    assert not sent.sent_by(np.array([-1])).any()


def test_a_body_under_an_even_sky_sends_its_albedo() -> None:
    """Alone below a sky of radiance 1 / pi its top gets 1, its bottom what the land sends back, its sides half of each."""
    caster = MeshCaster(cube(1.0).mesh)
    even = Sky(zenith=np.ones(3) / np.pi, horizon=np.ones(3) / np.pi)
    sent = Radiosity(caster, np.full((12, 3), 0.5, np.float32), [], Surroundings((even,)))
    up = 0.5 + 0.5 * caster.face_normal[:12, 2:]
    expected = 0.5 * (up + (1 - up) * GROUND_ALBEDO)
    np.testing.assert_allclose(sent.sent_by(2 * np.arange(12)), expected.repeat(3, 1), rtol=0.03)


def test_directions_about_a_normal_keep_its_cosine() -> None:
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((500, 3)).astype(np.float32)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normal[:2] = [[0, 0, 1], [0, 0, -1]]
    radius, angle = np.sqrt(rng.uniform(0, 1, 500)), rng.uniform(0, 2 * np.pi, 500)
    spot = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).astype(np.float32)
    direction = around(normal, spot)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose((direction * normal).sum(axis=1), np.sqrt(1 - radius**2), atol=2e-4)


def seen_from_above(builder: MeshBuilder, lights: tuple, size: int = 121) -> tuple:
    """(irradiance, x, y, z) of what a camera 3 m above the origin sees."""
    scene = builder.scene([camera_at((0.01, 0, 3), (0, 0, 0), height=size, width=size)], lights)
    caster = MeshCaster(scene.mesh)
    hits = caster.cast(scene.frames[0].camera)
    return Shader(caster, lights).light(hits)[0], *hits.coordinates_world()


def test_at_the_foot_of_a_high_wall_half_of_an_even_sky_is_left() -> None:
    """A black wall as high as the sky takes (1 - x / sqrt(x^2 + h^2)) / 2 of the floor's light at distance x."""
    even = Sky(zenith=np.ones(3), horizon=np.ones(3))
    high = 6.0
    builder = MeshBuilder().quad([(-9, -90, 0), (9, -90, 0), (9, 90, 0), (-9, 90, 0)], "floor")
    builder.quad([(0, -90, 0), (0, 90, 0), (0, 90, high), (0, -90, high)], "wall", (0, 0, 0))
    light, x, _, z = seen_from_above(builder, (even,), 241)
    floor = (z < 1e-3) & (x > 0.1)
    expected = np.pi * (1 - 0.5 * (1 - x / np.hypot(x, high)))
    assert floor.sum() > 10000
    assert np.abs(light[0] - expected)[floor].max() < 0.05 * np.pi


def test_lamps_do_not_shine_through_walls_whichever_lamp_it_is() -> None:
    """A wall that is higher than both lamps keeps the light of each on its own side."""
    left = Light(position=np.array([-1.0, 0.0, 1.0]), color=np.array([3.0, 0.0, 0.0]))
    right = Light(position=np.array([1.0, 0.0, 1.0]), color=np.array([0.0, 3.0, 0.0]))
    builder = MeshBuilder().quad(
        [(-4, -4, 0), (4, -4, 0), (4, 4, 0), (-4, 4, 0)], "floor", (0, 0, 0)
    )
    builder.quad([(0, -9, 0), (0, 9, 0), (0, 9, 2), (0, -9, 2)], "wall", (0, 0, 0))
    (red, green, _), x, _, z = seen_from_above(builder, (left, right))
    floor, step = np.abs(z) < 1e-3, 0.06  # about the pixels over which soft shadows are averaged
    assert red[floor & (x < -step) & (x > -1.5)].min() > 0.01
    assert red[floor & (x > step)].max() == 0
    assert green[floor & (x > 0.6) & (x < 1.5)].min() > 0.01
    assert green[floor & (x < -0.6)].max() < 1e-6


@pytest.mark.parametrize(
    ("color", "low", "high"), [((230, 20, 20), 1.15, 2.0), ((130, 130, 130), 0.999, 1.001)]
)
def test_colours_bleed(color: tuple[int, int, int], low: float, high: float) -> None:
    """A grey floor under a white lamp is redder than the lamp beside a red wall, and not beside a grey one."""
    lamp = Light(position=np.array([0.8, 0.0, 1.5]), color=np.ones(3))
    builder = MeshBuilder().quad([(-4, -4, 0), (4, -4, 0), (4, 4, 0), (-4, 4, 0)], "floor")
    builder.quad([(0, -4, 0), (0, 4, 0), (0, 4, 2.5), (0, -4, 2.5)], "wall", color)
    (red, green, _), x, _, z = seen_from_above(builder, (lamp,))
    near = (np.abs(z) < 1e-3) & (x > 0.1) & (x < 0.4)
    assert low < (red / green)[near].mean() < high
