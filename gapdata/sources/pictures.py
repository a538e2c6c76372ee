"""Compressed pictures as sources store them, decoded only after their announced size has been checked."""

from __future__ import annotations

import io

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image, UnidentifiedImageError

Array = np.ndarray

# Far above any sensor, far below what would hurt: larger sizes come from damaged files.
MAX_SIDE = 8192


def picture_format(blob: bytes) -> tuple[str, int, int]:
    """Format ("JPEG", "PNG", ...), height and width of a picture, from its first bytes: nothing is decoded.

    Raises ValueError for bytes that are no picture, or one with a side beyond MAX_SIDE.
    """
    try:
        with Image.open(io.BytesIO(blob)) as picture:
            form, height, width = str(picture.format), picture.height, picture.width
    except UnidentifiedImageError as error:
        raise ValueError(f"expected a picture, found {len(blob)} bytes that are none") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"expected sides of at most {MAX_SIDE}, found: {error}") from error
    if max(height, width) > MAX_SIDE:
        raise ValueError(f"expected sides of at most {MAX_SIDE}, found {width}x{height}")
    return form, height, width


def check_picture(blob: bytes, form: str, height: int, width: int) -> None:
    """Nothing, when the bytes start a picture of this format and size; else raises ValueError."""
    found = picture_format(blob)
    if found != (form, height, width):
        raise ValueError(
            f"expected a {form} of {width}x{height}, found {found[0]} of {found[2]}x{found[1]}"
        )


def decode_rgb(blob: bytes, form: str, height: int, width: int) -> UInt8[Array, "h w 3"]:
    """RGB of a picture, as stored (no EXIF turn). Raises ValueError on another format, size, or damage."""
    check_picture(blob, form, height, width)
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    rgb = cv2.imdecode(np.frombuffer(blob, np.uint8), flags)
    if rgb is None:
        raise ValueError(f"expected a whole {form}, found damaged or missing data in it")
    return np.asarray(rgb, np.uint8)


def decode_uint16(blob: bytes, height: int, width: int) -> UInt16[Array, "h w"]:
    """Samples of a one-channel 16-bit PNG. Raises ValueError on another format, size, or damage."""
    check_picture(blob, "PNG", height, width)
    stored = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise ValueError("expected a whole PNG, found damaged or missing data in it")
    if stored.dtype != np.uint16 or stored.ndim != 2:
        raise ValueError(
            f"expected one channel of uint16, found {stored.dtype} of shape {stored.shape}"
        )
    return np.asarray(stored)
