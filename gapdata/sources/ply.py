"""PLY meshes, ascii or binary, vertex by vertex as the file has them: nothing merged, dropped or reordered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from gapdata.errors import SourceError

Array = np.ndarray

NO_COLOR = 128  # mid grey, for files without vertex colours


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlyMesh:
    """Vertices, triangles and vertex colours of a file. `has_color` is False when the colours are NO_COLOR."""

    vertices: Float32[Array, "V 3"]
    faces: Int32[Array, "F 3"]
    color: UInt8[Array, "V 3"]
    has_color: bool


def read_ply(path: Path, source: str = "", scene: str = "") -> PlyMesh:
    """The triangle mesh of a PLY file. Raises SourceError when it is damaged or announces other counts."""
    from trimesh.exchange.ply import load_ply

    def fail(problem: str) -> SourceError:
        return SourceError(
            source, scene, path, problem, "the file is truncated or damaged: get it again"
        )

    with path.open("rb") as file:
        try:
            loaded = load_ply(file)
            vertices = np.asarray(loaded["vertices"], np.float32)
            faces = np.asarray(loaded["faces"], np.int64)
        # OSError: a seek to where a damaged header sends the reader.
        except (ValueError, KeyError, IndexError, TypeError, OSError) as error:
            raise fail(f"expected a PLY mesh with vertices and faces, found {error}") from error

    announced = loaded["metadata"]["_ply_raw"]
    for name, found in (("vertex", len(vertices)), ("face", len(faces))):
        if announced[name]["length"] != found:
            raise fail(f"expected {announced[name]['length']} {name} elements, found {found}")
    if faces.shape[1:] != (3,):
        raise fail(f"expected triangles, found faces of shape {faces.shape[1:]}")
    if len(faces) and not (faces.min() >= 0 and faces.max() < len(vertices)):
        raise fail(
            f"expected vertex numbers below {len(vertices)}, found {faces.min()}..{faces.max()}"
        )
    if not np.isfinite(vertices).all():
        raise fail("expected finite vertices, found NaN or infinity")
    color = loaded.get("vertex_colors")
    return PlyMesh(
        vertices=vertices,
        faces=faces.astype(np.int32),
        color=np.full((len(vertices), 3), NO_COLOR, np.uint8)
        if color is None
        else np.ascontiguousarray(np.asarray(color, np.uint8)[:, :3]),
        has_color=color is not None,
    )
