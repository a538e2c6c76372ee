"""An asset's file as plain triangles in the worlds' axes: metres, upright, front towards -y, checked."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Int32, UInt8

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.assets.entry import TURN_DEGREES, UPRIGHT, Entry

Array = np.ndarray

MAX_FACES = 60_000
LEAST_SIDE, LARGEST_SIDE = 0.01, 8.0  # metres: of a model's longest side
MAX_TEXTURE = 512  # pixels a side; larger pictures are shrunk
MAX_SEE_THROUGH = 0.05  # of a picture's texels: cut-outs are not drawn, so more would show
UNTOLD = (160, 160, 160)  # sRGB of what has no material
LEAST_THICKNESS = 1e-3  # metres: flat models are stretched to it


class RefusedError(Exception):
    """A model that cannot be used; the text is the reason, alike for alike faults, so that it can be counted."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Patch:
    """The triangles of one material."""

    vertices: Float[Array, "V 3"]
    faces: Int32[Array, "F 3"]
    rgb: tuple[int, int, int]
    uv: Float[Array, "V 2"] | None = None  # (0, 0) = first texel of the top row, repeating
    image: UInt8[Array, "H W 3"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Loaded:
    """A model in its own axes, as `gapdata.synthetic.models.Model` has them, and what is worth knowing of it."""

    patches: tuple[Patch, ...]
    notes: tuple[str, ...] = ()


class _Files:
    """Serves a model's materials and pictures to trimesh, and remembers what was asked for and is not there."""

    def __init__(self, files: Mapping[str, bytes], folder: str) -> None:
        self._files, self._folder = files, folder
        self.missing: list[str] = []

    def get(self, name: str) -> bytes:
        plain = name.strip().replace("\\", "/").removeprefix("./")
        for path in (f"{self._folder}/{plain}".lstrip("/"), plain):
            if path in self._files:
                return self._files[path]
        self.missing.append(plain)
        raise FileNotFoundError(plain)

    def __getitem__(self, name: str) -> bytes:
        return self.get(name)

    def keys(self) -> list[str]:
        return sorted(self._files)


def load(entry: Entry) -> Loaded:
    """The entry's model. Raises RefusedError with the reason when it cannot be used."""
    patches, notes = _read(entry)
    patches = _upright(patches, entry)
    faces = sum(len(patch.faces) for patch in patches)
    if faces > MAX_FACES:
        raise RefusedError(f"more than {MAX_FACES} faces")
    return Loaded(patches=tuple(patches), notes=(*notes, *_open_edges(patches)))


def _read(entry: Entry) -> tuple[list[Patch], list[str]]:
    import trimesh

    folder, _, name = entry.path.rpartition("/")
    files = _Files(entry.files, folder)
    kind = name.rpartition(".")[2].lower()
    if kind not in ("obj", "glb"):
        raise RefusedError("neither OBJ nor GLB")
    try:
        scene = trimesh.load_scene(
            io.BytesIO(entry.files[entry.path]), file_type=kind, resolver=files, process=False
        )
        meshes = [mesh for mesh in scene.dump() if isinstance(mesh, trimesh.Trimesh)]
    # Parsers of foreign files fail in every way there is; the model is refused, whatever it was.
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OSError,
        ArithmeticError,
        NotImplementedError,
    ) as error:
        raise RefusedError("file cannot be read") from error  # fmt: skip
    patches = [patch for mesh in meshes if (patch := _patch(mesh)) is not None]
    if not patches:
        raise RefusedError("no faces")
    notes = [f"missing file {name}" for name in sorted(set(files.missing))]
    return patches, notes


