"""ScanNet's recorded frames, from a `.sens` file or its exported folders, as cameras in the aligned world."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int64, UInt64

from gapdata.errors import SourceError
from gapdata.geometry.camera import Camera, intrinsics
from gapdata.geometry.transforms import is_rigid, nearest_rigid, rotation_angle
from gapdata.scene import Frame, Recording
from gapdata.sources.scannet_exported import ExportedFrames
from gapdata.sources.sens import SensFile

Array = np.ndarray
Fail = Callable[..., SourceError]

FRAME_RATE_HZ = 30.0  # of ScanNet's sensor

# Header extrinsics this close to identity count as identity.
MAX_OFFSET_M = 1e-3
MAX_TURN_RAD = 2e-3

# Steps between colour timestamps that a camera's clock can make, in microseconds.
CLOCK_STEP_US = (1e3, 1e6)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RecordedFrames:
    """What both layouts know of a scene's frames. Poses are as stored: unaligned, perhaps lost."""

    numbers: Int64[Array, " N"]
    cam2world: Float[Array, "N 4 4"]
    timestamp_s: Float[Array, " N"]  # since the first frame
    color_intrinsics: Float[Array, "4 4"]
    depth_intrinsics: Float[Array, "4 4"]
    color_size: tuple[int, int]  # (height, width)
    depth_size: tuple[int, int]
    recording: Callable[[int, Camera], Recording]  # of a row, with the depth camera
    rows: Int64[Array, " N"]  # row of each frame for `recording`
    drops: Mapping[str, int]
    note: str
    clock_note: str


def recorded_frames(folder: Path, scene: str, source: str) -> RecordedFrames:
    """Frames of a scene folder: of `<id>.sens` where it is there, else of color/, depth/, pose/, intrinsic/.

    Raises SourceError when the folder has neither.
    """
    if (folder / f"{scene}.sens").is_file():
        return _from_sens(folder / f"{scene}.sens", scene, source)
    if (folder / "color").is_dir():
        return _from_export(folder, scene, source)
    raise SourceError(
        source, scene, folder, f"expected {scene}.sens or folders color, depth, pose and intrinsic, found neither",
        "download the .sens file or leave the scene out",
    )  # fmt: skip


def _from_sens(path: Path, scene: str, source: str) -> RecordedFrames:
    sens = SensFile(path, source, scene)
    header = sens.header
    fail = functools.partial(SourceError, source, scene, path)
    for name, extrinsics in (
        ("colour", header.color_extrinsics),
        ("depth", header.depth_extrinsics),
    ):
        _check_registered(name, extrinsics.astype(np.float64), fail)
    rows = np.flatnonzero((sens.index["color_bytes"] > 0) & (sens.index["depth_bytes"] > 0))
    empty = len(sens) - len(rows)
    seconds, clock_note = _seconds(sens.index["timestamp_color"])
    return RecordedFrames(
        numbers=rows,
        cam2world=sens.index["cam2world"][rows].astype(np.float64),
        timestamp_s=seconds[rows],
        color_intrinsics=header.color_intrinsics.astype(np.float64),
        depth_intrinsics=header.depth_intrinsics.astype(np.float64),
        color_size=header.color_size,
        depth_size=header.depth_size,
        recording=sens.recording,
        rows=rows,
        drops={"no picture recorded": empty} if empty else {},
        note=f"{path.name}, sensor {header.sensor}",
        clock_note=clock_note,
    )


def _from_export(folder: Path, scene: str, source: str) -> RecordedFrames:
    exported = ExportedFrames(folder, source, scene)
    numbers = np.array(exported.numbers, np.int64)
    return RecordedFrames(
        numbers=numbers,
        cam2world=exported.cam2world,
        timestamp_s=numbers / FRAME_RATE_HZ,
        color_intrinsics=exported.color_intrinsics,
        depth_intrinsics=exported.depth_intrinsics,
        color_size=exported.color_size,
        depth_size=exported.depth_size,
        recording=exported.recording,
        rows=np.arange(len(numbers)),
        drops=exported.drops,
        note="exported folders",
        clock_note=f"none recorded: frame number / {FRAME_RATE_HZ:g} Hz",
    )


def _check_registered(name: str, extrinsics: Float[Array, "4 4"], fail: Fail) -> None:
    """Nothing, when colour and depth share one camera pose.

    ScanNet's calibration tool renders depth into the colour camera's place and then writes identity
    extrinsics; its own readers take identity as "already aligned", and the authors say not to apply
    the `colorToDepthExtrinsics` of `<id>.txt`, which belongs to the raw recording (ScanNet issues 2, 92).
    """
    if bool(is_rigid(extrinsics)):
        offset = float(np.linalg.norm(extrinsics[:3, 3]))
        turn = float(rotation_angle(extrinsics[:3, :3]))
        if offset <= MAX_OFFSET_M and turn <= MAX_TURN_RAD:
            return
        found = f"{offset:.3f} m and {np.rad2deg(turn):.2f} degrees away from it"
    else:
        found = "a matrix that is not rigid"
    raise fail(
        f"header: expected identity as {name} extrinsics (colour and depth registered), found {found}",
        "register the recording with ScanNet's Calibrate tool first",
    )


