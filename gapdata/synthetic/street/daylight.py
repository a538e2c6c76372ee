"""Sun and sky by the time of day."""

from __future__ import annotations

import numpy as np

from gapdata.scene import AnyLight, Sky, Sun

# (name, elevations of the sun in degrees)
TIMES: tuple[tuple[str, tuple[float, float]], ...] = (
    ("morning", (12.0, 28.0)), ("noon", (42.0, 64.0)), ("afternoon", (26.0, 42.0)), ("evening", (7.0, 14.0)),
)  # fmt: skip
OVERCAST_CHANCE = 0.22
WHITE_SUN, LOW_SUN = (
    np.array([1.0, 0.97, 0.92]),
    np.array([1.0, 0.72, 0.46]),
)  # linear colour, high and near the horizon


def daylight(rng: np.random.Generator) -> tuple[tuple[AnyLight, ...], str]:
    """(lights, what the day is like): a sun that reddens as it sinks under a hazy blue sky, or clouds alone."""
    name, span = TIMES[int(rng.choice(len(TIMES), p=[0.25, 0.3, 0.3, 0.15]))]
    elevation, azimuth = np.deg2rad(rng.uniform(*span)), float(rng.uniform(-np.pi, np.pi))
    if rng.random() < OVERCAST_CHANCE:
        grey = np.array([0.95, 0.98, 1.02]) * 0.3
        return (Sky(zenith=grey, horizon=0.92 * grey),), f"overcast {name}"
    high = float(np.clip(np.sin(elevation) / np.sin(np.deg2rad(40.0)), 0.0, 1.0))
    direction = np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )
    sun = Sun(
        direction=direction, color=(1.15 + 0.35 * high) * (high * WHITE_SUN + (1 - high) * LOW_SUN)
    )
    haze = float(rng.uniform(0.85, 1.15))
    horizon = haze * (high * np.array([0.26, 0.3, 0.34]) + (1 - high) * np.array([0.3, 0.25, 0.2]))
    zenith = np.array([0.055, 0.115, 0.25]) * (0.75 + 0.25 * high)
    return (sun, Sky(zenith=zenith, horizon=horizon)), name
