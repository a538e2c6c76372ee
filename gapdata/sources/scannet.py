"""ScanNet v2, straight from the official files: recorded frames, the coloured mesh and its labelled instances."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, UInt16

from gapdata.errors import SourceError
from gapdata.geometry.boxes import aabb_from_points, upright_box_from_points
from gapdata.geometry.transforms import is_rigid, nearest_rigid, transform_points
from gapdata.labels import canonical_label
from gapdata.scene import AXIS_ALIGNED, GRAVITY_ALIGNED, Instance, Mesh, Scene
from gapdata.scene_rooms import evaluation_split
from gapdata.sources import SourceInfo
from gapdata.sources.ply import read_ply
from gapdata.sources.scannet_frames import recorded_frames, world_frames
from gapdata.sources.scannet_labels import (
    LabelTable,
    face_instances,
    read_annotation,
    read_label_table,
)

Array = np.ndarray

SOURCE = "scannet"
SPLITS = ("train", "val", "test")
_SCENE_NAME = re.compile(r"scene\d{4}_\d{2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Surface:
    """The mesh of a scene with its instances; notes say which files they come from."""

    mesh: Mesh | None = None
    instances: tuple[Instance, ...] = ()
    mesh_note: str = "absent"
    annotation_note: str = "absent"
    labels_note: str = "not needed"


class ScanNetSource:
    """Scans in ScanNet's layout. Construction lists folders only; `load` opens one scene.

    `root` is the dataset folder (with scans/ and perhaps scans_test/), the scans folder, or one scene's
    folder. Splits follow `scannetv2_{train,val,test}.txt` where the root, its parent, or Tasks/Benchmark
    below them has these; scenes in no file have the split of ScanNet's benchmark, below scans_test/ "test", else "train". `num_scenes`
    and `seed` mean nothing to recorded scenes and are not used.
    """

    info = SourceInfo(
        summary="ScanNet v2: recorded RGB-D, mesh and labelled instances of indoor scenes",
        layout="scans/<id>/ with <id>.sens (or color/ depth/ pose/ intrinsic/), <id>.txt, <id>_vh_clean_2.ply, "
        "<id>_vh_clean_2.0.010000.segs.json, <id>.aggregation.json; scannetv2-labels.combined.tsv",
        licence="ScanNet Terms of Use, non-commercial research: http://kaldir.vc.in.tum.de/scannet/ScanNet_TOS.pdf",
        renderer="captured",
        restricted="pictures, depth and meshes",
    )

    def __init__(self, root: str | Path, *, num_scenes: int | None = None, seed: int = 0) -> None:
        if not str(root):
            raise SourceError(SOURCE, "", "", "expected a root folder, found none", "give --root")
        self.root = Path(root)
        found = _find_scenes(self.root)
        if not found:
            raise SourceError(
                SOURCE, "", self.root, "expected scans/<id>/<id>.sens or scans/<id>/color below it, found none",
                "give the folder that holds scans/, the scans folder, or one scene's folder",
            )  # fmt: skip
        self._folders = dict(sorted(found.items()))
        self._nearby = _metadata_folders(self.root)
        self._splits = _read_splits(self._folders, self._nearby)
        self._table: LabelTable | None = None

    def splits(self) -> Mapping[str, Sequence[str]]:
        """Sorted scene ids of each split that has scenes on disk."""
        return self._splits

    def files(self, scene_id: str) -> Mapping[str, Sequence[Path]]:
        """The files of the scene's folder that `load` may read, and the label table."""
        folder = self._folder(scene_id)
        names = (
            f"{scene_id}.txt",
            f"{scene_id}_vh_clean_2.ply",
            "*.segs.json",
            "*.aggregation.json",
        )
        found = {path.name: [path] for name in names for path in sorted(folder.glob(name))}
        recording = folder / f"{scene_id}.sens"
        if recording.is_file():
            found[recording.name] = [recording]
        else:
            for name in ("color", "depth", "pose", "intrinsic"):
                found[f"{name}/"] = sorted((folder / name).glob("*"))
        table = read_label_table(self._nearby, SOURCE).path
        return found if table is None else {**found, table.name: [table]}

    def load(self, scene_id: str) -> Scene:
        """One scene in the aligned world; frames are lazy. Raises SourceError naming scene and file."""
        folder = self._folder(scene_id)
        try:
            return self._load(scene_id, folder)
        except OSError as error:
            raise SourceError(
                SOURCE, scene_id, error.filename or "", f"expected a readable file, found {error.strerror}",
                "check the file and its permissions",
            ) from error  # fmt: skip

    def _folder(self, scene_id: str) -> Path:
        if scene_id not in self._folders:
            ids = list(self._folders)
            raise SourceError(
                SOURCE, scene_id, self.root, f"expected one of {len(ids)} scenes ({ids[0]} to {ids[-1]}), found no such "
                "scene", "check the id and the root",
            )  # fmt: skip
        return self._folders[scene_id]

    def _load(self, scene_id: str, folder: Path) -> Scene:
        facts_path = folder / f"{scene_id}.txt"
        facts = _read_facts(facts_path)
        alignment, aligned_note = _axis_alignment(facts, facts_path, scene_id)
        recorded = recorded_frames(folder, scene_id, SOURCE)
        frames, drops, intrinsics_note = world_frames(
            recorded, alignment, facts, functools.partial(SourceError, SOURCE, scene_id, folder)
        )
        surface = self._surface(folder, scene_id, alignment)
        return Scene(
            id=scene_id,
            source=SOURCE,
            frames=frames,
            instances=surface.instances,
            mesh=surface.mesh,
            world_frame=AXIS_ALIGNED if "axisAlignment" in facts else GRAVITY_ALIGNED,
            drops=drops,
            provenance={
                "frames": recorded.note,
                "timestamps": recorded.clock_note,
                "intrinsics": intrinsics_note,
                "axis_alignment": aligned_note,
                "mesh": surface.mesh_note,
                "annotation": surface.annotation_note,
                "labels": surface.labels_note,
            },
        )

    def _surface(self, folder: Path, scene_id: str, alignment: Float[Array, "4 4"]) -> _Surface:
        """Mesh and instances of a scene, in the aligned world."""
        path = folder / f"{scene_id}_vh_clean_2.ply"
        if not path.is_file():
            labelled = next(folder.glob("*.aggregation.json"), None)
            unused = f"{labelled.name} not used: no {path.name}" if labelled else "absent"
            return _Surface(annotation_note=unused)
        ply = read_ply(path, SOURCE, scene_id)
        vertices = transform_points(alignment, ply.vertices.astype(np.float64)).astype(np.float32)
        annotation = read_annotation(folder, scene_id, len(vertices), SOURCE)
        vertex_instance = (
            annotation.vertex_instance if annotation else np.zeros(len(vertices), np.uint16)
        )
        surface = _Surface(
            mesh=Mesh(
                vertices=vertices,
                faces=ply.faces,
                vertex_color=ply.color,
                face_instance=face_instances(vertex_instance, ply.faces),
            ),
            mesh_note=path.name if ply.has_color else f"{path.name}, no colours in it: grey",
        )
        if annotation is None:
            return surface
        if self._table is None:
            self._table = read_label_table(self._nearby, SOURCE)
        instances, unknown = _instances(vertices, vertex_instance, annotation.labels, self._table)
        empty = len(annotation.labels) - len(instances)
        left_out = f"; {empty} instances without vertices left out" if empty else ""
        return replace(
            surface,
            instances=instances,
            annotation_note=annotation.note + left_out,
            labels_note=_labels_note(self._table, unknown),
        )


