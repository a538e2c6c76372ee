"""Samples survive encoding exactly, up to the rounding that the format states."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import cv2
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gapdata.errors import DatasetError
from gapdata.sample import Sample
from gapdata.shards.codec import (
    decode_depth,
    decode_instance,
    decode_normal,
    decode_rgb,
    decode_sample,
    encode_depth,
    encode_instance,
    encode_normal,
    encode_rgb,
    encode_sample,
    member_names,
)
from gapdata.shards.records import META_SHAPE, QUESTION_SHAPE, dump_json, shape_fault
from tests.fixtures.samples import room_sample, sensed

SAMPLE = room_sample()
SIZES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)


def arrays_of(sample: Sample) -> dict[str, np.ndarray]:
    """Every array of a sample by a name."""
    found = {}
    for number, view in enumerate(sample.views):
        for name in ("rgb", "depth", "normal", "instance"):
            found[f"{number}.{name}"] = getattr(view, name)
        found[f"{number}.K"], found[f"{number}.pose"] = view.camera.K, view.camera.cam2world
    for instance in sample.instances:
        for name in ("box", "aabb"):
            box = getattr(instance, name)
            found[f"{instance.id}.{name}"] = np.vstack([box.center, box.size, box.rotation])
    for part in (sample.points, sample.visibility):
        found |= {name: getattr(part, name) for name in part.__slots__}
    return found


@pytest.mark.parametrize("sample", [SAMPLE, sensed(SAMPLE)], ids=["exact", "sensed"])
def test_a_sample_comes_back(sample: Sample) -> None:
    members = encode_sample(sample)
    back = decode_sample(members)
    assert list(members) == sorted(members) == list(member_names(3))
    for name in ("key", "source", "scene_id", "split", "world_frame", "qa", "provenance"):
        assert getattr(back, name) == getattr(sample, name)
    stored, given_arrays = arrays_of(back), arrays_of(sample)
    assert stored.keys() == given_arrays.keys()
    for name, array in given_arrays.items():
        assert stored[name].dtype == array.dtype, name
        kind = name.split(".")[-1]
        bound = {"rgb": 255, "depth": 0.501e-3, "normal": 0.0075}.get(kind, 0)
        difference = np.abs(stored[name].astype(np.float64) - array)
        assert np.nan_to_num(difference).max(initial=0) <= bound, name
        assert np.array_equal(np.isnan(stored[name]), np.isnan(array)), name
    for view, other in zip(sample.views, back.views, strict=True):
        assert np.abs(view.rgb.astype(float) - other.rgb).mean() < 3
        for name in ("frame_id", "timestamp_s", "depth_source", "normal_source"):
            assert getattr(view, name) == getattr(other, name)
    for instance, other in zip(sample.instances, back.instances, strict=True):
        for name in ("id", "label", "nyu40", "attributes", "support", "room"):
            assert getattr(instance, name) == getattr(other, name)


def test_the_same_sample_gives_the_same_bytes() -> None:
    members = encode_sample(SAMPLE)
    assert encode_sample(room_sample()) == members
    again = encode_sample(decode_sample(members))
    lossy = [name for name in members if name.endswith("normal.png")]  # scaled back to unit length
    assert {name: data for name, data in again.items() if name not in lossy} == {
        name: data for name, data in members.items() if name not in lossy
    }


def test_a_recorded_jpeg_is_copied_untouched() -> None:
    jpeg = encode_rgb(SAMPLE.views[0].rgb, quality=71)
    views = (replace(SAMPLE.views[0], jpeg=jpeg), *SAMPLE.views[1:])
    assert encode_sample(replace(SAMPLE, views=views))["00.rgb.jpg"] == jpeg


def test_layers_not_asked_for_are_none_and_not_needed() -> None:
    members = encode_sample(SAMPLE)
    few = {name: members[name] for name in member_names(3, ["depth"])}
    view = decode_sample(few, layers=["depth"]).views[1]
    assert view.rgb is view.normal is view.instance is view.jpeg is None
    assert view.depth is not None
    with pytest.raises(DatasetError, match=r"00\.rgb\.jpg is missing"):
        decode_sample(few)


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(np.float32, SIZES, elements=st.floats(-1, 80, width=32)),
    st.sampled_from([500.0, 1000.0, 4000.0]),
)
def test_depth_is_rounded_or_becomes_invalid(depth: np.ndarray, scale: float) -> None:
    back = decode_depth(encode_depth(depth, scale), scale)
    fits = (np.rint(depth * np.float32(scale)) >= 1) & (np.rint(depth * np.float32(scale)) <= 65535)
    assert (back[~fits] == 0).all()
    assert np.abs(back[fits] - depth[fits]).max(initial=0) <= 0.5 / scale + 1e-5
    assert np.array_equal(decode_depth(encode_depth(back, scale), scale), back)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.uint16, SIZES))
def test_instances_are_exact_and_other_tools_read_them(ids: np.ndarray) -> None:
    data = encode_instance(ids)
    assert np.array_equal(decode_instance(data), ids)
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), -1), ids)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), ids)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float64, (6, 7, 3), elements=st.floats(-1, 1)))
def test_normals_are_kept_to_half_a_degree(raw: np.ndarray) -> None:
    length = np.linalg.norm(raw, axis=-1, keepdims=True)
    normal = np.where(length > 1e-3, raw / np.maximum(length, 1e-3), 0).astype(np.float32)
    data = encode_normal(normal)
    back = decode_normal(data)
    valid = (normal != 0).any(axis=-1)
    assert np.array_equal((back != 0).any(axis=-1), valid)
    assert np.allclose(np.linalg.norm(back[valid], axis=-1), 1, atol=1e-5)
    sine = np.linalg.norm(np.cross(back[valid], normal[valid]), axis=-1)
    assert np.rad2deg(np.arcsin(np.minimum(sine, 1))).max(initial=0) < 0.4
    picture = np.asarray(Image.open(io.BytesIO(data)))
    expected = np.rint((normal.astype(np.float64) + 1) * 127.5)
    assert np.abs(picture[valid] - expected[valid]).max(initial=0) <= 0.500001 * 2
    assert (picture[~valid] == 0).all()


def test_channels_are_in_rgb_order_for_every_reader() -> None:
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = 200, 90
    data = encode_rgb(rgb)
    for image in (decode_rgb(data), np.asarray(Image.open(io.BytesIO(data)))):
        assert np.abs(image.astype(int) - rgb).max() < 6


def test_records_have_their_shape_even_when_numbers_are_whole_or_lists_empty() -> None:
    whole = replace(SAMPLE.qa[0], value=2.0, margin=0.0, objects=(), choices=(), markers=())
    members = encode_sample(replace(SAMPLE, qa=(whole,), provenance={}))
    meta, rows = json.loads(members["meta.json"]), json.loads(members["qa.json"])
    assert shape_fault(meta, META_SHAPE, "meta") == ""
    assert shape_fault(rows, QUESTION_SHAPE, "qa") == ""
    assert rows[0]["margin"] == 0.0
    assert rows[0]["value"] == "2.0"
    assert (rows[0]["choices"], rows[0]["objects"], rows[0]["markers"]) == ([], [], "[]")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_json_cannot_say_is_refused(bad: object) -> None:
    with pytest.raises(DatasetError, match="cannot be written as JSON"):
        dump_json({"value": bad}, "room-0000")


def test_a_sample_that_contradicts_itself_is_refused() -> None:
    view = SAMPLE.views[0]
    taller = replace(view.camera, height=view.camera.height + 1)
    for wrong, layer in (
        (replace(view, depth=None), "depth"),
        (replace(view, camera=taller), "rgb"),
    ):
        with pytest.raises(DatasetError, match=f"frame 000000: expected a {layer} layer"):
            encode_sample(replace(SAMPLE, views=(wrong, *SAMPLE.views[1:])))
    with pytest.raises(DatasetError, match="visibility"):
        encode_sample(replace(SAMPLE, instances=SAMPLE.instances[1:]))


@pytest.mark.parametrize("suffix", member_names(1))
@pytest.mark.parametrize("cut", [0, 7, 40])
def test_a_torn_member_is_refused_or_repaired_never_misread(suffix: str, cut: int) -> None:
    members = encode_sample(room_sample(num_views=1))
    torn = {**members, suffix: members[suffix][:cut]}
    with pytest.raises(DatasetError):
        decode_sample(torn)
