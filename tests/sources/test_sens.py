"""The .sens reader: exact round trips, and one clear error for each way a file can be broken."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gapdata.errors import SourceError
from gapdata.sources.sens import FRAME_HEADER, SensFile
from tests.fixtures.scannet import (
    ScanSpec,
    encode_color,
    pack_frame,
    pack_header,
    sens_header,
    write_sens,
)

SPEC = ScanSpec(color_size=(6, 8), depth_size=(3, 4), color_codec="png")


def random_frames(count: int, spec: ScanSpec = SPEC, seed: int = 0) -> list[tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(seed)
    return [
        (
            rng.normal(size=(4, 4)).astype(np.float32),
            rng.integers(0, 256, (*spec.color_size, 3), np.uint8),
            rng.integers(0, 65536, spec.depth_size, np.uint16),
        )
        for _ in range(count)
    ]


def write_one(
    path: Path, color: bytes, depth: bytes, spec: ScanSpec = SPEC, **header: Any
) -> SensFile:
    """A file of one frame with exactly these blobs."""
    fields = {**sens_header(spec, 1), **header}
    path.write_bytes(pack_header(fields) + pack_frame(np.eye(4), color, depth) + bytes(8))
    return SensFile(path, "scannet", "scene0000_00")


def good_blobs(spec: ScanSpec = SPEC) -> tuple[bytes, bytes]:
    ((_, rgb, depth),) = random_frames(1, spec)
    return encode_color(rgb, spec.color_codec), zlib.compress(depth.tobytes())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_was_written_is_read(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    side = st.integers(1, 9)
    spec = ScanSpec(
        color_size=(data.draw(side), data.draw(side)),
        depth_size=(data.draw(side), data.draw(side)),
        color_codec=data.draw(st.sampled_from(["raw", "png"])),
        depth_codec=data.draw(st.sampled_from(["raw", "zlib"])),
    )
    sensor = data.draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
    shift = data.draw(st.floats(1, 10_000, width=32))
    matrix = arrays(
        np.float32, (4, 4), elements=st.floats(width=32)
    )  # lost frames: inf and NaN too
    stamp = st.integers(0, 2**64 - 1)
    frames = [
        (
            data.draw(matrix),
            data.draw(arrays(np.uint8, (*spec.color_size, 3))),
            data.draw(arrays(np.uint16, spec.depth_size)),
            (data.draw(stamp), data.draw(stamp)),
        )
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    header = {
        **sens_header(spec, len(frames)),
        "sensor": sensor.encode(),
        "depth_shift": shift,
        **{
            f"{kind}_{name}": data.draw(matrix)
            for kind in ("color", "depth")
            for name in ("intrinsics", "extrinsics")
        },
    }
    path = tmp_path_factory.mktemp("sens") / "a.sens"
    with path.open("wb") as file:
        file.write(pack_header(header))
        for pose, rgb, depth, stamps in frames:
            samples = depth.tobytes()
            blob = zlib.compress(samples) if spec.depth_codec == "zlib" else samples
            file.write(pack_frame(pose, encode_color(rgb, spec.color_codec), blob, stamps))

    sens = SensFile(path)
    assert len(sens) == len(frames) == sens.header.num_frames
    assert sens.header.sensor == sensor
    assert sens.header.depth_shift == np.float32(shift)
    assert (sens.header.color_codec, sens.header.depth_codec) == (
        spec.color_codec,
        spec.depth_codec,
    )
    assert (sens.header.color_size, sens.header.depth_size) == (spec.color_size, spec.depth_size)
    for name in ("color_intrinsics", "color_extrinsics", "depth_intrinsics", "depth_extrinsics"):
        np.testing.assert_array_equal(getattr(sens.header, name), header[name])
    for number in reversed(range(len(frames))):  # random access: any order
        pose, rgb, depth, stamps = frames[number]
        np.testing.assert_array_equal(sens.index["cam2world"][number], pose)
        assert sens.index["timestamp_color"][number] == stamps[0]
        assert sens.index["timestamp_depth"][number] == stamps[1]
        np.testing.assert_array_equal(sens.read_rgb(number), rgb)
        metres = sens.read_depth(number)
        assert metres.dtype == np.float32
        np.testing.assert_array_equal(metres, depth.astype(np.float32) / np.float32(shift))


def test_recorded_jpeg_comes_back_byte_for_byte(tmp_path: Path) -> None:
    spec = ScanSpec(color_size=(48, 64), depth_size=(3, 4))
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[:, :32] = (200, 40, 10)
    blob = encode_color(rgb, "jpeg")
    sens = write_one(tmp_path / "a.sens", blob, good_blobs(spec)[1], spec)
    assert sens.read_jpeg(0) == blob
    # Red stays in the first channel and on the left.
    assert np.abs(sens.read_rgb(0)[:, :24].astype(int) - (200, 40, 10)).max() < 12
    assert sens.read_rgb(0)[:, 40:].max() < 12


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    write_sens(path, random_frames(2), SPEC)
    whole = path.read_bytes()[:-8]  # the inertial block is not read
    path.write_bytes(whole)
    assert len(SensFile(path)) == 2
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(SourceError, match=r"expected \d+ bytes.*found \d+.*truncated"):
            SensFile(path)


def test_truncation_names_frame_expected_and_found(tmp_path: Path) -> None:
    path = tmp_path / "scene0000_00.sens"
    write_sens(path, random_frames(3), SPEC)
    whole, sens = path.read_bytes(), SensFile(path)
    third = int(sens.blob_at[2])
    second_bytes = tuple(int(sens.index[name][1]) for name in ("color_bytes", "depth_bytes"))

    path.write_bytes(whole[: third - 90])
    with pytest.raises(SourceError) as caught:
        SensFile(path, "scannet", "scene0000_00")
    assert str(caught.value) == (
        f"scannet: scene0000_00: {path}: frame 2 of 3: expected 96 bytes of frame header at byte {third - 96}, "
        "found 6; the file is truncated or damaged: get it again"
    )
    second = int(sens.blob_at[1])
    path.write_bytes(whole[: second + 5])
    with pytest.raises(SourceError) as caught:
        SensFile(path)
    assert caught.value.problem == (
        f"frame 1 of 3: expected {second_bytes[0]} bytes of colour and {second_bytes[1]} of depth at byte {second}, "
        "found 5"
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"version": 3}, "expected version 4, found 3"),
        ({"name_bytes": 2**63}, "sensor name of at most 1024 bytes, found 9223372036854775808"),
        ({"color_codec": -1}, r"colour codec 0 \(raw\), 1 \(png\), 2 \(jpeg\), found -1"),
        ({"color_codec": 3}, "found 3"),
        ({"depth_codec": 2}, r"depth codec 0 \(raw\) or 1 \(zlib\), found 2 \(occi\)"),
        ({"depth_codec": 9}, r"found 9 \(unknown\)"),
        ({"color_width": 0}, "colour width of 1..8192, found 0"),
        ({"color_height": 2**31}, "colour height of 1..8192, found 2147483648"),
        ({"depth_width": 2**32 - 1}, "depth width of 1..8192, found 4294967295"),
        ({"depth_height": 8193}, "depth height of 1..8192, found 8193"),
        ({"depth_shift": 0.0}, "positive depth shift, found 0.0"),
        ({"depth_shift": float("nan")}, "positive depth shift, found nan"),
        ({"depth_shift": float("inf")}, "positive depth shift, found inf"),
        ({"num_frames": 2**60}, "frame 2 of 1152921504606846976: expected 96 bytes of frame header .* found 8"),
    ],
)  # fmt: skip
def test_impossible_header_is_refused_without_allocating(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = tmp_path / "a.sens"
    write_sens(path, random_frames(2), ScanSpec(**{**_fields(SPEC), "header": changed}))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=message):
            SensFile(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def _fields(spec: ScanSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in spec.__dataclass_fields__}


@pytest.mark.parametrize("claimed", [2**64 - 1, 2**62, 2**20])
@pytest.mark.parametrize("field", ["color_bytes", "depth_bytes"])
def test_impossible_blob_size_is_refused(tmp_path: Path, field: str, claimed: int) -> None:
    path = tmp_path / "a.sens"
    write_sens(path, random_frames(2), SPEC)
    # A sparse file may be as long as the blob claims to be; the size alone must be refused.
    with path.open("r+b") as file:
        file.seek(int(SensFile(path).blob_at[1]) - 96 + FRAME_HEADER.fields[field][1])
        file.write(struct.pack("<Q", claimed))
        file.truncate(min(claimed + 10_000, 2**40))
    with pytest.raises(SourceError, match=rf"frame 1: expected at most \d+ bytes.*found {claimed}"):
        SensFile(path)


def test_raw_blobs_must_have_exactly_the_announced_size(tmp_path: Path) -> None:
    spec = ScanSpec(color_size=(6, 8), depth_size=(3, 4), color_codec="raw", depth_codec="raw")
    with pytest.raises(SourceError, match="expected exactly 144 bytes of raw colour, found 143"):
        write_one(tmp_path / "a.sens", bytes(143), bytes(24), spec)
    with pytest.raises(SourceError, match="expected exactly 24 bytes of raw depth, found 25"):
        write_one(tmp_path / "a.sens", bytes(144), bytes(25), spec)


def test_damaged_pictures_are_errors_that_name_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    color, depth = good_blobs()
    wrong_size = encode_color(np.zeros((8, 6, 3), np.uint8), "png")
    jpeg = encode_color(np.zeros((6, 8, 3), np.uint8), "jpeg")
    for blob, message in (
        (wrong_size, "expected a PNG of 8x6, found PNG of 6x8"),
        (jpeg, "expected a PNG of 8x6, found JPEG of 8x6"),
        (b"nothing like it", "expected a picture, found 15 bytes that are none"),
        (color[:-30], "expected a whole PNG, found damaged or missing data"),
    ):
        sens = write_one(path, blob, depth)
        with pytest.raises(SourceError, match=f"a.sens: frame 0: colour: {message}"):
            sens.read_rgb(0)
    with pytest.raises(
        SourceError, match="frame 0: colour: expected a JPEG of 8x6, found PNG of 8x6"
    ):
        write_one(path, color, depth, color_codec=2).read_jpeg(0)


def test_damaged_depth_is_an_error_and_never_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    color, depth = good_blobs()
    for blob, message in (
        (b"not zlib", "frame 0: expected zlib data for depth"),
        (depth[:-8], "frame 0: expected 24 bytes of decoded depth, found"),
        (zlib.compress(bytes(22)), "frame 0: expected 24 bytes of decoded depth, found 22"),
        (zlib.compress(bytes(26)), "frame 0: expected 24 bytes of decoded depth, found more than 24"),
        (zlib.compress(bytes(50_000_000), 9), "found more than 24"),
    ):  # fmt: skip
        sens = write_one(path, color, blob)
        tracemalloc.start()
        try:
            with pytest.raises(SourceError, match=message):
                sens.read_depth(0)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()


def test_a_file_that_shrinks_after_the_scan_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.sens"
    write_sens(path, random_frames(2), SPEC)
    sens = SensFile(path)
    path.write_bytes(path.read_bytes()[: int(sens.blob_at[1]) + 3])
    with pytest.raises(
        SourceError, match=r"frame 1: expected \d+ bytes of colour at byte \d+, found 3"
    ):
        sens.read_rgb(1)
    sens.read_rgb(0)


def _bytes_read() -> int:
    counters = Path("/proc/self/io")
    if not counters.is_file():
        pytest.skip("this system does not count bytes read")
    return int(counters.read_text().split()[1])


def test_the_scan_reads_headers_only(tmp_path: Path) -> None:
    spec = ScanSpec(color_size=(60, 80), depth_size=(30, 40), color_codec="raw", depth_codec="raw")
    path = tmp_path / "a.sens"
    write_sens(path, random_frames(200, spec), spec)
    before = _bytes_read()
    sens = SensFile(path)
    scanned = _bytes_read() - before
    assert len(sens) == 200
    assert scanned < 0.02 * path.stat().st_size
    before = _bytes_read()
    sens.read_depth(150)
    assert _bytes_read() - before < 2 * 30 * 40 + 1000  # the counter's own file is read too


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    spec = ScanSpec(color_size=(60, 80), depth_size=(30, 40), color_codec="raw", depth_codec="raw")
    peaks = {}
    for count in (40, 400):
        path = tmp_path / f"{count}.sens"
        write_sens(path, random_frames(4, spec) * (count // 4), spec)
        tracemalloc.start()
        try:
            sens = SensFile(path)
            for number in range(count):
                sens.read_rgb(number)
                sens.read_depth(number)
            peaks[count] = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # 104 bytes a frame, and nothing else, comes on top: a frame's pictures are 16,800 bytes.
    assert peaks[400] - peaks[40] < 360 * 104 + 4096
