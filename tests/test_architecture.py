"""Rules of the house that no linter states: what an import may pull in, how large a file may grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gapdata.executors import EXECUTORS, open_executor
from gapdata.renderers import RENDERERS
from gapdata.sources import SOURCES, source_info
from gapdata.tasks import TASKS, open_task

ROOT = Path(__file__).parents[1]
PYTHON_FILES = sorted([*ROOT.glob("gapdata/**/*.py"), *ROOT.glob("gapmodel/**/*.py")])


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_command_line_starts_without_heavy_packages():
    heavy = ("torch", "open3d", "webdataset", "trimesh", "transformers", "cv2", "pyarrow", "scipy")
    loaded = run_python(f"import sys, gapdata.cli; print([m for m in {heavy} if m in sys.modules])")
    assert loaded == "[]"


def test_reading_shards_needs_no_build_side_package():
    blocked = ("open3d", "trimesh", "webdataset", "typer", "rich", "inflect", "PIL")
    run_python(
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        "import gapdata.sample, gapdata.answers, gapdata.markers, gapdata.shards.reader, gapdata.geometry.camera\n"
    )


def test_verifying_knows_nothing_of_how_answers_were_made():
    made = ("tasks", "pipeline", "build", "renderers", "sources", "synthetic", "selection")
    blocked = ", ".join(f"'gapdata.{name}'" for name in made)
    run_python(
        f"import sys, importlib\nfor name in ({blocked}): sys.modules[name] = None\n"
        "from gapdata.verify.registry import VERIFIERS, open_verifier\nimport gapdata.verify\n"
        "for name in VERIFIERS: open_verifier(name)"
    )


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: path.name)
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= 500
    assert path.name not in ("utils.py", "helpers.py", "common.py")


def test_every_registered_name_opens():
    for name in SOURCES:
        info = source_info(name)
        assert info.renderer in RENDERERS
        assert info.summary
        assert info.licence
    for name in TASKS:
        assert open_task(name).name == name
    for name in EXECUTORS:
        open_executor(name, workers=1)
