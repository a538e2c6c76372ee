"""The finishes of each kind of room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gapdata.synthetic.materials import Palette, sample_palette

WET = ("bathroom", "kitchen")
WASHABLE = ("tile", "stone")  # floors of bathrooms


def palette_for(rng: np.random.Generator, kind: str) -> Palette:
    """A palette for a room of a kind: no carpet where it gets wet, tiles up the walls of bathrooms."""
    palette = sample_palette(rng, wet=kind in WET)
    if kind != "bathroom":
        return palette
    tiled = replace(palette.wall, material="tile", texture="tiles")
    palette = replace(palette, wall=tiled, feature_wall=tiled)
    while palette.floor.material not in WASHABLE:
        palette = replace(palette, floor=sample_palette(rng, wet=True).floor)
    return palette
