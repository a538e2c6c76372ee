"""Pictures change size and corner; what a pixel shows, and where, does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.errors import DatasetError
from gapdata.geometry.camera import intrinsics, project
from gapdata.shards.codec import LAYERS, decode_sample
from gapdata.shards.reader import Dataset
from gapmodel.data.images import Window, decode_layer, show_layer, stored_size, whole

SIZES = st.tuples(st.integers(2, 60), st.integers(2, 60))


@st.composite
def windows(draw: st.DrawFn) -> tuple[tuple[int, int], Window]:
    """The size of a stored picture and a window in it."""
    height, width = draw(SIZES)
    h, w = draw(st.integers(1, height)), draw(st.integers(1, width))
    top, left = draw(st.integers(0, height - h)), draw(st.integers(0, width - w))
    return (height, width), Window(top=top, left=left, height=h, width=w, shown=draw(SIZES))


@given(windows(), st.integers(0, 2**32 - 1))
def test_points_are_seen_at_the_pixels_that_move_with_the_picture(case, seed):
    _, window = case
    rng = np.random.default_rng(seed)
    K = intrinsics(*rng.uniform(20, 60, 4))
    points = rng.uniform(-1, 1, (8, 3)) + [0, 0, 2]
    before, _ = project(K, points)
    after, _ = project(window.intrinsics(K), points)
    np.testing.assert_allclose(window.pixels(before), after, atol=1e-9)


@given(windows())
def test_nearest_takes_the_stored_pixel_that_the_centre_falls_on(case):
    (height, width), window = case
    stored = np.arange(height * width, dtype=np.uint16).reshape(height, width)
    shown = window.nearest(stored)
    assert shown.shape == window.shown
    for row, column in [
        (0, 0),
        (window.shown[0] - 1, window.shown[1] - 1),
        (window.shown[0] // 2, 1),
    ]:
        # Centres that fall on a border between pixels may go either way.
        at = (np.array([row, column]) + 0.5) * [window.height, window.width] / window.shown
        low, high = np.floor(at - 1e-6), np.floor(at + 1e-6)
        found = np.array(divmod(int(shown[row, column]), width)) - [window.top, window.left]
        assert ((found == low) | (found == high)).all()


@pytest.mark.parametrize("shown", [(24, 32), (36, 40), (48, 64), (96, 128)])
def test_colour_stays_where_it_is(shown):
    """A ramp is blended to the ramp's value at the place that the shown pixel's centre has in the stored picture."""
    ramp = np.broadcast_to(np.linspace(0, 252, 64), (48, 64))
    stored = np.repeat(np.rint(ramp).astype(np.uint8)[..., None], 3, axis=2)
    window = whole((48, 64), shown)
    places = (np.arange(shown[1]) + 0.5) * 64 / shown[1] - 0.5
    inner = (places > 1) & (places < 62)
    found = window.rgb(stored)[5, :, 0]
    np.testing.assert_allclose(found[inner], (4 * places)[inner], atol=1.1)


def test_whole_layers_are_what_the_dataset_reader_gives(tiny_dataset: Dataset):
    members = tiny_dataset.read_members(1)
    sample = decode_sample(members)
    size = (96, 128)
    for view in range(4):
        for layer in LAYERS:
            expected = getattr(sample.views[view], layer)
            out = np.empty(expected.shape, np.int32 if layer == "instance" else expected.dtype)
            show_layer(decode_layer(members, view, layer, size), layer, whole(size, size), out)
            np.testing.assert_array_equal(out, expected)


def test_a_smaller_layer_is_the_nearest_of_the_decoded_one(tiny_dataset: Dataset):
    members = tiny_dataset.read_members(0)
    view = decode_sample(members).views[2]
    window = Window(top=10, left=20, height=60, width=90, shown=(32, 48))
    for layer, kind in (("depth", np.float32), ("normal", np.float32), ("instance", np.int32)):
        full = getattr(view, layer)
        out = np.empty((32, 48, *full.shape[2:]), kind)
        show_layer(decode_layer(members, 2, layer, (96, 128)), layer, window, out)
        np.testing.assert_allclose(out, window.nearest(full), atol=1e-6)


def test_bad_layers_are_named():
    record = {"height": 4, "width": 6}
    with pytest.raises(DatasetError, match=r"00\.rgb\.jpg is missing"):
        decode_layer({}, 0, "rgb", (4, 6))
    with pytest.raises(DatasetError, match=r"01\.depth\.tiff16: .*damaged"):
        decode_layer({"01.depth.tiff16": b"II*\0junk"}, 1, "depth", (4, 6))
    with pytest.raises(DatasetError, match="views of one size, found 6x4, 6x5"):
        stored_size({"views": [record, record | {"height": 5}]}, [0, 1])
    assert stored_size({"views": [record, record | {"height": 5}]}, [0]) == (4, 6)
    for scale in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(DatasetError, match="depth is NaN"):
            show_layer(
                np.ones((4, 6), np.uint16),
                "depth",
                whole((4, 6), (4, 6)),
                np.empty((4, 6), np.float32),
                scale,
            )
