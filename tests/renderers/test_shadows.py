"""Soft shadows against a lamp's visible part by dense sampling, and where they must be hard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.renderers import shadows
from gapdata.renderers.light import hidden
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.shadows import shadowed_share
from gapdata.scene import Light, Sun
from gapdata.sources import open_source
from tests.fixtures.scenes import MeshBuilder, camera_at

LAMP = Light(position=np.array([0.0, 0.0, 2.0]), color=np.ones(3), radius=0.2)


def shaded_floor(light: Light, edge: float = 0.0):
    """(share of the lamp that is hidden, x and y of the floor) below half a roof that ends at x = `edge`."""
    floor = [(-3, -3, 0), (3, -3, 0), (3, 3, 0), (-3, 3, 0)]
    roof = [(edge, -9, 1), (edge, 9, 1), (-9, 9, 1), (-9, -9, 1)]
    camera = camera_at((0.01, 0, 0.9), (0, 0, 0), height=160, width=160)
    scene = MeshBuilder().quad(floor, "floor").quad(roof, "table").scene([camera])
    caster = MeshCaster(scene.mesh)
    hits = caster.cast(camera)
    place = hits.coordinates_world()
    lit = np.flatnonzero(np.abs(place[2]) < 1e-3)
    share = shadowed_share(caster, light, lit, place, np.take(caster.face_group, hits.face))
    return share, place[0].reshape(-1)[lit], place[1].reshape(-1)[lit]


def test_the_penumbra_is_the_hidden_part_of_the_lamp() -> None:
    """Half a roof at half the lamp's height: the floor at x sees of the disc what lies beyond 2 edge - x."""
    share, x, _ = shaded_floor(LAMP)
    disc = LAMP.radius * np.random.default_rng(0).uniform(-1, 1, (20000, 2))
    disc = disc[np.linalg.norm(disc, axis=1) < LAMP.radius]
    # The ray from (x, 0) to a lamp point at (p, 2) crosses the roof's height at (x + p) / 2.
    expected = (x[:, None] + disc[None, :500, 0] < 0).mean(axis=1)
    assert (np.abs(x) < 0.2).sum() > 500
    assert (
        np.abs(share - expected).max() < 0.2
    )  # at the borders of the image, where windows are cut
    assert np.abs(share - expected).mean() < 0.03


def test_outside_the_penumbra_all_or_nothing() -> None:
    share, x, _ = shaded_floor(LAMP)
    assert (share[x < -0.22] == 1).all()
    assert (share[x > 0.22] == 0).all()
    assert len(np.unique(share)) > 10


def test_a_point_lamp_casts_a_hard_shadow() -> None:
    share, x, _ = shaded_floor(replace(LAMP, radius=0.0))
    assert set(np.unique(share)) == {0.0, 1.0}
    np.testing.assert_array_equal(share == 1, x < 0)


def test_the_smaller_the_lamp_the_harder_the_shadow() -> None:
    """Nine tenths of a disc lie on one side of a line at 0.687 of its radius."""
    widths = []
    for radius in (0.05, 0.1, 0.2):
        share, x, _ = shaded_floor(replace(LAMP, radius=radius))
        widths.append(float(np.ptp(x[(share > 0.1) & (share < 0.9)])))
    np.testing.assert_allclose(widths, 2 * 0.687 * np.array([0.05, 0.1, 0.2]), rtol=0.25)


@pytest.mark.parametrize("edge", [-0.2, 0.15])
def test_shadows_follow_what_casts_them(edge: float) -> None:
    """A roof edge at e casts the middle of its penumbra to x = 2 e from a lamp at twice its height."""
    share, x, _ = shaded_floor(LAMP, edge)
    middle = x[np.abs(share - 0.5) < 0.1]
    assert np.abs(middle.mean() - 2 * edge) < 0.02


@pytest.mark.parametrize("world", ["room", "street"])
def test_few_rays_find_what_all_find(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against one ray from every pixel: the same but for few pixels, by some half as many rays."""
    source = open_source("synthetic", num_scenes=6, world=world)
    scenes = (source.load(f"{world}_{number:06d}") for number in range(6))
    scene, light = next(
        (scene, light)
        for scene in scenes
        for light in scene.lights
        if isinstance(light, Light | Sun)
    )
    caster = MeshCaster(scene.mesh)
    rays, wrong, total = [0, 0], 0, 0
    for frame in scene.frames[::8]:
        hits = caster.cast(frame.camera.resized(240, 320))
        place, members = hits.coordinates_world(), np.take(caster.face_group, hits.face)
        lit = np.flatnonzero(hits.face >= 0)
        shares = []
        for twin in range(2):

            def counted(*arguments, twin=twin):
                rays[twin] += len(arguments[2])
                return hidden(*arguments)

            with monkeypatch.context() as patch:
                patch.setattr(shadows, "hidden", counted)
                if twin:
                    patch.setattr(shadows, "_settled", lambda first, *_: np.zeros_like(first))
                shares.append(shadowed_share(caster, light, lit, place, members))
        wrong += int((np.abs(shares[0] - shares[1]) > 0.3).sum())
        total += len(lit)
    assert wrong < 0.005 * total
    assert rays[0] < 0.6 * rays[1]
