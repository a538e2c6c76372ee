"""How fast `raycast` draws and encodes 640x480 views, per core, against a floor timed in the same run.

floor = what is spent inside Embree, for all rays that a view takes, + encoding of rgb, depth, normal and instance.
Drawn are the rooms of the first --from that have most nearly --objects instances, on one core. Run it from the
repository's root:
python pipelines/benchmarks/raycast.py
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from machine import describe_run

from gapdata.renderers import amodal, mesh_caster
from gapdata.renderers.raycast import RaycastRenderer
from gapdata.renderers.rays import raycasting_scene
from gapdata.scene import Scene
from gapdata.shards.codec import encode_depth, encode_instance, encode_normal, encode_rgb
from gapdata.sources import open_source
from gapdata.view import View

HEIGHT, WIDTH = 480, 640
REPEATS = 3  # the fastest of these counts


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


class TimedTree:
    """An Open3D RaycastingScene that counts rays and the seconds spent on them."""

    rays = 0
    seconds = 0.0

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        self._tree = raycasting_scene(vertices, faces)

    def cast_rays(self, rays: Any, **options: Any) -> Any:
        """As the tree's own."""
        return self._timed(self._tree.cast_rays, rays, **options)

    def test_occlusions(self, rays: Any, *limits: float, **options: Any) -> Any:
        """As the tree's own."""
        return self._timed(self._tree.test_occlusions, rays, *limits, **options)

    @staticmethod
    def _timed(call: Callable[..., Any], rays: Any, *limits: float, **options: Any) -> Any:
        start = time.perf_counter()
        answer = call(rays, *limits, **options)
        TimedTree.seconds += time.perf_counter() - start
        TimedTree.rays += rays.numpy().size // 6
        return answer


def measure(scene: Scene, frames: int) -> list[tuple[float, float, float, float]]:
    """Per view: thousands of rays, and ms of casting them, of encoding, and of render and encoding."""
    renderer = RaycastRenderer(scene, HEIGHT, WIDTH)
    rows = []
    for frame in scene.frames[:: max(1, len(scene.frames) // frames)][:frames]:
        renderer.render(frame)
        runs = []
        for _ in range(REPEATS):
            TimedTree.rays, TimedTree.seconds = 0, 0.0
            start = time.perf_counter()
            view = renderer.render(frame)
            drawn = time.perf_counter()
            encode(view)
            end = time.perf_counter()
            casting, encoding, whole = TimedTree.seconds, end - drawn, end - start
            runs.append((whole * 1e3, encoding * 1e3, casting * 1e3, TimedTree.rays / 1e3))
        whole, encoding, casting, rays = min(runs)
        rows.append((rays, casting, encoding, whole))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--from", dest="among", type=int, default=24)
    parser.add_argument("--objects", type=int, default=60)
    parser.add_argument("--views", type=int, default=8, help="views a scene")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    source = open_source("synthetic", num_scenes=options.among, seed=options.seed)
    rooms = [source.load(scene) for ids in source.splits().values() for scene in ids]
    rooms.sort(key=lambda room: abs(len(room.instances) - options.objects))
    rooms = rooms[: options.scenes]
    mesh_caster.raycasting_scene = amodal.raycasting_scene = TimedTree  # type: ignore[assignment]
    rows = [row for room in rooms for row in measure(room, options.views)]
    rays, casting, encoding, whole = np.mean(rows, axis=0)
    floor = casting + encoding
    counts = ", ".join(f"{len(room.instances)} with {len(room.lights)} lights" for room in rooms)
    print(
        f"raycast {WIDTH}x{HEIGHT}, {len(rows)} views of rooms of instances: {counts}; one core, mean ms a view"
    )
    print(
        "| thousand rays | casts | encoding | floor | render + encode | floor / ours | views/s, 2 cores |"
    )
    print("|---|---|---|---|---|---|---|")
    values = [rays, casting, encoding, floor, whole]
    print(
        "| "
        + " | ".join(f"{value:.1f}" for value in values)
        + f" | {floor / whole:.2f} | {2000 / whole:.1f} |"
    )
    print(describe_run())


if __name__ == "__main__":
    main()
