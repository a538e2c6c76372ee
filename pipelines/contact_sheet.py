"""Many synthetic scenes on one picture, to look at before training on them: the best views of each, and its plan.

A scene's best views are those that show most things, each counted once. The plan is seen from high above without
ceilings. Scenes are drawn by all processors. Run it from the repository's root:
python pipelines/contact_sheet.py --world house --scenes 6 --views 3 --plan --out out/houses.png
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from gapdata.geometry.camera import Camera, intrinsics
from gapdata.geometry.transforms import look_at
from gapdata.labels import is_structure
from gapdata.preview import write_png
from gapdata.renderers import open_renderer
from gapdata.scene import Frame, Scene
from gapdata.sources import open_source
from gapdata.synthetic import DEFAULT_DIFFICULTY, WORLDS

MIN_PIXELS = 200  # at 640 x 480, of a thing that a view shows
SCOUT = (120, 160)  # height and width at which views are compared
HIGH_M = 100.0  # above the ground, from where a plan is seen
COVERS = frozenset({"ceiling", "ceiling light"})  # what hides a plan
CAPTION = 18  # pixels


def best_frames(scene: Scene, count: int) -> list[Frame]:
    """The frame that shows most things, then the one that shows most of the others, and so on."""
    height, width = SCOUT
    renderer = open_renderer("raycast", replace(scene, lights=()), height=height, width=width)
    least = MIN_PIXELS * height * width / (640 * 480)
    shell = {item.id for item in scene.instances if is_structure(item.label, item.nyu40)}
    shown = []
    for frame in scene.frames:
        instance, pixels = np.unique(renderer.render(frame).instance, return_counts=True)
        shown.append(set(instance[pixels >= least].tolist()) - shell - {0})
    chosen: list[int] = []
    seen: set[int] = set()
    for _ in range(min(count, len(shown))):
        left = [number for number in range(len(shown)) if number not in chosen]
        chosen.append(max(left, key=lambda number: len(shown[number] - seen)))
        seen |= shown[chosen[-1]]
    return [scene.frames[number] for number in sorted(chosen)]


def without(scene: Scene, labels: frozenset[str]) -> Scene:
    """The scene without the instances that have one of the labels."""
    assert scene.mesh is not None
    gone = [item.id for item in scene.instances if item.label in labels]
    cut = scene.mesh.part(~np.isin(scene.mesh.face_instance, gone))
    return replace(
        scene,
        mesh=cut,
        instances=tuple(item for item in scene.instances if item.label not in labels),
    )


def plan_frame(scene: Scene, height: int, width: int) -> Frame:
    """A camera so high above the scene that its picture is nearly a map, x to the right and y up."""
    assert scene.mesh is not None
    low, high = scene.mesh.vertices.min(axis=0), scene.mesh.vertices.max(axis=0)
    middle, extent = 0.5 * (low + high).astype(np.float64), (high - low).astype(np.float64)
    eye = middle + [0.0, -1e-3, HIGH_M]
    focal = 0.94 * (HIGH_M - 0.5 * extent[2]) * min(width / extent[0], height / extent[1])
    K = intrinsics(focal, focal, 0.5 * (width - 1), 0.5 * (height - 1))
    camera = Camera(K=K, cam2world=look_at(eye, middle), height=height, width=width)
    return Frame(id="plan", camera=camera, timestamp_s=0.0)


def pictures(scene: Scene, options: argparse.Namespace) -> Iterator[tuple[str, np.ndarray]]:
    """(caption, picture) of the plan, where asked for, and of the best views."""
    height, width = options.height, options.height * 4 // 3
    if options.plan:
        opened = without(scene, COVERS)
        frame = plan_frame(opened, height, width)
        yield (
            f"{scene.id} plan, {len(scene.instances)} instances",
            open_renderer("raycast", opened).render(frame).rgb,
        )
    renderer = open_renderer(options.renderer, scene, height=height, width=width)
    for frame in best_frames(scene, options.views):
        yield f"{scene.id} {frame.id}", renderer.render(frame).rgb


def tiles(scene_id: str, options: argparse.Namespace) -> list[np.ndarray]:
    """The scene's captioned pictures."""
    cv2.setNumThreads(1)
    found = []
    for caption, picture in pictures(source_of(options).load(scene_id), options):
        tile = cv2.copyMakeBorder(picture, CAPTION, 2, 2, 2, cv2.BORDER_CONSTANT)
        where, font = (4, CAPTION - 5), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(tile, caption, where, font, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
        found.append(tile)
    return found


def source_of(options: argparse.Namespace):
    return open_source(
        "synthetic", world=options.world, num_scenes=options.first + options.scenes,
        seed=options.seed, difficulty=options.difficulty, trajectory=options.trajectory,
    )  # fmt: skip


def sheet(rows: list[np.ndarray], columns: int) -> np.ndarray:
    """The pictures side by side, `columns` in a row."""
    rows = rows + [np.zeros_like(rows[0])] * (-len(rows) % columns)
    return np.concatenate(
        [
            np.concatenate(rows[start : start + columns], axis=1)
            for start in range(0, len(rows), columns)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="room", choices=sorted(WORLDS))
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--first", type=int, default=0, help="number of the first scene")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--difficulty", type=float, default=DEFAULT_DIFFICULTY)
    parser.add_argument("--trajectory", default="", help="of the camera; default: the world's own")
    parser.add_argument("--views", type=int, default=1, help="of each scene")
    parser.add_argument("--plan", action="store_true", help="with each scene's plan")
    parser.add_argument("--renderer", default="raycast")
    parser.add_argument("--height", type=int, default=360, help="of one picture, pixels")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    ids = sorted(scene for split in source_of(options).splits().values() for scene in split)
    with ProcessPoolExecutor(options.workers) as pool:
        made = list(pool.map(partial(tiles, options=options), ids[options.first :]))
    write_png(sheet([tile for scene in made for tile in scene], options.columns), options.out)


if __name__ == "__main__":
    main()
