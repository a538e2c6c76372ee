"""How fast shards become packed batches, against decoding alone and against a plain webdataset pipeline, in the same run.

Samples of 4 views of 448 x 336, once with pictures and questions, once with all layers, points, objects, relations and
phrases too. All three get the same number of workers and the same bytes, cached by the system.

floor: threads that decode the image members of each sample, already in memory, and do nothing else.
plain: webdataset in a torch DataLoader of worker processes: the same members decoded by the same functions, meta and
questions parsed, the same number of questions tokenized, layers and tokens as tensors, a sample at a time.
loader: gapmodel's, with planned questions, cameras, masks' places, packing and everything else that a Batch holds.

Run it from the repository's root: python pipelines/benchmarks/loader.py [--data DATASET]
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
import webdataset
from machine import describe_run

from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.shards import codec
from gapdata.shards.reader import Dataset, open_dataset
from gapmodel.data.loader import Loader, LoaderConfig, keep_pages
from gapmodel.data.prompt import Prompt
from gapmodel.tokenizer import dataset_texts, train_tokenizer

SIZE = (336, 448)
GRID = (12, 16)
QUESTIONS = 8
ROW_TOKENS = 4096
ALL_NEEDS = frozenset({"depth", "normal", "instance", "points", "objects", "relations"})
CASES: Mapping[str, tuple[str, ...]] = {"pictures": ("rgb",), "all layers": codec.LAYERS}
DECODE: Mapping[str, Callable[[bytes], np.ndarray]] = {
    "rgb": codec.decode_rgb,
    "depth": codec.decode_depth,
    "normal": codec.decode_normal,
    "instance": codec.decode_instance,
}


def build_dataset(out: str) -> None:
    """64 samples of synthetic rooms in 8 shards."""
    height, width = SIZE
    rooms = {"source": "synthetic", "num_scenes": 8, "samples_per_scene": 8, "scenes_per_shard": 1}
    build(
        BuildConfig(
            **rooms, height=height, width=width, seed=3, workers=os.cpu_count() or 1, out=out
        )
    )


def decode_layers(members: Mapping[str, bytes], layers: Sequence[str]) -> dict[str, np.ndarray]:
    return {
        name: DECODE[layer](members[name])
        for view in range(4)
        for layer in layers
        if (name := codec.layer_member(view, layer))
    }


def floor(dataset: Dataset, layers: Sequence[str], workers: int, count: int) -> float:
    """Samples a second that threads decode from memory."""
    members = [dataset.read_members(i) for i in range(len(dataset))]
    work = [members[i % len(members)] for i in range(count)]

    def decode(sample: Mapping[str, bytes]) -> None:
        decode_layers(sample, layers)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(decode, work[: 4 * workers]))
        start = time.perf_counter()
        list(pool.map(decode, work))
        return count / (time.perf_counter() - start)


def plain_sample(stored: dict[str, Any], layers: Sequence[str], prompt: Prompt) -> dict[str, Any]:
    """What a plain pipeline makes of a sample: its layers, cameras, tokens, and points where layers are asked for."""
    cv2.setNumThreads(1)
    members = {name: data for name, data in stored.items() if isinstance(data, bytes)}
    arrays = decode_layers(members, layers)
    out: dict[str, Any] = {
        name: torch.from_numpy(a.astype(np.int32) if a.dtype == np.uint16 else a)
        for name, a in arrays.items()
    }
    meta, questions = json.loads(members["meta.json"]), json.loads(members["qa.json"])
    out["K"] = torch.tensor([view["K"] for view in meta["views"]])
    out["cam2world"] = torch.tensor([view["cam2world"] for view in meta["views"]])
    chosen = np.random.default_rng(0).permutation(len(questions))[:QUESTIONS]
    texts = [questions[i]["question"] + questions[i]["answer"] for i in chosen]
    out["tokens"] = [torch.tensor(ids) for ids in prompt.tokens(texts)]
    if len(layers) > 1:
        with np.load(io.BytesIO(members["points.npz"])) as points:
            out["points"] = torch.from_numpy(points["xyz_world"])
    return out


def plain(
    dataset: Dataset, layers: Sequence[str], workers: int, count: int, prompt: Prompt
) -> float:
    """Samples a second of webdataset in a DataLoader, after its workers have started."""
    shards = [f"{dataset.url}/{shard.name}" for shard in dataset.manifest.shards]
    stored = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).repeat()
    samples = stored.map(partial(plain_sample, layers=layers, prompt=prompt))
    batches = torch.utils.data.DataLoader(samples, batch_size=None, num_workers=workers)
    return rate(iter(batches), lambda batch: 1, count)


def ours(
    dataset: Dataset, layers: Sequence[str], workers: int, count: int, prompt: Prompt
) -> float:
    """Samples a second of gapmodel's loader."""
    everything = len(layers) > 1
    with tempfile.TemporaryDirectory() as cache:
        config = LoaderConfig(
            data=((dataset.url, 1.0),),
            image_size=SIZE,
            row_tokens=ROW_TOKENS,
            max_questions=QUESTIONS,
            needs=ALL_NEEDS if everything else frozenset(),
            phrase_tokens=128 if everything else 0,
            workers=workers,
            cache=cache,
        )
        loader = Loader(config, prompt)
        try:
            return rate(iter(loader), lambda batch: len(batch.sample_keys), count)
        finally:
            loader.close()


def apart(work: Callable[[], float]) -> float:
    """What `work` returns in a process of its own, with the loader's memory settings: no other side sees those."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run() -> None:
        keep_pages()
        sender.send(work())

    process = context.Process(target=run)
    process.start()
    found = receiver.recv()
    process.join()
    return float(found)


def rate(batches: Iterator[Any], size: Callable[[Any], int], count: int) -> float:
    """Samples a second over `count` of them, after a warm-up."""
    for _ in itertools.islice(batches, 8):
        pass
    done, start = 0, time.perf_counter()
    while done < count:
        done += size(next(batches))
    return done / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", default="", help="dataset of 4 views of 448x336; default: one built for this run"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--count", type=int, default=256, help="samples a measurement")
    parser.add_argument("--repeats", type=int, default=5, help="rounds; the table shows medians")
    args = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the workers are the threads, on all sides
    with tempfile.TemporaryDirectory() as folder:
        url = args.data or f"{folder}/rooms"
        if not args.data:
            build_dataset(url)
        cv2.setNumThreads(1)
        dataset = open_dataset(url)
        prompt = Prompt(train_tokenizer(dataset_texts(url), 2000), GRID)
        print("case          floor/s  plain/s  loader/s  loader/floor  loader/plain")
        for case, layers in CASES.items():
            rounds = []
            for _ in range(args.repeats):
                low = apart(partial(floor, dataset, layers, args.workers, args.count))
                other = plain(dataset, layers, args.workers, args.count, prompt)
                mine = apart(partial(ours, dataset, layers, args.workers, args.count, prompt))
                rounds.append((low, other, mine, mine / low, mine / other))
            low, other, mine, of_low, of_other = (
                statistics.median(c) for c in zip(*rounds, strict=True)
            )
            print(f"{case:12} {low:8.0f} {other:8.0f} {mine:9.0f} {of_low:13.2f} {of_other:13.2f}")
        print(describe_run())


if __name__ == "__main__":
    main()
