"""ScanNet frames exported to folders: color/, depth/, pose/ and intrinsic/, one file a frame."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, UInt8

from gapdata.errors import SourceError
from gapdata.geometry.camera import Camera
from gapdata.geometry.depth import depth_from_uint16
from gapdata.scene import Recording
from gapdata.sources.pictures import check_picture, decode_rgb, decode_uint16, picture_format

Array = np.ndarray

DEPTH_SHIFT = 1000.0  # the exporter writes millimetres
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


class ExportedFrames:
    """The frames that have colour, depth and pose, in the order of their numbers.

    `drops` counts the frames that lack a partner file. Raises SourceError when a folder or an intrinsics
    file is missing, or when no frame is complete.
    """

    def __init__(self, folder: Path, source: str = "", scene: str = "") -> None:
        self.folder, self.source, self.scene = folder, source, scene
        color = self._numbered("color", tuple(_FORMATS))
        depth = self._numbered("depth", (".png",))
        poses = self._numbered("pose", (".txt",))
        self.numbers = sorted(color.keys() & depth.keys() & poses.keys())
        every = color.keys() | depth.keys() | poses.keys()
        missing = {
            f"no {name} file": len(every - found.keys())
            for name, found in (("colour", color), ("depth", depth), ("pose", poses))
        }
        self.drops: Mapping[str, int] = {
            reason: count for reason, count in missing.items() if count
        }
        if not self.numbers:
            raise self._fail(
                folder, f"expected frames with colour, depth and pose, found none among {len(every)} numbers",
                "export all three for the same frames",
            )  # fmt: skip
        self._color = [color[number] for number in self.numbers]
        self._depth = [depth[number] for number in self.numbers]
        self.cam2world = np.stack([self._matrix(poses[number]) for number in self.numbers])
        self.color_intrinsics = self._matrix(folder / "intrinsic" / "intrinsic_color.txt")
        self.depth_intrinsics = self._matrix(folder / "intrinsic" / "intrinsic_depth.txt")
        self.color_size = self._size(self._color[0])
        self.depth_size = self._size(self._depth[0])

    def _fail(self, path: Path, problem: str, hint: str = "export the scene again") -> SourceError:
        return SourceError(self.source, self.scene, path, problem, hint)

    def _numbered(self, name: str, suffixes: tuple[str, ...]) -> dict[int, Path]:
        """Files named by a frame number in a folder of the export."""
        folder = self.folder / name
        if not folder.is_dir():
            raise self._fail(
                folder, f"expected a folder of {' or '.join(suffixes)} files, found none"
            )
        found: dict[int, Path] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix in suffixes and path.stem.isdecimal():
                number = int(path.stem)
                if number in found:
                    raise self._fail(
                        path,
                        f"expected one file for frame {number}, found {found[number].name} too",
                    )
                found[number] = path
        return found

    def _matrix(self, path: Path) -> Float[Array, "4 4"]:
        """A 4x4 text matrix; lost frames hold infinities."""
        if not path.is_file():
            raise self._fail(path, "expected a 4x4 matrix, found no file")
        words = path.read_text(encoding="utf-8", errors="replace").split()
        try:
            values = np.array([float(word) for word in words])
        except ValueError as error:
            raise self._fail(path, f"expected a 4x4 matrix, found {error}") from error
        if len(values) != 16:
            raise self._fail(path, f"expected 16 numbers, found {len(values)}")
        return values.reshape(4, 4)

    def _size(self, path: Path) -> tuple[int, int]:
        try:
            _, height, width = picture_format(self._read(path))
        except ValueError as error:
            raise self._fail(path, str(error)) from error
        return height, width

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise self._fail(path, f"expected a readable file, found {error.strerror}") from error

    def read_jpeg(self, row: int) -> bytes:
        """The recorded JPEG of a frame, its format and size checked."""
        path = self._color[row]
        blob = self._read(path)
        try:
            check_picture(blob, "JPEG", *self.color_size)
        except ValueError as error:
            raise self._fail(path, str(error)) from error
        return blob

    def read_rgb(self, row: int) -> UInt8[Array, "h w 3"]:
        """The decoded colour picture of a frame."""
        path = self._color[row]
        try:
            return decode_rgb(self._read(path), _FORMATS[path.suffix], *self.color_size)
        except ValueError as error:
            raise self._fail(path, str(error)) from error

    def read_depth(self, row: int) -> Float32[Array, "h w"]:
        """Depth of a frame in metres, 0 = invalid."""
        path = self._depth[row]
        try:
            stored = decode_uint16(self._read(path), *self.depth_size)
        except ValueError as error:
            raise self._fail(path, str(error)) from error
        return depth_from_uint16(stored, DEPTH_SHIFT)

    def recording(self, row: int, depth_camera: Camera) -> Recording:
        """Lazy readers of one frame."""
        is_jpeg = _FORMATS[self._color[row].suffix] == "JPEG"
        return Recording(
            read_rgb=functools.partial(self.read_rgb, row),
            read_depth=functools.partial(self.read_depth, row),
            depth_camera=depth_camera,
            read_jpeg=functools.partial(self.read_jpeg, row) if is_jpeg else None,
        )
