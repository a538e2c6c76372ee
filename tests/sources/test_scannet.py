"""ScanNetSource against the analytic truth of miniature scans, and against a real one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.errors import ConfigError, SourceError
from gapdata.geometry.boxes import aabb_from_points
from gapdata.geometry.camera import Camera, inside_image
from gapdata.geometry.depth import resample_depth
from gapdata.geometry.transforms import invert_rigid, is_rigid, transform_points
from gapdata.scene import AXIS_ALIGNED, GRAVITY_ALIGNED, Scene
from gapdata.sources import open_source
from gapdata.sources.scannet import ScanNetSource
from gapdata.sources.scannet_labels import face_instances
from tests.fixtures import scannet as fixture
from tests.fixtures.scannet import ScanSpec, write_labels_tsv, write_scannet_scene

ID = "scene0000_00"
SEGMENTS = f"{ID}_vh_clean_2.0.010000.segs.json"
AGGREGATION = f"{ID}.aggregation.json"
MESH = f"{ID}_vh_clean_2.ply"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole miniature data set; read only."""
    root = tmp_path_factory.mktemp("scannet")
    write_scannet_scene(root, layout="both", color_codec="png", num_frames=4)
    write_labels_tsv(root)
    return root


@pytest.fixture
def root(pristine: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(pristine, tmp_path / "data"))


def load(root: Path, scene_id: str = ID) -> Scene:
    return ScanNetSource(root).load(scene_id)


def scene_folder(root: Path) -> Path:
    return root / "scans" / ID


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def assert_refused(root: Path, file: Path | None, problem: str, scene_id: str = ID) -> None:
    """Loading fails with one line: source, scene, file, then expected and found."""
    with pytest.raises(SourceError, match=problem) as caught:
        load(root, scene_id)
    text = str(caught.value)
    assert text.startswith(f"scannet: {scene_id}: {file}" if file else "scannet: ")
    assert "\n" not in text
    assert "expected" in text
    assert "found" in text


# --- what a scene is ---------------------------------------------------------------------------


def test_frames_are_where_the_camera_was(pristine: Path) -> None:
    scene = load(pristine)
    spec = ScanSpec(num_frames=4)
    boxes, (color_K, depth_K) = fixture.room_boxes(), fixture.cameras(spec)
    assert [frame.id for frame in scene.frames] == ["000000", "000001", "000002", "000003"]
    assert scene.world_frame == AXIS_ALIGNED
    assert not scene.drops
    for number, (frame, pose) in enumerate(zip(scene.frames, fixture.camera_path(4), strict=True)):
        np.testing.assert_allclose(frame.camera.cam2world, pose, atol=2e-6)
        assert frame.camera.cam2world.dtype == np.float64
        assert is_rigid(frame.camera.cam2world, 1e-12)
        np.testing.assert_allclose(frame.camera.K, color_K, rtol=1e-6)
        assert (frame.camera.height, frame.camera.width) == spec.color_size
        recording = frame.recording
        assert recording is not None
        np.testing.assert_allclose(recording.depth_camera.K, depth_K, rtol=1e-6)
        np.testing.assert_array_equal(recording.depth_camera.cam2world, frame.camera.cam2world)
        assert frame.timestamp_s == pytest.approx(0.5 * number, abs=1e-9)
        rgb, _, _ = fixture.draw(boxes, color_K, pose, spec.color_size)
        _, depth, _ = fixture.draw(boxes, depth_K, pose, spec.depth_size)
        np.testing.assert_array_equal(recording.read_rgb(), rgb)
        np.testing.assert_allclose(recording.read_depth(), depth, atol=5.1e-4)
        assert recording.read_jpeg is None  # this scan's colour is PNG


def test_jpeg_bytes_are_offered_untouched(tmp_path: Path) -> None:
    folder = write_scannet_scene(tmp_path, num_frames=1, layout="both")
    stored = (folder / "color" / "0.jpg").read_bytes()
    from_sens = load(tmp_path).frames[0].recording
    (folder / f"{ID}.sens").rename(folder / "kept")
    from_export = load(tmp_path).frames[0].recording
    (folder / "kept").rename(folder / f"{ID}.sens")
    assert from_sens.read_jpeg() == from_export.read_jpeg() == stored
    np.testing.assert_array_equal(from_sens.read_rgb(), from_export.read_rgb())


