"""Reads Sweet Home 3D furniture libraries (.sh3f): a zip with a catalogue and OBJ models.

Layout: `PluginFurnitureCatalog.properties` (Java properties, latin-1), of each model i: name#i, category#i,
model#i (its path in the zip), width#i, depth#i, height#i in centimetres, modelRotation#i (nine numbers, rows
first, for column vectors), creator#i, license#i. The whole library's id, name and license stand without #i. OBJ
axes: y up, the front towards +z. Sizes are those after the rotation; the mesh is always stretched to them.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path

from gapdata.errors import SourceError
from gapdata.synthetic.assets.entry import Credit, Entry
from gapdata.synthetic.assets.names import label_of

CATALOGUE = "PluginFurnitureCatalog.properties"
SUFFIX = ".sh3f"
HUNG = 150.0  # centimetres above the floor: what is so high hangs from the ceiling
SOURCE = "synthetic assets"


def parse_properties(text: str) -> dict[str, str]:
    r"""Keys and values of a Java properties text: comments, continued lines, \uXXXX and other escapes."""
    joined = re.sub(r"\\\r?\n[ \t]*", "", text)
    values = {}
    for line in joined.splitlines():
        stripped = line.strip()
        if stripped and stripped[0] not in "#!":
            key, _, value = stripped.partition("=")
            values[key.rstrip()] = _unescaped(value.lstrip())
    return values


def _unescaped(value: str) -> str:
    code_points = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1), 16)), value)
    return re.sub(r"\\(.)", r"\1", code_points)


def read_library(path: Path) -> tuple[list[Entry], Counter[str]]:
    """The models of a library that have a label of the worlds, and how many were left out, by reason.

    Raises SourceError when the file is no such library.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(
            SOURCE, "", path.name, f"expected a Sweet Home 3D library (zip with {CATALOGUE}), found {error}",
            "give an .sh3f file of furniture",
        ) from error  # fmt: skip


def _read(archive: zipfile.ZipFile) -> tuple[list[Entry], Counter[str]]:
    facts = parse_properties(archive.read(CATALOGUE).decode("latin-1"))
    folders: dict[str, list[str]] = {}
    for name in sorted(archive.namelist()):
        if not name.endswith("/"):
            folders.setdefault(name.rpartition("/")[0], []).append(name)
    numbers = sorted(int(key[5:]) for key in facts if re.fullmatch(r"name#\d+", key))
    entries, left_out = [], Counter[str]()
    for number in numbers:
        entry, reason = _entry(facts, number, archive, folders)
        if entry is None:
            left_out[reason] += 1
        else:
            entries.append(entry)
    return entries, left_out


def _is_hung(elevation: str) -> bool:
    """Whether a model hangs from the ceiling, by its height above the floor in centimetres ("" = on it)."""
    return bool(re.fullmatch(r"[\d.]+", elevation)) and float(elevation) > HUNG


def _entry(
    facts: dict[str, str], number: int, archive: zipfile.ZipFile, folders: dict[str, list[str]]
) -> tuple[Entry | None, str]:
    def fact(key: str) -> str:
        return facts.get(f"{key}#{number}", "")

    label = label_of(fact("name"), fact("category"))
    if label == "lamp" and _is_hung(fact("elevation")):
        label = "ceiling light"
    if not label:
        return None, "name without a label"
    path = fact("model").lstrip("/")
    beside = folders.get(path.rpartition("/")[0], [])
    if path not in beside:
        return None, "model file missing"
    try:
        width, depth, height = (float(fact(key)) / 100 for key in ("width", "depth", "height"))
        rotation = tuple(float(number) for number in fact("modelRotation").split())
    except ValueError:
        return None, "size or rotation is no number"
    if len(rotation) not in (0, 9):
        return None, "size or rotation is no number"
    own = {name: archive.read(name) for name in beside}
    credit = Credit(
        collection=facts.get("name", ""),
        name=fact("name"),
        creator=fact("creator"),
        licence=" ".join((fact("license") or facts.get("license", "")).split()),
    )
    entry = Entry(
        label=label, path=path, files=own, credit=credit, size=(width, depth, height), rotation=rotation
    )  # fmt: skip
    return entry, ""
