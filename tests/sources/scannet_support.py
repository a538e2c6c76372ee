"""What the tests of the ScanNet source share: file names, loading, and two checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapdata.errors import SourceError
from gapdata.geometry.camera import inside_image
from gapdata.geometry.transforms import invert_rigid
from gapdata.scene import Scene
from gapdata.sources.scannet import ScanNetSource

ID = "scene0000_00"
SEGMENTS = f"{ID}_vh_clean_2.0.010000.segs.json"
AGGREGATION = f"{ID}.aggregation.json"
MESH = f"{ID}_vh_clean_2.ply"


def load(root: Path, scene_id: str = ID) -> Scene:
    return ScanNetSource(root).load(scene_id)


def scene_folder(root: Path) -> Path:
    return root / "scans" / ID


def assert_refused(root: Path, file: Path | None, problem: str, scene_id: str = ID) -> None:
    """Loading fails with one line: source, scene, file, then expected and found."""
    with pytest.raises(SourceError, match=problem) as caught:
        load(root, scene_id)
    text = str(caught.value)
    assert text.startswith(f"scannet: {scene_id}: {file}" if file else "scannet: ")
    assert "\n" not in text
    assert "expected" in text
    assert "found" in text


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
