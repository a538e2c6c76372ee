"""Simulated sensors: noise of the stated size, holes where they belong, and nothing else touched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.errors import ConfigError
from gapdata.mesh_surface import srgb_to_linear
from gapdata.renderers import open_renderer
from gapdata.renderers.sensor import ColorSensor, DepthSensor, SensorRenderer
from gapdata.scene import Attributes, Frame, Scene
from tests.fixtures.scenes import MeshBuilder, box_room, camera_at, plane_scene

CLEAN = DepthSensor(stray_holes=0.0, edge_holes=0.0, dark_holes=0.0, shiny_holes=0.0)


def sensor(scene: Scene, kind: str = "depth", seed: int = 0, **models) -> SensorRenderer:
    return SensorRenderer(open_renderer("raycast", scene), scene, kind, seed, **models)


def holes(scene: Scene, model: DepthSensor, number: int = 0) -> np.ndarray:
    return sensor(scene, depth=model).render(scene.frames[number]).depth == 0


@pytest.mark.parametrize("distance", [0.8, 2.0, 4.0, 6.0])
def test_noise_grows_with_the_square_of_depth(distance: float) -> None:
    """On a plane that faces the camera: mean 0 and the published standard deviation, 0.0012 + 0.0019 (z - 0.4)^2."""
    scene = plane_scene(distance)
    view = sensor(scene, depth=CLEAN).render(scene.frames[0])
    error = view.depth.astype(np.float64) - distance
    sigma = 0.0012 + 0.0019 * (distance - 0.4) ** 2
    assert error.std() == pytest.approx(sigma, rel=0.1)
    assert abs(error.mean()) < 0.2 * sigma
    assert (view.depth > 0).all()


def test_what_is_too_near_or_too_far_is_a_hole() -> None:
    for distance, lost in ((0.2, True), (0.5, False), (9.5, False), (10.5, True)):
        assert (holes(plane_scene(distance), CLEAN) == lost).all()


def test_a_grazed_surface_fades() -> None:
    """Of a floor seen at ever flatter angles, ever more is lost: none above 0.3 of cosine, most near 0."""
    floor = [(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)]
    camera = camera_at((-4, 0, 0.5), (0, 0, 0.0), height=200, width=200)
    scene = MeshBuilder().quad(floor, "floor", (200, 200, 200)).scene([camera])
    lost = holes(scene, replace(CLEAN, farthest=99.0))
    exact = open_renderer("raycast", scene).render(scene.frames[0])
    v, u = np.mgrid[0:200, 0:200]
    ray = np.stack(
        [
            (u - camera.K[0, 2]) / camera.K[0, 0],
            (v - camera.K[1, 2]) / camera.K[1, 1],
            np.ones_like(u),
        ],
        -1,
    )
    cosine = np.abs((ray * exact.normal).sum(-1)) / np.linalg.norm(ray, axis=-1)
    seen = exact.depth > 0
    assert lost[seen & (cosine > 0.3)].mean() == 0
    assert lost[seen & (cosine < 0.15) & (cosine > 0.05)].mean() == pytest.approx(
        1 - cosine[seen & (cosine < 0.15) & (cosine > 0.05)].mean() / 0.3, abs=0.1
    )


def boxes_before_a_wall() -> Scene:
    wall = [(3, -4, -4), (3, 4, -4), (3, 4, 4), (3, -4, 4)]
    builder = MeshBuilder().quad(wall, "wall", (200, 200, 200))
    builder.box((1.7, 0, 0), (0.4, 0.8, 0.8), "box", (200, 200, 200))
    return builder.scene([camera_at((0, 0, 0), (1, 0, 0), height=160, width=160)])


def test_behind_edges_the_background_is_lost_and_the_foreground_is_not() -> None:
    scene = boxes_before_a_wall()
    exact = open_renderer("raycast", scene).render(scene.frames[0])
    lost = holes(scene, replace(CLEAN, edge_holes=1.0, farthest=99.0, lateral=0.0))
    near = exact.instance == 2
    around = np.zeros_like(near)
    for down in range(-3, 4):
        for across in range(-3, 4):
            around |= np.roll(near, (down, across), axis=(0, 1))
    front = near & (exact.depth < 1.6)
    np.testing.assert_array_equal(lost[~near], (around & ~near)[~near])
    assert not lost[front].any()


def test_dark_and_shiny_surfaces_lose_their_share() -> None:
    model = replace(CLEAN, dark_holes=0.6, shiny_holes=0.3, farthest=99.0)
    wall = [(2, -4, -4), (2, 4, -4), (2, 4, 4), (2, -4, 4)]
    shares = []
    for color, material in (((200,) * 3, "wood"), ((0,) * 3, "wood"), ((200,) * 3, "metal")):
        scene = MeshBuilder().quad(wall, "wall", color).scene(
            [camera_at((0, 0, 0), (1, 0, 0), height=300, width=300)]
        )  # fmt: skip
        item = replace(scene.instances[0], attributes=Attributes(material=material))
        shares.append(holes(replace(scene, instances=(item,)), model).mean())
    np.testing.assert_allclose(shares, [0.0, 0.6, 0.3], atol=0.05)


def test_everything_but_depth_stays_exact() -> None:
    scene = box_room()
    exact = open_renderer("raycast", scene).render(scene.frames[1])
    view = sensor(scene).render(scene.frames[1])
    for layer in ("rgb", "normal", "instance"):
        np.testing.assert_array_equal(getattr(view, layer), getattr(exact, layer))
    assert view.camera is not None
    assert (view.depth_source, view.normal_source) == ("sensor", "mesh")
    assert (view.depth != exact.depth).mean() > 0.9
    full = sensor(scene, "full").render(scene.frames[1])
    np.testing.assert_array_equal(full.depth, view.depth)
    np.testing.assert_array_equal(full.instance, exact.instance)
    assert (full.rgb != exact.rgb).mean() > 0.5


def test_noise_depends_on_seed_scene_and_frame_alone() -> None:
    scene = box_room()
    one = [sensor(scene, "full").render(frame) for frame in scene.frames[:3]]
    other = sensor(scene, "full")
    for view, frame in reversed(list(zip(one, scene.frames[:3], strict=True))):
        again = other.render(frame)
        np.testing.assert_array_equal(view.depth, again.depth)
        np.testing.assert_array_equal(view.rgb, again.rgb)
    first = one[0].depth
    renamed = replace(scene, id="another")
    assert (first != sensor(scene, seed=1).render(scene.frames[0]).depth).mean() > 0.9
    assert (first != sensor(renamed).render(scene.frames[0]).depth).mean() > 0.9


def grey_wall(frames: int = 1) -> Scene:
    """A mid-grey wall 2 m ahead with a black stripe, and cameras that turn by a degree each tenth of a second."""
    wall = [(2, -9, -9), (2, 9, -9), (2, 9, 9), (2, -9, 9)]
    builder = MeshBuilder().quad(wall, "wall", (128, 128, 128))
    builder.box((1.95, 0, 0), (0.02, 0.1, 9), "box", (0, 0, 0))
    turn = np.deg2rad(np.arange(frames))
    cameras = [camera_at((0, 0, 0), (np.cos(a), np.sin(a), 0), height=120, width=160) for a in turn]
    scene = builder.scene(cameras)
    timed = tuple(
        Frame(id=f.id, camera=f.camera, timestamp_s=0.1 * n) for n, f in enumerate(scene.frames)
    )
    return replace(scene, frames=timed)


QUIET = ColorSensor(
    stops=0.0, stops_frame=0.0, balance=0.0, read_noise=(0.0, 0.0), shot_noise=(0.0, 0.0), vignette=0.0
)  # fmt: skip


def test_a_perfect_camera_changes_nothing() -> None:
    scene = grey_wall()
    exact = open_renderer("raycast", scene).render(scene.frames[0])
    view = sensor(scene, "full", color=QUIET).render(scene.frames[0])
    np.testing.assert_array_equal(view.rgb, exact.rgb)


def test_colour_noise_has_the_variance_of_read_and_shot_noise() -> None:
    scene = grey_wall()
    model = replace(QUIET, read_noise=(0.01, 0.01), shot_noise=(0.001, 0.001))
    rgb = sensor(scene, "full", color=model).render(scene.frames[0]).rgb
    linear = srgb_to_linear(rgb[:, :40] / 255.0)
    level = float(srgb_to_linear(np.array([128 / 255.0]))[0])
    assert linear.mean() == pytest.approx(level, rel=0.02)
    assert linear.std() == pytest.approx(np.sqrt(0.01**2 + 0.001 * level), rel=0.08)


def test_blur_is_as_long_as_the_camera_turns_while_the_shutter_is_open() -> None:
    """10 degrees a second for a 30th of a second: an edge is spread over f tan(1/3 degree) pixels."""
    scene = grey_wall(3)
    shutter = 1 / 30
    model = replace(QUIET, shutter_s=(shutter, shutter))
    view = sensor(scene, "full", color=model).render(scene.frames[0])
    row = srgb_to_linear(view.rgb[60, :, 0] / 255.0)
    grey = row[:20].mean()
    left = row[: int(np.argmin(row)) + 1]
    exact = srgb_to_linear(
        open_renderer("raycast", scene).render(scene.frames[0]).rgb[60, :, 0] / 255.0
    )
    length = float(view.camera.K[0, 0] * np.tan(np.deg2rad(10 * shutter)))
    # The stripe keeps its light in all, and its edge is a ramp of that length.
    assert row.sum() == pytest.approx(exact.sum(), rel=1e-3)
    ramp = ((left > 0.02 * grey) & (left < 0.98 * grey)).sum()
    assert abs(ramp - length) <= 1.5
    column = view.rgb[:, 20, 0]
    assert np.ptp(column) == 0


@pytest.mark.parametrize(("readout", "shift"), [(0.1, 1.0), (0.5, 3.0)])
def test_a_rolling_shutter_leans_what_is_upright(readout: float, shift: float) -> None:
    """Turning by 10 degrees a second, the last row sees the stripe where it is half a readout later, 3 pixels off at most."""
    scene = grey_wall(3)
    model = replace(QUIET, shutter_s=(1e-9, 1e-9), readout_s=(readout, readout))
    view = sensor(scene, "full", color=model).render(scene.frames[0])
    dark = 1 - srgb_to_linear(view.rgb[..., 0] / 255.0) / srgb_to_linear(np.array([128 / 255.0]))
    place = (dark * np.arange(160)).sum(axis=1) / dark.sum(axis=1)
    # The camera turns to the left (y is to the left of x), so what stands still moves to the right.
    moved = view.camera.K[0, 0] * np.tan(np.deg2rad(10 * 0.5 * readout))
    expected = min(moved, 3.0)
    assert expected == pytest.approx(shift, rel=0.2)
    assert place[-1] - place[60] == pytest.approx(expected, abs=0.1)
    assert place[60] - place[0] == pytest.approx(expected, abs=0.1)


def test_only_exact_depth_can_be_spoiled() -> None:
    scene = box_room()
    with pytest.raises(ConfigError, match="expected depth or full, found 'none'"):
        sensor(scene, "none")
    from tests.fixtures.scenes import surface_points

    cloud = replace(scene, mesh=None, points=surface_points(scene, 2000))
    spoiled = SensorRenderer(open_renderer("points", cloud), cloud, "depth", 0)
    with pytest.raises(ConfigError, match="needs exact depth, found depth from points"):
        spoiled.render(scene.frames[0])