def test_instances_are_the_boxes_of_the_room(pristine: Path) -> None:
    scene = load(pristine)
    boxes = fixture.room_boxes()
    assert [instance.id for instance in scene.instances] == list(range(1, len(boxes) + 1))
    vertices, _, _, segments = fixture.surface(boxes)
    for number, (instance, truth) in enumerate(zip(scene.instances, boxes, strict=True)):
        assert instance.label == truth.label.replace("trashcan", "trash can")
        raw = instance.label
        assert instance.nyu40 == fixture.NYU40_OF_RAW[raw]
        points = vertices[segments // 16 == number]
        exact = aabb_from_points(points)
        np.testing.assert_allclose(instance.aabb.center, exact.center, atol=1e-5)
        np.testing.assert_allclose(instance.aabb.size, exact.size, atol=1e-5)
        if number < len(fixture.SHELL):
            continue
        np.testing.assert_allclose(instance.box.center, truth.center, atol=1e-4)
        np.testing.assert_allclose(
            np.sort(instance.box.size[:2]), np.sort(truth.size[:2]), atol=1e-4
        )
        assert instance.box.size[2] == pytest.approx(truth.size[2], abs=1e-5)
        # The same corners, whatever the order of the axes.
        gaps = np.linalg.norm(instance.box.corners[:, None] - _corners(truth)[None, :], axis=-1)
        assert gaps.min(axis=1).max() < 1e-3


def _corners(truth: fixture.RoomBox) -> np.ndarray:
    signs = np.array(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5])).reshape(3, 8).T
    return signs * truth.size @ truth.rotation.T + truth.center


