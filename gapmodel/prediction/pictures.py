"""Depth and normals as pictures: exact ones for programs, coloured ones for people, and sheets that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from gapdata.errors import GapdataError
from gapdata.geometry.depth import depth_to_uint16
from gapmodel.metrics.depth import valid_depth

Array = np.ndarray
Picture = UInt8[Array, "H W 3"]

UNKNOWN = (40, 40, 40)  # colour of pixels without a truth
_BAR, _GAP = 18, 4  # pixels: height of a caption, space between pictures


class PictureError(GapdataError):
    """A picture that cannot be read or written."""


def read_picture(path: Path) -> Picture:
    """An RGB picture from a file, turned as its EXIF orientation says. Raises PictureError for anything else."""
    data = _read(path)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if len(data) else None
    if picture is None:
        raise PictureError(
            f"{path}: expected a picture such as JPEG or PNG, found {len(data)} bytes of something else"
        )
    return picture


def read_depth(path: Path) -> Float32[Array, "H W"]:
    """Depth in metres of a 16-bit picture of millimetres, 0 = unknown. Raises PictureError for anything else."""
    data = _read(path)
    stored = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if stored is None or stored.dtype != np.uint16 or stored.ndim != 2:
        found = "no picture" if stored is None else f"{stored.dtype} {stored.shape}"
        raise PictureError(
            f"{path}: expected depth as a 16-bit grey PNG in millimetres, found {found}"
        )
    return stored.astype(np.float32) / np.float32(1000)


def write_depth(path: Path, depth: Float[Array, "H W"]) -> None:
    """Write depth in metres as a 16-bit PNG in millimetres; 0 where it is unknown or beyond 65.5 m."""
    _write(path, depth_to_uint16(depth.astype(np.float32)))


def write_picture(path: Path, picture: Picture) -> None:
    """Write an RGB picture."""
    _write(path, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def colour_depth(depth: Float[Array, "H W"], near: float, far: float) -> Picture:
    """Depth from red (`near`) over green to blue (`far`), by its logarithm; grey where it is unknown."""
    known = valid_depth(depth)
    logs = np.log(np.where(known, depth, near) / near) / max(np.log(far / near), 1e-6)
    shade = np.rint(255 * (1.0 - np.clip(logs, 0.0, 1.0))).astype(np.uint8)
    coloured = cv2.cvtColor(cv2.applyColorMap(shade, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.where(known[..., None], coloured, np.array(UNKNOWN, np.uint8))


def depth_range(depths: Sequence[Float[Array, "H W"]]) -> tuple[float, float]:
    """The 1st and 99th percentile of all known depths, in metres; 1 and 2 when there are none."""
    known = np.concatenate([depth[valid_depth(depth)].ravel() for depth in depths])
    if not len(known):
        return 1.0, 2.0
    near, far = np.percentile(known, [1, 99])
    return float(near), float(max(far, 1.01 * near))


def colour_normal(normal: Float[Array, "H W 3"]) -> Picture:
    """Normals as colours as shards store them, round((n + 1) x 127.5) of camera axes; grey where they are unknown."""
    known = (normal != 0).any(axis=-1, keepdims=True)
    stored = np.rint((np.clip(normal, -1, 1) + 1) * 127.5).astype(np.uint8)
    return np.where(known, stored, np.array(UNKNOWN, np.uint8))


def sheet(
    columns: Sequence[str], rows: Sequence[Sequence[Picture]], least_width: int = 240
) -> Picture:
    """Pictures in rows under the captions of their columns, small ones enlarged to at least `least_width` pixels."""
    height, width = rows[0][0].shape[:2]
    times = max(1, -(-least_width // width))
    height, width = height * times, width * times
    canvas = np.full(
        (_BAR + len(rows) * (height + _GAP), len(columns) * (width + _GAP) - _GAP, 3), 255, np.uint8
    )
    for column, caption in enumerate(columns):
        left = column * (width + _GAP)
        cv2.putText(
            canvas,
            caption,
            (left + 2, _BAR - 5),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.42,
            (0, 0, 0),
            1,
            cv2.LINE_AA,
        )
        for row, pictures in enumerate(rows):
            top = _BAR + row * (height + _GAP)
            large = cv2.resize(pictures[column], (width, height), interpolation=cv2.INTER_NEAREST)
            canvas[top : top + height, left : left + width] = large
    return canvas


def _read(path: Path) -> UInt8[Array, " n"]:
    try:
        return np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror}") from error


def _write(path: Path, image: Array) -> None:
    ok, buffer = cv2.imencode(".png", image)
    if not ok:
        raise PictureError(f"{path}: OpenCV cannot encode {image.dtype} {image.shape} as PNG")
    try:
        path.write_bytes(buffer.tobytes())
    except OSError as error:
        raise PictureError(f"{path}: cannot be written: {error.strerror}") from error
