"""How far a scan's mesh lies from its sensor's depth: absolute difference over all frames and pixels that have both.

python pipelines/benchmarks/mesh_depth.py --root DATASET [--scene ID]
"""

from __future__ import annotations

import argparse

import numpy as np
from machine import describe_run

from gapdata.geometry.depth import resample_depth
from gapdata.renderers import open_renderer
from gapdata.sources import open_source


def main() -> None:
    """Print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--scene", default="scene9000_00")
    args = parser.parse_args()
    scene = open_source("scannet", args.root).load(args.scene)
    renderer = open_renderer("raycast", scene)
    differences = []
    for frame in scene.frames:
        recording = frame.recording
        assert recording is not None
        measured = resample_depth(recording.read_depth(), recording.depth_camera, frame.camera)
        drawn = renderer.render(frame).depth
        assert drawn is not None
        both = (measured > 0) & (drawn > 0)
        differences.append(np.abs(drawn - measured)[both])
    values = 1000 * np.concatenate(differences)
    median, ninety = np.percentile(values, [50, 90])
    print(describe_run())
    print(
        f"{len(scene.frames)} frames, {len(values)} pixels: median {median:.1f} mm, 90 % within {ninety:.1f} mm"
    )


if __name__ == "__main__":
    main()
