"""A sample as named members of bytes, and back: image layers, points, and the two JSON records.

Exact both ways except for JPEG colour, depth rounded to 1 / depth_scale metres, and normals rounded to
1 / 127.5 per component. The same sample always gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from gapdata.errors import DatasetError, MissingDependencyError
from gapdata.geometry.depth import depth_from_uint16, depth_to_uint16
from gapdata.sample import Sample, ScenePoints
from gapdata.shards.records import (
    META,
    QUESTIONS,
    dump_json,
    meta_from_sample,
    parse_meta,
    parse_questions,
    rows_from_questions,
    sample_from_meta,
)
from gapdata.view import View

Array = np.ndarray

LAYERS = ("rgb", "depth", "normal", "instance")
POINTS = "points.npz"

# `.tiff16` is unknown to every loader on purpose: known 16-bit image suffixes are decoded to 8 bits by some.
_SUFFIX = {
    "rgb": "rgb.jpg",
    "depth": "depth.tiff16",
    "normal": "normal.png",
    "instance": "instance.tiff16",
}
_COMPONENT = (
    np.arange(256, dtype=np.float32) / np.float32(127.5) - 1
)  # of a normal, by stored value
_POINT_FIELDS = ("xyz_world", "rgb", "normal_world", "instance", "pixel", "visible")

_DEFLATE = [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_ADOBE_DEFLATE]
_NO_PREDICTOR = 1
# Normals differ little from pixel to pixel: differences in runs are smaller than the default's output and
# take a quarter of its time (540x360 normals of a scan: 142 KiB in 3.2 ms, default 156 KiB in 12.6 ms).
_PNG = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB),
]


def member_names(num_views: int, layers: Sequence[str] = LAYERS) -> tuple[str, ...]:
    """Sorted member suffixes of a sample with `num_views` views: the given layers, points, meta, questions."""
    images = [layer_member(view, layer) for view in range(num_views) for layer in layers]
    return tuple(sorted([*images, POINTS, META, QUESTIONS]))


def layer_member(view: int, layer: str) -> str:
    """Member suffix of a view's layer, `00.depth.tiff16` say."""
    return f"{view:02d}.{_SUFFIX[layer]}"


def encode_sample(
    sample: Sample, *, depth_scale: float = 1000.0, jpeg_quality: int = 95
) -> dict[str, bytes]:
    """Member suffix -> bytes, sorted by suffix. Raises DatasetError when the sample contradicts itself.

    Depth is stored as uint16 of metres x `depth_scale`; what does not fit becomes invalid (0). A view's
    own JPEG is copied untouched.
    """
    members = encode_pictures(
        sample.key, sample.views, sample.points, depth_scale=depth_scale, jpeg_quality=jpeg_quality
    )
    members[META] = dump_json(meta_from_sample(sample, depth_scale), sample.key)
    members[QUESTIONS] = dump_json(rows_from_questions(sample.qa), sample.key)
    return dict(sorted(members.items()))


def encode_pictures(
    key: str,
    views: Sequence[View],
    points: ScenePoints,
    *,
    depth_scale: float = 1000.0,
    jpeg_quality: int = 95,
) -> dict[str, bytes]:
    """Member suffix -> bytes of the views' layers and the points; see `encode_sample`."""
    members: dict[str, bytes] = {}
    for number, view in enumerate(views):
        arrays = _layer_arrays(key, view)
        layers = {
            "rgb": view.jpeg or encode_rgb(arrays["rgb"], jpeg_quality),
            "depth": encode_depth(arrays["depth"], depth_scale),
            "normal": encode_normal(arrays["normal"]),
            "instance": encode_instance(arrays["instance"]),
        }
        members |= {layer_member(number, layer): data for layer, data in layers.items()}
    members[POINTS] = encode_points(points)
    return members


