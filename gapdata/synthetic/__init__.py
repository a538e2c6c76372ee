"""Worlds drawn from a seed. A world describes (what stands where); `drawing` turns that into a scene."""

from __future__ import annotations

import importlib
from typing import Protocol, runtime_checkable

import numpy as np

from gapdata.errors import ConfigError
from gapdata.synthetic.description import Description


@runtime_checkable
class World(Protocol):
    """A kind of place. Constructed without arguments."""

    def describe(self, rng: np.random.Generator, difficulty: float) -> Description:
        """One place; all choices come from `rng`. `difficulty` is 0 (sparse and plain) to 1 (full and cluttered)."""
        ...


DEFAULT_WORLD, DEFAULT_DIFFICULTY = "room", 0.5
WORLDS: dict[str, str] = {
    "house": "gapdata.synthetic.houses:HouseWorld",
    "room": "gapdata.synthetic.rooms:RoomWorld",
    "shapes": "gapdata.synthetic.geometric.world:ShapesWorld",
    "street": "gapdata.synthetic.street.world:StreetWorld",
}


def open_world(name: str) -> World:
    """The named world. Raises ConfigError for a name that is not there."""
    if name not in WORLDS:
        raise ConfigError(f"unknown world {name!r}: expected one of {', '.join(sorted(WORLDS))}")
    module, _, attribute = WORLDS[name].partition(":")
    world: World = getattr(importlib.import_module(module), attribute)()
    return world
