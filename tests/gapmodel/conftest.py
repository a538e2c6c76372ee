"""Shared by the tests of gapmodel: a small real dataset, and few torch threads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

# The shape checks of jaxtyping must be in place before the modules they check are imported.
from jaxtyping import install_import_hook

install_import_hook(["gapmodel.data", "gapmodel.objectives"], "beartype.beartype")

import pytest  # noqa: E402
import torch  # noqa: E402

import gapdata  # noqa: E402
from gapdata.shards.reader import Dataset  # noqa: E402

TINY_SIZE = (96, 128)  # height, width of the stored views
TINY_VIEWS = 4
BUILD = """
import json, sys
from gapdata.build import build
from gapdata.build_config import BuildConfig
build(BuildConfig(**json.loads(sys.argv[1])))
"""


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """The machine's cores are shared: small tensors gain nothing from threads."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of a finished dataset: 2 synthetic rooms, 2 samples each, 4 views of 128 x 96, split "train" only.

    Read it, never write to it; `copy_of_tiny` is for tests that damage one.
    """
    out = str(tmp_path_factory.mktemp("tiny") / "rooms")
    settings = {
        "source": "synthetic", "num_scenes": 2, "views": TINY_VIEWS, "samples_per_scene": 2, "max_questions_per_task": 4,
        "height": TINY_SIZE[0], "width": TINY_SIZE[1], "points": 512, "seed": 4, "scenes_per_shard": 1, "out": out,
    }  # fmt: skip
    # In a process of its own, where the shape checks of the tests do not double its time.
    subprocess.run([sys.executable, "-c", BUILD, json.dumps(settings)], check=True)
    return out


@pytest.fixture(scope="session")
def tiny_dataset(tiny_url: str) -> Dataset:
    """The dataset at `tiny_url`, opened with all layers."""
    return gapdata.open_dataset(tiny_url)


@pytest.fixture
def copy_of_tiny(tiny_url: str, tmp_path: Path) -> Path:
    """A private copy of the dataset at `tiny_url`, to be damaged."""
    return Path(shutil.copytree(tiny_url, tmp_path / "rooms"))
