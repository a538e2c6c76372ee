"""Faults in cameras, images and the instance table. Points and pixel counts follow, as a build's would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gapdata.geometry.boxes import Box
from gapdata.geometry.camera import ray_distance_from_depth
from gapdata.geometry.depth import point_visibility
from gapdata.geometry.transforms import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP, rotation_about_z
from gapdata.labels import is_structure
from gapdata.sample import Sample
from gapdata.scene import Instance
from gapdata.view import View

Change = Callable[[Sample], Sample]
ALL_LAYERS = ("rgb", "depth", "normal", "instance")


def with_views(sample: Sample, views: tuple[View, ...]) -> Sample:
    """The sample that a build would have made of other views."""
    views = tuple(replace(view, jpeg=None) for view in views)
    states = [point_visibility(sample.points.xyz_world, v.camera, v.depth) for v in views]
    points = replace(
        sample.points,
        pixel=np.stack([pixel for pixel, _ in states]),
        visible=np.stack([state for _, state in states]),
    )
    ids = sample.visibility.ids
    pixels = [np.bincount(v.instance.ravel(), minlength=65537)[ids] for v in views]
    visibility = replace(sample.visibility, pixels=np.stack(pixels).astype(np.int32))
    return replace(sample, views=views, points=points, visibility=visibility)


def each_view(change: Callable[[View], View]) -> Change:
    return lambda sample: with_views(sample, tuple(map(change, sample.views)))


def pose(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return each_view(lambda v: replace(v, camera=v.camera.moved(change(v.camera.cam2world))))


def intrinsics(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return each_view(lambda v: replace(v, camera=replace(v.camera, K=change(v.camera.K))))


def depth(change: Callable[[View], np.ndarray]) -> Change:
    return each_view(lambda v: replace(v, depth=change(v).astype(np.float32)))


def mirrored(*layers: str) -> Change:
    def flip(view: View) -> View:
        flipped = {name: np.ascontiguousarray(getattr(view, name)[:, ::-1]) for name in layers}
        if "normal" in flipped:
            flipped["normal"] = flipped["normal"] * np.array([-1, 1, 1], np.float32)
        return replace(view, **flipped)

    return each_view(flip)


def rolled(*fields: str) -> Change:
    """Each view has these fields of the view before it."""

    def change(sample: Sample) -> Sample:
        before = (*sample.views[-1:], *sample.views[:-1])
        return with_views(
            sample,
            tuple(
                replace(view, **{name: getattr(other, name) for name in fields})
                for view, other in zip(sample.views, before, strict=True)
            ),
        )

    return change


def first_pose_drifts(sample: Sample) -> Sample:
    first, *rest = sample.views
    moved = first.camera.cam2world.copy()
    moved[:3, :3] = rotation_about_z(np.deg2rad(12)) @ moved[:3, :3]
    moved[:3, 3] += (0.2, -0.15, 0.1)
    return with_views(sample, (replace(first, camera=first.camera.moved(moved)), *rest))


def shown_objects(sample: Sample) -> list[int]:
    """Ids of the objects that the views show most, most first."""
    count = sample.visibility.pixels.sum(axis=0)
    objects = {i.id for i in sample.instances if not is_structure(i.label, i.nyu40)}
    ids = sample.visibility.ids[np.argsort(-count, kind="stable")].tolist()
    return [number for number in ids if number in objects]


def exchanged_ids(sample: Sample) -> Sample:
    first, second = shown_objects(sample)[:2]
    table = np.arange(65536, dtype=np.uint16)
    table[[first, second]] = second, first
    return each_view(lambda v: replace(v, instance=table[v.instance]))(sample)


def shifted_ids(sample: Sample) -> Sample:
    """Ids counted from 0 instead of 1, as far as the table goes."""
    ids = sorted(instance.id for instance in sample.instances)
    table = np.zeros(65536, np.uint16)
    table[ids] = np.roll(ids, 1)
    return each_view(lambda v: replace(v, instance=table[v.instance]))(sample)


def boxes(change: Callable[[Sample, Box], Box]) -> Change:
    def changed(sample: Sample) -> Sample:
        return replace(
            sample,
            instances=tuple(replace(i, box=change(sample, i.box)) for i in sample.instances),
        )

    return changed


def exchanged_labels(sample: Sample) -> Sample:
    first, second = shown_objects(sample)[:2]
    by_id = {instance.id: instance for instance in sample.instances}
    labels = {first: by_id[second].label, second: by_id[first].label}

    def renamed(instance: Instance) -> Instance:
        return replace(instance, label=labels.get(instance.id, instance.label))

    return replace(sample, instances=tuple(map(renamed, sample.instances)))


def stale_visibility(sample: Sample) -> Sample:
    names = ("pixels", "visible", "truncated", "occluded")
    rows = {name: np.roll(getattr(sample.visibility, name), 1, axis=0) for name in names}
    return replace(sample, visibility=replace(sample.visibility, **rows))


def turned_about_z(box: Box, angle: float) -> Box:
    return replace(box, rotation=rotation_about_z(angle) @ box.rotation)


def moved_principal_point(K: np.ndarray) -> np.ndarray:
    return K + np.array([[0, 0, 0.3 * K[0, 2]], [0, 0, 0], [0, 0, 0]])


def rigid_part(rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    return np.block([[rotation, translation], [np.array([[0.0, 0, 0, 1]])]])


LAYER_FAULTS: dict[str, Change] = {
    "world2cam stored as cam2world": pose(np.linalg.inv),
    "rotation transposed": pose(lambda p: rigid_part(p[:3, :3].T, p[:3, 3:])),
    "camera axes of OpenGL": pose(lambda p: p @ OPENGL_FROM_OPENCV),
    "camera x and y flipped": pose(lambda p: p @ np.diag([-1.0, -1, 1, 1])),
    "one camera axis flipped": pose(lambda p: p @ np.diag([-1.0, 1, 1, 1])),
    "world with y up": pose(lambda p: np.linalg.inv(Z_UP_FROM_Y_UP) @ p),
    "camera positions in millimetres": pose(lambda p: rigid_part(p[:3, :3], 1000 * p[:3, 3:])),
    "camera positions doubled": pose(lambda p: rigid_part(p[:3, :3], 2 * p[:3, 3:])),
    "poses of the views before": rolled("camera"),
    "one pose drifts by 27 cm and 12 degrees": first_pose_drifts,
    "K 10 % too long": intrinsics(lambda K: K * np.array([[1.1, 1, 1], [1, 1.1, 1], [1, 1, 1]])),
    "K of the half-size image": intrinsics(lambda K: K * np.array([[0.5], [0.5], [1.0]])),
    "fx and fy exchanged with cx and cy": intrinsics(
        lambda K: np.array([[K[0, 2], 0, K[0, 0]], [0, K[1, 2], K[1, 1]], [0, 0, 1.0]])
    ),
    "principal point off": intrinsics(moved_principal_point),
    "depth in centimetres": depth(lambda v: v.depth / 10),
    "depth 10 % too long": depth(lambda v: 1.1 * v.depth),
    "distance along the ray for depth": depth(
        lambda v: ray_distance_from_depth(v.depth, v.camera.K)
    ),
    "depth of the view before": rolled("depth"),
    "whole view mirrored": mirrored(*ALL_LAYERS),
    "depth mirrored": mirrored("depth"),
    "instance ids mirrored": mirrored("instance"),
    "picture mirrored": mirrored("rgb"),
    "instance ids of the view before": rolled("instance"),
    "instance ids off by one": shifted_ids,
    "ids of two objects exchanged": exchanged_ids,
    "labels of two objects exchanged": exchanged_labels,
    "stale visibility, of the view before": stale_visibility,
    "normals flipped": each_view(lambda v: replace(v, normal=-v.normal)),
    "boxes half as large": boxes(lambda _, b: replace(b, size=0.5 * b.size)),
    "boxes twice as large": boxes(lambda _, b: replace(b, size=2.0 * b.size)),
    "box sizes in another order": boxes(lambda _, b: replace(b, size=b.size[[2, 0, 1]])),
    "boxes in the first camera's frame": boxes(
        lambda s, b: replace(b, center=b.transformed(s.views[0].camera.world2cam).center)
    ),
    "boxes standing on their centres": boxes(
        lambda _, b: replace(b, center=b.center + np.array([0, 0, 0.5]) * b.size)
    ),
    "boxes turned by 30 degrees": boxes(lambda _, b: turned_about_z(b, np.deg2rad(30))),
}
