"""What a world's scenes are like: solid, held, varied, of real sizes, and how long and how much memory one takes.

Physics is judged from the drawn triangles with fcl (see physics.py), sizes by published_sizes.py. Seconds are CPU time
of one core; the first scene of a process, which also draws the textures, is not counted. Exit 1 when something
penetrates or floats.

python pipelines/benchmarks/worlds.py --world room --scenes 200 [--workers 2] [--difficulty 0.5] [--views 4]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from machine import describe_run
from memory import peak_megabytes
from physics import CARRIERS, Bodies
from published_sizes import HABITABLE_AREA, LEAST_CEILING, published
from scipy import ndimage

from gapdata.build_config import BuildConfig
from gapdata.labels import STRUCTURE_LABELS
from gapdata.renderers import open_renderer
from gapdata.scene import Scene
from gapdata.selection import select_views
from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic import DEFAULT_DIFFICULTY, DEFAULT_WORLD, WORLDS
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SceneFacts
from gapdata.tasks.floor_plan import FloorPlan

WALKER = 0.25  # metres from the axis of a person to what is beside
INDOORS = ("room", "house")


@dataclass(kw_only=True)
class Measures:
    """What is measured of one scene."""

    scene: str
    kind: str
    seconds: float
    labels: list[str]  # of its objects
    sizes: list[tuple[str, float, float]]  # label, longer horizontal side, height of each object
    penetrations: list[str]
    held: Counter[tuple[str, str, str]]  # how, label, label of the carrier
    given_up: Counter[str] = field(default_factory=Counter)
    areas: list[float] = field(default_factory=list)  # square metres of each room
    ceiling: float = np.inf  # metres
    reachable: float = 1.0  # of the floor that is free for a walker, what is connected
    seen: list[int] = field(default_factory=list)  # objects clearly seen in each view
    seen_labels: set[str] = field(default_factory=set)


def measure(options: argparse.Namespace, number: int) -> Measures:
    """Draw scene `number` and measure it."""
    source = SyntheticSource(
        num_scenes=options.first + options.scenes, seed=options.seed, world=options.world,
        difficulty=options.difficulty,
    )  # fmt: skip
    scene_id = sorted(scene for split in source.splits().values() for scene in split)[number]
    if not _warm:
        source.load(scene_id)
        _warm.append(True)
    start = time.process_time()
    scene = source.load(scene_id)
    seconds = time.process_time() - start
    bodies = Bodies(scene)
    things = [i for i in scene.instances if i.label not in STRUCTURE_LABELS]
    held = Counter(
        (bodies.held(i), i.label, bodies.instances[i.support].label if i.support else "nothing")
        for i in scene.instances
        if i.label not in CARRIERS
    )
    measures = Measures(
        scene=scene_id, kind=scene.provenance.get("room", ""), seconds=seconds,
        labels=[i.label for i in things],
        sizes=[(i.label, float(i.box.size[:2].max()), float(i.box.size[2])) for i in things],
        penetrations=[f"{p.first} and {p.second}: {1000 * p.depth:.1f} mm" for p in bodies.penetrations()],
        held=held, given_up=_counted(scene.provenance.get("not_placed", "")),
    )  # fmt: skip
    facts = SceneFacts(scene)
    if options.world in INDOORS:
        _measure_floor(measures, scene, facts.floor_plan)
    if options.views:
        _measure_views(measures, scene, facts, options.views)
    return measures


_warm: list[bool] = []  # whether this process has drawn a scene


def _counted(text: str) -> Counter[str]:
    pairs = [part.rpartition(" ") for part in text.split(", ") if part]
    return Counter({label: int(count) for label, _, count in pairs})


def _measure_floor(measures: Measures, scene: Scene, plan: FloorPlan) -> None:
    measures.areas = [room.area for room in plan.rooms]
    measures.ceiling = min(
        i.aabb.center[2] - 0.5 * i.aabb.size[2] for i in scene.instances if i.label == "ceiling"
    )
    label, count = ndimage.label(plan.clearance >= WALKER)
    cells = np.bincount(label.ravel(), minlength=count + 1)[1:]
    measures.reachable = float(cells.max() / cells.sum()) if count else 0.0


def _measure_views(measures: Measures, scene: Scene, facts: SceneFacts, count: int) -> None:
    """What the views show that a build would choose. Without lights the same is seen sooner."""
    renderer = open_renderer("raycast", replace(scene, lights=()))
    selection = BuildConfig(source="synthetic", out="-", views=count, samples_per_scene=1)
    rng = np.random.default_rng(0)
    groups, _ = select_views(scene, renderer, selection.selection_config(), rng)
    for frames in groups:
        seen = Facts(facts, [renderer.render(frame) for frame in frames]).seen(CLEARLY_SEEN)
        measures.seen += (seen & facts.is_object).sum(axis=1).tolist()
        shown = np.flatnonzero((seen & facts.is_object).any(axis=0))
        measures.seen_labels |= {facts.labels[column] for column in shown}


def entropy(counts: Counter[str]) -> float:
    """Bits."""
    share = np.array(list(counts.values())) / counts.total()
    return float(-(share * np.log2(share)).sum())


def spread(values: Sequence[float], unit: str = "") -> str:
    """Least, median and largest."""
    if not values:
        return "none"
    low, middle, high = np.quantile(values, [0.0, 0.5, 1.0])
    return f"{low:.3g} to {high:.3g}{unit}, median {middle:.3g}{unit}"


def print_physics(scenes: Sequence[Measures]) -> bool:
    """Whether all is solid and held."""
    deep = [f"{s.scene}: {line}" for s in scenes for line in s.penetrations]
    afloat = [f"{s.scene}: {key[1]}" for s in scenes for key in s.held if not key[0]]
    print(f"penetrations deeper than 1 mm: {len(deep)}")
    print(*(f"  {line}" for line in deep[:20]), sep="\n", end="\n" if deep else "")
    print(f"afloat: {len(afloat)}")
    print(*(f"  {line}" for line in afloat[:20]), sep="\n", end="\n" if afloat else "")
    held: Counter[tuple[str, str, str]] = sum((s.held for s in scenes), Counter())
    ways = Counter({way: sum(n for key, n in held.items() if key[0] == way) for way, *_ in held})
    print("held:", ", ".join(f"{way or 'floats'} {n}" for way, n in ways.most_common()))
    rests = Counter({f"{label} on {on}": n for (way, label, on), n in held.items() if way == "rests"})  # fmt: skip
    print("  of these not by all their feet:", _listed(rests))
    return not deep and not afloat


def print_variety(scenes: Sequence[Measures]) -> None:
    labels = Counter(label for s in scenes for label in s.labels)
    counts = [len(s.labels) for s in scenes]
    print(f"objects a scene: {spread(counts)}")
    print(f"categories: {len(labels)}, label entropy {entropy(labels):.2f} bits")
    if any(s.seen for s in scenes):
        seen = [number for s in scenes for number in s.seen]
        shown = set().union(*(s.seen_labels for s in scenes))
        print(f"categories clearly seen in a view: {len(shown)}")
        print(f"objects clearly seen in each of {len(seen)} views: {spread(seen)}")
    given_up = sum((s.given_up for s in scenes), Counter[str]())
    print(f"found no place: {given_up.total()} of {given_up.total() + labels.total()}: {_listed(given_up)}")  # fmt: skip


def _listed(counts: Counter[str], most: int = 12) -> str:
    more = len(counts) - most
    listed = ", ".join(f"{name} {n}" for name, n in counts.most_common(most))
    return (listed or "none") + (f" and {more} more" if more > 0 else "")


def print_sizes(scenes: Sequence[Measures]) -> None:
    """Sizes against published ones, worst labels first."""
    rows = []
    known = inside = 0
    for label in sorted({size[0] for s in scenes for size in s.sizes}):
        ranges = published(label)
        if ranges is None:
            continue
        sizes = np.array([size[1:] for s in scenes for size in s.sizes if size[0] == label])
        within = np.ones(len(sizes), bool)
        for values, limits in zip(sizes.T, ranges, strict=True):
            if limits is not None:
                within &= (values >= limits[0]) & (values <= limits[1])
        known, inside = known + len(sizes), inside + int(within.sum())
        rows.append((float(within.mean()), label, len(sizes), sizes, ranges))
    if not rows:
        return
    print(
        f"sizes: {inside} of {known} objects of {len(rows)} labels within published sizes and 15 % more"
    )
    for share, label, count, sizes, (wide, high) in sorted(rows, key=lambda row: row[0]):
        if share < 0.9:
            print(
                f"  {label}: {share:.0%} of {count}; width {_range(sizes[:, 0])}, published {_range(wide)}; "
                f"height {_range(sizes[:, 1])}" + (f", published {_range(high)}" if high else "")
            )


def _range(values: Sequence[float] | np.ndarray) -> str:
    return f"{np.min(values):.2f}-{np.max(values):.2f}"


def print_rooms(scenes: Sequence[Measures]) -> None:
    areas = [area for s in scenes for area in s.areas]
    low, high = HABITABLE_AREA
    within = [low <= area <= high for area in areas]
    print(
        f"floor area of rooms: {spread(areas, ' m2')}; {np.mean(within):.0%} within {low} to {high} m2"
    )
    ceilings = [s.ceiling for s in scenes]
    print(f"ceilings: {spread(ceilings, ' m')}; least published {LEAST_CEILING} m")
    print(f"reachable of the floor free for a walker: {spread([s.reachable for s in scenes])}")


def print_cost(options: argparse.Namespace, scenes: Sequence[Measures]) -> None:
    seconds = np.array([s.seconds for s in scenes])
    print(f"CPU seconds a scene: {spread(seconds.tolist())}")
    counts = np.array([len(s.labels) for s in scenes])
    chosen, name = {
        "room": (abs(counts - 60) <= 5, "with 55 to 65 objects"),
        "house": (np.array([len(s.areas) == 6 for s in scenes]), "with 6 rooms"),
    }.get(options.world, (np.zeros(len(scenes), bool), ""))
    if chosen.any():
        print(f"  {name}: {spread(seconds[chosen].tolist())} ({chosen.sum()} scenes)")
    if options.build_scenes:
        with tempfile.TemporaryDirectory() as scratch:
            peak = peak_megabytes([
                "--source", "synthetic", "--world", options.world, "--num-scenes", str(options.build_scenes),
                "--difficulty", str(options.difficulty), "--seed", str(options.seed), "--out", str(Path(scratch) / "out"),
            ])  # fmt: skip
        print(f"peak memory of a build of {options.build_scenes} scenes: {peak:.0f} MB")


def main() -> int:
    """Print the statistics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", choices=sorted(WORLDS), default=DEFAULT_WORLD)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first scene")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--difficulty", type=float, default=DEFAULT_DIFFICULTY)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--views", type=int, default=4, help="views rendered of each; 0 = none")
    parser.add_argument("--build-scenes", type=int, default=2, help="of a build; 0 = none")
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.scenes)
    pool = ProcessPoolExecutor(options.workers, mp_context=get_context("spawn"))
    with pool:
        scenes = list(pool.map(measure, [options] * len(numbers), numbers))
    kinds = Counter(s.kind for s in scenes if s.kind)
    print(f"{len(scenes)} scenes of world {options.world}: {_listed(kinds)}")
    is_sound = print_physics(scenes)
    print_variety(scenes)
    if options.world in INDOORS:
        print_sizes(scenes)
        print_rooms(scenes)
    print_cost(options, scenes)
    print(describe_run())
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
