"""How fast views of a furnished room are drawn, side by side at one size, in one run.

`raycast` draws every layer (colour with soft shadows, depth, normals, instance ids, amodal masks). Beside it:
Open3D's OffscreenRenderer (colour, depth, normals and ids, a pass each) and pyrender (colour and depth in one
pass, ids in another; it has no pass for normals), both in Mesa's software rasteriser where there is no graphics
processor, and Mitsuba's scalar path tracer at 16 samples, colour only. What is not installed or cannot start (Mesa:
Debian's libegl-mesa0, libgl1-mesa-dri and mesa-vulkan-drivers) is left out and named. Every view is drawn by all in
turn; times are the fastest of some repeats. `raycast` works on one core, Mesa and Mitsuba on all there are. Run it
from the repository's root:
python pipelines/benchmarks/renderers.py
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from collections.abc import Callable
from dataclasses import replace

os.environ.setdefault("PYOPENGL_PLATFORM", "egl")

import cv2
import numpy as np
from machine import describe_run

from gapdata.mesh_surface import LINEAR_OF_BYTE
from gapdata.renderers import open_renderer
from gapdata.renderers.mitsuba import MitsubaRenderer
from gapdata.scene import AreaLight, Frame, Light, Mesh, Scene
from gapdata.sources import open_source

HEIGHT, WIDTH = 480, 640
REPEATS = 3
MITSUBA_SAMPLES = 16
Draw = Callable[[Frame], object]


def raycast(scene: Scene) -> Draw:
    return open_renderer("raycast", scene, height=HEIGHT, width=WIDTH).render


def raycast_alone(scene: Scene) -> Draw:
    """Without the amodal masks, which the others do not make."""
    return raycast(replace(scene, instances=()))


def mitsuba(scene: Scene) -> Draw:
    renderer = open_renderer("mitsuba", scene, height=HEIGHT, width=WIDTH)
    assert isinstance(renderer, MitsubaRenderer)
    return lambda frame: renderer.traced(frame, samples=MITSUBA_SAMPLES)


def flat(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(vertices, faces, vertex colours in [0, 1]) of the mesh with its faces taken apart."""
    corners = mesh.faces.reshape(-1)
    faces = np.arange(len(corners)).reshape(-1, 3)
    return mesh.vertices[corners], faces, mesh.vertex_color[corners] / 255.0