def _patch(mesh: Any) -> Patch | None:
    vertices = np.asarray(mesh.vertices, np.float64)
    faces = np.asarray(mesh.faces, np.int32)
    if not len(faces):
        return None
    if not np.isfinite(vertices).all():
        raise RefusedError("corners that are no numbers")
    image, uv, rgb = None, None, UNTOLD
    visual = mesh.visual
    if visual.kind == "texture":
        material = visual.material
        if hasattr(material, "to_simple"):
            material = material.to_simple()
        rgb = _rgb(material.diffuse)
        if material.image is not None and visual.uv is not None:
            image = _pixels(material.image)
            uv = np.asarray(visual.uv, np.float64)[:, :2] * [1.0, -1.0] + [0.0, 1.0]
            if len(uv) != len(vertices) or not np.isfinite(uv).all():
                raise RefusedError("texture coordinates do not fit the corners")
    elif visual.kind in ("vertex", "face"):
        rgb = _rgb(np.asarray(mesh.visual.face_colors).mean(axis=0))
    return Patch(vertices=vertices, faces=faces, rgb=rgb, uv=uv, image=image)


def _rgb(color: Any) -> tuple[int, int, int]:
    red, green, blue = (round(float(c)) for c in np.asarray(color).ravel()[:3])
    return red, green, blue


def _pixels(image: Any) -> UInt8[Array, "H W 3"]:
    """A picture as RGB, shrunk to MAX_TEXTURE."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        if (rgba[..., 3] < 128).mean() > MAX_SEE_THROUGH:
            raise RefusedError("texture with holes")
        pixels = np.ascontiguousarray(rgba[..., :3])
    else:
        pixels = np.asarray(image.convert("RGB"))
    height, width = pixels.shape[:2]
    shrink = MAX_TEXTURE / max(height, width)
    if shrink < 1:
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(pixels, np.uint8)


def _upright(patches: list[Patch], entry: Entry) -> list[Patch]:
    """The patches turned upright with the front to -y, at their real size, centred over z = 0, without slivers."""
    turn = rotation_about_z(np.deg2rad(TURN_DEGREES[entry.front]))
    axes = turn @ np.array(UPRIGHT[entry.up], np.float64)
    if entry.rotation:
        axes = axes @ np.array(entry.rotation).reshape(3, 3)
    turned = [patch.vertices @ axes.T for patch in patches]
    corners = [v[p.faces].reshape(-1, 3) for v, p in zip(turned, patches, strict=True)]
    low, high = (
        np.min([c.min(axis=0) for c in corners], axis=0),
        np.max([c.max(axis=0) for c in corners], axis=0),
    )
    extent = high - low
    if extent.max() <= 0:
        raise RefusedError("no extent")
    wanted = extent * entry.unit if entry.size is None else np.array(entry.size)
    if not LEAST_SIDE <= wanted.max() <= LARGEST_SIDE or wanted.min() < 0:
        raise RefusedError(
            f"absurd scale: longest side not within {LEAST_SIDE} to {LARGEST_SIDE} m"
        )
    scale = np.where(
        extent > 0, np.maximum(wanted, LEAST_THICKNESS) / np.where(extent > 0, extent, 1.0), 1.0
    )
    origin = np.array([0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), low[2]])
    mirrored = np.linalg.det(axes) < 0
    placed = []
    for vertices, patch in zip(turned, patches, strict=True):
        points = (vertices - origin) * scale
        faces = patch.faces[:, ::-1] if mirrored else patch.faces
        corners = points[faces]
        area = np.linalg.norm(
            np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
        )
        used, kept = np.unique(faces[area > 1e-12], return_inverse=True)
        if len(used):
            uv = None if patch.uv is None else patch.uv[used]
            kept = kept.reshape(-1, 3).astype(np.int32)
            placed.append(
                Patch(vertices=points[used], faces=kept, rgb=patch.rgb, uv=uv, image=patch.image)
            )
    if not placed:
        raise RefusedError("no faces")
    return placed


def _open_edges(patches: list[Patch]) -> list[str]:
    """Says so when edges border one face or more than two: holes are allowed, the volume is then not known."""
    points = np.concatenate([patch.vertices[patch.faces].reshape(-1, 3) for patch in patches])
    _, corner = np.unique(np.round(points, 5), axis=0, return_inverse=True)
    faces = corner.reshape(-1, 3)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    shared = np.unique(edges, axis=0, return_counts=True)[1]
    holes, more = int((shared == 1).sum()), int((shared > 2).sum())
    notes = [f"{holes} edges at holes"] if holes else []
    return notes + ([f"{more} edges of more than two faces"] if more else [])
