"""Predictions as files: depth and normals as PNG, poses as JSON, points as PLY."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from gapdata.geometry.camera import field_of_view, resize_intrinsics
from gapmodel.data.images import whole
from gapmodel.evaluation.seeing import pointmap_of_depth
from gapmodel.metrics.depth import valid_depth
from gapmodel.predicted import Predicted
from gapmodel.prediction.ask import at_size, cameras_of
from gapmodel.prediction.pictures import (
    colour_depth,
    colour_normal,
    depth_range,
    write_depth,
    write_picture,
)
from gapmodel.prediction.ply import write_ply

Array = np.ndarray
Picture = UInt8[Array, "H W 3"]


def write_predictions(
    folder: Path,
    predicted: Predicted,
    pictures: Sequence[Picture],
    K: Sequence[Float[Array, "3 3"]] | None = None,
) -> list[str]:
    """Names of the files written, for pictures of any size; each prediction has the size of its picture.

    depth_00.png: millimetres, 16 bits; depth_00_colour.png: all on one scale. normal_00.png: as shards store normals.
    cameras.json: fields of view in degrees, intrinsics and cam2first. points.ply: see `cloud`.
    """
    sizes = [picture.shape[:2] for picture in pictures]
    names: list[str] = []

    def add(name: str) -> Path:
        names.append(name)
        return folder / name

    if predicted.depth is not None:
        depths = [at_size(depth, size) for depth, size in zip(predicted.depth, sizes, strict=True)]
        near, far = depth_range(depths)
        for number, depth in enumerate(depths):
            write_depth(add(f"depth_{number:02d}.png"), depth)
            write_picture(add(f"depth_{number:02d}_colour.png"), colour_depth(depth, near, far))
    if predicted.normal is not None:
        for number, (normal, size) in enumerate(zip(predicted.normal, sizes, strict=True)):
            large = at_size(normal, size)
            length = np.linalg.norm(large, axis=-1, keepdims=True)
            write_picture(
                add(f"normal_{number:02d}.png"), colour_normal(large / np.maximum(length, 1e-6))
            )
    cameras = describe_cameras(predicted, sizes, K)
    if cameras:
        add("cameras.json").write_text(json.dumps(cameras, indent=1) + "\n")
    points = cloud(predicted, pictures, K)
    if points is not None:
        write_ply(add("points.ply"), *points)
    return names


def describe_cameras(
    predicted: Predicted, sizes: Sequence[tuple[int, int]], K: Sequence[Float[Array, "3 3"]] | None
) -> list[dict[str, Any]]:
    """For each picture its intrinsics in pixels, given or predicted, and its predicted pose; empty when nothing is known."""
    rows: list[dict[str, Any]] = []
    for number, size in enumerate(sizes):
        row: dict[str, Any] = {"picture": number, "height": size[0], "width": size[1]}
        cameras = cameras_of(predicted, size, K)
        if cameras is not None:
            fov = field_of_view(cameras[number], *size)
            row |= {
                "intrinsics": "given" if K is not None else "predicted",
                "K": cameras[number].tolist(),
                "fov_deg": np.rad2deg(fov).tolist(),
            }
        if predicted.cam2first is not None:
            row["cam2first"] = predicted.cam2first[number].astype(np.float64).tolist()
        rows.append(row)
    return rows if any("K" in row or "cam2first" in row for row in rows) else []


def cloud(
    predicted: Predicted,
    pictures: Sequence[Picture],
    K: Sequence[Float[Array, "3 3"]] | None = None,
) -> tuple[Float[Array, "N 3"], UInt8[Array, "N 3"]] | None:
    """Coloured points in metres in the first picture's camera frame, one a pixel that the model sees.

    From the pointmap head; without it from depth, intrinsics (given or predicted) and, for several pictures, predicted
    poses. None when the model lacks what is needed.
    """
    if predicted.pointmap is not None:
        points, known = predicted.pointmap, np.ones(predicted.pointmap.shape[:3], bool)
    elif predicted.depth is not None:
        size = predicted.depth.shape[1:3]
        scaled = (
            None
            if K is None
            else [_scaled(k, p.shape[:2], size) for k, p in zip(K, pictures, strict=True)]
        )
        cameras = cameras_of(predicted, size, scaled)
        poses = predicted.cam2first
        if poses is None and len(pictures) == 1:
            poses = np.eye(4)[None]
        if cameras is None or poses is None:
            return None
        points, known = (
            pointmap_of_depth(predicted.depth, np.stack(cameras), poses),
            valid_depth(predicted.depth),
        )
    else:
        return None
    known = known & np.isfinite(points).all(axis=-1)
    colours = np.stack([_small(picture, points.shape[1:3]) for picture in pictures])
    return points[known], colours[known]


def _scaled(
    K: Float[Array, "3 3"], size: tuple[int, int], shown: tuple[int, int]
) -> Float[Array, "3 3"]:
    return resize_intrinsics(np.asarray(K, np.float64), shown[1] / size[1], shown[0] / size[0])


def _small(picture: Picture, size: tuple[int, int]) -> Picture:
    return whole(picture.shape[:2], size).rgb(picture)