def _find_scenes(root: Path) -> dict[str, Path]:
    """Scene folders by id, below a dataset root, a scans folder, or of a single scene's folder."""
    if not root.is_dir():
        raise SourceError(SOURCE, "", root, "expected a folder, found none", "check --root")
    if _is_scene(root.resolve()):
        return {root.resolve().name: root}
    parents = [root / name for name in ("scans", "scans_test") if (root / name).is_dir()]
    found: dict[str, Path] = {}
    for parent in parents or [root]:
        for folder in parent.iterdir():
            if folder.is_dir() and _is_scene(folder):
                if folder.name in found:
                    raise SourceError(
                        SOURCE, folder.name, folder, f"expected one folder for the scene, found {found[folder.name]} too",
                        "keep one of them",
                    )  # fmt: skip
                found[folder.name] = folder
    return found


def _is_scene(folder: Path) -> bool:
    """Whether a folder is a scene's: by ScanNet's naming, or by what it holds."""
    return bool(
        _SCENE_NAME.fullmatch(folder.name)
        or (folder / f"{folder.name}.sens").is_file()
        or (folder / "color").is_dir()
    )


def _metadata_folders(root: Path) -> list[Path]:
    """Where label table and split files may lie: the root and two levels up, so that each kind of root works."""
    above = [root, *root.resolve().parents[: 2 if _is_scene(root.resolve()) else 1]]
    return [folder for base in above for folder in (base, base / "Tasks" / "Benchmark")]


