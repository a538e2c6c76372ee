"""Models from files in worlds: who stands in for whom, cached conversions, and datasets that say what they show."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from gapdata.attribution import ATTRIBUTION_NAME
from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.derive import merge
from gapdata.errors import ConfigError
from gapdata.shards.manifest import read_manifest
from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic.assets import conversion
from gapdata.synthetic.assets.config import AssetsConfig
from gapdata.synthetic.assets.conversion import convert
from gapdata.synthetic.assets.library import LIKE_SIZE, open_library
from gapdata.synthetic.collision import prisms_of
from gapdata.synthetic.furniture import hangings, seating, tables
from gapdata.synthetic.materials import sample_palette
from tests.fixtures.furniture import obj_of_boxes, small_library, write_folder

LITTLE = {
    "views": 2, "samples_per_scene": 1, "height": 48, "width": 64, "points": 64, "num_scenes": 2,
    "tasks": ("object_count", "camera_object_distance"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GAPDATA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "assets"


@pytest.fixture
def assets(tmp_path) -> AssetsConfig:
    """A library with a chair and a table, and boxes of three sizes that every room may draw."""
    sizes = {
        "small.obj": [0.3, 0.25, 0.2],
        "middle.obj": [0.45, 0.4, 0.3],
        "large.obj": [0.6, 0.5, 0.45],
    }
    models = {name: {"label": "box", "size": size, "creator": "Cy"} for name, size in sizes.items()}
    text = obj_of_boxes([[0, 0, 0, 1, 1, 1]])
    folder = write_folder(tmp_path / "models", models, dict.fromkeys(sizes, text))
    library = small_library(tmp_path / "s.sh3f")
    return AssetsConfig(paths=(str(library), str(folder)), share=1.0)


def test_stand_ins_are_of_like_size_and_keep_what_is_asked_of_the_model(assets):
    library, rng = open_library(assets), np.random.default_rng(0)
    palette = sample_palette(rng)
    taken = 0
    for builder in [seating.chair, tables.dining_table] * 20:
        model = builder(rng, palette)
        chosen = library.stand_in(rng, model)
        assert chosen.label == model.label
        assert chosen.clearance == model.clearance
        if chosen is not model:
            taken += 1
            ratio = chosen.size / model.size
            assert ratio.max() <= LIKE_SIZE
            assert ratio.min() >= 1 / LIKE_SIZE
            assert bool(chosen.surfaces) or model.label == "chair"
    assert taken > 10


def test_wall_hung_stand_ins_have_their_back_at_the_wall(tmp_path):
    rng = np.random.default_rng(0)
    clock = hangings.clock(rng, sample_palette(rng))
    size = clock.size.tolist()
    write_folder(
        tmp_path / "m",
        {"c.obj": {"label": "clock", "size": size}},
        {"c.obj": obj_of_boxes([[0, 0, 0, 1, 1, 1]])},
    )
    library = open_library(AssetsConfig(paths=(str(tmp_path / "m"),), share=1.0))
    chosen = library.stand_in(rng, clock)
    assert chosen is not clock
    assert chosen.high[1] == pytest.approx(0.0, abs=1e-12)
    assert max(solid.outline[:, 1].max() for solid in chosen.hull) == pytest.approx(0.0, abs=1e-12)


def test_rooms_hold_stand_ins_that_are_solid_supported_and_credited(assets):
    source = SyntheticSource(num_scenes=3, seed=5, assets=assets)
    seen = 0
    for number in range(3):
        scene = source.load(f"room_s5_{number:06d}")
        seen += len(json.loads(scene.provenance.get("assets", "[]")))
    assert seen >= 3
    rng = np.random.default_rng([5, crc32(b"room_000000")])
    description = source._world.describe(rng, 0.5)
    things = [thing for thing in description.placed if thing.model.credit]
    assert things
    for thing in things:
        prisms = prisms_of(thing.model, thing.position, thing.rotation[:2, :2])
        carrier = description.placed[thing.support]
        tops = [surface.z + carrier.position[2] for surface in carrier.model.surfaces] or [0.0]
        assert min(abs(min(p.low for p in prisms) - top) for top in (0.0, *tops)) < 1e-3


def test_without_assets_nothing_changes_and_none_are_drawn_at_share_zero(assets):
    plain = SyntheticSource(num_scenes=1, seed=5)
    scene = plain.load("room_s5_000000")
    assert "assets" not in scene.provenance
    none = AssetsConfig(paths=assets.paths, share=0.0)
    assert (
        "assets"
        not in SyntheticSource(num_scenes=1, seed=5, assets=none).load("room_s5_000000").provenance
    )


def test_worlds_without_furniture_refuse_assets(assets):
    with pytest.raises(ConfigError, match="world street draws no models from files"):
        SyntheticSource(num_scenes=1, world="street", assets=assets)


def _convert_all(config: AssetsConfig) -> list[bytes]:
    return [convert(entry).bounds.boxes.tobytes() for entry in open_library(config).entries]


def test_the_cache_is_shared_and_mends_itself(assets, cache):
    with multiprocessing.get_context("fork").Pool(3) as pool:
        together = pool.map(_convert_all, [assets] * 3)
    assert together[0] == together[1] == together[2]
    files = sorted(cache.iterdir())
    assert {file.suffix for file in files} == {".npz"}
    assert len(files) == len(together[0])
    files[0].write_bytes(files[0].read_bytes()[:100])
    files[1].write_bytes(b"")
    assert _convert_all(assets) == together[0]
    assert files[0].stat().st_size > 100


def test_a_conversion_from_the_cache_is_the_one_that_was_made(assets):
    for entry in open_library(assets).entries:
        made, read = convert(entry), convert(entry)
        assert (made.color, made.loaded.notes) == (read.color, read.loaded.notes)
        assert np.array_equal(made.bounds.surfaces, read.bounds.surfaces)
        for a, b in zip(made.loaded.patches, read.loaded.patches, strict=True):
            assert a.rgb == b.rgb
            for x, y in (
                (a.vertices, b.vertices),
                (a.faces, b.faces),
                (a.uv, b.uv),
                (a.image, b.image),
            ):
                assert (x is None and y is None) or (np.array_equal(x, y) and x.dtype == y.dtype)


def test_refusals_are_cached_and_counted(tmp_path, monkeypatch):
    good, bad = obj_of_boxes([[0, 0, 0, 1, 1, 1]]), "v 0 0 0\n"
    write_folder(tmp_path / "m", {"a.obj": "box", "b.obj": "box"}, {"a.obj": good, "b.obj": bad})
    library = open_library(AssetsConfig(paths=(str(tmp_path / "m"),)))
    assert dict(library.prepare()) == {"no faces": 1}

    def never(entry):
        raise AssertionError("converted again")

    monkeypatch.setattr(conversion, "_convert", never)
    assert dict(library.prepare()) == {"no faces": 1}
    assert len(library.models("box")) == 1


def test_datasets_do_not_depend_on_where_assets_lie_and_say_what_they_show(assets, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    there = [
        Path(path).rename(moved / Path(path).name) if k else Path(path)
        for k, path in enumerate(assets.paths)
    ]
    (tmp_path / "one").mkdir()
    first = AssetsConfig(paths=tuple(map(str, there)), share=1.0)
    build(BuildConfig(source="synthetic", out=str(tmp_path / "a"), seed=5, assets=first, **LITTLE))
    back = there[1].rename(tmp_path / "one" / "models")
    second = AssetsConfig(paths=(str(back), str(there[0])), share=1.0)
    build(
        BuildConfig(
            source="synthetic", out=str(tmp_path / "b"), seed=5, assets=second, workers=2, **LITTLE
        )
    )
    names = sorted(
        p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()
    )
    assert Path(ATTRIBUTION_NAME) in names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    manifest = read_manifest(str(tmp_path / "a"))
    assert manifest.config["assets"]["sha256"] == open_library(second).digest
    assert manifest.drops["asset: name without a label"] == 1
    credits_told = (tmp_path / "a" / ATTRIBUTION_NAME).read_text()
    assert (
        "by Cy, from Mine: CC0 1.0" in credits_told or "by Ada, from Test library" in credits_told
    )
    assert str(tmp_path) not in credits_told

    plain = BuildConfig(source="synthetic", out=str(tmp_path / "p"), seed=6, **LITTLE)
    build(plain)
    assert not (tmp_path / "p" / ATTRIBUTION_NAME).exists()
    assert "assets" not in read_manifest(str(tmp_path / "p")).config
    merge([str(tmp_path / "a"), str(tmp_path / "p")], str(tmp_path / "both"))
    assert (tmp_path / "both" / ATTRIBUTION_NAME).read_text() == credits_told


def test_settings_that_cannot_work(assets, tmp_path):
    with pytest.raises(ConfigError, match="recipe: expected no assets beside it"):
        BuildConfig(source="synthetic", out=str(tmp_path), assets=assets, recipe=True)
    with pytest.raises(ConfigError, match="its scenes are recorded, expected no assets"):
        build(
            BuildConfig(
                source="scannet", root=str(tmp_path), out=str(tmp_path / "o"), assets=assets
            )
        )