def test_mesh_is_the_file_s_in_the_aligned_world(pristine: Path) -> None:
    mesh = load(pristine).mesh
    assert mesh is not None
    vertices, faces, colors, segments = fixture.surface(fixture.room_boxes())
    np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-5)  # no merging, same order
    np.testing.assert_array_equal(mesh.faces, faces)
    np.testing.assert_array_equal(mesh.vertex_color, colors)
    np.testing.assert_array_equal(mesh.face_instance, (segments // 16 + 1)[faces[:, 0]])
    assert len(np.unique(vertices.round(6), axis=0)) < len(vertices)  # merging would have shown


def mesh_against_depth(scene: Scene, numbers: list[int], flip: bool = False) -> np.ndarray:
    """Sensor depth minus mesh depth, at mesh vertices nearest to the camera in their pixel.

    Pixels are blocks of the sensor's, so that one vertex a block is in front of all it hides.
    """
    assert scene.mesh is not None
    gaps = []
    for number in numbers:
        recording = scene.frames[number].recording
        assert recording is not None
        depth, camera = recording.read_depth(), recording.depth_camera
        if flip:
            camera = camera.moved(invert_rigid(camera.cam2world))
        pixel, z = camera.project(scene.mesh.vertices.astype(np.float64))
        seen = np.flatnonzero(inside_image(pixel, camera.height, camera.width) & (z > 0.2))
        column, row = np.floor(pixel[seen].T + 0.5).astype(int)
        measured = depth[row, column]
        block = np.full((camera.height // 8 + 1, camera.width // 8 + 1), np.inf)
        np.minimum.at(block, (row // 8, column // 8), z[seen])
        front = (measured > 0) & (z[seen] < block[row // 8, column // 8] + 0.15)
        gaps.append(measured[front] - z[seen][front])
    return np.concatenate(gaps)


def test_mesh_agrees_with_depth_and_the_check_has_teeth(pristine: Path) -> None:
    scene = load(pristine)
    gaps = np.abs(mesh_against_depth(scene, [0, 1, 2, 3]))
    assert len(gaps) > 1000
    assert np.median(gaps) < 0.01
    assert np.median(np.abs(mesh_against_depth(scene, [0, 1, 2, 3], flip=True))) > 0.2


def test_colour_and_depth_have_their_own_intrinsics(pristine: Path) -> None:
    """Depth resampled into the colour camera is the depth the colour camera would see."""
    frame = load(pristine).frames[0]
    assert frame.recording is not None
    color_K, _ = fixture.cameras(ScanSpec())
    _, exact, _ = fixture.draw(
        fixture.room_boxes(), color_K, fixture.camera_path(4)[0], ScanSpec().color_size
    )
    camera = frame.recording.depth_camera
    resampled = resample_depth(frame.recording.read_depth(), camera, frame.camera)
    assert np.median(np.abs(resampled - exact)[resampled > 0]) < 0.01
    swapped = Camera(
        K=frame.camera.resized(60, 80).K, cam2world=camera.cam2world, height=60, width=80
    )
    wrong = resample_depth(frame.recording.read_depth(), swapped, frame.camera)
    assert np.median(np.abs(wrong - exact)[wrong > 0]) > 0.01


def test_loading_decodes_nothing(root: Path) -> None:
    path = scene_folder(root) / f"{ID}.sens"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x89PNG", b"\x89BAD"))
    frame = load(root).frames[2]
    assert frame.recording is not None
    frame.recording.read_depth()
    with pytest.raises(
        SourceError, match=r"scannet: scene0000_00: .*frame 2: colour: expected a picture"
    ):
        frame.recording.read_rgb()


# --- the two layouts ---------------------------------------------------------------------------


def test_exported_folders_give_the_frames_of_the_sens_file(root: Path) -> None:
    from_sens = load(root)
    folder = scene_folder(root)
    (folder / f"{ID}.sens").rename(folder / "kept")
    exported = load(root)
    (folder / "kept").rename(folder / f"{ID}.sens")
    assert exported.provenance["frames"] == "exported folders"
    assert exported.provenance.keys() == from_sens.provenance.keys()
    for a, b in zip(from_sens.frames, exported.frames, strict=True):
        assert a.id == b.id
        assert a.recording is not None
        assert b.recording is not None
        for one, two in (
            (a.camera, b.camera),
            (a.recording.depth_camera, b.recording.depth_camera),
        ):
            np.testing.assert_allclose(one.cam2world, two.cam2world, atol=1e-7)  # text has 9 digits
            np.testing.assert_allclose(one.K, two.K, rtol=1e-7)
            assert (one.height, one.width) == (two.height, two.width)
        np.testing.assert_array_equal(a.recording.read_rgb(), b.recording.read_rgb())
        np.testing.assert_array_equal(a.recording.read_depth(), b.recording.read_depth())


def test_frames_without_a_partner_file_are_counted(root: Path) -> None:
    folder = scene_folder(root)
    (folder / f"{ID}.sens").unlink()
    (folder / "depth" / "1.png").unlink()
    (folder / "pose" / "2.txt").unlink()
    scene = load(root)
    assert [frame.id for frame in scene.frames] == ["000000", "000003"]
    assert scene.drops == {"no depth file": 1, "no pose file": 1}
    assert scene.frames[1].timestamp_s == pytest.approx(0.1)
    for number in (0, 3):
        (folder / "color" / f"{number}.png").unlink()
    assert_refused(root, folder, "expected frames with colour, depth and pose, found none among 4")


@pytest.mark.parametrize("name", ["depth", "pose", "intrinsic/intrinsic_depth.txt"])
def test_exported_layout_without_a_part_is_refused(root: Path, name: str) -> None:
    folder = scene_folder(root)
    (folder / f"{ID}.sens").unlink()
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert_refused(root, path, "found no")


def test_damaged_exported_files_are_refused(root: Path) -> None:
    folder = scene_folder(root)
    (folder / f"{ID}.sens").unlink()
    frames = load(root).frames
    assert frames[1].recording is not None
    shutil.copy(folder / "color" / "1.png", folder / "depth" / "1.png")
    with pytest.raises(
        SourceError, match=r"depth/1.png: expected a PNG of 80x60, found PNG of 160x120"
    ):
        frames[1].recording.read_depth()
    np_depth = fixture.encode_color(np.zeros((60, 80, 3), np.uint8), "png")
    (folder / "depth" / "1.png").write_bytes(np_depth)
    with pytest.raises(SourceError, match="one channel of uint16, found uint8"):
        frames[1].recording.read_depth()
    (folder / "color" / "1.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"color/1.png: expected a picture, found 0 bytes"):
        frames[1].recording.read_rgb()
    pose = folder / "pose" / "1.txt"
    pose.write_text("1 0 0 0 0 1 0 0\n")
    assert_refused(root, pose, "expected 16 numbers, found 8")
    pose.write_text("1 0 zero\n")
    assert_refused(root, pose, "expected a 4x4 matrix")
    pose.unlink()
    shutil.copy(folder / "color" / "2.png", folder / "color" / "02.png")
    assert_refused(root, folder / "color" / "2.png", "one file for frame 2, found 02.png too")


def test_a_scene_without_frames_of_either_kind_is_refused(root: Path) -> None:
    folder = scene_folder(root)
    (folder / f"{ID}.sens").unlink()
    shutil.rmtree(folder / "color")
    assert_refused(root, folder, f"expected {ID}.sens or folders color, depth, pose and intrinsic")


def test_files_that_vanish_or_cannot_be_read_are_refused(root: Path) -> None:
    folder = scene_folder(root)
    from_sens = load(root).frames[0].recording
    (folder / f"{ID}.sens").unlink()
    exported = load(root).frames[0].recording
    for name in ("color", "depth"):
        shutil.rmtree(folder / name)
    for recording, where in ((from_sens, ".sens: frame 0"), (exported, "color/0.png")):
        with pytest.raises(
            SourceError, match=f"{where}: expected a readable file, found No such file"
        ):
            recording.read_rgb()
    with pytest.raises(SourceError, match=r"depth/0.png: expected a readable file, found No such"):
        exported.read_depth()
    (folder / AGGREGATION).unlink()
    (folder / AGGREGATION).mkdir()
    write_scannet_scene(root, "scene0000_01", num_frames=1, mesh=False, labels=False)
    folder.joinpath(f"{ID}.sens").write_bytes(
        (root / "scans" / "scene0000_01" / "scene0000_01.sens").read_bytes()
    )
    assert_refused(root, folder / AGGREGATION, "expected a readable file, found Is a directory")


# --- poses and cameras -------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["sens", "exported"])
def test_lost_and_sheared_frames_are_dropped_and_counted(tmp_path: Path, layout: str) -> None:
    write_scannet_scene(
        tmp_path, num_frames=5, lost=(0, 3), sheared=(1,), layout=layout, mesh=False
    )
    scene = load(tmp_path)
    assert [frame.id for frame in scene.frames] == ["000002", "000004"]
    assert scene.drops == {"lost tracking": 2, "non-rigid pose": 1}
    np.testing.assert_allclose(
        scene.frames[1].camera.cam2world, fixture.camera_path(5)[4], atol=2e-6
    )
    rgb, _, _ = fixture.draw(
        fixture.room_boxes(), fixture.cameras(ScanSpec())[0], fixture.camera_path(5)[4], (120, 160)
    )
    assert scene.frames[1].recording is not None
    assert np.abs(scene.frames[1].recording.read_rgb().astype(int) - rgb).mean() < 4


def test_a_scene_that_lost_every_frame_is_empty(tmp_path: Path) -> None:
    folder = write_scannet_scene(tmp_path, num_frames=2, lost=(0, 1), mesh=False)
    assert_refused(
        tmp_path,
        folder,
        "expected frames with a valid pose, found 2 lost tracking; the scene is empty",
    )
    empty = write_scannet_scene(tmp_path, "scene0000_01", num_frames=0, mesh=False)
    assert_refused(tmp_path, empty, "valid pose, found no frame", "scene0000_01")


def test_frames_without_pictures_are_dropped_and_counted(tmp_path: Path) -> None:
    folder = write_scannet_scene(tmp_path, num_frames=1, mesh=False)
    spec = ScanSpec()
    blob = fixture.encode_color(np.zeros((120, 160, 3), np.uint8), "jpeg")
    pose = fixture.STORED_FROM_ALIGNED
    content = fixture.pack_header(fixture.sens_header(spec, 2))
    content += fixture.pack_frame(pose, blob, b"") + fixture.pack_frame(pose, blob, b"any")
    (folder / f"{ID}.sens").write_bytes(content)
    scene = load(tmp_path)
    assert [frame.id for frame in scene.frames] == ["000001"]
    assert scene.drops == {"no picture recorded": 1}


def test_without_alignment_the_world_is_the_stored_one_and_says_so(tmp_path: Path) -> None:
    folder = write_scannet_scene(tmp_path, num_frames=2, aligned=False)
    scene = load(tmp_path)
    assert scene.world_frame == GRAVITY_ALIGNED
    assert scene.provenance["axis_alignment"] == "absent: left unaligned"
    stored = fixture.STORED_FROM_ALIGNED @ fixture.camera_path(2)[1]
    np.testing.assert_allclose(scene.frames[1].camera.cam2world, stored, atol=2e-6)
    vertices = fixture.surface(fixture.room_boxes())[0]
    assert scene.mesh is not None
    np.testing.assert_allclose(
        scene.mesh.vertices, transform_points(fixture.STORED_FROM_ALIGNED, vertices), atol=1e-5
    )
    (folder / f"{ID}.txt").unlink()
    assert load(tmp_path).provenance["axis_alignment"] == "absent: left unaligned"


@pytest.mark.parametrize("value", ["1 0 0", "a b c", " ".join(["2"] * 16), " ".join(["nan"] * 16)])
def test_a_damaged_alignment_is_refused(root: Path, value: str) -> None:
    path = scene_folder(root) / f"{ID}.txt"
    path.write_text(re.sub("axisAlignment = .*", f"axisAlignment = {value}", path.read_text()))
    assert_refused(root, path, "as axisAlignment, found|expected a rigid 4x4 axisAlignment, found")


def test_zero_intrinsics_come_from_the_text_file_and_say_so(tmp_path: Path) -> None:
    zero = {"color_intrinsics": np.zeros((4, 4)), "depth_intrinsics": np.zeros((4, 4))}
    folder = write_scannet_scene(tmp_path, num_frames=1, mesh=False, header=zero)
    scene = load(tmp_path)
    color_K, depth_K = fixture.cameras(ScanSpec())
    np.testing.assert_allclose(scene.frames[0].camera.K, color_K, atol=1e-6)
    assert scene.frames[0].recording is not None
    np.testing.assert_allclose(scene.frames[0].recording.depth_camera.K, depth_K, atol=1e-6)
    assert "from the scene's .txt" in scene.provenance["intrinsics"]
    facts = folder / f"{ID}.txt"
    facts.write_text(facts.read_text().replace("colorWidth = 160", "colorWidth = 1296"))
    assert_refused(tmp_path, folder, "for 160x120 pictures, found .* a .txt for 1296x120")
    facts.unlink()
    assert_refused(tmp_path, folder, "found zeros in the recording and no usable value")


def test_intrinsics_of_another_picture_size_are_refused(tmp_path: Path) -> None:
    """scene0704 and scene0705 have 640x480 colour: K of 1296x968 must not slip through."""
    wrong = np.eye(4, dtype=np.float32)
    wrong[:3, :3] = [[1170, 0, 647.75], [0, 1170, 483.75], [0, 0, 1]]
    folder = write_scannet_scene(
        tmp_path, num_frames=1, mesh=False, header={"color_intrinsics": wrong}
    )
    assert_refused(tmp_path, folder, "color intrinsics for a 160x120 picture.* cx 647.75")
    skewed = fixture.sens_header(ScanSpec(), 1)["depth_intrinsics"]
    skewed[0, 1] = 3.0
    folder = write_scannet_scene(
        tmp_path, "scene0000_01", num_frames=1, mesh=False, header={"depth_intrinsics": skewed}
    )
    assert_refused(tmp_path, folder, "without skew, found .* skew 3", "scene0000_01")


@pytest.mark.parametrize("name", ["color_extrinsics", "depth_extrinsics"])
def test_unregistered_colour_and_depth_are_refused(tmp_path: Path, name: str) -> None:
    moved = np.eye(4, dtype=np.float32)
    moved[0, 3] = 0.038
    folder = write_scannet_scene(tmp_path, num_frames=1, mesh=False, header={name: moved})
    assert_refused(
        tmp_path, folder / f"{ID}.sens", "extrinsics .*registered.*, found 0.038 m and 0.00 degrees"
    )
    near = np.eye(4, dtype=np.float32)
    near[0, 3] = 0.0005
    write_scannet_scene(tmp_path, "scene0000_01", num_frames=1, mesh=False, header={name: near})
    assert len(load(tmp_path, "scene0000_01").frames) == 1


@pytest.mark.parametrize("step", [0, 3, 5_000_000])
def test_a_clock_that_cannot_be_one_is_replaced_and_named(tmp_path: Path, step: int) -> None:
    write_scannet_scene(tmp_path, num_frames=3, mesh=False, clock_step_us=step)
    scene = load(tmp_path)
    np.testing.assert_allclose([frame.timestamp_s for frame in scene.frames], np.arange(3) / 30)
    assert scene.provenance["timestamps"].startswith("no usable clock")


# --- labels ------------------------------------------------------------------------------------


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
        (AGGREGATION, '{"segGroups": [{"id": 4, "label": "a", "segments": "x"}]}', "segments of objectId 4, found"),
        (SEGMENTS, '{"segIndices": [[1, 2], [3, 4]]}', r"integers in segIndices, found shape \(2, 2\)"),
        (SEGMENTS, '{"segIndices": ["a"]}', "integers in segIndices, found"),
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
    assert scene.drops == {"instance without vertices": 2}
    assert scene.provenance["annotation"].endswith("5 segments claimed twice")


def test_labels_outside_the_table_are_named(root: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["segGroups"][7]["label"] = "ottoman lamp"
        content["segGroups"][8]["label"] = "ottoman lamp"
        content["segGroups"][9]["label"] = "  Dishrack "
        content["segGroups"][10]["label"] = '5" shelf'

    edit_json(scene_folder(root) / AGGREGATION, change)
    scene = load(root)
    found = {instance.id: (instance.label, instance.nyu40) for instance in scene.instances}
    assert found[8] == found[9] == ("ottoman lamp", 0)
    assert found[10] == ("dish rack", 40)
    assert found[11] == ('5" shelf', 15)
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


# --- meshes ------------------------------------------------------------------------------------


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


# --- finding scenes ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven empty scenes, as far as listing them goes."""
    root = tmp_path_factory.mktemp("many")
    for name in (
        "scans/scene0001_00",
        "scans/scene0000_01",
        "scans/scene0000_00",
        "scans/scene0002_00",
    ):
        (root / name).mkdir(parents=True)
    (root / "scans_test" / "scene0707_00").mkdir(parents=True)
    (root / "scans" / "my_room" / "color").mkdir(parents=True)
    (root / "scans" / "not_a_scene").mkdir()
    (root / "scans" / "notes.txt").write_text("")
    return root


def test_scenes_are_sorted_and_the_first_n_are_kept(many: Path) -> None:
    assert open_source("scannet", str(many)).splits() == {
        "train": ("my_room", "scene0000_00", "scene0000_01", "scene0001_00", "scene0002_00"),
        "test": ("scene0707_00",),
    }
    assert ScanNetSource(many, num_scenes=3, seed=5).splits() == {
        "train": ("my_room", "scene0000_00", "scene0000_01")
    }
    with pytest.raises(ConfigError, match="num_scenes: expected at least 1, found 0"):
        ScanNetSource(many, num_scenes=0)


@pytest.mark.parametrize("place", [".", "Tasks/Benchmark", ".."])
def test_split_files_decide(many: Path, tmp_path: Path, place: str) -> None:
    root = Path(shutil.copytree(many, tmp_path / "data" / "scannet"))
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scannetv2_train.txt").write_text("scene0002_00\nscene0999_00\n")
    (folder / "scannetv2_val.txt").write_text("scene0000_01\nscene0000_00\n")
    (folder / "scannetv2_test.txt").write_text("scene0707_00")
    splits = ScanNetSource(root).splits()
    assert splits == {
        "train": ("my_room", "scene0001_00", "scene0002_00"),
        "val": ("scene0000_00", "scene0000_01"),
        "test": ("scene0707_00",),
    }
    (folder / "scannetv2_test.txt").write_text("scene0000_01")
    with pytest.raises(
        SourceError, match=r"scene0000_01: .*expected each scene in one split, found it in val too"
    ):
        ScanNetSource(root)


def test_each_kind_of_root_finds_scene_and_labels(
    pristine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root in (pristine, pristine / "scans", pristine / "scans" / ID):
        source = ScanNetSource(root)
        assert source.splits() == {"train": (ID,)}
        assert source.load(ID).provenance["labels"] == "scannetv2-labels.combined.tsv"
    monkeypatch.chdir(pristine / "scans" / ID)
    assert ScanNetSource(".").splits() == {"train": (ID,)}


def test_wrong_roots_are_refused(tmp_path: Path, many: Path) -> None:
    for root, problem in (
        ("", "scannet: expected a root folder, found none"),
        (tmp_path / "absent", "expected a folder, found none"),
        (tmp_path, "expected scans/<id>/<id>.sens or scans/<id>/color below it, found none"),
        (many / "scans" / "notes.txt", "expected a folder, found none"),
    ):
        with pytest.raises(SourceError, match=problem):
            ScanNetSource(root)
    (tmp_path / "scans" / ID).mkdir(parents=True)
    (tmp_path / "scans_test" / ID).mkdir(parents=True)
    with pytest.raises(SourceError, match=r"expected one folder for the scene, found .*scans"):
        ScanNetSource(tmp_path)


def test_an_unknown_scene_is_refused(many: Path) -> None:
    assert_refused(
        many, many, r"expected one of 6 scenes \(my_room to scene0707_00\), found no such scene", "scene0500_00"
    )  # fmt: skip


# --- a real scan -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_scene(real_scan_root: Path) -> Scene:
    return ScanNetSource(real_scan_root).load("scene9000_00")


@pytest.mark.real_scan
def test_real_scan_has_the_published_counts(real_scene: Scene, real_scan_root: Path) -> None:
    assert (len(real_scene.frames), len(real_scene.instances)) == (125, 53)
    assert not real_scene.drops
    assert len(real_scene.mesh.vertices) == 120_251
    assert len(real_scene.mesh.faces) == 215_000
    table = re.findall(
        r"^\| ([a-z ]+) \| (\d+) \| (\d+) \|$", (real_scan_root / "README.md").read_text(), re.M
    )
    assert len(table) == 26
    labels = [instance.label for instance in real_scene.instances]
    assert {(label, str(labels.count(label))) for label in labels} == {row[:2] for row in table}
    assert all(instance.nyu40 for instance in real_scene.instances)
    assert real_scene.provenance["labels"] == "scannetv2-labels.combined.tsv"
    assert real_scene.provenance["timestamps"].startswith("no usable clock")


@pytest.mark.real_scan
def test_real_scan_stands_on_its_floor(real_scene: Scene) -> None:
    (floor,) = (instance for instance in real_scene.instances if instance.label == "floor")
    faces = real_scene.mesh.faces[real_scene.mesh.face_instance == floor.id]
    assert abs(np.median(real_scene.mesh.vertices[faces, 2])) < 0.01
    for instance in real_scene.instances:
        assert instance.aabb.center[2] > -0.05
        assert instance.box.volume <= instance.aabb.volume * 1.002
    walls = [instance for instance in real_scene.instances if instance.label == "wall"]
    assert max(instance.aabb.size[:2].max() for instance in walls) > 4


@pytest.mark.real_scan
def test_real_scan_depth_lies_on_the_mesh(real_scene: Scene) -> None:
    gaps = mesh_against_depth(real_scene, list(range(0, 125, 12)))
    assert np.median(np.abs(gaps)) < 0.02
    assert abs(np.median(gaps)) < 0.01
    assert np.median(np.abs(mesh_against_depth(real_scene, [0, 60], flip=True))) > 0.2
