"""Datasets made from datasets: nothing is lost, doubled or changed but what was asked for."""

from __future__ import annotations

import shutil

import pytest

from gapdata import open_dataset
from gapdata.check import check_dataset
from gapdata.derive import filter_questions, merge, split
from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.manifest import read_manifest
from tests.fixtures.samples import room_sample, write_dataset


def samples(prefix: str, count: int) -> list:
    return [
        room_sample(f"{prefix}-{i:04d}", height=48, width=64, num_points=40, seed=i, scene_id=f"scene{i // 2:04d}_0{i % 2}")
        for i in range(count)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def datasets(tmp_path_factory) -> tuple[str, str]:
    root = tmp_path_factory.mktemp("derive")
    for name, count in (("a", 8), ("b", 3)):
        write_dataset(str(root / name), samples(name, count))
    return str(root / "a"), str(root / "b")


def shard_hashes(url: str) -> list[str]:
    return [shard.sha256 for shard in read_manifest(url).shards]


def members(url: str) -> dict[str, dict[str, bytes]]:
    dataset = open_dataset(url)
    return {key: dataset.read_members(i) for i, key in enumerate(dataset.keys.to_pylist())}


def test_merged_shards_are_the_same_bytes_under_new_names(datasets, tmp_path):
    out = str(tmp_path / "out")
    manifest = merge(datasets, out)
    assert shard_hashes(out) == [h for url in datasets for h in shard_hashes(url)]
    assert manifest.counts["samples"] == 11
    assert members(out) == members(datasets[0]) | members(datasets[1])
    report = check_dataset(out)
    assert report.ok, report.faults


def test_a_condition_that_all_questions_meet_changes_no_shard(datasets, tmp_path):
    filter_questions(datasets[0], str(tmp_path / "out"), "length(answer) > 0")
    assert shard_hashes(str(tmp_path / "out")) == shard_hashes(datasets[0])


def test_two_filters_equal_one_with_both_conditions(datasets, tmp_path):
    first, second, both = (str(tmp_path / name) for name in ("first", "second", "both"))
    filter_questions(datasets[0], first, "format <> 'text'")
    filter_questions(first, second, "scene_id LIKE 'scene0001%'")
    filter_questions(datasets[0], both, "format <> 'text' AND scene_id LIKE 'scene0001%'")
    assert shard_hashes(second) == shard_hashes(both)
    expected = {
        sample.key: [qa.id for qa in sample.qa if qa.format != "text"]
        for sample in open_dataset(datasets[0])
        if sample.scene_id.startswith("scene0001")
    }
    assert {s.key: [qa.id for qa in s.qa] for s in open_dataset(both)} == expected
    report = check_dataset(both)
    assert report.ok, report.faults


def test_samples_without_questions_stay_only_when_asked(datasets, tmp_path):
    where = "key = 'a-0002'"
    left = filter_questions(datasets[0], str(tmp_path / "left"), where)
    kept = filter_questions(datasets[0], str(tmp_path / "kept"), where, keep_empty=True)
    assert (left.counts["samples"], kept.counts["samples"]) == (1, 8)
    assert left.counts["qa"] == kept.counts["qa"] > 0


def test_split_keeps_rescans_together_and_changes_only_the_split(datasets, tmp_path):
    out = str(tmp_path / "out")
    split(datasets[0], out, {"val": 0.25, "test": 0.25})
    rooms: dict[str, set[str]] = {}
    for sample in open_dataset(out):
        rooms.setdefault(sample.scene_id[:9], set()).add(sample.split)
    assert sorted(rooms.values(), key=min) == [{"test"}, {"train"}, {"train"}, {"val"}]
    report = check_dataset(out)
    assert report.ok, report.faults
    before, after = members(datasets[0]), members(out)
    for key in before:
        changed = {name for name in before[key] if before[key][name] != after[key][name]}
        assert changed <= {"meta.json"}


def test_split_depends_on_its_seed_only(datasets, tmp_path):
    found = [
        shard_hashes_of_split(datasets[0], str(tmp_path / f"{number}"), seed)
        for number, seed in enumerate((0, 0, 1, 2, 3))
    ]
    assert found[0] == found[1]
    assert len(set(found)) > 1


def shard_hashes_of_split(url: str, out: str, seed: int) -> str:
    split(url, out, {"val": 0.25}, seed=seed)
    return ",".join(sorted(open_dataset(out, split="val").keys.to_pylist()))


def test_a_damaged_shard_is_not_copied(datasets, tmp_path):
    copy = shutil.copytree(datasets[0], tmp_path / "copy")
    shard = copy / "shards/train-00000.tar"
    data = bytearray(shard.read_bytes())
    data[1000] ^= 1
    shard.write_bytes(data)
    out = str(tmp_path / "out")
    for derive in (
        lambda: merge([str(copy)], out),
        lambda: filter_questions(str(copy), out, "margin >= 0", overwrite=True),
        lambda: split(str(copy), out, {"val": 0.5}, overwrite=True),
    ):
        with pytest.raises(DatasetError, match=r"train-00000\.tar: expected the SHA-256") as caught:
            derive()
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out/dataset.json").exists()


def test_mistakes_are_named(datasets, tmp_path):
    out = str(tmp_path / "out")
    with pytest.raises(ConfigError, match="key a-0000 is in"):
        merge([datasets[0], datasets[0]], out)
    write_dataset(str(tmp_path / "one"), [room_sample("one", num_views=2, height=48, width=64)])
    with pytest.raises(ConfigError, match="number of views"):
        merge([datasets[0], str(tmp_path / "one")], out)
    with pytest.raises(ConfigError, match="no question of"):
        filter_questions(datasets[0], out, "task = 'unheard of'")
    for shares in ({}, {"val": 0.0}, {"val": 0.5, "test": 0.5}):
        with pytest.raises(ConfigError, match="shares above 0"):
            split(datasets[0], out, shares)
    assert not (tmp_path / "out").exists()


def test_the_same_command_again_finds_it_done_and_another_is_refused(datasets, tmp_path):
    out = str(tmp_path / "out")
    merge(datasets, out)
    before = (tmp_path / "out" / "dataset.json").stat().st_mtime_ns
    merge(datasets, out)
    assert (tmp_path / "out" / "dataset.json").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="other settings"):
        merge(datasets[:1], out)
    merge(datasets[:1], out, overwrite=True)
    assert len(open_dataset(out)) == 8