def decode_sample(members: Mapping[str, bytes], *, layers: Sequence[str] = LAYERS) -> Sample:
    """The sample of a shard's members; layers not asked for are None. `View.jpeg` keeps the stored bytes.

    Raises DatasetError for a missing or damaged member.
    """
    meta = parse_meta(_member(members, META))
    questions = parse_questions(_member(members, QUESTIONS))
    images = [
        _decode_layers(members, number, view, layers) for number, view in enumerate(meta["views"])
    ]
    points = decode_points(_member(members, POINTS))
    return sample_from_meta(meta, images, points, questions)


def _decode_layers(
    members: Mapping[str, bytes], number: int, view: Mapping[str, Any], layers: Sequence[str]
) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for layer in layers:
        data = _member(members, layer_member(number, layer))
        if layer == "rgb":
            decoded |= {"rgb": decode_rgb(data), "jpeg": data}
        elif layer == "depth":
            decoded["depth"] = decode_depth(data, view["depth_scale"])
        else:
            decoded[layer] = decode_normal(data) if layer == "normal" else decode_instance(data)
        expected = (view["height"], view["width"])
        if decoded[layer].shape[:2] != expected:
            found = decoded[layer].shape[:2]
            raise DatasetError(
                f"{layer_member(number, layer)}: expected height, width {expected} as in {META}, found {found}"
            )
    return decoded


def _member(members: Mapping[str, bytes], suffix: str) -> bytes:
    if suffix not in members:
        raise DatasetError(f"member {suffix} is missing; found {', '.join(sorted(members))}")
    return members[suffix]


def _layer_arrays(key: str, view: View) -> dict[str, Array]:
    size = (view.camera.height, view.camera.width)
    arrays = {layer: getattr(view, layer) for layer in LAYERS}
    for layer, array in arrays.items():
        if array is None or array.shape[:2] != size:
            found = "nothing" if array is None else f"{array.shape[:2]}"
            raise DatasetError(
                f"{key}: frame {view.frame_id}: expected a {layer} layer of height, width {size}, found {found}"
            )
    return arrays


def decode_stored(layer: str, data: bytes) -> Array:
    """A layer's stored integers: uint8 RGB of rgb and normal, uint16 of depth and instance. Raises DatasetError."""
    if layer == "rgb":
        return _imdecode(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION, np.uint8, 3)
    if layer == "normal":
        return _imdecode(data, cv2.IMREAD_COLOR_RGB, np.uint8, 3)
    return _imdecode(data, cv2.IMREAD_UNCHANGED, np.uint16, 1)


