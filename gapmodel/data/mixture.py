"""In which order the samples of several datasets are visited: an endless stream, a pure function of the seed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Int32, Int64

from gapdata.errors import ConfigError

Array = np.ndarray

_ORDER, _TURNS = 0, 1  # purposes of random numbers


class Mixture:
    """Datasets of some sizes with weights. An epoch has as many visits as there are samples.

    A dataset gets its weight's share of every epoch's visits and walks through its samples in random order, each
    once before any a second time, across the ends of epochs.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], seed: int) -> None:
        """Raises ConfigError for a weight that is not above 0, or for nothing to visit."""
        if not sizes or min(sizes) < 1:
            raise ConfigError("mixture: expected datasets with samples, found one without")
        if len(weights) != len(sizes) or not all(0 < weight < np.inf for weight in weights):
            raise ConfigError(
                f"mixture: expected a weight above 0 for each dataset, found {weights}"
            )
        self.sizes, self.seed = tuple(sizes), seed
        self.epoch_size = sum(sizes)
        self.shares = _shares(self.epoch_size, weights)
        self._epoch = lru_cache(maxsize=2)(self._draw_epoch)
        self._order = lru_cache(maxsize=2 * len(sizes))(self._draw_order)

    def visits(
        self, begin: int, end: int
    ) -> tuple[Int32[Array, " n"], Int64[Array, " n"], Int64[Array, " n"]]:
        """Dataset, sample and number of earlier visits to that sample, of the stream's places begin to end - 1."""
        parts = []
        while begin < end:
            epoch, offset = divmod(begin, self.epoch_size)
            count = min(end - begin, self.epoch_size - offset)
            parts.append([column[offset : offset + count] for column in self._epoch(epoch)])
            begin += count
        dataset, sample, number = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return dataset, sample, number

    def _draw_epoch(self, epoch: int) -> tuple[Array, Array, Array]:
        turns = np.repeat(np.arange(len(self.sizes), dtype=np.int32), self.shares)
        np.random.default_rng([self.seed, _TURNS, epoch]).shuffle(turns)
        sample, number = np.empty((2, self.epoch_size), np.int64)
        for dataset, (size, share) in enumerate(zip(self.sizes, self.shares, strict=True)):
            places = np.arange(epoch * share, (epoch + 1) * share)
            mine = turns == dataset
            number[mine] = places // size
            sample[mine] = np.concatenate(
                [
                    np.zeros(0, np.int64),
                    *(
                        self._order(dataset, turn)[places[places // size == turn] % size]
                        for turn in range(epoch * share // size, -(-(epoch + 1) * share // size))
                    ),
                ]
            )
        return turns, sample, number

    def _draw_order(self, dataset: int, turn: int) -> Int64[Array, " n"]:
        rng = np.random.default_rng([self.seed, _ORDER, dataset, turn])
        return rng.permutation(self.sizes[dataset])


def _shares(total: int, weights: Sequence[float]) -> tuple[int, ...]:
    """Visits of each dataset in an epoch: in proportion to the weights, at least 1, the largest remainders rounded up."""
    exact = total * np.array(weights) / sum(weights)
    shares = np.maximum(np.floor(exact).astype(int), 1)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        open_ones = np.flatnonzero((shares > 1) | (step > 0))
        shares[open_ones[np.argmax(step * (exact - shares)[open_ones])]] += step
    return tuple(shares.tolist())
