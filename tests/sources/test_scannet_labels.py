"""ScanNet's annotation and mesh files: what they mean, and each way they can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.errors import SourceError
from gapdata.sources.scannet_labels import face_instances
from tests.fixtures import scannet as fixture
from tests.fixtures.scannet import write_scannet_scene
from tests.sources.scannet_support import (
    AGGREGATION,
    ID,
    MESH,
    SEGMENTS,
    assert_refused,
    load,
    scene_folder,
)


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_the_aggregation_of_the_right_mesh_is_used(tmp_path: Path) -> None:
    folder = write_scannet_scene(tmp_path, num_frames=1, dense_labels=True)
    scene = load(tmp_path)
    assert "wrong" not in {instance.label for instance in scene.instances}
    assert scene.provenance["annotation"] == f"{AGGREGATION} on {SEGMENTS}"
    # Its name does not matter, what it refers to does.
    (folder / AGGREGATION).rename(folder / "zzz.aggregation.json")
    assert load(tmp_path).provenance["annotation"].startswith("zzz.aggregation.json")
    (folder / "zzz.aggregation.json").unlink()
    assert_refused(
        tmp_path,
        folder,
        f"found {ID}_vh_clean.aggregation.json for scannet.{ID}_vh_clean.segs.json",
    )


def test_segments_of_another_mesh_are_refused(root: Path) -> None:
    path = scene_folder(root) / SEGMENTS
    count = len(json.loads(path.read_text())["segIndices"])
    edit_json(path, lambda content: content["segIndices"].pop())
    assert_refused(
        root, path, f"one segment for each of the {count} vertices of {MESH}, found {count - 1}"
    )


def test_missing_segments_are_refused(root: Path) -> None:
    path = scene_folder(root) / AGGREGATION
    edit_json(path, lambda content: content["segGroups"][3]["segments"].extend([77_777, 88_888]))
    assert_refused(root, path, f"segments of {SEGMENTS} .*found 2 that are not there, first 77777")
    (scene_folder(root) / SEGMENTS).unlink()
    assert_refused(
        root, scene_folder(root) / SEGMENTS, f"the segments of {AGGREGATION}, found no file"
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (AGGREGATION, "{", "expected JSON, found"),
        (AGGREGATION, "[]", "expected an object with keys, found list"),
        (AGGREGATION, '{"groups": []}', "expected an object with segGroups, found groups"),
        (AGGREGATION, '{"segGroups": [7]}', "expected groups with id, label and segments, found 7"),
        (AGGREGATION, '{"segGroups": [{"objectId": -1}]}', "objectId of 0..65534, found -1"),
        (AGGREGATION, '{"segGroups": [{"objectId": 65535}]}', "objectId of 0..65534, found 65535"),
        (AGGREGATION, '{"segGroups": [{"objectId": 4}]}', "a label for objectId 4, found None"),
        (AGGREGATION, '{"segGroups": [{"id": 4, "label": "a", "segments": "x"}]}', r"segments of objectId 4, found str\d* of shape \(\)"),
        (SEGMENTS, '{"segIndices": [[1, 2], [3, 4]]}', r"integers in segIndices, found int64 of shape \(2, 2\)"),
        (SEGMENTS, '{"segIndices": ["a"]}', "integers in segIndices, found str"),
        (SEGMENTS, '{"segIndices": [1, 2.5]}', "integers in segIndices, found float64"),
        (SEGMENTS, '{"segIndices": [1, [2]]}', "integers in segIndices, found lists in it"),
        (SEGMENTS, "{}", "an object with segIndices, found"),
    ],
)  # fmt: skip
def test_damaged_annotation_files_are_refused(
    root: Path, name: str, content: str, problem: str
) -> None:
    path = scene_folder(root) / name
    path.write_text(content)
    assert_refused(root, path, problem)


def test_keys_of_the_first_release_are_understood(root: Path) -> None:
    def first_release(content: dict[str, Any]) -> None:
        del content["segmentsFile"], content["appId"]
        for group in content["segGroups"]:
            del group["objectId"]

    before = load(root)
    edit_json(scene_folder(root) / AGGREGATION, first_release)
    after = load(root)
    assert [i.id for i in after.instances] == [i.id for i in before.instances]
    np.testing.assert_array_equal(after.mesh.face_instance, before.mesh.face_instance)


def test_object_ids_are_kept_and_need_not_follow_the_order(root: Path) -> None:
    def renumber(content: dict[str, Any]) -> None:
        for group in content["segGroups"]:
            group["objectId"] = 500 - group["id"]
        content["segGroups"].append(dict(content["segGroups"][0], segments=[]))

    edit_json(scene_folder(root) / AGGREGATION, renumber)
    scene = load(root)
    assert [i.id for i in scene.instances] == list(range(501 - 13, 502))
    assert scene.instances[-1].label == "floor"
    assert set(np.unique(scene.mesh.face_instance)) == set(range(488, 502))


def test_conflicting_labels_of_one_object_are_refused(root: Path) -> None:
    path = scene_folder(root) / AGGREGATION
    edit_json(path, lambda content: content["segGroups"][7].update(objectId=6))
    assert_refused(root, path, "one label for objectId 6, found 'table' and 'chair'")


def test_groups_without_vertices_are_dropped_and_counted(root: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["segGroups"][12]["segments"] = []
        # The last group that claims a segment has it: the couch loses all of its own.
        content["segGroups"].append(
            {
                "id": 99,
                "objectId": 99,
                "label": "couch",
                "segments": content["segGroups"][10]["segments"],
            }
        )

    edit_json(scene_folder(root) / AGGREGATION, change)
    scene = load(root)
    ids = [instance.id for instance in scene.instances]
    assert 13 not in ids
    assert 11 not in ids
    assert ids[-1] == 100
    assert scene.provenance["annotation"].endswith(
        "; 5 segments claimed twice; 2 instances without vertices left out"
    )


def test_an_instance_of_one_vertex_is_a_point(root: Path) -> None:
    folder = scene_folder(root)
    edit_json(folder / SEGMENTS, lambda content: content["segIndices"].__setitem__(5000, 4321))
    group = {"id": 14, "objectId": 14, "label": "button", "segments": [4321]}
    edit_json(folder / AGGREGATION, lambda content: content["segGroups"].append(group))
    scene = load(root)
    instance = scene.instances[-1]
    assert (instance.id, instance.label) == (15, "button")
    np.testing.assert_allclose(instance.aabb.center, scene.mesh.vertices[5000], atol=1e-7)
    assert instance.box.volume == instance.aabb.volume == 0
    # No face has two of its vertices, so no face is its.
    assert 15 not in scene.mesh.face_instance


def test_labels_outside_the_table_are_named(root: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["segGroups"][7]["label"] = "ottoman lamp"
        content["segGroups"][8]["label"] = "ottoman lamp"
        content["segGroups"][9]["label"] = "  Dishrack "
        content["segGroups"][10]["label"] = '"small" shelf'

    edit_json(scene_folder(root) / AGGREGATION, change)
    scene = load(root)
    found = {instance.id: (instance.label, instance.nyu40) for instance in scene.instances}
    assert found[8] == found[9] == ("ottoman lamp", 0)
    assert found[10] == ("dish rack", 40)
    assert found[11] == ('"small" shelf', 15)
    assert found[12] == ("trash can", 39)
    assert scene.provenance["labels"] == (
        "scannetv2-labels.combined.tsv; without NYU40 id: ottoman lamp (2)"
    )


def test_without_a_table_only_nyu40_names_have_ids(root: Path) -> None:
    (root / "scannetv2-labels.combined.tsv").unlink()
    scene = load(root)
    found = {instance.label: instance.nyu40 for instance in scene.instances}
    assert (found["chair"], found["bookshelf"], found["couch"], found["trash can"]) == (5, 10, 0, 0)
    assert scene.provenance["labels"].startswith("no scannetv2-labels.combined.tsv found")
    assert scene.provenance["labels"].endswith("couch (1), trash can (1)")


def test_damaged_label_tables_are_refused(root: Path) -> None:
    path = root / "scannetv2-labels.combined.tsv"
    path.write_text("id\tname\n1\tchair\n")
    with pytest.raises(SourceError, match="columns raw_category and nyu40id, found id, name"):
        load(root)
    path.write_text("raw_category\tnyu40id\nchair\tfive\n")
    with pytest.raises(SourceError, match=r"an nyu40id of 0..40 for 'chair', found 'five'"):
        load(root)
    path.write_text("category\tnyu40id\nchair\t5\ntable\t\n")  # the table of 2017
    found = {instance.label: instance.nyu40 for instance in load(root).instances}
    assert (found["chair"], found["table"]) == (5, 0)


def test_scenes_without_labels_or_mesh_still_load(root: Path) -> None:
    folder = scene_folder(root)
    (folder / MESH).unlink()
    scene = load(root)
    assert scene.mesh is None
    assert scene.instances == ()
    assert scene.provenance["mesh"] == "absent"
    assert scene.provenance["annotation"] == f"{AGGREGATION} not used: no {MESH}"
    (folder / AGGREGATION).unlink()
    (folder / SEGMENTS).unlink()
    write_scannet_scene(root, "scene0000_01", num_frames=1, labels=False)
    scene = load(root, "scene0000_01")
    assert scene.mesh is not None
    assert not scene.mesh.face_instance.any()
    assert scene.provenance["annotation"] == "absent"
    assert load(root).provenance.keys() == scene.provenance.keys()


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=30), st.randoms())
def test_face_instance_is_the_majority_of_its_vertices(
    corners: list[tuple[int, int, int]], random: Any
) -> None:
    owner = np.array([random.randrange(4) for _ in range(5)], np.uint16)
    faces = np.array(corners, np.int32)

    def slow(face: np.ndarray) -> int:
        owners = [int(owner[v]) for v in face]
        return next((o for o in owners if owners.count(o) >= 2), 0)

    np.testing.assert_array_equal(face_instances(owner, faces), [slow(face) for face in faces])


def test_ascii_and_binary_meshes_are_equal(pristine: Path, tmp_path: Path) -> None:
    write_scannet_scene(tmp_path, num_frames=1, ascii_ply=True)
    one, two = load(pristine).mesh, load(tmp_path).mesh
    for name in ("vertices", "faces", "vertex_color", "face_instance"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("ascii_ply", [False, True])
@pytest.mark.parametrize("keep", [0, 100, 300, 50_000, -1])
def test_truncated_meshes_are_refused(root: Path, ascii_ply: bool, keep: int) -> None:
    path = scene_folder(root) / MESH
    if ascii_ply:
        vertices, faces, colors, _ = fixture.surface(fixture.room_boxes())
        fixture.write_ply(path, vertices, faces, colors, ascii_ply=True)
        keep = -8 if keep == -1 else keep
    path.write_bytes(path.read_bytes()[:keep])
    assert_refused(root, path, "expected")


def test_impossible_meshes_are_refused(root: Path) -> None:
    path = scene_folder(root) / MESH
    vertices, faces, colors, _ = fixture.surface(fixture.room_boxes())
    beyond = faces.copy()
    beyond[5, 1] = len(vertices)
    fixture.write_ply(path, vertices, beyond, colors)
    assert_refused(root, path, f"vertex numbers below {len(vertices)}, found 0..{len(vertices)}")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"element vertex ", b"element vertex 99999999"))
    assert_refused(root, path, "expected a PLY mesh with vertices and faces, found")
    vertices[3, 2] = np.nan
    fixture.write_ply(path, vertices, faces, colors)
    assert_refused(root, path, "expected finite vertices, found NaN or infinity")


def test_a_mesh_without_colours_is_grey_and_says_so(root: Path) -> None:
    path = scene_folder(root) / MESH
    vertices, faces, colors, _ = fixture.surface(fixture.room_boxes())
    fixture.write_ply(path, vertices, faces, colors, ascii_ply=True)
    lines = path.read_text().split("\n")
    lines = [line for line in lines if not line.startswith("property uchar")]
    start = lines.index("end_header") + 1
    for number in range(start, start + len(vertices)):
        lines[number] = " ".join(lines[number].split()[:3])
    path.write_text("\n".join(lines))
    scene = load(root)
    assert (scene.mesh.vertex_color == 128).all()
    assert scene.provenance["mesh"] == f"{MESH}, no colours in it: grey"
