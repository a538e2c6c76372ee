"""Coloured points as binary PLY, which MeshLab, CloudCompare and Blender open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

Array = np.ndarray

_VERTEX = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
)


def ply_bytes(xyz: Float[Array, "N 3"], rgb: UInt8[Array, "N 3"]) -> bytes:
    """The file's bytes; coordinates in metres as they are. Raises ValueError for points that are not finite."""
    if not np.isfinite(xyz).all():
        raise ValueError("ply: expected finite points, found NaN or infinity")
    vertices = np.empty(len(xyz), _VERTEX)
    for axis, name in enumerate("xyz"):
        vertices[name] = xyz[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        vertices[name] = rgb[:, channel]
    types = {"f4": "float", "u1": "uchar"}
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        "comment x right, y down, z forward from the first picture's camera, metres",
        f"element vertex {len(vertices)}",
        *(f"property {types[_VERTEX[name].str[1:]]} {name}" for name in _VERTEX.names or ()),
        "end_header",
    ]
    return ("\n".join(lines) + "\n").encode("ascii") + vertices.tobytes()


def write_ply(path: Path, xyz: Float[Array, "N 3"], rgb: UInt8[Array, "N 3"]) -> None:
    """Write coloured points."""
    path.write_bytes(ply_bytes(xyz, rgb))
