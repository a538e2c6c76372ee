"""How fast `raycast` draws and encodes 640x480 views, per core, against a floor timed in the same run.

floor = one primary cast + one shadow cast (every hit pixel towards the first light) + encoding of rgb,
depth, normal and instance. Every view is timed for both, one right after the other, on one core. Run it
from the repository's root: python pipelines/benchmarks/raycast.py
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import cv2
import numpy as np
from machine import describe_run

from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.raycast import RaycastRenderer
from gapdata.scene import Scene
from gapdata.shards.codec import encode_depth, encode_instance, encode_normal, encode_rgb
from gapdata.sources import open_source
from gapdata.view import View

HEIGHT, WIDTH = 480, 640
REPEATS = 3  # the fastest of these counts, for both sides


def encode(view: View) -> int:
    assert view.rgb is not None
    assert view.depth is not None
    assert view.normal is not None
    assert view.instance is not None
    layers = (
        encode_rgb(view.rgb),
        encode_depth(view.depth),
        encode_normal(view.normal),
        encode_instance(view.instance),
    )
    return sum(map(len, layers))


def fastest(work: Callable[[], object]) -> float:
    """Milliseconds of the fastest of REPEATS runs."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def measure(scene: Scene, frames: int) -> list[tuple[float, float, float, float]]:
    """Per view in ms: primary cast, shadow cast, encoding, render and encoding."""
    renderer = RaycastRenderer(scene, HEIGHT, WIDTH)
    assert scene.mesh is not None
    caster = MeshCaster(scene.mesh)
    light = scene.lights[0].position
    rows = []
    for frame in scene.frames[:: max(1, len(scene.frames) // frames)][:frames]:
        camera = frame.camera.resized(HEIGHT, WIDTH)
        view = renderer.render(frame)
        hits = caster.cast(camera)
        points = hits.coordinates_world()[:, hits.depth > 0].T.copy()
        primary = fastest(lambda camera=camera: caster.cast(camera))
        shadow = fastest(lambda points=points: caster.is_shadowed(points, light))
        encoding = fastest(lambda view=view: encode(view))
        whole = fastest(lambda frame=frame: encode(renderer.render(frame)))
        rows.append((primary, shadow, encoding, whole))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=3)
    parser.add_argument("--views", type=int, default=8, help="views a scene")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    source = open_source("synthetic", num_scenes=options.scenes, seed=options.seed)
    scenes = sorted(scene for ids in source.splits().values() for scene in ids)
    rows = [row for scene in scenes for row in measure(source.load(scene), options.views)]
    primary, shadow, encoding, whole = np.mean(rows, axis=0)
    floor = primary + shadow + encoding
    print(
        f"raycast {WIDTH}x{HEIGHT}, {len(rows)} views of {len(scenes)} rooms, one core, mean ms a view"
    )
    print("| primary cast | shadow cast | encoding | floor | render + encode | floor / ours |")
    print("|---|---|---|---|---|---|")
    values = [primary, shadow, encoding, floor, whole]
    print("| " + " | ".join(f"{value:.1f}" for value in values) + f" | {floor / whole:.2f} |")
    print(describe_run())


if __name__ == "__main__":
    main()
