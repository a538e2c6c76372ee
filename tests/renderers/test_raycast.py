"""Ray-cast views: layers, shading against the rendering equation by hand, and metamorphic relations."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gapdata.errors import ConfigError
from gapdata.renderers import open_renderer
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.shading import BACKGROUND, Shader
from gapdata.scene import Light, Scene, Sky
from tests.fixtures.scenes import MeshBuilder, box_room, camera_at, plane_scene, surface_points


def render(scene, number=0, **size):
    return open_renderer("raycast", scene, **size).render(scene.frames[number])


def test_layers_are_aligned_and_named():
    scene = box_room()
    view = render(scene)
    assert view.rgb.shape == (96, 128, 3)
    assert view.depth.shape == view.instance.shape == (96, 128)
    assert (view.depth_source, view.normal_source, view.jpeg) == ("mesh", "mesh", None)
    assert view.frame_id == scene.frames[0].id
    assert (view.depth > 0).all()


@pytest.mark.parametrize("sky", [(), (Sky(zenith=np.ones(3), horizon=np.ones(3)),)])
def test_nothing_outlives_a_renderer(sky: tuple[Sky, ...]) -> None:
    """Trees are freed with it, not when Python looks for cycles: some thousand of them are more than Embree can bear."""
    lamp = Light(position=np.array([0.0, 0.0, 2.9]), color=np.ones(3))
    renderer = open_renderer("raycast", replace(box_room(), lights=(lamp, *sky)))
    renderer.render(box_room().frames[0])
    watched = [weakref.ref(renderer.shader), weakref.ref(renderer._caster)]
    gc.disable()
    try:
        del renderer
        assert [ref() for ref in watched] == [None, None]
    finally:
        gc.enable()


def test_a_size_resizes_the_camera_and_keeps_the_geometry():
    scene = plane_scene(2.0)
    view = render(scene, height=30, width=50)
    np.testing.assert_allclose(view.depth, 2.0, rtol=1e-6)
    expected = scene.frames[0].camera.resized(30, 50)
    np.testing.assert_array_equal(view.camera.K, expected.K)
    assert view.depth.shape == (30, 50)


def test_unlit_colours_pass_unchanged():
    """Every byte value must survive the way to linear light and back."""
    for value in range(0, 256, 5):
        scene = MeshBuilder().quad(
            [(2, -9, -9), (2, 9, -9), (2, 9, 9), (2, -9, 9)], "picture", (value, 255 - value, 128)
        )
        view = render(scene.scene([camera_at((0, 0, 0), (1, 0, 0), height=4, width=6)]))
        assert (view.rgb == [value, 255 - value, 128]).all()


def test_background_where_nothing_is_hit():
    scene = MeshBuilder().box((3, 0, 0), (0.2, 0.2, 0.2), "box", (250, 0, 0))
    view = render(scene.scene([camera_at((0, 0, 0), (1, 0, 0))]))
    missed = view.depth == 0
    assert missed.any()
    assert (view.rgb[missed] == BACKGROUND).all()
    assert not view.instance[missed].any()
    assert not view.normal[missed].any()


def lit_floor(lights, fineness=1):
    floor = [(-4, -4, 0), (4, -4, 0), (4, 4, 0), (-4, 4, 0)]
    builder = MeshBuilder().quad(floor, "floor", (188, 188, 188))
    size = {"height": 61 * fineness, "width": 61 * fineness}
    return builder.scene([camera_at((0.01, 0, 3), (0, 0, 0), **size)], lights)


def test_lambert_and_inverse_square():
    """Direct light falls off as cos / r^2 = h / r^3 on a floor under a point light."""
    height = 1.0
    light = Light(position=np.array([0.0, 0.0, height]), color=np.array([3.0, 3.0, 3.0]))
    scene = lit_floor((light,))
    caster = MeshCaster(scene.mesh)
    hits = caster.cast(scene.frames[0].camera)
    shader = Shader(caster, scene.lights)
    irradiance = shader.light(hits)[0]
    points = np.moveaxis(hits.coordinates_world(), 0, -1)
    expected = 3.0 * height / np.linalg.norm(points - light.position, axis=-1) ** 3
    # A level floor sends nothing to itself.
    np.testing.assert_allclose(
        irradiance, np.broadcast_to(expected, irradiance.shape), rtol=1e-4, atol=1e-6
    )


def test_a_second_light_adds_its_light():
    one = Light(position=np.array([1.0, 0.0, 2.0]), color=np.array([2.0, 1.0, 0.5]))
    two = Light(position=np.array([-1.0, 0.5, 1.5]), color=np.array([0.5, 1.0, 2.0]))
    totals = []
    for lights in [(one,), (two,), (one, two)]:
        scene = lit_floor(lights, fineness=5)
        caster = MeshCaster(scene.mesh)
        totals.append(Shader(caster, lights).light(caster.cast(scene.frames[0].camera))[0])
    # Light of the second is known at every second pixel; between them it is interpolated.
    np.testing.assert_allclose(totals[0] + totals[1], totals[2], rtol=1e-3)


def test_lights_behind_a_surface_do_not_shine_through():
    below = Light(position=np.array([0.0, 0.0, -1.0]), color=np.array([3.0, 3.0, 3.0]))
    above = replace(below, position=np.array([0.0, 0.0, 1.0]))
    dark, bright = (render(lit_floor((light,))).rgb for light in (below, above))
    assert np.ptp(dark) <= 1  # ambient only
    assert bright[30, 30, 0] > dark[30, 30, 0] + 40


def test_shadow_darkens_the_floor_under_a_table():
    """But for single pixels: a shadow narrower than two may be missed."""
    scene = box_room()
    caster = MeshCaster(scene.mesh, scene.instances)
    light = Light(position=np.array([0.0, 0.0, 2.9]), color=np.array([9.0, 9.0, 9.0]))
    hits = caster.cast(scene.frames[0].camera)
    points = hits.coordinates_world().reshape(3, -1).T
    floor = caster.instances_at(hits).reshape(-1) == 1
    shadow = caster.is_shadowed(points, light.position)
    rgb = Shader(caster, (light,)).shade(hits).reshape(-1, 3).astype(float).mean(axis=1)
    assert 20 < (floor & shadow).sum() < floor.sum()
    lit, dark = rgb[floor & ~shadow], rgb[floor & shadow]
    assert np.quantile(lit, 0.01) > np.quantile(dark, 0.98)


def test_exposure_does_not_depend_on_the_unit_of_light():
    scene = box_room()
    brighter = tuple(replace(light, color=light.color * 7.3) for light in scene.lights)
    a, b = render(scene).rgb, render(replace(scene, lights=brighter)).rgb
    assert np.abs(a.astype(int) - b).max() <= 1


def test_moving_the_world_changes_nothing_seen():
    scene = box_room()
    angle, shift = 0.7, np.array([3.0, -2.0, 0.0])
    c, s = np.cos(angle), np.sin(angle)
    move = np.array([[c, -s, 0, shift[0]], [s, c, 0, shift[1]], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    mesh = scene.mesh
    vertices = (mesh.vertices @ move[:3, :3].T + move[:3, 3]).astype(np.float32)
    frame = scene.frames[2]
    moved_frame = replace(frame, camera=frame.camera.moved(move @ frame.camera.cam2world))
    lights = tuple(
        replace(light, position=move[:3, :3] @ light.position + move[:3, 3])
        for light in scene.lights
    )
    moved = replace(scene, mesh=replace(mesh, vertices=vertices), lights=lights)
    a = open_renderer("raycast", scene).render(frame)
    b = open_renderer("raycast", moved).render(moved_frame)
    assert (a.instance != b.instance).mean() < 2e-3
    same = a.instance == b.instance
    np.testing.assert_allclose(a.depth[same], b.depth[same], rtol=1e-4)
    assert (np.abs(a.normal - b.normal)[same].max(axis=-1) > 1e-3).mean() < 2e-3


def test_mirrored_scene_gives_the_mirrored_image():
    scene = box_room()
    mirror = np.array([1.0, -1.0, 1.0])
    mesh = replace(
        scene.mesh,
        vertices=(scene.mesh.vertices * mirror).astype(np.float32),
        faces=np.ascontiguousarray(scene.mesh.faces[:, ::-1]),
    )
    camera = camera_at((2.5, 0.4, 1.5), (0, 0.2, 0.7))
    twin = camera_at((2.5, -0.4, 1.5), (0, -0.2, 0.7))
    frames = [replace(scene.frames[0], camera=c) for c in (camera, twin)]
    lights = tuple(replace(light, position=light.position * mirror) for light in scene.lights)
    a = open_renderer("raycast", scene).render(frames[0])
    b = open_renderer("raycast", replace(scene, mesh=mesh, lights=lights)).render(frames[1])
    flipped = b.instance[:, ::-1]
    same = a.instance == flipped
    assert same.mean() > 0.998
    np.testing.assert_allclose(a.depth[same], b.depth[:, ::-1][same], rtol=1e-3)
    # The pattern in which soft light is sampled is not mirrored: its noise is averaged away first.
    smooth = [cv2.blur(rgb.astype(np.float32), (9, 9)) for rgb in (a.rgb, b.rgb[:, ::-1])]
    apart = np.abs(smooth[0] - smooth[1]).max(axis=-1)
    assert apart.mean() < 2
    assert np.percentile(apart, 99) < 10


def test_rendering_twice_gives_the_same_arrays():
    scene = box_room()
    renderer = open_renderer("raycast", scene)
    other = open_renderer("raycast", scene)
    renderer.render(scene.frames[3])
    a, b = renderer.render(scene.frames[1]), other.render(scene.frames[1])
    for layer in ("rgb", "depth", "normal", "instance"):
        np.testing.assert_array_equal(getattr(a, layer), getattr(b, layer))
    assert [m.outside for m in a.amodal] == [m.outside for m in b.amodal]


def test_coarse_depth_is_the_depth_of_a_smaller_image():
    scene = plane_scene(2.0)
    depth, camera = open_renderer("raycast", scene).coarse_depth(scene.frames[0])
    assert depth.shape == (camera.height, camera.width)
    assert depth.size <= 5000
    np.testing.assert_allclose(depth, 2.0, rtol=1e-6)


def test_scenes_without_a_mesh_are_refused():
    room = box_room()
    scene = Scene(id="cloud", source="test", frames=room.frames, points=surface_points(room, 100))
    with pytest.raises(ConfigError, match=r"test: cloud: .*needs a mesh.*captured or points"):
        open_renderer("raycast", scene)


@pytest.mark.parametrize("size", [{"height": 10}, {"width": 10}, {"height": 0, "width": 5}])
def test_half_a_size_is_refused(size):
    with pytest.raises(ConfigError, match="height"):
        open_renderer("raycast", plane_scene(), **size)
