"""How fast `raycast` draws and encodes 640x480 views, per core, against a floor timed in the same run.

floor = the rays that a view takes (one a pixel first, one a pixel towards the first light, at every second
pixel of both axes one for light from all around and one for each other lamp) + encoding of rgb, depth, normal
and instance. Drawn are the rooms of the first --from that have most nearly --objects instances. Every view is
timed for both, one right after the other, on one core. Run it from the repository's root:
python pipelines/benchmarks/raycast.py
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import cv2
import numpy as np
from machine import describe_run

from gapdata.renderers.light import hidden
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.raycast import RaycastRenderer
from gapdata.scene import Scene, Sky
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


def measure(scene: Scene, frames: int) -> list[tuple[float, float, float, float, float]]:
    """Per view in ms: primary cast, shadow cast, casts of soft light, encoding, render and encoding."""
    renderer = RaycastRenderer(scene, HEIGHT, WIDTH)
    assert scene.mesh is not None
    caster = MeshCaster(scene.mesh)
    key, *others = (light for light in scene.lights if not isinstance(light, Sky))
    rows = []
    for frame in scene.frames[:: max(1, len(scene.frames) // frames)][:frames]:
        camera = frame.camera.resized(HEIGHT, WIDTH)
        view = renderer.render(frame)
        hits = caster.cast(camera)
        points = hits.coordinates_world()[:, hits.depth > 0].T.copy()
        few = np.ascontiguousarray(points[::4])
        place = np.arange(len(points))
        around = np.random.default_rng(0).standard_normal(few.shape).astype(np.float32)

        def soft(few=few, around=around, place=place) -> None:
            caster.sides_met(few, around)
            for light in others:
                hidden(caster, light, few, place[: len(few)], 64)

        primary = fastest(lambda camera=camera: caster.cast(camera))
        shadow = fastest(lambda p=points, n=place: hidden(caster, key, p, n, 16))
        encoding = fastest(lambda view=view: encode(view))
        whole = fastest(lambda frame=frame: encode(renderer.render(frame)))
        rows.append((primary, shadow, fastest(soft), encoding, whole))
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
    rows = [row for room in rooms for row in measure(room, options.views)]
    primary, shadow, soft, encoding, whole = np.mean(rows, axis=0)
    floor = primary + shadow + soft + encoding
    counts = ", ".join(f"{len(room.instances)} with {len(room.lights)} lights" for room in rooms)
    print(
        f"raycast {WIDTH}x{HEIGHT}, {len(rows)} views of rooms of instances: {counts}; one core, mean ms a view"
    )
    print(
        "| first cast | shadow cast | soft casts | encoding | floor | render + encode | floor / ours | views/s, 2 cores |"
    )
    print("|---|---|---|---|---|---|---|---|")
    values = [primary, shadow, soft, encoding, floor, whole]
    print(
        "| "
        + " | ".join(f"{value:.1f}" for value in values)
        + f" | {floor / whole:.2f} | {2000 / whole:.1f} |"
    )
    print(describe_run())


if __name__ == "__main__":
    main()
