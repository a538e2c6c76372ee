"""How fast a scan's own RGB-D becomes samples, against a floor timed in the same run, on one core.

floor = reading the JPEG (copied, not decoded) and decoding the depth of every view, and encoding its depth, normals and
instance ids. Reported for the views alone (render + encode) and for whole samples (with view selection, scene
points, facts, questions, meta data and the tar). Loading the scene is a row of its own: it is paid once a scene.

Run it from the repository's root: python pipelines/benchmarks/captured.py --root DATASET
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable

import cv2
import numpy as np
from machine import describe_run
from threadpoolctl import threadpool_limits

from gapdata.build_config import BuildConfig
from gapdata.pipeline import SceneSamples
from gapdata.renderers import open_renderer
from gapdata.scene import Frame
from gapdata.selection import select_views
from gapdata.shards.codec import encode_depth, encode_instance, encode_normal
from gapdata.shards.writer import ShardWriter
from gapdata.sources import open_source
from gapdata.view import View

REPEATS = 5  # the fastest of these counts, for both sides


def fastest(work: Callable[[], object]) -> float:
    """Milliseconds of the fastest of REPEATS runs."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def encode(view: View) -> None:
    assert view.depth is not None
    assert view.normal is not None
    assert view.instance is not None
    encode_depth(view.depth)
    encode_normal(view.normal)
    encode_instance(view.instance)


def read(frame: Frame) -> None:
    assert frame.recording is not None
    assert frame.recording.read_jpeg is not None
    frame.recording.read_jpeg()
    frame.recording.read_depth()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--scene", default="scene9000_00")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    source = open_source("scannet", options.root)
    config = BuildConfig(source="scannet", out="unused").sample_config("captured")
    with threadpool_limits(1), tempfile.TemporaryDirectory() as out:
        scene = source.load(options.scene)
        renderer = open_renderer("captured", scene)
        groups, _ = select_views(scene, renderer, config.selection, np.random.default_rng(0))
        frames = [frame for group in groups for frame in group]
        views = [renderer.render(frame) for frame in frames]

        def samples() -> None:
            with ShardWriter(out, "shard.tar") as writer:
                for sample in SceneSamples(scene=scene, split="train", config=config):
                    writer.write(writer.encode(sample))

        reading = fastest(lambda: [read(frame) for frame in frames])
        encoding = fastest(lambda: [encode(view) for view in views])
        drawing = fastest(lambda: [encode(renderer.render(frame)) for frame in frames])
        whole = fastest(samples)
        loading = fastest(lambda: source.load(options.scene))
    floor = reading + encoding
    print(describe_run())
    print(
        f"{len(frames)} views of {frames[0].camera.width}x{frames[0].camera.height}, {len(groups)} samples"
    )
    print(f"{'ms a view':34}{'time':>8}{'floor / time':>14}")
    rows = {"floor: read": reading, "floor: encode": encoding, "floor": floor}
    rows |= {
        "views: render + encode": drawing,
        "whole samples": whole,
        "(loading the scene)": loading,
    }
    for name, time_ms in rows.items():
        ratio = (
            f"{floor / time_ms:14.2f}"
            if name in ("views: render + encode", "whole samples")
            else ""
        )
        print(f"{name:34}{time_ms / len(frames):8.1f}{ratio}")


if __name__ == "__main__":
    main()
