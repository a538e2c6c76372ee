"""Worlds drawn from a seed. A world describes (what stands where); `drawing` turns that into a scene."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from gapdata.errors import ConfigError
from gapdata.synthetic.description import Description

if TYPE_CHECKING:
    from gapdata.synthetic.assets.library import Library


@runtime_checkable
class World(Protocol):
    """A kind of place. Constructed without arguments.

    Those that can draw models from files have an attribute `library`, None until one is given.
    """

    trajectories: tuple[str, ...]  # how its camera can move
    trajectory: str  # how it does

    def describe(self, rng: np.random.Generator, difficulty: float) -> Description:
        """One place; all choices come from `rng`. `difficulty` is 0 (sparse and plain) to 1 (full and cluttered)."""
        ...


DEFAULT_WORLD, DEFAULT_DIFFICULTY = "room", 0.5
WORLDS: dict[str, str] = {
    "house": "gapdata.synthetic.houses:HouseWorld",
    "room": "gapdata.synthetic.rooms:RoomWorld",
    "shapes": "gapdata.synthetic.geometric.world:ShapesWorld",
    "tabletop": "gapdata.synthetic.tabletop.world:TabletopWorld",
    "street": "gapdata.synthetic.street.world:StreetWorld",
}


def open_world(name: str, library: Library | None = None, trajectory: str = "") -> World:
    """The named world, with models from files where there is a library. An empty trajectory: the world's default.

    Raises ConfigError for a name that is not there, for a library where the world draws none, and for a trajectory
    that it does not have.
    """
    if name not in WORLDS:
        raise ConfigError(f"unknown world {name!r}: expected one of {', '.join(sorted(WORLDS))}")
    module, _, attribute = WORLDS[name].partition(":")
    world: World = getattr(importlib.import_module(module), attribute)()
    if library is not None:
        if not hasattr(world, "library"):
            raise ConfigError(
                f"assets: world {name} draws no models from files; leave --assets out"
            )
        world.library = library
    if trajectory and trajectory not in world.trajectories:
        raise ConfigError(
            f"trajectory: of world {name} expected {' or '.join(world.trajectories)}, found {trajectory!r}"
        )
    world.trajectory = trajectory or world.trajectory
    return world
