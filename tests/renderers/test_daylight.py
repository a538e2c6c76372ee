"""Sun and sky: irradiance in closed form, shadows where they must fall, and the sky's own colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.mesh_surface import linear_to_srgb
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.shading import Shader
from gapdata.renderers.surroundings import GROUND_ALBEDO
from gapdata.scene import Scene, Sky, Sun
from tests.fixtures.scenes import MeshBuilder, camera_at

SKY = Sky(zenith=np.array([0.1, 0.2, 0.4]), horizon=np.array([0.3, 0.35, 0.4]))


def sun_at(elevation_deg: float, azimuth_deg: float = 0.0) -> Sun:
    e, a = np.deg2rad([elevation_deg, azimuth_deg])
    direction = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    return Sun(direction=direction, color=np.array([2.0, 1.8, 1.5]))


def yard(lights: tuple[Sun | Sky, ...], *, post: bool = False, yaw: float = 0.0) -> Scene:
    """A large floor seen from above, with a post of 1 m in its middle if asked for."""
    floor = [(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)]
    builder = MeshBuilder().quad(floor, "floor", (188, 188, 188))
    if post:
        builder.box((0, 0, 0.5), (0.2, 0.2, 1.0), "box", yaw=yaw)
    return builder.scene([camera_at((0.01, 0, 8), (0, 0, 0), height=121, width=121)], lights)


def irradiance(scene: Scene) -> np.ndarray:
    caster = MeshCaster(scene.mesh)
    return Shader(caster, scene.lights).light(caster.cast(scene.frames[0].camera))[0]


@pytest.mark.parametrize("elevation", [5.0, 30.0, 90.0])
def test_a_level_floor_under_sun_and_sky(elevation: float) -> None:
    """A floor gets the sun's color times sin(elevation), and pi (horizon + 2 zenith) / 3 from the sky."""
    sun = sun_at(elevation, 33.0)
    expected = (
        sun.color * np.sin(np.deg2rad(elevation)) + np.pi * (SKY.horizon + 2 * SKY.zenith) / 3
    )
    found = irradiance(yard((sun, SKY)))
    np.testing.assert_allclose(
        found, np.broadcast_to(expected[:, None, None], found.shape), rtol=1e-5
    )


def test_the_sky_integral_by_quadrature() -> None:
    """The same irradiance by summing radiance times cosine over the upper half sphere."""
    edges = np.linspace(0.0, 0.5 * np.pi, 20001)
    e = 0.5 * (edges[1:] + edges[:-1])
    ring = (
        2 * np.pi * np.cos(e) * np.sin(e) * np.diff(edges)
    )  # solid angle times cosine to the vertical
    radiance = SKY.horizon + np.sin(e)[:, None] * (SKY.zenith - SKY.horizon)
    found = irradiance(yard((SKY,)))[:, 0, 0]
    np.testing.assert_allclose(found, (radiance * ring[:, None]).sum(axis=0), rtol=1e-4)


def test_a_sun_below_the_floor_lights_nothing() -> None:
    lit, dark = (irradiance(yard((sun_at(e), SKY))) for e in (20.0, -20.0))
    assert (lit > dark + 0.5).all()
    np.testing.assert_allclose(dark, irradiance(yard((SKY,))), rtol=1e-5)


@pytest.mark.parametrize("azimuth", [0.0, 90.0, 180.0, 270.0])
def test_a_post_throws_its_shadow_away_from_the_sun(azimuth: float) -> None:
    """A post of 1 m under a sun 30 degrees up has a shadow 1 / tan(30) m long, on the far side."""
    sun = sun_at(30.0, azimuth)
    scene = yard((sun, SKY), post=True)
    caster = MeshCaster(scene.mesh)
    hits = caster.cast(scene.frames[0].camera)
    x, y, z = hits.coordinates_world()
    total = Shader(caster, scene.lights).light(hits)[0][0]
    away = -(x * sun.direction[0] + y * sun.direction[1]) / np.cos(np.deg2rad(30.0))
    aside = np.abs(x * -sun.direction[1] + y * sun.direction[0])
    ground = np.abs(z) < 1e-3
    dark = ground & (total < total[ground].max() - 0.1)
    length = 0.1 + 1.0 / np.tan(np.deg2rad(30.0))
    strip = ground & (aside < 0.06) & (away > 0.2)
    assert dark[strip & (away < length - 0.25)].all()
    assert not dark[strip & (away > length + 0.05)].any()
    assert not dark[ground & (away < -0.15)].any()


def test_light_from_below_is_what_the_ground_sends_back() -> None:
    """A ceiling seen from below gets the ground's albedo times what falls on the ground."""
    sun = sun_at(40.0)
    panel = [(-9, -9, 3), (-9, 9, 3), (9, 9, 3), (9, -9, 3)]
    builder = MeshBuilder().quad(panel, "ceiling", (200, 200, 200))
    scene = builder.scene([camera_at((0.01, 0, 0), (0, 0, 3), height=21, width=21)], (sun, SKY))
    on_ground = sun.color * sun.direction[2] + np.pi * (SKY.horizon + 2 * SKY.zenith) / 3
    found = irradiance(scene)[:, 10, 10]
    np.testing.assert_allclose(found, GROUND_ALBEDO * on_ground, rtol=1e-5)


def test_rays_that_hit_nothing_show_the_sky() -> None:
    """Sky pixels follow horizon + (zenith - horizon) sin(elevation), in the exposure of the floor."""
    floor = [(-2, -2, 0), (2, -2, 0), (2, 2, 0), (-2, 2, 0)]
    camera = camera_at((0, 0, 1), (1, 0, 1.5), height=61, width=61)
    scene = MeshBuilder().quad(floor, "floor").scene([camera], (sun_at(50.0), SKY))
    caster = MeshCaster(scene.mesh)
    rgb = Shader(caster, scene.lights).shade(caster.cast(camera))
    v, u = np.mgrid[0:61, 0:61]
    ray = np.stack(
        [
            (u - camera.K[0, 2]) / camera.K[0, 0],
            (v - camera.K[1, 2]) / camera.K[1, 1],
            np.ones((61, 61)),
        ],
        -1,
    )
    up = (ray @ camera.cam2world[:3, :3].T)[..., 2] / np.linalg.norm(ray, axis=-1)
    radiance = SKY.horizon + up[..., None] * (SKY.zenith - SKY.horizon)
    level = (
        sun_at(50.0).color * np.sin(np.deg2rad(50.0)) + np.pi * (SKY.horizon + 2 * SKY.zenith) / 3
    )
    expected = 255 * linear_to_srgb(1 - np.exp(-np.pi * radiance * 1.2 / level.mean()))
    seen = up > 0.01
    assert seen.sum() > 500
    assert np.abs(rgb[seen] - expected[seen]).max() <= 1.0
    assert rgb[-1, 30].tolist() != rgb[0, 30].tolist()


def test_exposure_does_not_depend_on_the_unit_of_light() -> None:
    scene = yard((sun_at(25.0), SKY), post=True)
    brighter = tuple(
        replace(light, color=9.1 * light.color) if isinstance(light, Sun)
        else replace(light, zenith=9.1 * light.zenith, horizon=9.1 * light.horizon)
        for light in scene.lights
        if isinstance(light, Sun | Sky)
    )  # fmt: skip
    caster = MeshCaster(scene.mesh)
    hits = caster.cast(scene.frames[0].camera)
    a, b = (Shader(caster, lights).shade(hits).astype(int) for lights in (scene.lights, brighter))
    assert np.abs(a - b).max() <= 1
