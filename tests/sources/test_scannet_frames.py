"""ScanNet's two frame layouts, and each way frames, poses and cameras can be wrong."""

from __future__ import annotations

import re
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from gapdata.errors import SourceError
from gapdata.geometry.transforms import transform_points
from gapdata.scene import GRAVITY_ALIGNED
from gapdata.sources.sens import SensFile
from tests.fixtures import scannet as fixture
from tests.fixtures.scannet import ScanSpec, write_scannet_scene
from tests.sources.scannet_support import (
    AGGREGATION,
    ID,
    assert_refused,
    load,
    scene_folder,
)


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
    assert cv2.imwrite(str(folder / "depth" / "1.png"), np.zeros((60, 80), np.uint8))
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


@pytest.mark.parametrize("size", [(8_193, 4), (9_000, 9_000), (60_000, 60_000)])
def test_an_impossible_picture_size_is_refused(root: Path, size: tuple[int, int]) -> None:
    folder = scene_folder(root)
    (folder / f"{ID}.sens").unlink()
    path = folder / "depth" / "0.png"
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", *size)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    assert_refused(root, path, "expected sides of at most 8192, found")


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
    spec = ScanSpec(color_codec="png", depth_codec="raw")
    grey = [np.full((120, 160, 3), 60 * number, np.uint8) for number in range(4)]
    blobs = [fixture.encode_color(rgb, "png") for rgb in grey]
    depth = np.full((60, 80), 1500, np.uint16).tobytes()
    pairs = [(blobs[0], b""), (blobs[1], depth), (b"", depth), (blobs[3], depth)]
    content = fixture.pack_header(fixture.sens_header(spec, 4))
    content += b"".join(
        fixture.pack_frame(fixture.STORED_FROM_ALIGNED, *pair, (1_000_000 * number, 0))
        for number, pair in enumerate(pairs)
    )
    (folder / f"{ID}.sens").write_bytes(content)
    scene = load(tmp_path)
    assert [(frame.id, frame.timestamp_s) for frame in scene.frames] == [
        ("000001", 1),
        ("000003", 3),
    ]
    assert scene.drops == {"no picture recorded": 2}
    for frame, number in zip(scene.frames, (1, 3), strict=True):
        assert frame.recording is not None
        np.testing.assert_array_equal(frame.recording.read_rgb(), grey[number])
        assert (frame.recording.read_depth() == 1.5).all()


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


def test_a_clock_that_jumps_back_is_replaced(tmp_path: Path) -> None:
    folder = write_scannet_scene(tmp_path, num_frames=4, mesh=False)
    path = folder / f"{ID}.sens"
    frame = int(SensFile(path).blob_at[2]) - 96
    content = bytearray(path.read_bytes())
    content[frame + 64 : frame + 72] = bytes(8)
    path.write_bytes(content)
    assert load(tmp_path).provenance["timestamps"].startswith("no usable clock")


def test_exported_frames_are_in_the_order_of_their_numbers(root: Path) -> None:
    folder = scene_folder(root)
    (folder / f"{ID}.sens").unlink()
    for old, new in ((1, 90), (2, 17), (3, 33)):
        for name, suffix in (("color", "png"), ("depth", "png"), ("pose", "txt")):
            (folder / name / f"{old}.{suffix}").rename(folder / name / f"{new:04d}.{suffix}")
    scene = load(root)
    assert [frame.id for frame in scene.frames] == ["000000", "000017", "000033", "000090"]
    for frame, number in zip(scene.frames, (0, 2, 3, 1), strict=True):
        pose = fixture.camera_path(4)[number]
        np.testing.assert_allclose(frame.camera.cam2world, pose, atol=2e-6)
