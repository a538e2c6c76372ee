"""The hour of the day and the kind of bulbs: what a home's lamps and windows shine like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from gapdata.scene import LUMINANCE, AreaLight, Light
from gapdata.synthetic.description import Placed

Array = np.ndarray

SRGB_OF_XYZ = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)
BULBS_K = (2700.0, 5000.0)  # from warm white to daylight tubes
NOON_K, SUNSET_K = 6500.0, 3200.0
LAMP_RADIUS = (0.06, 0.22)  # metres
ADAPTED = 0.45  # how much of a light's tint the camera's own white balance leaves
UNLIT_BY_DAY = 0.6  # of the homes of difficulty 1: lamps are off and windows alone give light
DAY_GAIN = 3.0  # of windows, where lamps are off
WINDOW_GLOW = 1.5  # of what windows show at noon, times the mean irradiance indoors


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lighting:
    """One home's light at one moment. Tints are linear RGB of luminance 1."""

    bulbs: Float[Array, "3"]
    day: Float[Array, "3"]
    brightness: float  # of the day: 1 at noon, 0 when it is dark
    lamps_on: bool
    radius: float  # metres, of the lamps


def sample_lighting(rng: np.random.Generator, difficulty: float) -> Lighting:
    """Bulbs and hour of one home; at difficulty 0 it is always noon with neutral bulbs on."""
    hour = float(rng.uniform(0.0, 1.0)) * difficulty  # 0 is noon, 1 is dusk
    kelvin = NOON_K + (SUNSET_K - NOON_K) * hour**2
    bulbs = float(np.exp(rng.uniform(*np.log(BULBS_K))))
    off = rng.random() < UNLIT_BY_DAY * difficulty
    brightness = float(np.cos(0.5 * np.pi * hour))
    return Lighting(
        bulbs=_tint(4000.0 + difficulty * (bulbs - 4000.0)), day=_tint(kelvin), brightness=brightness,
        lamps_on=not (off and brightness > 0.5), radius=float(rng.uniform(*LAMP_RADIUS)),
    )  # fmt: skip


def lit(
    lighting: Lighting, lamps: Sequence[Light], windows: Sequence[AreaLight]
) -> tuple[Light | AreaLight, ...]:
    """The home's lights at that moment: lamps tinted and sized, light from windows by the hour; never none."""
    day = [
        replace(light, color=_luminance(light) * lighting.brightness * lighting.day)
        for light in windows
    ]
    if day and not lighting.lamps_on:
        return tuple(replace(light, color=DAY_GAIN * light.color) for light in day)
    burning = [
        replace(light, color=_luminance(light) * lighting.bulbs, radius=lighting.radius)
        for light in lamps
    ]
    return (*burning, *(light for light in day if light.color.any()))


def shining(lighting: Lighting, placed: Sequence[Placed]) -> tuple[Placed, ...]:
    """What was placed, its windows as bright as the hour, its lamps dark where they are off."""
    tint = np.clip(lighting.day * (0.12 + 0.88 * lighting.brightness), 0.0, 1.0)
    # Pictures are in sRGB, where a share of the light is about its 2.2th root.
    scale = tint ** (1 / 2.2)
    glow = WINDOW_GLOW * lighting.brightness
    result = []
    for thing in placed:
        parts = thing.model.parts
        if thing.model.label == "window":
            parts = tuple(
                part
                if part.image is None
                else replace(part, image=np.rint(part.image * scale).astype(np.uint8), glow=glow)
                for part in parts
            )
        elif not lighting.lamps_on and any(part.glow for part in parts):
            parts = tuple(replace(part, glow=0.0) for part in parts)
        if parts is not thing.model.parts:
            thing = replace(thing, model=replace(thing.model, parts=parts))
        result.append(thing)
    return tuple(result)


def _luminance(light: Light | AreaLight) -> float:
    return float(light.color @ LUMINANCE)


def _tint(kelvin: float) -> Float[Array, "3"]:
    """Linear RGB, of luminance 1, of a black body as a half-adapted camera shows it beside one of 6500 K.

    Chromaticity by the cubic fit of Kim et al. (US patent 7024034, 2006) to the Planckian locus, 1667 to 25000 K.
    """
    color = _black_body(kelvin) / _black_body(NOON_K)
    color = color**ADAPTED
    return np.asarray(color / (color @ LUMINANCE))


def _black_body(kelvin: float) -> Float[Array, "3"]:
    t = 1e3 / kelvin
    if kelvin <= 4000.0:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222.0:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000.0:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    return np.asarray(np.maximum(SRGB_OF_XYZ @ xyz, 0.02))
