"""From raw files to checked shards and back, on a real scan and through an object store's interface."""

from __future__ import annotations

import fsspec
import numpy as np
import pytest

import gapdata
from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.check import check_dataset
from gapdata.geometry.transforms import is_rigid
from gapdata.preview import draw_preview
from gapdata.sources import open_source
from gapdata.tasks import TASKS


@pytest.fixture(scope="module", params=["captured", "raycast"])
def scan(request, real_scan_root, tmp_path_factory):
    out = str(tmp_path_factory.mktemp("scan") / request.param)
    build(
        BuildConfig(
            source="scannet",
            accept_terms=("scannet",),
            root=str(real_scan_root),
            renderer=request.param,
            samples_per_scene=2,
            out=out,
        )
    )
    return gapdata.open_dataset(out)


@pytest.mark.real_scan
def test_a_real_scan_becomes_a_dataset_without_fault(scan):
    report = check_dataset(scan.url)
    assert report.ok, [str(fault) for fault in report.faults]
    assert len(scan) == 2
    assert set(scan.manifest.counts["tasks"]) <= set(TASKS)
    assert scan.manifest.counts["qa"] > 60


@pytest.mark.real_scan
def test_real_samples_are_typed_and_exact(scan, real_scan_root):
    recorded = {
        frame.id: frame for frame in open_source("scannet", str(real_scan_root)).load("scene9000_00").frames
    }  # fmt: skip
    captured = scan.manifest.config["renderer"] == "captured"
    for sample in scan:
        assert sample.world_frame == "axis_aligned"
        for i, view in enumerate(sample.views):
            frame = recorded[view.frame_id]
            assert is_rigid(view.camera.cam2world, 1e-9)
            np.testing.assert_array_equal(view.camera.K, frame.camera.K)
            assert view.depth_source == ("sensor" if captured else "mesh")
            measured = frame.recording.read_depth()
            if captured:
                key = scan.index(sample.key)
                assert scan.read_members(key)[f"{i:02d}.rgb.jpg"] == frame.recording.read_jpeg()
                np.testing.assert_array_equal(view.depth, measured)  # one grid, millimetres
            else:
                both = (view.depth > 0) & (measured > 0)
                assert np.median(np.abs(view.depth - measured)[both]) < 0.02
            shown = np.unique(view.instance)
            assert set(shown[shown > 0].tolist()) <= {item.id for item in sample.instances}


@pytest.mark.real_scan
def test_the_contact_sheet_of_a_real_scan_shows_every_layer(scan):
    sheet = draw_preview(scan.url, samples=1)
    assert sheet.shape[1] >= 4 * 400
    assert len(np.unique(sheet.reshape(-1, 3)[::97], axis=0)) > 200


def test_an_object_store_gets_the_same_bytes(tmp_path):
    settings = {
        "source": "synthetic", "num_scenes": 1, "views": 2, "samples_per_scene": 1, "height": 48, "width": 64, "points": 64,
    }  # fmt: skip
    build(BuildConfig(**settings, out=str(tmp_path / "local")))
    build(BuildConfig(**settings, out="memory://store/rooms"))
    store = fsspec.filesystem("memory")
    names = sorted(path.removeprefix("/store/rooms/") for path in store.find("/store/rooms"))
    assert names == sorted(
        str(p.relative_to(tmp_path / "local"))
        for p in (tmp_path / "local").rglob("*")
        if p.is_file()
    )
    for name in names:
        assert store.cat_file(f"/store/rooms/{name}") == (tmp_path / "local" / name).read_bytes(), (
            name
        )
    assert check_dataset("memory://store/rooms").ok
    assert (
        gapdata.open_dataset("memory://store/rooms")[0].key
        == gapdata.open_dataset(str(tmp_path / "local"))[0].key
    )
