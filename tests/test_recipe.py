"""Recipes hold no restricted pixel and give back the same bytes to who has the raw data."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from gapdata import open_dataset
from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.check import check_dataset
from gapdata.derive import filter_questions
from gapdata.errors import ConfigError, DatasetError, GapdataError
from gapdata.rebuild import rebuild
from gapdata.shards.manifest import read_manifest
from tests.fixtures.scannet import write_labels_tsv, write_scannet_scene


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for number in range(2):
        write_scannet_scene(root, f"scene{number:04d}_00", seed=number)
    write_labels_tsv(root)
    return root


def config(root: Path, out: Path, **changes) -> BuildConfig:
    settings = {"views": 2, "samples_per_scene": 2, "points": 64, "scenes_per_shard": 1}
    return BuildConfig(
        **{"source": "scannet", "root": str(root), "out": str(out), **settings, **changes}
    )


@pytest.fixture(scope="module")
def made(root, tmp_path_factory) -> tuple[Path, Path]:
    """A whole build and the recipe of the same settings."""
    folder = tmp_path_factory.mktemp("recipe")
    build(config(root, folder / "whole", accept_terms=("scannet",)))
    build(config(root, folder / "recipe", recipe=True))
    return folder / "whole", folder / "recipe"


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_restricted_data_needs_a_word_from_the_user(root, tmp_path):
    for accepted in ((), ("synthetic",)):
        with pytest.raises(ConfigError, match=r"TOS.*--accept-terms scannet.*--recipe"):
            build(config(root, tmp_path / "out", accept_terms=accepted))
    assert not (tmp_path / "out").exists()


def test_rebuilt_is_the_whole_build_to_the_byte(root, made, tmp_path):
    whole, recipe = made
    rebuild(str(recipe), str(tmp_path / "out"), str(root), workers=2)
    assert hashes(tmp_path / "out") == hashes(whole)
    report = check_dataset(str(tmp_path / "out"))
    assert report.ok, report.faults


def test_a_recipe_holds_questions_and_cameras_and_no_pixel(made):
    whole, recipe = made
    names = set()
    for path in recipe.glob("shards/*.tar"):
        with tarfile.open(path) as shard:
            names |= {name.split(".", 1)[1] for name in shard.getnames()}
    assert names == {"meta.json", "qa.json", "recipe.json"}
    assert (recipe / "qa.parquet").read_bytes() == (whole / "qa.parquet").read_bytes()
    everything = b"".join(path.read_bytes() for path in recipe.rglob("*") if path.is_file())
    dataset = open_dataset(str(whole))
    for position in range(len(dataset)):
        for name, data in dataset.read_members(position).items():
            assert (data[64:128] in everything) == name.endswith(".json"), name
    assert "gapdata rebuild" in (recipe / "README.md").read_text()


def test_a_recipe_is_not_taken_for_a_dataset(made, root, tmp_path):
    whole, recipe = made
    for use in (
        open_dataset,
        check_dataset,
        lambda url: filter_questions(url, str(tmp_path / "f"), "margin > 0"),
    ):
        with pytest.raises(DatasetError, match=r"found a recipe.*gapdata rebuild"):
            use(str(recipe))
    with pytest.raises(ConfigError, match="expected a recipe"):
        rebuild(str(whole), str(tmp_path / "out"), str(root))


def copied(root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(root, tmp_path / "raw"))


def test_another_release_of_the_raw_data_is_named(made, root, tmp_path):
    other = copied(root, tmp_path)
    path = other / "scans" / "scene0001_00" / "scene0001_00.txt"
    path.write_text(path.read_text() + "sceneType = kitchen\n")
    with pytest.raises(DatasetError, match=r"scene0001_00: scene0001_00\.txt: expected sha256"):
        rebuild(str(made[1]), str(tmp_path / "out"), str(other))
    path.unlink()
    with pytest.raises(DatasetError, match=r"scene0001_00\.txt: expected the raw file, found none"):
        rebuild(str(made[1]), str(tmp_path / "out"), str(other))
    rebuild(str(made[1]), str(tmp_path / "out"), str(root))  # goes on where it stopped
    assert hashes(tmp_path / "out") == hashes(made[0])


def test_bytes_that_come_out_other_are_named(made, root, tmp_path):
    spoiled = Path(shutil.copytree(made[1], tmp_path / "spoiled"))
    path = next(spoiled.glob("shards/*.tar"))
    text = path.read_bytes()
    place = text.index(b'"sha256":"', text.index(b"00.depth.tiff16")) + 10
    path.write_bytes(text[:place] + b"00" + text[place + 2 :])
    with pytest.raises(DatasetError, match=r"00\.depth\.tiff16: the bytes are not the recipe's"):
        rebuild(str(spoiled), str(tmp_path / "out"), str(root))


def test_a_recipe_of_unknown_settings_is_refused(made, root, tmp_path):
    other = Path(shutil.copytree(made[1], tmp_path / "other"))
    record = json.loads((other / "dataset.json").read_text())
    record["config"]["colour_space"] = "xyz"
    (other / "dataset.json").write_text(json.dumps(record))
    with pytest.raises(GapdataError, match="unknown settings colour_space"):
        rebuild(str(other), str(tmp_path / "out"), str(root))


def test_a_source_without_terms_can_be_a_recipe_too(tmp_path):
    settings = {"source": "synthetic", "num_scenes": 1, "views": 2, "samples_per_scene": 1, "points": 64,
                "height": 48, "width": 64}  # fmt: skip
    build(BuildConfig(**settings, out=str(tmp_path / "whole")))
    build(BuildConfig(**settings, out=str(tmp_path / "recipe"), recipe=True))
    rebuild(str(tmp_path / "recipe"), str(tmp_path / "out"), "")
    assert hashes(tmp_path / "out") == hashes(tmp_path / "whole")
    assert read_manifest(str(tmp_path / "recipe")).is_recipe
