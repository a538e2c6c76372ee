"""The settings of a build: what to build, and where and how."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from typing import Any

from gapdata.errors import ConfigError
from gapdata.pipeline import SampleConfig
from gapdata.renderers import RENDERERS
from gapdata.renderers.sensor import NONE, SENSORS
from gapdata.selection import SelectionConfig
from gapdata.synthetic.assets.config import AssetsConfig
from gapdata.tasks import TASKS, open_task

MAX_STORED_DEPTH = 65535  # units: depth is stored as uint16
EVALUATION_SCENES = ("refuse", "drop", "keep")


def _where(default: Any) -> Any:
    return field(default=default, metadata={"what": False})


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildConfig:
    """What to build and where.

    The fields from `source` to `recipe` decide every byte of the dataset and are stored in the manifest;
    the others only say where things are and how the work is run.
    """

    source: str  # a name of gapdata.sources
    scenes: tuple[str, ...] = ()  # these scenes only; empty = all
    num_scenes: int | None = None  # the first N scenes, or how many to generate
    split: tuple[str, ...] = ()  # these splits only; empty = all
    world: str = ""  # a name of gapdata.synthetic; empty = the source's default
    difficulty: float | None = None  # 0 to 1, of the world; None = the source's default
    trajectory: str = ""  # how the world's camera moves; empty = the world's default
    renderer: str = ""  # a name of gapdata.renderers; empty = the source's default
    sensor: str = NONE  # simulated over exact views: "none", "depth" or "full" (depth and colour)
    height: int | None = None  # image size of the views; None = the frames' own
    width: int | None = None
    views: int = 4  # views a sample
    samples_per_scene: int = 4
    selection: str = "covisible"  # how views are chosen: "clip" or "covisible"
    min_overlap: float = 0.15  # of "covisible" sets
    max_overlap: float = 0.9
    tasks: tuple[str, ...] = ()  # empty = all
    max_questions_per_task: int = 8  # in a sample
    margin: float = (
        1.0  # times farther from decision boundaries than the tasks demand; only removes questions
    )
    points: int = 2048  # scene points a sample
    seed: int = 0
    scenes_per_shard: int | None = None  # None: a sixteenth of the scenes, 1 to 32
    jpeg_quality: int = 95
    depth_scale: float = 1000.0  # stored units a metre: 1000 reach 65.535 m, beyond is invalid
    evaluation_scenes: str = "refuse"  # that the splits would train on: "refuse", "drop" or "keep"
    recipe: bool = False  # leave pictures and points out; see gapdata.recipe

    out: str = _where("")  # folder or fsspec URL of the dataset
    root: str = _where("")  # folder of the raw data
    # Models to draw: their hashes decide, not where they lie.
    assets: AssetsConfig | None = field(default=None, metadata={"what": False})
    workers: int = _where(1)
    executor: str = _where("local")
    ray_address: str = _where("")  # of a Ray cluster, for executor "ray"; empty = one started here
    max_failures: int = _where(0)  # scenes that may fail, each recorded with its reason
    accept_terms: tuple[str, ...] = _where(())  # sources whose terms the user has accepted
    overwrite: bool = _where(False)  # replace a dataset that is at `out` already

    def __post_init__(self) -> None:
        _require(bool(self.out), "out", "a folder or URL", self.out)
        for name in ("views", "samples_per_scene", "max_questions_per_task", "points", "workers"):
            _require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        for name in ("num_scenes", "scenes_per_shard", "height", "width"):
            value = getattr(self, name)
            _require(value is None or value >= 1, name, "at least 1", value)
        _require(1.0 <= self.margin < math.inf, "margin", "at least 1", self.margin)
        _require(self.max_failures >= 0, "max_failures", "at least 0", self.max_failures)
        _require(self.seed >= 0, "seed", "at least 0", self.seed)
        _require(self.views <= 99, "views", "at most 99", self.views)
        _require(1 <= self.jpeg_quality <= 100, "jpeg_quality", "1 to 100", self.jpeg_quality)
        _require(self.depth_scale > 0, "depth_scale", "above 0", self.depth_scale)
        both = (self.height is None) == (self.width is None)
        _require(both, "height and width", "both or neither", (self.height, self.width))
        _require(
            self.renderer in ("", *RENDERERS),
            "renderer",
            f"one of {', '.join(sorted(RENDERERS))}",
            self.renderer,
        )
        _require(self.sensor in SENSORS, "sensor", f"one of {', '.join(SENSORS)}", self.sensor)
        _require(
            self.evaluation_scenes in EVALUATION_SCENES,
            "evaluation_scenes",
            f"one of {', '.join(EVALUATION_SCENES)}",
            self.evaluation_scenes,
        )
        _require(
            self.assets is None or not self.recipe, "recipe", "no assets beside it", self.recipe
        )
        for name in self.tasks:
            open_task(name)
        self.selection_config()

    def content(self) -> dict[str, Any]:
        """The fields that decide the dataset's bytes, as JSON types."""
        kept = [f.name for f in fields(self) if f.metadata.get("what", True)]
        content: dict[str, Any] = json.loads(
            json.dumps({name: getattr(self, name) for name in kept})
        )
        return content

    def selection_config(self) -> SelectionConfig:
        """How views are chosen."""
        return SelectionConfig(
            strategy=self.selection,
            views=self.views,
            samples_per_scene=self.samples_per_scene,
            min_overlap=self.min_overlap,
            max_overlap=self.max_overlap,
        )

    def sample_config(self, default_renderer: str) -> SampleConfig:
        """How scenes become samples."""
        return SampleConfig(
            renderer=self.renderer or default_renderer,
            height=self.height,
            width=self.width,
            selection=self.selection_config(),
            tasks=self.tasks or tuple(sorted(TASKS)),
            max_questions_per_task=self.max_questions_per_task,
            margin=self.margin,
            points=self.points,
            seed=self.seed,
            sensor=self.sensor,
            max_depth=MAX_STORED_DEPTH / self.depth_scale,
        )


def _require(ok: bool, setting: str, expected: str, found: object) -> None:
    if not ok:
        raise ConfigError(f"{setting}: expected {expected}, found {found!r}")