def instance_colors(mesh: Mesh) -> np.ndarray:
    """Colours in [0, 1] of all corners that tell the instances apart."""
    number = np.repeat(mesh.face_instance.astype(np.int64), 3)
    return np.stack([number % 256, number // 256, np.zeros_like(number)], axis=-1) / 255.0


def lamps(scene: Scene) -> list[Light | AreaLight]:
    return [light for light in scene.lights if isinstance(light, Light | AreaLight)]


def open3d_offscreen(scene: Scene) -> Draw:
    import open3d as o3d

    assert scene.mesh is not None
    rendering = o3d.visualization.rendering
    renderer = rendering.OffscreenRenderer(WIDTH, HEIGHT)
    vertices, faces, colors = flat(scene.mesh)
    for name, shader, painted in (
        ("color", "defaultLit", colors),
        ("normal", "normals", colors),
        ("ids", "defaultUnlit", instance_colors(scene.mesh)),
    ):
        mesh = o3d.geometry.TriangleMesh(
            o3d.utility.Vector3dVector(vertices), o3d.utility.Vector3iVector(faces)
        )
        mesh.vertex_colors = o3d.utility.Vector3dVector(painted)
        mesh.compute_vertex_normals()
        material = rendering.MaterialRecord()
        material.shader = shader
        renderer.scene.add_geometry(name, mesh, material)
    for number, light in enumerate(lamps(scene)):
        color = light.color / light.color.max()
        renderer.scene.scene.add_point_light(
            f"light{number}", color, light.position, 1e5, 20.0, number == 0
        )

    def show(name: str) -> None:
        for other in ("color", "normal", "ids"):
            renderer.scene.show_geometry(other, other == name)
        renderer.scene.view.set_post_processing(name == "color")

    def draw(frame: Frame) -> object:
        camera = frame.camera.resized(HEIGHT, WIDTH)
        renderer.setup_camera(camera.K, np.linalg.inv(camera.cam2world), WIDTH, HEIGHT)
        layers = []
        for name in ("color", "normal", "ids"):
            show(name)
            layers.append(np.asarray(renderer.render_to_image()))
        layers.append(np.asarray(renderer.render_to_depth_image(z_in_view_space=True)))
        return layers

    return draw


def pyrender_offscreen(scene: Scene) -> Draw:
    import pyrender

    assert scene.mesh is not None
    world = pyrender.Scene(ambient_light=[0.3, 0.3, 0.3])
    of_node = {}
    for number in np.unique(scene.mesh.face_instance).tolist():
        corners = scene.mesh.faces[scene.mesh.face_instance == number].reshape(-1)
        part = pyrender.Primitive(
            positions=scene.mesh.vertices[corners],
            color_0=LINEAR_OF_BYTE[scene.mesh.vertex_color[corners]],
            normals=np.zeros((len(corners), 3), np.float32) + [0, 0, 1],
        )
        of_node[world.add(pyrender.Mesh([part]))] = (number % 256, number // 256, 0)
    for light in lamps(scene):
        pose = np.eye(4)
        pose[:3, 3] = light.position
        world.add(pyrender.PointLight(color=np.ones(3), intensity=30.0), pose=pose)
    renderer = pyrender.OffscreenRenderer(WIDTH, HEIGHT)
    K = scene.frames[0].camera.resized(HEIGHT, WIDTH).K
    node = world.add(pyrender.IntrinsicsCamera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], znear=0.01))

    def draw(frame: Frame) -> object:
        world.set_pose(node, frame.camera.cam2world @ np.diag([1.0, -1.0, -1.0, 1.0]))
        color, depth = renderer.render(world)
        ids, _ = renderer.render(world, flags=pyrender.RenderFlags.SEG, seg_node_map=of_node)
        return color, depth, ids

    return draw


RENDERERS: dict[str, tuple[str, Callable[[Scene], Draw], str]] = {
    "raycast": ("open3d", raycast, "colour, depth, normals, ids, amodal masks"),
    "raycast, no amodal masks": ("open3d", raycast_alone, "colour, depth, normals, ids"),
    "open3d offscreen": ("open3d", open3d_offscreen, "colour, depth, normals, ids"),
    "pyrender": ("pyrender", pyrender_offscreen, "colour, depth, ids"),
    f"mitsuba scalar, {MITSUBA_SAMPLES} samples": ("mitsuba", mitsuba, "colour"),
}


def fastest(draw: Draw, frame: Frame, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        draw(frame)
        times.append(time.perf_counter() - start)
    return min(times)


def start(scene: Scene) -> tuple[dict[str, Draw], list[str]]:
    """(renderers that work here, why each of the others does not)."""
    draws, left_out = {}, []
    for name, (package, opened, _) in RENDERERS.items():
        try:
            importlib.import_module(package)
            draws[name] = opened(scene)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is a reason
            left_out.append(f"{name}: {type(error).__name__}: {error}")
    return draws, left_out


def measure(
    scene: Scene, draws: dict[str, Draw], views: int, slow_views: int
) -> dict[str, list[float]]:
    """Seconds of each view by each renderer; only `slow_views` of them by Mitsuba, once each."""
    times: dict[str, list[float]] = {name: [] for name in draws}
    frames = scene.frames[:: max(1, len(scene.frames) // views)][:views]
    for name, draw in draws.items():
        if RENDERERS[name][0] != "mitsuba":
            draw(frames[0])
    for number, frame in enumerate(frames):
        for name, draw in draws.items():
            is_slow = RENDERERS[name][0] == "mitsuba"
            if not is_slow or number < slow_views:
                times[name].append(fastest(draw, frame, 1 if is_slow else REPEATS))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", default="room_000000")
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--slow-views", type=int, default=1, help="of these, drawn by Mitsuba too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    scene = open_source("synthetic", num_scenes=100).load(options.scene)
    draws, left_out = start(scene)
    times = measure(scene, draws, options.views, options.slow_views)
    assert scene.mesh is not None
    print(
        f"{options.scene}: {len(scene.instances)} instances, {len(scene.mesh.faces)} faces, {len(scene.lights)} lights; "
        f"{WIDTH}x{HEIGHT}, {options.views} views, mean ms a view"
    )
    print("| renderer | layers | ms | times raycast |")
    print("|---|---|---|---|")
    own = np.array(times["raycast"])
    for name in draws:
        taken = np.array(times[name])
        ratio = taken.mean() / own[: len(taken)].mean()
        print(f"| {name} | {RENDERERS[name][2]} | {1000 * taken.mean():.0f} | {ratio:.2f} |")
    print(*(f"left out: {line}" for line in left_out), sep="\n", end="\n" if left_out else "")
    print(describe_run())


if __name__ == "__main__":
    main()
