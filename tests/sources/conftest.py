"""Miniature ScanNet data shared by the tests of the source."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures.scannet import write_labels_tsv, write_scannet_scene


@pytest.fixture(scope="session")
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
