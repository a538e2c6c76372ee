"""Means over windows that stay within a surface, and coarse values put on all pixels."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.renderers.window import Window, spread

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("tile", [4, 8])
def test_a_repeating_pattern_is_averaged_away(tile: int) -> None:
    """Inside, every window holds each of the pattern's values with the same weight."""
    pattern = RNG.uniform(size=(tile, tile)).astype(np.float32)
    values = np.tile(pattern, (6, 7))[None]
    means = Window(np.zeros(values.shape[1:], np.int32), tile).means(values)
    inner = means[0, tile:-tile, tile:-tile]
    np.testing.assert_allclose(inner, pattern.mean(), rtol=1e-5)


def test_a_slope_is_kept_inside() -> None:
    v, u = np.mgrid[:40, :50].astype(np.float32)
    means = Window(np.zeros((40, 50), np.int32), 8).means(np.stack([u, v]))
    np.testing.assert_allclose(means[0, 4:-4, 4:-4], u[4:-4, 4:-4], atol=1e-3)
    np.testing.assert_allclose(means[1, 4:-4, 4:-4], v[4:-4, 4:-4], atol=1e-3)


def test_surfaces_do_not_mix() -> None:
    members = RNG.integers(0, 4, (30, 40)).astype(np.int32)
    values = members[None].astype(np.float32) ** 2
    np.testing.assert_allclose(Window(members, 8).means(values), values, rtol=1e-5)


def test_shares_of_marked_pixels_are_the_same_in_bytes() -> None:
    members = RNG.integers(0, 2, (30, 40)).astype(np.int32)
    marked = RNG.integers(0, 2, (1, 30, 40)).astype(np.uint8)
    expected = Window(members, 4).means(marked.astype(np.float32))
    np.testing.assert_allclose(Window(members, 4, np.uint8).means(marked), expected, rtol=1e-6)
    whole = Window(np.zeros((9, 9), np.int32), 4, np.uint8).means(np.ones((1, 9, 9), np.uint8))
    np.testing.assert_array_equal(whole, 1)


def test_windows_are_larger_than_pictures() -> None:
    values = RNG.uniform(size=(1, 3, 2)).astype(np.float32)
    means = Window(np.zeros((3, 2), np.int32), 8).means(values)
    assert np.ptp(means) < 0.5 * np.ptp(values)


@pytest.mark.parametrize("size", [(8, 10), (7, 9), (1, 5), (2, 1)])
def test_known_pixels_are_kept_and_a_surface_gets_its_own_value(size: tuple[int, int]) -> None:
    members = np.zeros(size, np.int32)
    members[:, size[1] // 2 :] = 1
    coarse = (10.0 * members[::2, ::2] + 1)[None].astype(np.float32)
    full = spread(coarse, members)
    np.testing.assert_array_equal(full[:, ::2, ::2], coarse)
    known = np.isin(members, members[::2, ::2])
    # A pixel between two surfaces takes a thousandth part from the other.
    assert np.abs(full[0] - (10.0 * members + 1))[known & _has_own(members)].max(initial=0) < 0.05


def _has_own(members: np.ndarray) -> np.ndarray:
    """Whether a pixel's surface is sampled next to it."""
    found = np.zeros(members.shape, bool)
    height, width = members.shape
    for row in range(height):
        for column in range(width):
            rows = [r for r in (row - 1, row, row + 1) if r % 2 == 0 and 0 <= r < height]
            columns = [c for c in (column - 1, column, column + 1) if c % 2 == 0 and 0 <= c < width]
            found[row, column] = any(
                members[r, c] == members[row, column] for r in rows for c in columns
            )
    return found


def test_what_lies_between_samples_of_strangers_takes_their_mean() -> None:
    members = np.zeros((3, 3), np.int32)
    members[1, 1] = 7
    coarse = np.array([[[1.0, 2.0], [3.0, 6.0]]], np.float32)
    full = spread(coarse, members)
    assert full[0, 1, 1] == pytest.approx(3.0)
    assert full[0, 0, 1] == pytest.approx(1.5)
