"""Procedural rooms: nothing to download, exact truth, the same bytes for the same seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from gapdata.errors import ConfigError, SourceError
from gapdata.scene import Scene
from gapdata.sources import SourceInfo
from gapdata.synthetic import open_world
from gapdata.synthetic.drawing import draw

DEFAULT_SCENES = 8
MAX_SCENES = 1_000_000  # what six digits in a scene id can number
VAL_EVERY = 10  # the last of every ten scenes is for validation


class SyntheticSource:
    """Seeded rooms `room_000000`, `room_000001`, ...; scene N depends on (seed, N) only."""

    info = SourceInfo(
        summary="procedural furnished rooms, exact geometry and labels, no download",
        layout="",
        licence="made by gapdata itself, Apache-2.0",
        renderer="raycast",
    )

    def __init__(self, root: str = "", *, num_scenes: int | None = None, seed: int = 0) -> None:
        """Raises ConfigError for a root (there is nothing to read) or a bad number of scenes or seed."""
        count = DEFAULT_SCENES if num_scenes is None else num_scenes
        if root:
            raise ConfigError(f"synthetic: expected no root, found {root!r}; leave --root out")
        if not 1 <= count <= MAX_SCENES:
            raise ConfigError(
                f"synthetic: expected 1 to {MAX_SCENES} scenes, found {count}; change --num-scenes"
            )
        if seed < 0:
            raise ConfigError(f"synthetic: expected a seed >= 0, found {seed}; change --seed")
        self._seed = seed
        self._ids = [f"room_{number:06d}" for number in range(count)]
        self._world = open_world("room")

    def splits(self) -> Mapping[str, Sequence[str]]:
        """Scene ids of "train" and "val"."""
        val = self._ids[VAL_EVERY - 1 :: VAL_EVERY]
        kept = set(val)
        return {"train": [i for i in self._ids if i not in kept], "val": val}

    def files(self, scene_id: str) -> Mapping[str, Sequence[Path]]:
        """None: everything comes from the seed."""
        return {}

    def load(self, scene_id: str) -> Scene:
        """The scene with this id. Raises SourceError for an id beyond the number of scenes."""
        if scene_id not in self._ids:
            raise SourceError(
                "synthetic", scene_id, "", f"expected one of {self._ids[0]} to {self._ids[-1]}, found no such scene",
                "ask for another id or raise --num-scenes",
            )  # fmt: skip
        rng = np.random.default_rng([self._seed, crc32(scene_id.encode())])
        return draw(self._world.describe(rng), scene_id, "synthetic")
