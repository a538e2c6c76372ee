"""Packed batches without end: planned, read by threads ahead of time, given out in the plan's order."""

from __future__ import annotations

import ctypes
import platform
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import cv2
import torch
from torch import Tensor

from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.reader import DEFAULT_CACHE_BYTES, Dataset, open_dataset
from gapmodel.data.augment import NOTHING, Augment
from gapmodel.data.batch import Batch
from gapmodel.data.collate import collate
from gapmodel.data.index import read_index
from gapmodel.data.plan import LoaderState, Plan, PlanConfig, Row
from gapmodel.data.prompt import Prompt
from gapmodel.data.reading import ExampleReader, Showing, Teacher, Visit

_FETCHED_ROWS = 4  # for each thread, from remote shards, before they are read
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


@dataclass(frozen=True, kw_only=True, slots=True)
class LoaderConfig:
    """What is loaded and how. data: (URL, weight) of each dataset. rows: rows of a step, over all processes.

    The settings from `data` to `phrase_tokens` decide which samples come when; the fields they share with PlanConfig
    and Showing are explained there. The others change what is read of them, or how.
    """

    data: tuple[tuple[str, float], ...]
    image_size: tuple[int, int]
    row_tokens: int
    rows: int = 1
    split: str | None = "train"
    seed: int = 0
    max_views: int = 8
    max_questions: int = 8
    task_weights: dict[str, float] = field(default_factory=dict)
    augment: Augment = NOTHING
    phrase_tokens: int = 0
    blind: bool = False

    needs: frozenset[str] = frozenset()
    input_geometry: bool = False
    points: int = 256
    objects: int = 16
    relations: int = 16
    pad_to: int = 1  # rows are padded to a multiple of so many tokens
    max_bad_samples: int = 0  # bad samples to leave out before the run stops
    workers: int = 0  # threads that read ahead; 0: none
    cache: str = ""  # folder or URL for token counts
    shard_cache: str = (
        ""  # local folder for what is read of remote shards, fetched in the plan's order
    )
    shard_cache_bytes: int = DEFAULT_CACHE_BYTES

    def plan_config(self) -> PlanConfig:
        """The part that decides the order."""
        return PlanConfig(
            row_tokens=self.row_tokens,
            seed=self.seed,
            max_views=self.max_views,
            max_questions=self.max_questions,
            task_weights=self.task_weights,
            phrase_tokens=self.phrase_tokens,
            augment=self.augment,
        )

    def showing(self) -> Showing:
        """The part that decides what a visit gives."""
        return Showing(
            image_size=self.image_size,
            needs=self.needs,
            input_geometry=self.input_geometry,
            augment=self.augment,
            seed=self.seed,
            points=self.points,
            objects=self.objects,
            relations=self.relations,
            phrase_tokens=self.phrase_tokens,
            blind=self.blind,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loaded:
    batch: Batch
    faults: tuple[str, ...]


class Loader:
    """Iterates over this process's batches; `rows // world_size` of them are a step.

    The rows of all processes together are the same stream for any number of processes and threads: of a step's rows,
    row j goes to process j modulo world_size. `state` is the place after the last step whose batches were all taken.
    `bad_samples` holds a line for each sample that was left out; its place in the batch stays empty.
    """

    def __init__(
        self,
        config: LoaderConfig,
        prompt: Prompt,
        *,
        rank: int = 0,
        world_size: int = 1,
        state: LoaderState | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        """Raises ConfigError for settings that cannot work, DatasetError for an unusable dataset."""
        if config.rows < 1 or config.rows % world_size or not 0 <= rank < world_size:
            raise ConfigError(
                f"rows {config.rows}: expected a multiple of the {world_size} processes of the run"
            )
        self.config, self.prompt, self.rank, self.world_size = config, prompt, rank, world_size
        self.datasets = open_all(config)
        indexes = [
            read_index(dataset, prompt, cache=config.cache, threads=max(1, config.workers))
            for dataset in self.datasets
        ]
        weights = [weight for _, weight in config.data]
        self.plan = Plan(indexes, weights, prompt, config.plan_config())
        self.reader = ExampleReader(self.datasets, config.showing(), phrase_length(prompt), teacher)
        self.state = state or LoaderState()
        self.bad_samples: list[str] = []
        self._pool: ThreadPoolExecutor | None = None
        self._fetching: ThreadPoolExecutor | None = None
        keep_pages()
        if config.workers:
            cv2.setNumThreads(1)  # the workers are the threads
            self._pool = ThreadPoolExecutor(config.workers, thread_name_prefix="loader")
            if config.shard_cache:
                self._fetching = ThreadPoolExecutor(config.workers, thread_name_prefix="fetch")

    def __iter__(self) -> Iterator[Batch]:
        """The batches from `state` on. Raises DatasetError at the first bad sample too many."""
        ahead: deque[tuple[Future[_Loaded], LoaderState | None]] = deque()
        for row, after in self._fetched():
            if self._pool is None:
                yield self._checked(self._load(row), after)
                continue
            ahead.append((self._pool.submit(self._load, row), after))
            if len(ahead) > 2 * self.config.workers:
                future, done = ahead.popleft()
                yield self._checked(future.result(), done)

    def close(self) -> None:
        """Nothing; lets go of the threads, after what they are reading now."""
        for pool in (self._fetching, self._pool):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def _fetched(self) -> Iterator[tuple[Row, LoaderState | None]]:
        """The rows of this process, each after its samples were sent for: they are near when it is their turn."""
        if self._fetching is None:
            yield from self._mine()
            return
        ahead: deque[tuple[Row, LoaderState | None]] = deque()
        for row, after in self._mine():
            for visit in row:
                # What goes wrong here goes wrong again, and is reported, when the sample is read.
                self._fetching.submit(self.datasets[visit.dataset].fetch, visit.sample)
            ahead.append((row, after))
            if len(ahead) > _FETCHED_ROWS * self.config.workers:
                yield ahead.popleft()

    def _mine(self) -> Iterator[tuple[Row, LoaderState | None]]:
        """The rows of this process; with the last one of each step the place after the step."""
        rows = self.plan.rows(self.state)
        while True:
            step = [next(rows) for _ in range(self.config.rows)]
            mine = [row for row, _ in step[self.rank :: self.world_size]]
            for row in mine[:-1]:
                yield row, None
            yield mine[-1], step[-1][1]

    def _checked(self, loaded: _Loaded, after: LoaderState | None) -> Batch:
        for fault in loaded.faults:
            self.bad_samples.append(fault)
            if len(self.bad_samples) > self.config.max_bad_samples:
                raise DatasetError(
                    f"{fault}; repair or rebuild it, or allow more than {self.config.max_bad_samples} bad samples"
                )
        if after is not None:
            self.state = after
        return loaded.batch

    def _load(self, row: Sequence[Visit]) -> _Loaded:
        """The batch of a row. Depends on the row alone, so it may be made anywhere at any time."""
        examples, faults = [], []
        for visit in row:
            try:
                self._require_fits(visit)
                examples.append(self.reader.read(visit))
            except DatasetError as error:
                faults.append(str(error))
        if examples:
            budget, pad_to = self.config.row_tokens, self.config.pad_to
            batch = collate(examples, self.prompt, budget=budget, pad_to=pad_to)
        else:
            batch = empty_batch(self.reader.showing, self.prompt.pad_token_id)
        if torch.cuda.is_available():
            batch = batch.pin_memory()
        return _Loaded(batch=batch, faults=tuple(faults))

    def _require_fits(self, visit: Visit) -> None:
        if visit.tokens > self.config.row_tokens:
            dataset = self.datasets[visit.dataset]
            shard, key = (dataset.samples[name][visit.sample].as_py() for name in ("shard", "key"))
            raise DatasetError(
                f"{dataset.url}: {shard}: {key}: {visit.tokens} tokens without questions, "
                f"expected at most {self.config.row_tokens} in a row; raise row_tokens or show fewer views"
            )


@cache
def keep_pages() -> None:
    """Nothing; from now on the C library keeps freed memory for the next picture instead of handing it back.

    Arrays of megabytes come and go with every sample, and fresh pages for them take longer than decoding into them:
    with all layers of 4 views of 448 x 336 reading takes 45 ms a sample without this, 30 with it. Only glibc has the setting.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for setting in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            library.mallopt(setting, 1 << 30)


def open_all(config: LoaderConfig) -> list[Dataset]:
    """The datasets of a mixture. Raises ConfigError when there is none, DatasetError for an empty one."""
    if not config.data:
        raise ConfigError("no data: expected at least one dataset URL")
    cache, cache_bytes = config.shard_cache, config.shard_cache_bytes
    datasets = [
        open_dataset(url, split=config.split, layers=(), cache=cache, cache_bytes=cache_bytes)
        for url, _ in config.data
    ]
    for dataset in datasets:
        if not len(dataset):
            raise DatasetError(
                f"{dataset.url}: expected samples, found none; build it with more scenes"
            )
    return datasets


def phrase_length(prompt: Prompt) -> Callable[[str], int]:
    """Tokens of a phrase."""
    return lambda phrase: len(prompt.tokens([phrase])[0])


def empty_batch(showing: Showing, pad_token_id: int) -> Batch:
    """A batch of one padding token, no picture and no row in any field: where all samples of a row were bad."""

    def none(*shape: int, dtype: torch.dtype = torch.int64) -> Tensor:
        return torch.zeros(shape, dtype=dtype)

    size, needs, real, ids = showing.image_size, showing.needs, torch.float32, torch.int32
    layers = {
        "depth": none(0, *size, dtype=real),
        "normal": none(0, *size, 3, dtype=real),
        "instance": none(0, *size, dtype=ids),
    }
    fields = {name: layer for name, layer in layers.items() if name in needs}
    if showing.input_geometry:
        fields |= {f"input_{name}": layers[name] for name in ("depth", "normal")}
        fields["geometry_given"] = none(0, dtype=torch.bool)
    if "points" in needs:
        fields |= {name: none(0) for name in ("point_sample", "seen_point", "seen_image")}
        fields |= {"point_first": none(0, 3, dtype=real), "seen_pixel": none(0, 2, dtype=real)}
        fields["point_instance"] = none(0, dtype=ids)
    if {"objects", "relations"} & needs:
        fields |= {name: none(0) for name in ("object_sample", "object_phrase")}
        fields["object_instance"] = none(0, dtype=ids)
        fields["object_box_first"] = none(0, 15, dtype=real)
    if "relations" in needs:
        fields |= {name: none(0) for name in ("relation_phrase", "relation_inverse")}
        fields["relation_objects"] = none(0, 2)
    return Batch(
        input_ids=torch.tensor([pad_token_id]),
        labels=torch.tensor([-100]),
        position_ids=none(3, 1),
        group_ids=torch.tensor([-1], dtype=ids),
        branch_ids=none(1, dtype=ids),
        block_image=none(0),
        block_start=none(0),
        scene_block=none(0),
        branches=(),
        sample_keys=(),
        image_sample=none(0),
        images=none(0, *size, 3, dtype=torch.uint8),
        K=none(0, 3, 3, dtype=real),
        cam2first=none(0, 4, 4, dtype=real),
        **fields,
    )