def encode_rgb(rgb: UInt8[Array, "h w 3"], quality: int = 95) -> bytes:
    """JPEG bytes of an RGB image."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return _imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))


def decode_rgb(data: bytes) -> UInt8[Array, "h w 3"]:
    """RGB image of JPEG bytes, as stored: an EXIF orientation is not applied, as it would turn the grid."""
    return decode_stored("rgb", data)


def encode_depth(depth: Float32[Array, "h w"], depth_scale: float = 1000.0) -> bytes:
    """TIFF bytes (uint16, deflate) of depth in metres; see `gapdata.geometry.depth.depth_to_uint16`."""
    return _imencode(".tiff", depth_to_uint16(depth, depth_scale), tuple(_DEFLATE))


def decode_depth(data: bytes, depth_scale: float = 1000.0) -> Float32[Array, "h w"]:
    """Depth in metres, 0 = invalid."""
    return depth_from_uint16(decode_stored("depth", data), depth_scale)


def encode_normal(normal: Float32[Array, "h w 3"]) -> bytes:
    """PNG bytes of camera-frame unit normals, round((n + 1) x 127.5) as RGB; (0, 0, 0) stays (0, 0, 0)."""
    stored = cv2.convertScaleAbs(normal, alpha=127.5, beta=127.5)
    # Unit vectors never come near the middle of the range, which is where zero vectors land.
    stored[cv2.inRange(stored, (126, 126, 126), (129, 129, 129)) > 0] = 0
    return _imencode(".png", cv2.cvtColor(stored, cv2.COLOR_RGB2BGR), tuple(_PNG))


def decode_normal(data: bytes) -> Float32[Array, "h w 3"]:
    """Camera-frame normals, scaled back to unit length; (0, 0, 0) = invalid."""
    return normal_from_uint8(decode_stored("normal", data))


def normal_from_uint8(
    stored: UInt8[Array, "h w 3"], out: Float32[Array, "h w 3"] | None = None
) -> Float32[Array, "h w 3"]:
    """Camera-frame unit normals from stored components, in `out` where it is given; (0, 0, 0) stays (0, 0, 0)."""
    normal = cv2.LUT(stored, _COMPONENT, dst=out)
    squares = cv2.multiply(normal, normal)
    scale = cv2.transform(squares, np.ones((1, 3), np.float32))
    np.sqrt(scale, out=scale)
    np.divide(1, scale, out=scale)
    scale[cv2.inRange(stored, (0, 0, 0), (0, 0, 0)) > 0] = 0
    cv2.merge((scale, scale, scale), dst=squares)
    return cv2.multiply(normal, squares, dst=normal)


def encode_instance(instance: UInt16[Array, "h w"]) -> bytes:
    """TIFF bytes (uint16, deflate) of instance ids."""
    # One strip and no predictor: flat regions of ids are long runs, which a predictor would only break.
    strip = (cv2.IMWRITE_TIFF_ROWSPERSTRIP, instance.shape[0])
    return _imencode(
        ".tiff", instance, (*_DEFLATE, *strip, cv2.IMWRITE_TIFF_PREDICTOR, _NO_PREDICTOR)
    )


def decode_instance(data: bytes) -> UInt16[Array, "h w"]:
    """Instance ids, 0 = none."""
    return decode_stored("instance", data)


def encode_points(points: ScenePoints) -> bytes:
    """The npz bytes of the scene points' six arrays. numpy stamps a fixed date, so the bytes repeat."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(points, name) for name in _POINT_FIELDS})
    return buffer.getvalue()


def decode_points(data: bytes) -> ScenePoints:
    """Scene points of npz bytes. Raises DatasetError when they are damaged."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return ScenePoints(**{name: archive[name] for name in _POINT_FIELDS})
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
        raise DatasetError(f"{POINTS}: damaged: {error}") from error


def _imencode(extension: str, image: Array, parameters: tuple[int, ...]) -> bytes:
    _require_codec(extension, image.dtype.str, parameters[:2] if extension != ".jpg" else ())
    ok, buffer = cv2.imencode(extension, image, parameters)
    if not ok:
        raise DatasetError(
            f"OpenCV cannot encode a {image.shape} {image.dtype} image as {extension}"
        )
    return buffer.tobytes()


@cache
def _require_codec(extension: str, dtype: str, parameters: tuple[int, ...]) -> None:
    """Raises MissingDependencyError unless a test image survives: OpenCV may lack a codec without saying so."""
    image = np.add.outer(np.arange(16), np.arange(16)).astype(dtype)
    _, buffer = cv2.imencode(extension, image, parameters)
    back = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED) if buffer.size else None
    if back is None or back.dtype != image.dtype or np.abs(back.astype(int) - image).max() > 4:
        raise MissingDependencyError(
            f"this OpenCV cannot write {extension} images: pip install --force-reinstall opencv-python-headless"
        )


def _imdecode(data: bytes, flags: int, dtype: type, channels: int) -> Array:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if image is None:
        raise DatasetError(f"an image member of {len(data)} bytes cannot be decoded: it is damaged")
    found = image.shape[2] if image.ndim == 3 else 1
    if image.dtype != dtype or found != channels:
        raise DatasetError(
            f"an image member has {found} channels of {image.dtype}, expected {channels} of {np.dtype(dtype)}"
        )
    return image
