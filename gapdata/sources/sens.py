"""The `.sens` container of ScanNet, version 4: one pass over its frame headers, then random access to frames.

Facts of the format: https://github.com/ScanNet/ScanNet/tree/master/SensReader. Little-endian; a header,
then frames of pose, two timestamps in microseconds, two sizes and two blobs; the inertial block after the
frames is not read. Files reach tens of GB: blobs are sought over, and only the fixed frame headers are kept.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from gapdata.errors import SourceError
from gapdata.geometry.camera import Camera
from gapdata.geometry.depth import depth_from_uint16
from gapdata.scene import Recording
from gapdata.sources.pictures import MAX_SIDE, check_picture, decode_rgb

Array = np.ndarray
Fail = Callable[..., SourceError]

VERSION = 4
COLOR_CODECS = {0: "raw", 1: "png", 2: "jpeg"}
DEPTH_CODECS = {0: "raw", 1: "zlib", 2: "occi"}

MAX_NAME_BYTES = 1024  # a longer sensor name is a damaged header

_PREFIX = struct.Struct("<IQ")
_CALIBRATION = np.dtype(("<f4", (4, 4, 4)))
_FORMAT = struct.Struct("<iiIIIIfQ")
FRAME_HEADER = np.dtype(
    [
        ("cam2world", "<f4", (4, 4)),
        ("timestamp_color", "<u8"),
        ("timestamp_depth", "<u8"),
        ("color_bytes", "<u8"),
        ("depth_bytes", "<u8"),
    ]
)
_TRUNCATED = "the file is truncated or damaged: get it again"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SensHeader:
    """What a `.sens` file says before its frames. `frames_at` is the byte where the first frame starts."""

    sensor: str
    color_intrinsics: Float32[Array, "4 4"]
    color_extrinsics: Float32[Array, "4 4"]
    depth_intrinsics: Float32[Array, "4 4"]
    depth_extrinsics: Float32[Array, "4 4"]
    color_codec: str
    depth_codec: str
    color_size: tuple[int, int]  # (height, width)
    depth_size: tuple[int, int]
    depth_shift: float  # stored depth = metres x depth_shift
    num_frames: int
    frames_at: int


def read_header(path: Path, source: str = "", scene: str = "") -> SensHeader:
    """The checked header of a `.sens` file. Raises SourceError before anything large could be allocated."""
    fail = functools.partial(SourceError, source, scene, path)
    with path.open("rb") as file:

        def read(count: int) -> bytes:
            start = file.tell()
            found = file.read(count)
            if len(found) < count:
                raise fail(
                    f"header: expected {count} bytes at byte {start}, found {len(found)}",
                    _TRUNCATED,
                )
            return found

        version, name_bytes = _PREFIX.unpack(read(_PREFIX.size))
        if version != VERSION:
            raise fail(f"header: expected version {VERSION}, found {version}", "convert the file")
        if name_bytes > MAX_NAME_BYTES:
            raise fail(
                f"header: expected a sensor name of at most {MAX_NAME_BYTES} bytes, found {name_bytes}",
                _TRUNCATED,
            )
        sensor = read(name_bytes).decode("utf-8", "replace").rstrip("\0")
        matrices = np.frombuffer(read(_CALIBRATION.itemsize), "<f4").reshape(4, 4, 4)
        (
            color_codec, depth_codec, color_width, color_height, depth_width, depth_height, shift, count
        ) = _FORMAT.unpack(read(_FORMAT.size))  # fmt: skip
        frames_at = file.tell()

    _check_codecs(color_codec, depth_codec, fail)
    for name, side in (
        ("colour width", color_width), ("colour height", color_height),
        ("depth width", depth_width), ("depth height", depth_height),
    ):  # fmt: skip
        if not 0 < side <= MAX_SIDE:
            raise fail(f"header: expected a {name} of 1..{MAX_SIDE}, found {side}", _TRUNCATED)
    if not (np.isfinite(shift) and shift > 0):
        raise fail(f"header: expected a positive depth shift, found {shift}", _TRUNCATED)
    return SensHeader(
        sensor=sensor,
        color_intrinsics=matrices[0],
        color_extrinsics=matrices[1],
        depth_intrinsics=matrices[2],
        depth_extrinsics=matrices[3],
        color_codec=COLOR_CODECS[color_codec],
        depth_codec=DEPTH_CODECS[depth_codec],
        color_size=(color_height, color_width),
        depth_size=(depth_height, depth_width),
        depth_shift=shift,
        num_frames=count,
        frames_at=frames_at,
    )


def _check_codecs(color_codec: int, depth_codec: int, fail: Fail) -> None:
    """Nothing, when both codecs can be read."""
    hint = "export the frames with ScanNet's SensReader"
    if color_codec not in COLOR_CODECS:
        expected = ", ".join(f"{number} ({name})" for number, name in COLOR_CODECS.items())
        raise fail(f"header: expected colour codec {expected}, found {color_codec}", hint)
    name = DEPTH_CODECS.get(depth_codec, "unknown")
    # "occi" is the codec of a closed library.
    if name not in ("raw", "zlib"):
        raise fail(
            f"header: expected depth codec 0 (raw) or 1 (zlib), found {depth_codec} ({name})", hint
        )


class SensFile:
    """A `.sens` file: its header, the fixed part of every frame, and access to any frame's pictures.

    `index` holds one FRAME_HEADER record a frame, `blob_at` the byte where each frame's colour blob starts:
    104 bytes a frame, whatever the file's size. Each read opens the file, so a SensFile holds no handle and
    may be shared by threads. Raises SourceError naming the frame, what was expected and what was found.
    """

    def __init__(self, path: Path, source: str = "", scene: str = "") -> None:
        self.path = path
        self._fail = functools.partial(SourceError, source, scene, path)
        self.header = read_header(path, source, scene)
        self.index, self.blob_at = self._scan()

    def __len__(self) -> int:
        return len(self.index)

    def _scan(self) -> tuple[Array, Array]:
        """Frame headers and blob offsets, from one pass that reads 96 bytes a frame."""
        size, announced = self.path.stat().st_size, self.header.num_frames
        # No more records than the file could hold, whatever the header announces.
        capacity = min(announced, (size - self.header.frames_at) // FRAME_HEADER.itemsize + 1)
        index = np.empty(capacity, FRAME_HEADER)
        blob_at = np.empty(capacity, np.int64)
        raw, position = index.view(np.uint8).data, self.header.frames_at
        sizes = struct.Struct("<QQ")
        with self.path.open("rb", buffering=0) as file:
            for frame in range(announced):
                file.seek(position)
                start = frame * FRAME_HEADER.itemsize
                record = raw[start : start + FRAME_HEADER.itemsize]
                found = file.readinto(record) or 0
                if found < FRAME_HEADER.itemsize:
                    raise self._fail(
                        f"frame {frame} of {announced}: expected {FRAME_HEADER.itemsize} bytes of frame header "
                        f"at byte {position}, found {found}",
                        _TRUNCATED,
                    )
                color_bytes, depth_bytes = sizes.unpack_from(
                    record, FRAME_HEADER.itemsize - sizes.size
                )
                self._check_sizes(frame, color_bytes, depth_bytes)
                blob_at[frame] = position + FRAME_HEADER.itemsize
                position += FRAME_HEADER.itemsize + color_bytes + depth_bytes
                if position > size:
                    raise self._fail(
                        f"frame {frame} of {announced}: expected {color_bytes} bytes of colour and {depth_bytes} of "
                        f"depth at byte {blob_at[frame]}, found {size - blob_at[frame]}",
                        _TRUNCATED,
                    )
        return index, blob_at

    def _check_sizes(self, frame: int, color_bytes: int, depth_bytes: int) -> None:
        """Nothing, when a frame's blobs can be what the header announces. An empty blob is a lost picture."""
        header = self.header
        for name, found, samples, codec in (
            ("colour", color_bytes, 3 * header.color_size[0] * header.color_size[1], header.color_codec),
            ("depth", depth_bytes, 2 * header.depth_size[0] * header.depth_size[1], header.depth_codec),
        ):  # fmt: skip
            # No codec here inflates its input by more than a small fraction; tiny pictures carry tables.
            limit = samples if codec == "raw" else 2 * samples + (1 << 16)
            if found > limit or (codec == "raw" and found not in (0, samples)):
                bound = "exactly" if codec == "raw" else "at most"
                raise self._fail(
                    f"frame {frame}: expected {bound} {limit} bytes of {codec} {name}, found {found}",
                    _TRUNCATED,
                )

    def _read(self, frame: int, start: int, count: int, name: str) -> bytes:
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(start)
                found = file.read(count)
        except OSError as error:
            raise self._fail(
                f"frame {frame}: expected a readable file, found {error.strerror}"
            ) from error
        if len(found) < count:
            raise self._fail(
                f"frame {frame}: expected {count} bytes of {name} at byte {start}, found {len(found)}",
                "the file changed while it was read",
            )
        return found

    def read_color_bytes(self, frame: int) -> bytes:
        """The colour blob of a frame, as stored."""
        return self._read(
            frame, int(self.blob_at[frame]), int(self.index["color_bytes"][frame]), "colour"
        )

    def read_jpeg(self, frame: int) -> bytes:
        """The recorded JPEG of a frame, its format and size checked against the header."""
        blob = self.read_color_bytes(frame)
        try:
            check_picture(blob, "JPEG", *self.header.color_size)
        except ValueError as error:
            raise self._fail(f"frame {frame}: colour: {error}", _TRUNCATED) from error
        return blob

    def read_rgb(self, frame: int) -> UInt8[Array, "h w 3"]:
        """The decoded colour picture of a frame."""
        blob = self.read_color_bytes(frame)
        if self.header.color_codec == "raw":
            return np.frombuffer(blob, np.uint8).reshape(*self.header.color_size, 3)
        try:
            return decode_rgb(blob, self.header.color_codec.upper(), *self.header.color_size)
        except ValueError as error:
            raise self._fail(f"frame {frame}: colour: {error}", _TRUNCATED) from error

    def read_depth(self, frame: int) -> Float32[Array, "h w"]:
        """Depth of a frame in metres, 0 = invalid."""
        header = self.header
        start = int(self.blob_at[frame]) + int(self.index["color_bytes"][frame])
        blob = self._read(frame, start, int(self.index["depth_bytes"][frame]), "depth")
        expected = 2 * header.depth_size[0] * header.depth_size[1]
        if header.depth_codec == "zlib":
            try:
                blob = zlib.decompressobj().decompress(blob, expected + 1)
            except zlib.error as error:
                raise self._fail(
                    f"frame {frame}: expected zlib data for depth, found {error}", _TRUNCATED
                ) from error
        if len(blob) != expected:
            found = f"more than {expected}" if len(blob) > expected else str(len(blob))
            raise self._fail(
                f"frame {frame}: expected {expected} bytes of decoded depth, found {found}",
                _TRUNCATED,
            )
        stored = np.frombuffer(blob, "<u2").reshape(header.depth_size)
        return depth_from_uint16(stored, header.depth_shift)

    def recording(self, frame: int, depth_camera: Camera) -> Recording:
        """Lazy readers of one frame."""
        is_jpeg = self.header.color_codec == "jpeg"
        return Recording(
            read_rgb=functools.partial(self.read_rgb, frame),
            read_depth=functools.partial(self.read_depth, frame),
            depth_camera=depth_camera,
            read_jpeg=functools.partial(self.read_jpeg, frame) if is_jpeg else None,
        )
