"""Highlights: where the law of reflection puts them, as wide as surface and lamp make them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.mesh_surface import face_planes, smooth_groups, smooth_normals
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.shading import Shader
from gapdata.scene import Light, Scene, Sun
from tests.fixtures.scenes import MeshBuilder, camera_at

EYE = np.array([-1.5, 0.0, 1.0])
LAMP = Light(position=np.array([1.0, 0.0, 2.0]), color=np.ones(3))


def highlights(light: Light | Sun, roughness: float | None) -> tuple[np.ndarray, np.ndarray]:
    """(pi times reflected radiance, x and y) of a black floor's pixels that shine."""
    floor = [(-4, -4, 0), (4, -4, 0), (4, 4, 0), (-4, 4, 0)]
    scene = MeshBuilder().quad(floor, "floor", (0, 0, 0))
    scene = scene.scene([camera_at(EYE, (0, 0, 0), height=200, width=200)], (light,))
    if roughness is not None:
        rough = np.full(2, roughness, np.float32)
        scene = replace(scene, mesh=replace(scene.mesh, face_roughness=rough))
    caster = MeshCaster(scene.mesh)
    hits = caster.cast(scene.frames[0].camera)
    _, reflected = Shader(caster, scene.lights).light(hits)
    if reflected is None:
        return np.zeros(0), np.zeros((2, 0))
    shines = reflected[..., 0] > 0
    return reflected[shines, 0], hits.coordinates_world()[:2, shines]


@pytest.mark.parametrize("light", [LAMP, replace(LAMP, radius=0.1), Sun(direction=np.array([0.6, 0, 0.8]), color=np.ones(3))])  # fmt: skip
def test_the_brightest_spot_obeys_the_law_of_reflection(light: Light | Sun) -> None:
    """On the floor between eye and lamp, shares of the way as their heights; for the sun where the ray's slope is its own."""
    reflected, (x, y) = highlights(light, 0.2)
    if isinstance(light, Sun):
        expected = EYE[0] + EYE[2] * 0.6 / 0.8
    else:
        expected = (EYE[0] * light.position[2] + light.position[0] * EYE[2]) / (
            EYE[2] + light.position[2]
        )
    top = reflected > 0.9 * reflected.max()
    assert abs(x[top].mean() - expected) < 0.05
    assert abs(y[top].mean()) < 0.02


def test_rough_surfaces_have_wide_and_dim_highlights_and_matt_ones_none() -> None:
    peaks, areas = [], []
    for roughness in (0.2, 0.4, 0.6):
        reflected, _ = highlights(LAMP, roughness)
        peaks.append(reflected.max())
        areas.append((reflected > 0.5 * reflected.max()).sum())
    assert peaks[0] > 4 * peaks[1] > 16 * peaks[2] / 2
    assert areas[0] < areas[1] < areas[2]
    for matt in (0.9, None):
        assert len(highlights(LAMP, matt)[0]) == 0


def test_a_larger_lamp_spreads_the_same_light() -> None:
    point, ball = (highlights(replace(LAMP, radius=radius), 0.2)[0] for radius in (0.0, 0.2))
    assert ball.max() < 0.6 * point.max()
    assert (ball > 0.5 * ball.max()).sum() > (point > 0.5 * point.max()).sum()


def test_no_highlight_in_the_shadow() -> None:
    def brightest(scene: Scene) -> float:
        caster = MeshCaster(scene.mesh)
        hits = caster.cast(scene.frames[0].camera)
        _, reflected = Shader(caster, scene.lights).light(hits)
        assert reflected is not None
        return float(reflected[caster.instances_at(hits) == 1].max(initial=0))

    floor = [(-4, -4, 0), (4, -4, 0), (4, 4, 0), (-4, 4, 0)]
    camera = camera_at(EYE, (0, 0, 0), height=120, width=120)
    peaks = []
    for lid in (False, True):
        builder = MeshBuilder().quad(floor, "floor", (0, 0, 0))
        if lid:
            # Between lamp and highlight, out of the eye's way.
            builder.box((0.7, 0, 1.65), (1.2, 1.2, 0.02), "box")
        scene = builder.scene([camera], (LAMP,))
        rough = np.full(len(scene.mesh.faces), 0.2, np.float32)
        peaks.append(brightest(replace(scene, mesh=replace(scene.mesh, face_roughness=rough))))
    assert peaks[1] < 0.01 * peaks[0]


def test_corners_of_a_round_thing_look_outwards_and_those_of_a_box_along_its_sides() -> None:
    turn = 2 * np.pi * np.arange(24) / 24
    ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(24)], axis=-1)
    i, j = np.arange(24), (np.arange(24) + 1) % 24
    side = np.concatenate([np.stack([i, j, j + 24], -1), np.stack([i, j + 24, i + 24], -1)])
    mesh = MeshBuilder().add(np.concatenate([ring, ring + [0, 0, 1]]), side, "can").box((5, 0, 0), (1, 1, 1), "box").mesh()  # fmt: skip
    normal = face_planes(mesh)[0]
    corners = smooth_normals(mesh, normal, smooth_groups(mesh, normal))
    radial = mesh.vertices[mesh.faces[:48]] * [1, 1, 0]
    np.testing.assert_allclose(corners[:48], radial, atol=0.05)
    np.testing.assert_allclose(corners[48:], np.repeat(normal[48:-1, None], 3, axis=1), atol=1e-6)
