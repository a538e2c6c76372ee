"""Shards are plain tar files whose bytes depend on the samples alone, and are whole or absent."""

from __future__ import annotations

import hashlib
import io
import os
import resource
import signal
import subprocess
import tarfile
import uuid
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from gapdata.checks.tar import ShardStream
from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.codec import encode_sample
from gapdata.shards.storage import open_storage
from gapdata.shards.tar import TAR_RECORD, tar_header
from gapdata.shards.writer import ShardRecord, ShardWriter
from tests.fixtures.samples import room_sample

NAME = "shards/train-00000.tar"
SAMPLES = [room_sample(f"room-{i:04d}", seed=i, height=48, width=64) for i in range(2)]


def write(url: str, samples=SAMPLES) -> ShardRecord | None:
    with ShardWriter(url, NAME) as writer:
        for sample in samples:
            writer.write(writer.encode(sample))
    return writer.record


def failing():
    """Samples that end in an error after the first."""
    yield SAMPLES[1]
    raise KeyError


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_tarfile_reads_what_was_written(tmp_path: Path) -> None:
    record = write(str(tmp_path))
    data = (tmp_path / NAME).read_bytes()
    assert record is not None
    assert (record.info.name, record.info.bytes, record.info.samples) == (NAME, len(data), 2)
    assert record.info.sha256 == hashlib.sha256(data).hexdigest()
    assert len(data) % tarfile.RECORDSIZE == 0
    with tarfile.open(tmp_path / NAME, "r:") as tar:
        found = {info.name: (info, tar.extractfile(info).read()) for info in tar.getmembers()}
    expected = {f"{s.key}.{n}": d for s in SAMPLES for n, d in encode_sample(s).items()}
    assert {name: content for name, (_, content) in found.items()} == expected
    assert list(found) == list(expected) == sorted(found)
    for info, _ in found.values():
        assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "", "")
        assert (info.mode, info.type) == (0o644, tarfile.REGTYPE)
    for row in record.samples.to_pylist():
        for place in row["members"]:
            content = data[place["offset"] : place["offset"] + place["size"]]
            assert content == expected[f"{row['key']}.{place['name']}"]


def test_equal_samples_give_equal_bytes(tmp_path: Path) -> None:
    one, two = write(str(tmp_path / "a")), write(str(tmp_path / "b"))
    assert one.info == two.info
    assert one.samples == two.samples
    assert one.qa == two.qa


def test_other_filesystems_get_the_same_bytes(tmp_path: Path) -> None:
    url = f"memory://{uuid.uuid4().hex}"
    assert write(url).info == write(str(tmp_path)).info
    with fsspec.open(f"{url}/{NAME}") as file:
        assert file.read() == (tmp_path / NAME).read_bytes()


def test_nothing_is_left_without_a_sample_or_after_an_error(tmp_path: Path) -> None:
    assert write(str(tmp_path), []) is None
    with pytest.raises(KeyError):
        write(str(tmp_path), failing())
    assert files(tmp_path) == []


def test_an_error_keeps_the_shard_that_was_there(tmp_path: Path) -> None:
    write(str(tmp_path))
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(KeyError):
        write(str(tmp_path), failing())
    assert (tmp_path / NAME).read_bytes() == before
    assert files(tmp_path) == [NAME]


def test_leftovers_of_a_killed_run_are_cleared_and_no_others(tmp_path: Path) -> None:
    """What a process that lives writes is not touched: a killed build's workers live on for a moment."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    shards = tmp_path / "shards"
    shards.mkdir()
    leftover = shards / f".train-00000.tar.{ended.pid}-abc.part"
    living = shards / f".train-00000.tar.{os.getpid()}-abc.part"
    other = shards / f".train-00001.tar.{ended.pid}-abc.part"
    for path in (leftover, living, other):
        path.write_bytes(b"half")
    write(str(tmp_path))
    assert files(tmp_path) == sorted([f"shards/{living.name}", f"shards/{other.name}", NAME])
    open_storage(str(tmp_path)).sweep("shards")
    assert files(tmp_path) == [NAME]


@pytest.mark.parametrize("key", ["", "a.b", "A", "ä", "a/b", "a b", "x" * 81])
def test_keys_that_loaders_would_cut_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(DatasetError, match="expected \\[a-z0-9_-\\]"):
        write(str(tmp_path), [replace(SAMPLES[0], key=key)])


def test_the_longest_key_fits_a_tar_header(tmp_path: Path) -> None:
    write(str(tmp_path), [replace(SAMPLES[0], key="x" * 80)])
    with tarfile.open(tmp_path / NAME) as tar:
        assert {name.partition(".")[0] for name in tar.getnames()} == {"x" * 80}


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="keys must be unique"):
        write(str(tmp_path), [SAMPLES[0], SAMPLES[0]])
    assert files(tmp_path) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(
            ConfigError, match=r"train-00000\.tar: cannot be written: File too large"
        ):
            write(str(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert files(tmp_path) == []


def test_a_target_that_is_no_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot be written: (Not a directory|File exists)"):
        write(str(tmp_path / "out"))


def test_errors_of_the_samples_own_files_are_not_blamed_on_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), ShardWriter(str(tmp_path), NAME):
        (tmp_path / "missing.sens").read_bytes()


def test_a_record_survives_bytes_and_torn_ones_are_refused(tmp_path: Path) -> None:
    record = write(str(tmp_path))
    data = record.to_bytes()
    back = ShardRecord.from_bytes(data, "x")
    assert back.info == record.info
    assert back.samples.equals(record.samples, check_metadata=True)
    assert back.qa.equals(record.qa)
    for cut in (0, 10, len(data) // 2, len(data) - 9):
        with pytest.raises(DatasetError, match="x: not a complete shard record"):
            ShardRecord.from_bytes(data[:cut], "x")


@pytest.mark.parametrize("name", ["a", "room-0000.00.rgb.jpg", "x" * 100])
@pytest.mark.parametrize("size", [0, 1, 511, 123_456_789, 8**11 - 1])
def test_a_header_is_that_of_the_standard_library(name: str, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    assert tar_header(name, size) == member.tobuf(format=tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(("name", "size"), [("x" * 101, 0), ("a", 8**11)])
def test_what_does_not_fit_a_header_is_refused(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        tar_header(name, size)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "room-0000.../../x", "a\\b"])
def test_a_member_that_would_leave_its_folder_is_one_line(name: str) -> None:
    content = tar_header(name, 3) + b"abc" + bytes(509)
    data = content + bytes(TAR_RECORD - len(content))
    stream = ShardStream(io.BytesIO(data), len(data))
    with pytest.raises(DatasetError, match="it would leave its folder") as caught:
        list(stream.members())
    assert "\n" not in str(caught.value)