def _read_splits(folders: Mapping[str, Path], nearby: list[Path]) -> dict[str, tuple[str, ...]]:
    """Sorted ids of each split; see ScanNetSource. Raises SourceError for a scene in two files."""
    listed: dict[str, str] = {}
    for split in SPLITS:
        paths = [folder / f"scannetv2_{split}.txt" for folder in nearby]
        path = next((path for path in paths if path.is_file()), None)
        for scene in path.read_text(encoding="utf-8").split() if path else ():
            if listed.setdefault(scene, split) != split:
                raise SourceError(
                    SOURCE, scene, path, f"expected each scene in one split, found it in {listed[scene]} too",
                    "correct the split files",
                )  # fmt: skip
    chosen: dict[str, list[str]] = {split: [] for split in SPLITS}
    for scene, folder in folders.items():
        below_test = folder.parent.name == "scans_test"
        default = evaluation_split(SOURCE, scene) or ("test" if below_test else "train")
        chosen[listed.get(scene, default)].append(scene)
    return {split: tuple(ids) for split, ids in chosen.items() if ids}


def _read_facts(path: Path) -> dict[str, str]:
    """The `key = value` lines of `<id>.txt`; empty where there is no such file."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _axis_alignment(
    facts: Mapping[str, str], path: Path, scene_id: str
) -> tuple[Float[Array, "4 4"], str]:
    """(aligned-from-stored world, note); identity, and a note that says so, where the scan has none."""
    fail = functools.partial(SourceError, SOURCE, scene_id, path)
    if "axisAlignment" not in facts:
        return np.eye(4), "absent: left unaligned"
    try:
        values = np.array([float(word) for word in facts["axisAlignment"].split()])
    except ValueError as error:
        raise fail(f"expected 16 numbers as axisAlignment, found {error}") from error
    if values.shape != (16,) or not is_rigid(values.reshape(4, 4)):
        raise fail(
            f"expected a rigid 4x4 axisAlignment, found {facts['axisAlignment']:.200}",
            "correct the line, or remove it to leave the scan unaligned",
        )
    return nearest_rigid(values.reshape(4, 4)), f"applied from {path.name}"


def _instances(
    vertices: Float32[Array, "V 3"],
    vertex_instance: UInt16[Array, " V"],
    labels: Mapping[int, str],
    table: LabelTable,
) -> tuple[tuple[Instance, ...], Counter[str]]:
    """(instances that have vertices, by id; labels without an NYU40 id, with their number of instances)."""
    by_instance = vertices[np.argsort(vertex_instance, kind="stable")]
    ends = np.cumsum(np.bincount(vertex_instance, minlength=max(labels, default=0) + 1))
    found, unknown = [], Counter[str]()
    for number, raw in labels.items():
        points = by_instance[ends[number - 1] : ends[number]]
        if len(points) == 0:
            continue
        label, nyu40 = canonical_label(raw), table.find(raw)
        if nyu40 is None:
            unknown[label] += 1
        found.append(
            Instance(
                id=number,
                label=label,
                nyu40=nyu40 or 0,
                box=upright_box_from_points(points),
                aabb=aabb_from_points(points),
            )
        )
    return tuple(found), unknown


def _labels_note(table: LabelTable, unknown: Counter[str]) -> str:
    note = table.name or "no scannetv2-labels.combined.tsv found: NYU40 ids by name only"
    if unknown:
        listed = ", ".join(f"{label} ({unknown[label]})" for label in sorted(unknown))
        note += f"; without NYU40 id: {listed}"
    return note
