"""ScanNetSource against the analytic truth of miniature scans, and against a real one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gapdata.errors import SourceError
from gapdata.geometry.boxes import aabb_from_points
from gapdata.geometry.camera import Camera
from gapdata.geometry.depth import resample_depth
from gapdata.geometry.transforms import is_rigid
from gapdata.scene import AXIS_ALIGNED, Scene
from gapdata.sources.scannet import ScanNetSource
from tests.fixtures import scannet as fixture
from tests.fixtures.scannet import ScanSpec, write_scannet_scene
from tests.sources.scannet_support import (
    ID,
    load,
    mesh_against_depth,
    scene_folder,
)


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
