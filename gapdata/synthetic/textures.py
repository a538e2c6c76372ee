"""Small repeating pictures that modulate a surface's base colour, drawn by formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
from jaxtyping import Float, UInt8

Array = np.ndarray
SIZE = 256  # texels a side


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Texture:
    """Texels, and the metres one repeat covers."""

    image: UInt8[Array, "256 256 3"]
    period_m: float


def _noise(rng: np.random.Generator, stretch_u: float, stretch_v: float) -> Float[Array, "h w"]:
    """Repeating smooth noise in [-1, 1]; a stretch is the correlation length in texels along u or v."""
    u, v = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE))
    spectrum = np.exp(-0.5 * ((u * stretch_u) ** 2 + (v * stretch_v) ** 2) * 4.0)
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((SIZE, SIZE))) * spectrum).real
    return np.asarray(np.clip(field / (2.5 * field.std()), -1.0, 1.0))


def _cells(across: int, down: int, shift: float) -> tuple[Array, Array, Array]:
    """(row, column, distance in texels to the cell's edge) of a running-bond pattern."""
    v, u = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    high, wide = SIZE / down, SIZE / across
    row = np.floor(v / high)
    offset_u = (u + (row * shift % 1.0) * wide) % SIZE
    column = np.floor(offset_u / wide)
    in_u, in_v = offset_u - column * wide, v - row * high
    edge = np.minimum.reduce([in_u, wide - 1 - in_u, in_v, high - 1 - in_v])
    return row.astype(int), column.astype(int), edge


def _wood(rng: np.random.Generator) -> Array:
    grain = 0.05 * _noise(rng, 90.0, 1.5) + 0.06 * _noise(rng, 160.0, 7.0)
    return np.asarray(0.89 + grain)


def _planks(rng: np.random.Generator) -> Array:
    row, column, edge = _cells(2, 8, 0.37)
    tone = 0.08 * (rng.random((8, 2)) - 0.5)
    joint = np.where(edge < 1.0, -0.18, 0.0)
    return np.asarray(_wood(rng) - 0.01 + tone[row, column] + joint)


def _tiles(rng: np.random.Generator) -> Array:
    row, column, edge = _cells(2, 2, 0.0)
    tone = 0.03 * (rng.random((2, 2)) - 0.5)
    surface = 0.94 + 0.02 * _noise(rng, 30.0, 30.0) + tone[row, column]
    return np.asarray(np.where(edge < 2.0, 0.74, surface))


def _herringbone(rng: np.random.Generator) -> Array:
    """Staves four times as long as wide, alternately across and along."""
    wide = SIZE // 16
    v, u = np.mgrid[0:SIZE, 0:SIZE] // wide
    across = (u - v) % 8 < 4
    # The first cell of the stave that a cell belongs to names it.
    first_u = np.where(across, u - (u - v) % 8, u) % 16
    first_v = np.where(across, v, v - (v - u - 1) % 8) % 16
    tone = 0.16 * (rng.random((2, 16, 16)) - 0.5)[across.astype(int), first_v, first_u]
    name = across * 256 + first_v * 16 + first_u
    joint = (name != np.roll(name, 1, axis=0)) | (name != np.roll(name, 1, axis=1))
    grain = np.where(across, _noise(rng, 40.0, 1.5), _noise(rng, 1.5, 40.0))
    return np.asarray(np.where(joint, 0.7, 0.88 + tone + 0.05 * grain))


def _mosaic(rng: np.random.Generator) -> Array:
    row, column, edge = _cells(12, 12, 0.0)
    tone = 0.22 * (rng.random((12, 12)) - 0.5)
    return np.asarray(np.where(edge < 1.0, 0.97, 0.86 + tone[row, column]))


def _terrazzo(rng: np.random.Generator) -> Array:
    chips = _noise(rng, 5.0, 5.0)
    return np.asarray(
        0.93 - 0.22 * (chips > 0.42) - 0.1 * (chips < -0.45) + 0.02 * _noise(rng, 1.5, 1.5)
    )


def _bricks(rng: np.random.Generator) -> Array:
    row, column, edge = _cells(4, 12, 0.5)
    tone = 0.18 * (rng.random((12, 4)) - 0.5)
    surface = 0.86 + tone[row, column] + 0.04 * _noise(rng, 3.0, 3.0)
    return np.asarray(np.where(edge < 1.5, 1.0, surface))


def _fabric(rng: np.random.Generator) -> Array:
    v, u = np.mgrid[0:SIZE, 0:SIZE]
    weave = 0.035 * np.sin(2 * np.pi * u / 8) * np.sin(2 * np.pi * v / 8)
    return np.asarray(0.92 + weave + 0.025 * _noise(rng, 2.0, 2.0) + 0.02 * _noise(rng, 40.0, 40.0))


def _carpet(rng: np.random.Generator) -> Array:
    return np.asarray(0.88 + 0.07 * _noise(rng, 1.5, 1.5) + 0.04 * _noise(rng, 25.0, 25.0))


def _plaster(rng: np.random.Generator) -> Array:
    return np.asarray(0.965 + 0.012 * _noise(rng, 4.0, 4.0) + 0.015 * _noise(rng, 60.0, 60.0))


def _marble(rng: np.random.Generator) -> Array:
    warp = _noise(rng, 40.0, 40.0)
    vein = np.abs(_noise(rng, 30.0, 18.0) + 0.4 * warp)
    strength = np.clip(0.5 + _noise(rng, 50.0, 50.0), 0.0, 1.0)
    return np.asarray(0.95 - 0.22 * strength * np.exp(-((vein / 0.05) ** 2)) + 0.03 * warp)


def _brushed(rng: np.random.Generator) -> Array:
    return np.asarray(0.88 + 0.07 * _noise(rng, 160.0, 1.2) + 0.04 * _noise(rng, 200.0, 20.0))


def _stipple(rng: np.random.Generator) -> Array:
    v, u = np.mgrid[0:SIZE, 0:SIZE]
    dot = np.hypot(u % 32 - 15.5, (v + 16 * (u // 32 % 2)) % 32 - 15.5)
    return np.asarray(np.where(dot < 7.0, 0.74, 0.94) + 0.01 * _noise(rng, 2.0, 2.0))


def _stripes(rng: np.random.Generator) -> Array:
    u = np.arange(SIZE)[None, :]
    return np.asarray(np.where((u // 32) % 2 == 0, 0.97, 0.68) + 0.02 * _noise(rng, 2.0, 2.0))


def _lattice(rng: np.random.Generator) -> Array:
    v, u = np.mgrid[0:SIZE, 0:SIZE]
    diamond = np.abs((u % 64) - 32) + np.abs((v % 64) - 32)
    return np.asarray(np.where(np.abs(diamond - 30) < 5, 0.68, 0.95) + 0.03 * _noise(rng, 1.5, 1.5))


def _asphalt(rng: np.random.Generator) -> Array:
    grit = 0.09 * _noise(rng, 1.2, 1.2)
    return np.asarray(0.86 + grit + 0.05 * _noise(rng, 30.0, 30.0) + 0.04 * _noise(rng, 90.0, 12.0))


def _concrete(rng: np.random.Generator) -> Array:
    return np.asarray(0.9 + 0.03 * _noise(rng, 2.0, 2.0) + 0.05 * _noise(rng, 40.0, 70.0))


def _paving(rng: np.random.Generator) -> Array:
    row, column, edge = _cells(4, 4, 0.5)
    tone = 0.1 * (rng.random((4, 4)) - 0.5)
    surface = 0.9 + tone[row, column] + 0.03 * _noise(rng, 2.0, 2.0)
    return np.asarray(np.where(edge < 1.2, 0.68, surface))


def _grass(rng: np.random.Generator) -> Array:
    return np.asarray(0.81 + 0.13 * _noise(rng, 1.5, 3.0) + 0.06 * _noise(rng, 35.0, 35.0))


def _leaves(rng: np.random.Generator) -> Array:
    return np.asarray(0.81 + 0.14 * _noise(rng, 4.0, 4.0) + 0.07 * _noise(rng, 14.0, 14.0))


def _bark(rng: np.random.Generator) -> Array:
    return np.asarray(0.81 + 0.14 * _noise(rng, 3.0, 30.0) + 0.05 * _noise(rng, 1.5, 4.0))


def _roof(rng: np.random.Generator) -> Array:
    v, _ = np.mgrid[0:SIZE, 0:SIZE]
    row, column, edge = _cells(8, 8, 0.5)
    tone = 0.14 * (rng.random((8, 8)) - 0.5)
    shade = 0.16 * ((v % 32) / 32.0 - 0.5)
    return np.asarray(np.where(edge < 1.0, 0.62, 0.85 + tone[row, column] + shade))


def _panes(rng: np.random.Generator) -> Array:
    """What window glass shows: a paler sky above, here and there a drawn curtain."""
    v, _ = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    return np.asarray(0.83 + 0.1 * np.cos(2 * np.pi * v) + 0.1 * _noise(rng, 45.0, 25.0))


TEXTURES: dict[str, tuple[Callable[[np.random.Generator], Array], float]] = {
    "asphalt": (_asphalt, 2.4),
    "bark": (_bark, 0.5),
    "bricks": (_bricks, 0.96),
    "brushed": (_brushed, 0.35),
    "carpet": (_carpet, 0.6),
    "concrete": (_concrete, 2.5),
    "fabric": (_fabric, 0.12),
    "grass": (_grass, 1.6),
    "herringbone": (_herringbone, 1.6),
    "lattice": (_lattice, 0.8),
    "leaves": (_leaves, 1.1),
    "marble": (_marble, 1.1),
    "mosaic": (_mosaic, 0.6),
    "panes": (_panes, 3.1),
    "paving": (_paving, 1.6),
    "planks": (_planks, 1.6),
    "plaster": (_plaster, 1.2),
    "roof": (_roof, 2.4),
    "stipple": (_stipple, 0.12),
    "stripes": (_stripes, 0.8),
    "terrazzo": (_terrazzo, 1.0),
    "tiles": (_tiles, 0.9),
    "wood": (_wood, 0.7),
}


@cache
def texture(name: str) -> Texture:
    """The named texture: grey texels, mean about 0.9, the same in every scene."""
    draw, period_m = TEXTURES[name]
    level = np.clip(draw(np.random.default_rng(crc32(name.encode()))), 0.0, 1.0)
    texels = np.round(level * 255.0).astype(np.uint8)
    return Texture(image=np.repeat(texels[..., None], 3, axis=2), period_m=period_m)


def _bilerp(corner_rows: Array, height: int, width: int) -> Array:
    t = np.linspace(0.0, 1.0, height)[:, None, None]
    return np.asarray(
        np.broadcast_to((1 - t) * corner_rows[0] + t * corner_rows[1], (height, width, 3))
    )


def draw_painting(rng: np.random.Generator) -> UInt8[Array, "128 128 3"]:
    """An abstract or landscape picture in a few agreeing colours."""
    v, u = np.mgrid[0:128, 0:128] / 127.0
    colors = rng.integers(40, 236, (6, 3)).astype(np.float64)
    colors = 0.65 * colors + 0.35 * rng.integers(60, 220, (1, 3))
    image = _bilerp(colors[:2], 128, 128).copy()
    if rng.random() < 0.5:
        for layer in range(3):
            a, b, c = rng.uniform(0.03, 0.1), rng.uniform(3.0, 9.0), rng.uniform(0.0, 6.3)
            ridge = 0.4 + 0.18 * layer + a * np.sin(b * u + c)
            image[v > ridge] = colors[2 + layer]
    else:
        for layer in range(4):
            x, y, r = rng.uniform(0.15, 0.85), rng.uniform(0.15, 0.85), rng.uniform(0.1, 0.3)
            round_shape = (u - x) ** 2 + (v - y) ** 2 < r * r
            square_shape = np.maximum(np.abs(u - x), np.abs(v - y)) < r
            image[round_shape if layer % 2 else square_shape] = colors[2 + layer]
    return np.clip(image, 0, 255).astype(np.uint8)


def draw_outdoors(rng: np.random.Generator) -> UInt8[Array, "128 128 3"]:
    """What a window shows: bright sky above a hazy row of trees or roofs."""
    v, u = np.mgrid[0:128, 0:128] / 127.0
    sky = np.array([[150.0, 195.0, 240.0], [225.0, 236.0, 245.0]])
    image = _bilerp(sky, 128, 128).copy()
    horizon = 0.68 + 0.05 * np.sin(u * rng.uniform(10, 25) + rng.uniform(0, 6))
    horizon = horizon + 0.03 * np.sin(u * rng.uniform(30, 60))
    image[v > horizon] = np.array([140.0, 165.0, 130.0]) + rng.uniform(-20, 20, 3)
    image[v > 0.88] = np.array([165.0, 175.0, 140.0])
    return np.clip(image, 0, 255).astype(np.uint8)


def draw_desktop(rng: np.random.Generator) -> UInt8[Array, "128 128 3"]:
    """A computer screen with a few open windows."""
    v, u = np.mgrid[0:128, 0:128] / 127.0
    image = _bilerp(rng.integers(40, 150, (2, 3)).astype(np.float64), 128, 128).copy()
    for _ in range(2):
        left, top = rng.uniform(0.05, 0.45), rng.uniform(0.08, 0.4)
        inside = (u > left) & (u < left + 0.45) & (v > top) & (v < top + 0.48)
        image[inside] = 236.0
        image[inside & (v < top + 0.06)] = rng.integers(60, 200, 3)
        lines = (
            inside & (v > top + 0.1) & ((v * 24) % 1 < 0.35) & (u < left + 0.4) & (u > left + 0.04)
        )
        image[lines] = 150.0
    image[v > 0.94] = 34.0
    return np.clip(image, 0, 255).astype(np.uint8)


def draw_clock_face() -> UInt8[Array, "128 128 3"]:
    """A white dial with twelve ticks and two hands at ten past ten."""
    v, u = np.mgrid[0:128, 0:128] / 127.0 - 0.5
    image = np.full((128, 128, 3), 245.0)
    radius, angle = np.hypot(u, v), np.arctan2(u, -v)
    tick = (
        (np.abs((angle / (np.pi / 6) + 0.5) % 1 - 0.5) < 0.09) & (radius > 0.38) & (radius < 0.45)
    )
    image[tick] = 30.0
    for heading, length in ((np.deg2rad(305.0), 0.22), (np.deg2rad(60.0), 0.34)):
        along = u * np.sin(heading) - v * np.cos(heading)
        across = u * np.cos(heading) + v * np.sin(heading)
        image[(np.abs(across) < 0.018) & (along > -0.03) & (along < length)] = 25.0
    return image.astype(np.uint8)
