"""Questions asked a second on one core, and how facts grow with the number of instances. Rendering is not timed.

python pipelines/benchmarks/questions.py [--scenes N] [--samples N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from machine import describe_run
from threadpoolctl import threadpool_limits

from gapdata.geometry.boxes import Box
from gapdata.geometry.camera import Camera, intrinsics_from_fov
from gapdata.geometry.transforms import look_at
from gapdata.renderers import open_renderer
from gapdata.scene import Frame, Instance, PointCloud, Scene
from gapdata.sources import open_source
from gapdata.tasks import TASKS, open_task
from gapdata.tasks.engine import ask_questions
from gapdata.tasks.facts import Facts, SceneFacts
from gapdata.view import View

HEIGHT, WIDTH, VIEWS = 480, 640, 4
POINTS = 64  # an object of the growing scene


def ask_scene(scene: Scene, samples: Sequence[Sequence[View]]) -> tuple[int, float]:
    """Number of questions about a scene's samples, and the processor time of facts, tasks and wording."""
    tasks = [open_task(name) for name in sorted(TASKS)]
    start, asked = time.process_time(), 0
    scene_facts = SceneFacts(scene)
    for index, views in enumerate(samples):
        rows = ask_questions(
            Facts(scene_facts, views), tasks, seed=0, scene_id=scene.id, sample_index=index, key="k"
        )
        asked += len(rows)
    return asked, time.process_time() - start


def throughput(num_scenes: int, num_samples: int) -> None:
    """Print questions a second over synthetic scenes, four views a sample."""
    source = open_source("synthetic", num_scenes=num_scenes)
    total, seconds = 0, 0.0
    for scene_id in sorted(name for names in source.splits().values() for name in names):
        scene = source.load(scene_id)
        renderer = open_renderer("raycast", scene, height=HEIGHT, width=WIDTH)
        last = len(scene.frames) - 1
        chosen = [np.linspace(i, last - i, VIEWS).astype(int) for i in range(num_samples)]
        samples = [[renderer.render(scene.frames[i]) for i in numbers] for numbers in chosen]
        asked, spent = ask_scene(scene, samples)
        total, seconds = total + asked, seconds + spent
    print(
        f"{num_scenes} scenes x {num_samples} samples x {VIEWS} views {WIDTH}x{HEIGHT}: "
        f"{total} questions in {seconds:.2f} s = {total / seconds:.0f} questions/s"
    )


def cloud_scene(count: int) -> Scene:
    """`count` small objects of as many labels in a hall before a camera, as points."""
    rng = np.random.default_rng(0)
    centers = np.stack(
        [rng.uniform(-6, 6, count), rng.uniform(2, 14, count), rng.uniform(0, 3, count)], axis=-1
    )
    xyz = centers[:, None] + rng.uniform(-0.05, 0.05, (count, POINTS, 3))
    instances = []
    for index, center in enumerate(centers):
        box = Box(center=center, size=np.full(3, 0.1), rotation=np.eye(3))
        label = f"thing {index}x"
        instances.append(Instance(id=index + 1, label=label, nyu40=0, box=box, aabb=box))
    flat = count * POINTS
    cloud = PointCloud(
        xyz=xyz.reshape(-1, 3).astype(np.float32),
        color=np.full((flat, 3), 128, np.uint8),
        normal=np.zeros((flat, 3), np.float32),
        instance=np.repeat(np.arange(1, count + 1), POINTS).astype(np.uint16),
    )
    camera = Camera(
        K=intrinsics_from_fov(np.deg2rad(80), HEIGHT, WIDTH),
        cam2world=look_at(np.array([0.0, 0, 1.5]), np.array([0.0, 8, 1.5])),
        height=HEIGHT,
        width=WIDTH,
    )
    frames = (Frame(id="000000", camera=camera, timestamp_s=0.0),)
    return Scene(
        id="hall", source="synthetic", frames=frames, instances=tuple(instances), points=cloud
    )


def growth() -> None:
    """Print the time of facts that are not pairwise, and of all pairwise distances, by number of instances."""
    print(f"{'instances':>10} {'facts ms':>9} {'all pairs s':>12}")
    for count in (125, 250, 500, 1000, 2000):
        scene = cloud_scene(count)
        view = open_renderer("points", scene).render(scene.frames[0])
        start = time.process_time()
        facts = Facts(SceneFacts(scene), [view])
        spent = time.process_time() - start
        pairs = ""
        if count <= 500:
            start = time.process_time()
            for a in range(count):
                facts.scene.surfaces.distances(a, range(a))
            pairs = f"{time.process_time() - start:12.2f}"
        print(f"{count:10d} {1e3 * spent:9.1f} {pairs}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=5)
    parser.add_argument("--samples", type=int, default=4)
    args = parser.parse_args()
    print(describe_run())
    with threadpool_limits(1):
        throughput(args.scenes, args.samples)
        growth()


if __name__ == "__main__":
    main()