def _seconds(microseconds: UInt64[Array, " N"]) -> tuple[Float[Array, " N"], str]:
    """Seconds since the first frame, and where they come from.

    Some recordings have no clock, or one that jumps; then frames are taken to be evenly spaced.
    """
    steps = np.diff(microseconds.astype(np.float64))
    low, high = CLOCK_STEP_US
    if len(steps) and (steps > 0).all() and low <= np.median(steps) <= high:
        seconds = np.concatenate([[0.0], np.cumsum(steps)]) * 1e-6
        return seconds, "recorded microseconds"
    return np.arange(
        len(microseconds)
    ) / FRAME_RATE_HZ, f"no usable clock: frame number / {FRAME_RATE_HZ:g} Hz"


def world_frames(
    recorded: RecordedFrames,
    alignment: Float[Array, "4 4"],
    facts: Mapping[str, str],
    fail: Fail,
) -> tuple[tuple[Frame, ...], dict[str, int], str]:
    """(frames in the aligned world, drops by reason, where the intrinsics come from).

    Frames without a pose ("lost tracking") or with one that is not rigid are dropped. Raises SourceError
    when none is left.
    """
    color_K, color_note = _intrinsics(
        recorded.color_intrinsics, "color", recorded.color_size, facts, fail
    )
    depth_K, depth_note = _intrinsics(
        recorded.depth_intrinsics, "depth", recorded.depth_size, facts, fail
    )
    finite = np.isfinite(recorded.cam2world).all(axis=(1, 2))
    rigid = is_rigid(recorded.cam2world)
    drops = dict(recorded.drops)
    for reason, count in (
        ("lost tracking", np.count_nonzero(~finite)),
        ("non-rigid pose", np.count_nonzero(finite & ~rigid)),
    ):
        if count:
            drops[reason] = int(count)
    frames = []
    for position in np.flatnonzero(rigid):
        pose = nearest_rigid(alignment @ recorded.cam2world[position])
        (color_height, color_width), (depth_height, depth_width) = (
            recorded.color_size,
            recorded.depth_size,
        )
        depth_camera = Camera(K=depth_K, cam2world=pose, height=depth_height, width=depth_width)
        frames.append(
            Frame(
                id=f"{recorded.numbers[position]:06d}",
                camera=Camera(K=color_K, cam2world=pose, height=color_height, width=color_width),
                timestamp_s=float(recorded.timestamp_s[position]),
                recording=recorded.recording(int(recorded.rows[position]), depth_camera),
            )
        )
    if not frames:
        found = ", ".join(f"{count} {reason}" for reason, count in drops.items()) or "no frame"
        raise fail(
            f"expected frames with a valid pose, found {found}",
            "the scene is empty: leave it out",
        )
    return tuple(frames), drops, f"colour {color_note}, depth {depth_note}"


def _intrinsics(
    stored: Float[Array, "4 4"],
    kind: str,
    size: tuple[int, int],
    facts: Mapping[str, str],
    fail: Fail,
) -> tuple[Float[Array, "3 3"], str]:
    """K of the colour or depth camera, and where it comes from: the recording, or `<id>.txt` where that has none."""
    height, width = size
    if stored.any():
        found, note = stored, "as recorded"
        skew = float(stored[0, 1])
    else:
        found, note = np.eye(3), "from the scene's .txt (the recording has none)"
        skew = 0.0
        try:
            fx, fy, cx, cy = (float(facts[f"{name}_{kind}"]) for name in ("fx", "fy", "mx", "my"))
            described = (int(facts[f"{kind}Height"]), int(facts[f"{kind}Width"]))
        except (KeyError, ValueError) as error:
            raise fail(
                f"expected {kind} intrinsics, found zeros in the recording and no usable value in the scene's .txt "
                f"({error})"
            ) from error
        if described != size:
            raise fail(
                f"expected intrinsics for {width}x{height} pictures, found zeros in the recording and a .txt for "
                f"{described[1]}x{described[0]}"
            )
        found = intrinsics(fx, fy, cx, cy)
    K = intrinsics(*(float(found[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2))))
    inside = 0 < K[0, 2] < width and 0 < K[1, 2] < height
    if not (np.isfinite(K).all() and K[0, 0] > 0 and K[1, 1] > 0 and inside and skew == 0):
        raise fail(
            f"expected {kind} intrinsics for a {width}x{height} picture without skew, found fx {K[0, 0]:g}, "
            f"fy {K[1, 1]:g}, cx {K[0, 2]:g}, cy {K[1, 2]:g}, skew {skew:g}",
            "the intrinsics belong to another picture size, or the header is damaged",
        )
    return K, note
