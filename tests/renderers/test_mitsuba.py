"""Path-traced views: the same geometry as `raycast` by Mitsuba's own account, and light that adds up."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera
from gapdata.mesh_surface import srgb_to_linear
from gapdata.renderers import open_renderer
from gapdata.scene import Light, Scene, Sky, Sun
from tests.fixtures.scenes import MeshBuilder, box_room, camera_at

pytest.importorskip("mitsuba")


def off_centre(camera: Camera) -> Camera:
    """The camera with its principal point well away from the middle."""
    K = camera.K.copy()
    K[:2, 2] += [11.25, -6.5]
    return replace(camera, K=K)


def test_depth_and_normals_agree_with_mitsubas_own() -> None:
    """Away from edges Mitsuba's hits lie on raycast's surfaces within 1e-4 m, in the same pixels, normals within 0.1 degrees."""
    import mitsuba as mi

    scene = box_room()
    frame = replace(scene.frames[2], camera=off_centre(scene.frames[2].camera))
    renderer = open_renderer("mitsuba", scene)
    view, camera = renderer.render(frame), frame.camera
    layers = mi.load_dict(
        {"type": "aov", "aovs": "p:position,n:geo_normal", "colour": {"type": "direct"}}
    )
    sensor = mi.load_dict(renderer._sensor(camera))
    image = np.array(mi.render(renderer._world, sensor=sensor, integrator=layers, seed=1))
    where, normal = image[..., -6:-3].astype(np.float64), image[..., -3:]
    pixel, depth = camera.project(where)
    # Each path starts anywhere in its pixel.
    v, u = np.mgrid[: camera.height, : camera.width]
    assert np.abs(pixel - np.stack([u, v], axis=-1)).max() < 0.5 + 1e-3
    own = (view.normal @ camera.cam2world[:3, :3].T).astype(np.float64)
    inner = np.ones(view.depth.shape, bool)
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        near = np.roll(own, shift, axis=(0, 1)), np.roll(view.instance, shift, axis=(0, 1))
        inner &= (np.abs(near[0] - own).max(axis=-1) < 1e-6) & (near[1] == view.instance)
    inner[[0, -1]] = inner[:, [0, -1]] = False
    assert inner.mean() > 0.7
    center = camera.center_world
    ray = np.stack(
        [(u - camera.K[0, 2]) / camera.K[0, 0], (v - camera.K[1, 2]) / camera.K[1, 1], np.ones(u.shape)],
        axis=-1,
    )  # fmt: skip
    ours = center + (ray * view.depth[..., None]) @ camera.cam2world[:3, :3].T
    away = np.abs(np.einsum("hwc,hwc->hw", where - ours, own))
    assert away[inner].max() < 1e-4
    cosine = np.abs(np.einsum("hwc,hwc->hw", normal, own))
    assert np.rad2deg(np.arccos(np.minimum(cosine[inner], 1.0))).max() < 0.1
    assert np.abs(depth - view.depth)[inner].max() < 0.2  # within a pixel of a slanted wall


def test_layers_are_raycasts() -> None:
    scene = box_room()
    path, cast = (
        open_renderer(name, scene, height=24, width=32).render(scene.frames[1])
        for name in ("mitsuba", "raycast")
    )
    for layer in ("depth", "normal", "instance"):
        np.testing.assert_array_equal(getattr(path, layer), getattr(cast, layer))
    assert len(path.amodal) == len(cast.amodal)
    assert path.depth_source == "mesh"
    # Much the same light: the means differ by less than an eighth of the range.
    assert np.abs(path.rgb.mean(axis=(0, 1)) - cast.rgb.mean(axis=(0, 1))).max() < 32


def test_the_same_frame_gives_the_same_bytes() -> None:
    scene = box_room(height=24, width=32)
    one, two = (open_renderer("mitsuba", scene) for _ in range(2))
    np.testing.assert_array_equal(one.render(scene.frames[0]).rgb, two.render(scene.frames[0]).rgb)
    other = replace(scene.frames[0], id="x")
    assert (one.traced(scene.frames[0]) != one.traced(other)).any()


def lit(lights: tuple[Light | Sun | Sky, ...], *, texture: bool = False) -> Scene:
    """A floor of one colour, seen from above."""
    floor = [(-4, -4, 0), (4, -4, 0), (4, 4, 0), (-4, 4, 0)]
    builder = MeshBuilder().quad(floor, "floor", (188, 188, 188))
    scene = builder.scene([camera_at((0.01, 0, 3), (0, 0, 0), height=21, width=21)], lights)
    if not texture:
        return scene
    assert scene.mesh is not None
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2], image[:2, 2:], image[2:, :2], image[2:, 2:] = [
        (255, 40, 40), (40, 255, 40), (40, 40, 255), (255, 255, 255),
    ]  # fmt: skip
    corners = np.array([(0.06, 0.06), (0.94, 0.06), (0.94, 0.94), (0.06, 0.94)], np.float32)
    mesh = replace(scene.mesh, uv=corners, face_texture=np.zeros(2, np.int16), textures=(image,))
    return replace(scene, mesh=mesh)


LAMP = Light(position=np.array([0.0, 0.0, 2.0]), color=np.array([3.0, 2.5, 2.0]))
SUN = Sun(direction=np.array([0.6, 0.0, 0.8]), color=np.array([2.0, 1.8, 1.5]))
SKY = Sky(zenith=np.array([0.1, 0.2, 0.4]), horizon=np.array([0.3, 0.35, 0.4]))


@pytest.mark.parametrize(
    "light", [LAMP, replace(LAMP, radius=0.05), SUN, SKY], ids=["point", "ball", "sun", "sky"]
)
def test_irradiance_in_closed_form(light: Light | Sun | Sky) -> None:
    """An open floor gets color / h^2 below a lamp, color times sin(elevation) of a sun, pi (horizon + 2 zenith) / 3 of a sky."""
    if isinstance(light, Light):
        expected = light.color / 4.0
    elif isinstance(light, Sun):
        expected = light.color * 0.8
    else:
        expected = np.pi * (light.horizon + 2 * light.zenith) / 3
    scene = lit((light,))
    renderer = open_renderer("mitsuba", scene)
    seen = renderer.traced(scene.frames[0], samples=256)[9:12, 9:12].reshape(-1, 3).mean(axis=0)
    albedo = float(srgb_to_linear(np.array([188 / 255.0]))[0])
    np.testing.assert_allclose(seen, albedo * expected, rtol=0.06)


def test_textures_lie_as_raycast_lays_them() -> None:
    scene = lit((SUN,), texture=True)
    path, cast = (
        open_renderer(name, scene).render(scene.frames[0]) for name in ("mitsuba", "raycast")
    )
    corners = np.s_[::16, ::16]
    np.testing.assert_array_equal(
        path.rgb[corners].argmax(axis=-1)[:1], cast.rgb[corners].argmax(axis=-1)[:1]
    )
    direct = np.abs(path.rgb[corners].astype(int) - cast.rgb[corners]).max(axis=-1)
    assert direct.max() < 60  # raycast adds ambient light
    assert len(np.unique(cast.rgb[corners].reshape(-1, 3), axis=0)) == 4


def test_what_it_cannot_draw_is_one_line() -> None:
    scene = box_room()
    with pytest.raises(ConfigError, match=r"needs a mesh and lights.*use renderer raycast"):
        open_renderer("mitsuba", replace(scene, lights=()))
    with pytest.raises(ConfigError, match="needs square pixels"):
        open_renderer("mitsuba", scene, height=24, width=40).render(scene.frames[0])


def test_without_the_package_the_extra_is_named() -> None:
    """In a Python that cannot import mitsuba."""
    program = (
        "import sys; sys.modules['mitsuba'] = None\n"
        "from gapdata.errors import MissingDependencyError\n"
        "from gapdata.renderers.mitsuba import load_mitsuba\n"
        "try: load_mitsuba('scalar_rgb')\n"
        "except MissingDependencyError as error: print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "pip install 'gapdata[mitsuba]'" in said
    assert said.count("\n") == 1
