"""An entry becomes what worlds place: patches, boxes, surfaces and a colour; kept in a cache by content."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.assets.bounds import Bounds, bounds_of
from gapdata.synthetic.assets.entry import Entry
from gapdata.synthetic.assets.loading import Loaded, Patch, RefusedError, load
from gapdata.synthetic.materials import Rgb, color_name

Array = np.ndarray

CACHE_VARIABLE = "GAPDATA_CACHE"  # names the folder of the cache; otherwise the user's own
VERSION = 4  # of what a conversion gives: raised when the same file gives something else
MADE_BY = ("trimesh", "numpy", "pillow", "opencv-python-headless")
DOMINANT = 0.5  # of a model's surface that one colour name must cover to be the model's


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Converted:
    """A model ready to place. `color` is its mean colour where one colour name covers at least half of it."""

    loaded: Loaded
    bounds: Bounds
    color: Rgb | None


def cache_folder() -> Path:
    """Where conversions are kept: $GAPDATA_CACHE, or the user's cache folder."""
    import platformdirs

    named = os.environ.get(CACHE_VARIABLE, "")
    return Path(named or platformdirs.user_cache_path("gapdata")) / "assets"


def convert(entry: Entry) -> Converted:
    """The entry's conversion, from the cache or made and put there. Raises RefusedError as `load` does.

    Files of the cache are written whole or not at all, so processes can share it; a damaged one is made anew.
    """
    path = cache_folder() / f"{_key(entry)}.npz"
    try:
        return _read(path)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        pass  # not there yet, or damaged: both are mended by making it
    try:
        made = _convert(entry)
    except RefusedError as refusal:
        _write(path, {"refused": np.array(str(refusal))})
        raise
    _write(path, _arrays(made))
    return made


def _key(entry: Entry) -> str:
    packages = [f"{name} {importlib.metadata.version(name)}" for name in MADE_BY]
    return hashlib.sha256(json.dumps([VERSION, entry.digest, packages]).encode()).hexdigest()


def _convert(entry: Entry) -> Converted:
    loaded = load(entry)
    corners = np.concatenate([patch.vertices[patch.faces] for patch in loaded.patches])
    return Converted(loaded=loaded, bounds=bounds_of(corners), color=dominant_color(loaded.patches))


def dominant_color(patches: tuple[Patch, ...]) -> Rgb | None:
    """The mean colour under the name that covers at least half of the surface; None when none does.

    Each face counts by its area, with its material's colour, or its texture's at the middle of the face. None
    also when the mean goes by another name than the colours it is the mean of.
    """
    colors, areas = [], []
    for patch in patches:
        corners = patch.vertices[patch.faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        areas.append(0.5 * np.linalg.norm(cross, axis=1))
        colors.append(_face_colors(patch))
    color, area = np.concatenate(colors), np.concatenate(areas)
    # Like colours are named once.
    coarse, which = np.unique(color // 8, axis=0, return_inverse=True)
    names = np.array([color_name(_rgb(c * 8 + 4)) for c in coarse])[which.ravel()]
    shares = {name: float(area[names == name].sum()) for name in sorted(set(names.tolist()))}
    name = max(shares, key=lambda n: shares[n])
    if shares[name] < DOMINANT * area.sum():
        return None
    chosen = names == name
    mean = _rgb((color[chosen] * area[chosen, None]).sum(axis=0) / area[chosen].sum())
    return mean if color_name(mean) == name else None


def _face_colors(patch: Patch) -> Float[Array, "F 3"]:
    if patch.image is None or patch.uv is None:
        return np.broadcast_to(np.array(patch.rgb, np.float64), (len(patch.faces), 3))
    height, width = patch.image.shape[:2]
    middle = patch.uv[patch.faces].mean(axis=1) % 1.0
    column = np.minimum((middle[:, 0] * width).astype(int), width - 1)
    row = np.minimum((middle[:, 1] * height).astype(int), height - 1)
    return patch.image[row, column].astype(np.float64)


def _rgb(color: Array) -> Rgb:
    red, green, blue = (int(min(255.0, max(0.0, c))) for c in np.round(color).tolist())
    return red, green, blue


def _arrays(made: Converted) -> dict[str, Array]:
    arrays: dict[str, Array] = {
        "boxes": made.bounds.boxes,
        "surfaces": made.bounds.surfaces,
        "color": np.array(made.color if made.color is not None else (), np.int64),
        "notes": np.array(json.dumps(made.loaded.notes)),
        "patches": np.array(len(made.loaded.patches)),
    }
    for n, patch in enumerate(made.loaded.patches):
        arrays |= {f"v{n}": patch.vertices, f"f{n}": patch.faces, f"rgb{n}": np.array(patch.rgb)}
        if patch.uv is not None and patch.image is not None:
            arrays |= {f"uv{n}": patch.uv, f"image{n}": patch.image}
    return arrays


def _read(path: Path) -> Converted:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        if "refused" in stored:
            raise RefusedError(str(stored["refused"]))
        patches = tuple(
            Patch(
                vertices=stored[f"v{n}"],
                faces=stored[f"f{n}"],
                rgb=_rgb(stored[f"rgb{n}"]),
                uv=stored.get(f"uv{n}"),
                image=stored.get(f"image{n}"),
            )
            for n in range(int(stored["patches"]))
        )
        return Converted(
            loaded=Loaded(patches=patches, notes=tuple(json.loads(str(stored["notes"])))),
            bounds=Bounds(boxes=stored["boxes"], surfaces=stored["surfaces"]),
            color=_rgb(stored["color"]) if len(stored["color"]) else None,
        )


def _write(path: Path, arrays: dict[str, Array]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    Path(part).replace(path)
