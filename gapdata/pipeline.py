"""One scene to its samples: choose views, render them, sample points, measure facts, ask."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gapdata.balance import Tally
from gapdata.renderers import Renderer, open_renderer
from gapdata.renderers.sensor import NONE, SensorRenderer
from gapdata.sample import Sample, ScenePoints
from gapdata.scene import Frame, Scene
from gapdata.scene_points import sample_scene_points
from gapdata.selection import SelectionConfig, select_views
from gapdata.tasks import open_task
from gapdata.tasks.engine import ask_questions
from gapdata.tasks.facts import Facts, SceneFacts
from gapdata.view import View

NO_QUESTION = "sample without a question"


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleConfig:
    """How a scene becomes samples. Together with the scene this decides every byte of them."""

    renderer: str  # a name of gapdata.renderers
    height: int | None  # image size of the views; None = the frames' own
    width: int | None
    selection: SelectionConfig
    tasks: tuple[str, ...]
    max_questions_per_task: int
    margin: float  # times farther from decision boundaries than the tasks demand
    points: int  # scene points a sample
    seed: int
    sensor: str = NONE  # that spoils exact views: a name of gapdata.renderers.sensor.SENSORS
    max_depth: float = np.inf  # metres: what is deeper cannot be stored, and is as if not measured


@dataclass(kw_only=True, slots=True)
class SceneSamples:
    """Iterates over a scene's samples; `drops` counts by reason what was left out, once iteration ended."""

    scene: Scene
    split: str
    config: SampleConfig
    drops: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Sample]:
        scene, config = self.scene, self.config
        self.drops.update({f"frame: {reason}": count for reason, count in scene.drops.items()})
        renderer = scene_renderer(scene, config)
        groups, dropped = select_views(
            scene, renderer, config.selection, _rng(scene, config, "views")
        )
        self.drops.update({f"frame: {reason}": count for reason, count in dropped.items()})
        tasks = [open_task(name) for name in config.tasks]
        scene_facts = SceneFacts(scene)
        tally = Tally([config.seed, zlib.crc32(scene.id.encode())])
        for index, frames in enumerate(groups):
            key = sample_key(scene.source, scene.id, index)
            views, points = draw_sample(scene, renderer, frames, config, index)
            facts = Facts(scene_facts, views)
            qa = ask_questions(
                facts,
                tasks,
                seed=config.seed,
                scene_id=scene.id,
                sample_index=index,
                key=key,
                max_per_task=config.max_questions_per_task,
                margin=config.margin,
                tally=tally,
            )
            self.drops.update(
                {f"question: {reason}": count for reason, count in facts.drops.items()}
            )
            if not qa:
                self.drops[NO_QUESTION] += 1
                continue
            yield Sample(
                key=key,
                source=scene.source,
                scene_id=scene.id,
                split=self.split,
                world_frame=scene.world_frame,
                views=views,
                instances=scene.instances,
                visibility=facts.visibility,
                points=points,
                qa=qa,
                provenance=scene.provenance,
            )


def scene_renderer(scene: Scene, config: SampleConfig) -> Renderer:
    """What draws the scene's views: the renderer, behind the sensor if one is simulated."""
    renderer = open_renderer(config.renderer, scene, height=config.height, width=config.width)
    if config.sensor == NONE:
        return renderer
    return SensorRenderer(renderer, scene, config.sensor, config.seed)


def draw_sample(
    scene: Scene, renderer: Renderer, frames: Sequence[Frame], config: SampleConfig, index: int
) -> tuple[tuple[View, ...], ScenePoints]:
    """The views and scene points of the scene's sample number `index`."""
    views = tuple(_within(renderer.render(frame), config.max_depth) for frame in frames)
    rng = _rng(scene, config, "points", index)
    return views, sample_scene_points(scene, views, count=config.points, rng=rng)


def _within(view: View, max_depth: float) -> View:
    """The view without depth beyond a limit, so that nothing is asked that a reader could not check."""
    if view.depth is None or not (view.depth > max_depth).any():
        return view
    return replace(view, depth=np.where(view.depth > max_depth, np.float32(0), view.depth))


def _rng(scene: Scene, config: SampleConfig, purpose: str, index: int = 0) -> np.random.Generator:
    words = [config.seed, zlib.crc32(scene.id.encode()), zlib.crc32(purpose.encode())]
    return np.random.default_rng([*words, index])


def sample_key(source: str, scene_id: str, index: int) -> str:
    """The sample's key: letters, digits, '_' and '-' only, unique for (source, scene, index).

    A scene id that has other characters, capitals or excess length is cut and gets the CRC-32 of the full id.
    """
    name = re.sub(r"[^a-z0-9_-]", "_", scene_id.lower())[:48]
    if name != scene_id:
        name += f"-{zlib.crc32(scene_id.encode()):08x}"
    return f"{source}-{name}-{index:03d}"
