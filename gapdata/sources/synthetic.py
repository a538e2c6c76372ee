"""Procedural worlds: nothing to download, exact truth, the same bytes for the same seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from gapdata.attribution import credits_as_provenance
from gapdata.errors import ConfigError, GapdataError, SourceError
from gapdata.scene import Scene
from gapdata.sources import SourceInfo
from gapdata.synthetic import DEFAULT_DIFFICULTY, DEFAULT_WORLD, WORLDS, open_world
from gapdata.synthetic.assets.config import AssetsConfig
from gapdata.synthetic.assets.library import open_library
from gapdata.synthetic.drawing import draw

DEFAULT_SCENES = 8
MAX_SCENES = 1_000_000  # what six digits in a scene id can number
MAX_SEED = 10**18  # what leaves a scene id short enough for a key
VAL_EVERY = 10  # the last of every ten scenes is for validation


class SyntheticSource:
    """Scenes of one world, `room_000000`, `room_000001`, ...; scene N depends on (world, difficulty, trajectory, seed, N) only, and
    the trajectory moves nothing but the camera.

    A seed other than 0 is part of the ids (`room_s5_000000`), so that datasets of different seeds can be
    merged; the default seed is left out, which keeps the ids of a first build short.
    """

    info = SourceInfo(
        summary="procedural worlds of furnished rooms and more, exact geometry and labels, no download",
        layout="",
        licence="made by gapdata itself, Apache-2.0",
        renderer="raycast",
        worlds=tuple(sorted(WORLDS)),
    )

    def __init__(
        self, root: str = "", *, num_scenes: int | None = None, seed: int = 0,
        world: str = DEFAULT_WORLD, difficulty: float = DEFAULT_DIFFICULTY, trajectory: str = "",
        assets: AssetsConfig | None = None,
    ) -> None:  # fmt: skip
        """Raises ConfigError for a root (there is nothing to read), a bad number or seed, an unknown world or trajectory, or bad assets."""
        count = DEFAULT_SCENES if num_scenes is None else num_scenes
        if root:
            raise ConfigError(f"synthetic: expected no root, found {root!r}; leave --root out")
        if not 1 <= count <= MAX_SCENES:
            raise ConfigError(
                f"synthetic: expected 1 to {MAX_SCENES} scenes, found {count}; change --num-scenes"
            )
        if not 0 <= seed < MAX_SEED:
            raise ConfigError(
                f"synthetic: expected a seed of 0 to {MAX_SEED - 1}, found {seed}; change --seed"
            )
        if not 0.0 <= difficulty <= 1.0:
            raise ConfigError(
                f"synthetic: expected a difficulty of 0 to 1, found {difficulty}; change --difficulty"
            )
        self._seed, self._difficulty, self._name = seed, difficulty, world
        self.library = None if assets is None else open_library(assets)
        self._world = open_world(world, self.library, trajectory)
        prefix = f"{world}_s{seed}" if seed else world
        self._ids = [f"{prefix}_{number:06d}" for number in range(count)]

    def splits(self) -> Mapping[str, Sequence[str]]:
        """Scene ids of "train" and "val"."""
        val = self._ids[VAL_EVERY - 1 :: VAL_EVERY]
        kept = set(val)
        return {"train": [i for i in self._ids if i not in kept], "val": val}

    def files(self, scene_id: str) -> Mapping[str, Sequence[Path]]:
        """None: everything comes from the seed."""
        return {}

    def load(self, scene_id: str) -> Scene:
        """The scene with this id. Raises SourceError for an id beyond the number of scenes, and where nothing fits."""
        if scene_id not in self._ids:
            raise SourceError(
                "synthetic", scene_id, "", f"expected one of {self._ids[0]} to {self._ids[-1]}, found no such scene",
                "ask for another id or raise --num-scenes",
            )  # fmt: skip
        drawn = f"{self._name}_{scene_id.rpartition('_')[2]}"
        rng = np.random.default_rng([self._seed, crc32(drawn.encode())])
        try:
            description = self._world.describe(rng, self._difficulty)
        except GapdataError as error:
            raise SourceError(
                "synthetic", scene_id, "", str(error), "--max-failures leaves such scenes out"
            ) from error
        made_of = {
            "world": self._name, "difficulty": f"{self._difficulty:g}", "trajectory": self._world.trajectory,
        }  # fmt: skip
        made_of |= credits_as_provenance(thing.model.credit for thing in description.placed)
        return draw(description, scene_id, "synthetic", provenance=made_of)
