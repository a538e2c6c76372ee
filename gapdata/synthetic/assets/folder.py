"""Reads a folder of GLB and OBJ files that an `assets.json` labels (Objaverse, ShapeNet, ABO style).

`assets.json`: {"name": ..., "licence": ..., "models": {"chair_17.glb": "chair", "desk/model.obj": {"label": "desk",
"size": [1.4, 0.7, 0.75], "up": "z", "front": "+y", "unit": 0.01, "creator": ..., "licence": ...}}}. Sizes are width,
depth, height in metres; up is "y" (default) or "z"; front is the side that faces the viewer once upright, "-y" by default.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from gapdata.errors import SourceError
from gapdata.synthetic.assets.entry import TURN_DEGREES, UPRIGHT, Credit, Entry
from gapdata.synthetic.assets.names import label_of
from gapdata.synthetic.models import LABEL_NYU40

LABELS = "assets.json"
SOURCE = "synthetic assets"
SEE = "see gapdata/synthetic/assets/folder.py for its form"
SINGLE_FILE = (".glb",)  # those that hold all they need


def read_folder(root: Path) -> tuple[list[Entry], Counter[str]]:
    """The labelled models of a folder, and how many were left out, by reason. Raises SourceError for a bad list."""
    path = root / LABELS
    if not path.is_file():
        raise SourceError(SOURCE, "", root.name, f"expected an {LABELS}, found none", SEE)
    try:
        table = json.loads(path.read_bytes())
        models = sorted(table["models"].items())
        named = str(table.get("name", root.name)), str(table.get("licence", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            SOURCE, "", path.name, f'expected {{"licence": ..., "models": {{file: label}}}}, found {error!r}',
            SEE,
        ) from error  # fmt: skip
    entries, left_out = [], Counter[str]()
    for name, told in models:
        entry, reason = _entry(
            root, name, told if isinstance(told, dict) else {"label": told}, named
        )
        if entry is None:
            left_out[reason] += 1
        else:
            entries.append(entry)
    return entries, left_out


def _entry(
    root: Path, name: str, told: dict[str, Any], named: tuple[str, str]
) -> tuple[Entry | None, str]:
    wanted = str(told.get("label", ""))
    label = wanted if wanted in LABEL_NYU40 else label_of(wanted)
    if not label:
        return None, "unknown label"
    file = root / name
    if not file.is_file():
        return None, "model file missing"
    up, front = told.get("up", "y"), told.get("front", "-y")
    if up not in UPRIGHT or front not in TURN_DEGREES:
        return None, "unknown up or front"
    try:
        size = tuple(float(side) for side in told["size"]) if "size" in told else None
        unit = float(told.get("unit", 1.0))
    except (TypeError, ValueError):
        return None, "size or unit is no number"
    if size is not None and len(size) != 3:
        return None, "size or unit is no number"
    credit = Credit(
        collection=named[0], name=str(told.get("name", Path(name).stem)),
        creator=str(told.get("creator", "")), licence=str(told.get("licence", named[1])),
    )  # fmt: skip
    entry = Entry(
        label=label, path=name, files=_files(root, file, name), credit=credit, size=size, unit=unit,
        up=up, front=front,
    )  # fmt: skip
    return entry, ""


def _files(root: Path, file: Path, name: str) -> dict[str, bytes]:
    """The model's bytes, and those of the materials and pictures beside and below it."""
    if file.suffix.lower() in SINGLE_FILE:
        return {name: file.read_bytes()}
    near = [
        p
        for p in sorted(file.parent.rglob("*"))
        if p.suffix.lower() in (".mtl", ".png", ".jpg", ".jpeg", ".bmp", ".tga")
    ]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in [file, *near]}
