"""What a user gets who asks for what cannot be: one line, the fault counted, the rest built, nothing half written."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.cli import main
from gapdata.errors import SourceError
from gapdata.shards.manifest import read_manifest
from gapdata.shards.reader import open_dataset
from gapdata.synthetic import rooms
from tests.fixtures.furniture import obj_of_boxes, small_library, write_folder

BOX = obj_of_boxes([[0, 0, 0, 1, 1, 1]])
LITTLE = {
    "source": "synthetic", "num_scenes": 4, "seed": 2, "difficulty": 0.5, "views": 2, "samples_per_scene": 1, "height": 48,
    "width": 64, "points": 64, "tasks": ("object_count",),
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPDATA_CACHE", str(tmp_path / "cache"))


def _refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *flags: str
) -> str:
    """What the command says that ends with exit code 2."""
    command = ["gapdata", "build", "--source", "synthetic", "--num-scenes", "1", *flags]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    return said


def test_asset_collections_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no library")
    (tmp_path / "cut.sh3f").write_bytes(small_library(tmp_path / "s.sh3f").read_bytes()[:200])
    for name, told in {
        "Scopia.sh3f": "found nothing there; .*apt-get install sweethome3d-furniture",
        "notes.txt": "notes.txt: expected .* found another file; correct --assets",
        "": "expected an assets.json, found none",
        "cut.sh3f": "cut.sh3f: expected a Sweet Home 3D library",
    }.items():
        out = tmp_path / "out"
        said = _refused(monkeypatch, capsys, "--assets", str(tmp_path / name), "--out", str(out))
        assert re.search(told, said), said
        assert not out.exists()


def test_models_that_cannot_be_used_are_counted_and_the_others_drawn(tmp_path: Path) -> None:
    from gapdata.synthetic.assets.config import AssetsConfig

    files = {
        "good.obj": BOX, "empty.obj": "", "broken.obj": "v 0 0\nf 1 2 999\n", "broken.glb": b"glTF\x02\0\0\0no",
        "huge.obj": obj_of_boxes([[0, 0, 0, 500, 500, 500]]), "moon.obj": BOX,
    }  # fmt: skip
    models = dict.fromkeys([*files, "gone.obj"], "box") | {"moon.obj": "moon"}
    models["good.obj"] = {"label": "box", "size": [0.4, 0.3, 0.3]}
    write_folder(tmp_path / "m", models, files)
    assets = AssetsConfig(paths=(str(tmp_path / "m"),), share=1.0)
    out = str(tmp_path / "out")
    build(BuildConfig(out=out, assets=assets, **LITTLE | {"num_scenes": 1, "difficulty": 0.0}))
    counted = {k: n for k, n in read_manifest(out).drops.items() if k.startswith("asset: ")}
    assert counted == {
        "asset: absurd scale: longest side not within 0.01 to 8.0 m": 1, "asset: file cannot be read": 2,
        "asset: model file missing": 1, "asset: no faces": 1, "asset: unknown label": 1,
    }  # fmt: skip
    assert len(open_dataset(out)) == 1


def test_rooms_too_small_are_left_out_whole_and_the_others_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walker who wants 1.6 m on all sides has a place in one of these rooms, not in the other."""
    monkeypatch.setattr(rooms, "Placer", partial(rooms.Placer, clearance=1.6))
    large, small = scenes = ("room_s2_000000", "room_s2_000003")
    told = f"^synthetic: {small}: expected free floor to walk on.*--max-failures"
    with pytest.raises(SourceError, match=told):
        build(BuildConfig(out=str(tmp_path / "strict"), scenes=(small,), **LITTLE))
    assert not (tmp_path / "strict" / "dataset.json").exists()
    out = str(tmp_path / "lenient")
    build(BuildConfig(out=out, scenes=scenes, max_failures=1, **LITTLE))
    assert [failure.scene for failure in read_manifest(out).failures] == [small]
    assert {sample.scene_id for sample in open_dataset(out)} == {large}
