"""Shared fixtures; array shapes in gapdata's annotations are checked at run time in tests only."""

from __future__ import annotations

import os
from pathlib import Path

# The shape checks of jaxtyping must be in place before any gapdata module is imported.
from jaxtyping import install_import_hook

install_import_hook("gapdata", "beartype.beartype")

import pytest  # noqa: E402

REAL_SCAN_ROOT = Path(
    os.environ.get(
        "GAPDATA_REAL_SCAN", Path(__file__).parents[2] / "shared" / "data" / "scannet_format"
    )
)


@pytest.fixture(scope="session")
def real_scan_root() -> Path:
    """Root of a real RGB-D scan in ScanNet's layout, or a skip that says where it was looked for."""
    if not (REAL_SCAN_ROOT / "scans").is_dir():
        pytest.skip(f"no real scan at {REAL_SCAN_ROOT} (set GAPDATA_REAL_SCAN)")
    return REAL_SCAN_ROOT
