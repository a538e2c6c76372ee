"""Sources turn raw data, or a seed, into canonical scenes. One file a source, one line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from gapdata.errors import ConfigError
from gapdata.scene import Scene
from gapdata.synthetic.assets.config import AssetsConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceInfo:
    """What `gapdata sources` prints of a source."""

    summary: str  # one line
    layout: str  # what `--root` must hold, or "" when no root is needed
    licence: str  # licence or terms of the data, with a link
    renderer: str  # the default renderer
    restricted: str = ""  # what of the data may not be passed on; "" when all may
    worlds: tuple[str, ...] = ()  # what it can make scenes of; () when its scenes are recorded


@runtime_checkable
class Source(Protocol):
    """A named collection of scenes.

    `scene_ids` is cheap (no scene is opened) and sorted; `load` returns a canonical scene or raises
    SourceError naming scene and file. Constructed as `SourceClass(root, num_scenes=N, seed=S)`; N and S
    are for sources that make their scenes, recorded ones take no notice. Those whose info names worlds take
    `world`, `difficulty`, `trajectory` and `assets` as well.
    """

    info: SourceInfo

    def splits(self) -> Mapping[str, Sequence[str]]:
        """Sorted scene ids of each split; every scene is in exactly one."""
        ...

    def load(self, scene_id: str) -> Scene:
        """One scene, canonical; its frames are lazy."""
        ...

    def files(self, scene_id: str) -> Mapping[str, Sequence[Path]]:
        """The raw files a scene is read from, by name; a folder of frames is one entry. Empty for made scenes."""
        ...


SOURCES: dict[str, str] = {
    "scannet": "gapdata.sources.scannet:ScanNetSource",
    "synthetic": "gapdata.sources.synthetic:SyntheticSource",
}


def source_info(name: str) -> SourceInfo:
    """What a source says of itself. Raises ConfigError for a name that is not there."""
    info: SourceInfo = _source_class(name).info
    return info


def open_source(
    name: str, root: str = "", *, num_scenes: int | None = None, seed: int = 0,
    world: str = "", difficulty: float | None = None, trajectory: str = "", assets: AssetsConfig | None = None,
) -> Source:  # fmt: skip
    """A source ready to list and load scenes. An empty world or trajectory or no difficulty: the source's default.

    Raises ConfigError or SourceError when the root or the assets are wrong, ConfigError for a world, difficulty,
    trajectory or assets that the source does not know.
    """
    kind = _source_class(name)
    given: dict[str, Any] = {}
    if world:
        given["world"] = world
    if difficulty is not None:
        given["difficulty"] = difficulty
    if trajectory:
        given["trajectory"] = trajectory
    if assets is not None:
        given["assets"] = assets
    if given and not kind.info.worlds:
        raise ConfigError(
            f"{name}: its scenes are recorded, expected no {' and '.join(given)}, found "
            f"{', '.join(str(value) for value in given.values())}; leave them out or take --source synthetic"
        )
    source: Source = kind(root, num_scenes=num_scenes, seed=seed, **given)
    return source


def _source_class(name: str) -> Any:
    if name not in SOURCES:
        raise ConfigError(f"unknown source {name!r}: expected one of {', '.join(sorted(SOURCES))}")
    module, _, attribute = SOURCES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
