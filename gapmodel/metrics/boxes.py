"""Oriented 3D boxes: exact volume of the intersection by clipping faces, for many pairs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

Array = np.ndarray

# Faces closer than this part of the boxes' size count as one plane. Planes that are a little farther apart cross along
# lines that rounding moves by 1e-16 over this: between the two, volumes are right to 1e-6.
_SAME_PLANE = 1e-9
# Outward normals of a box's six faces in its own axes, and the corners of each in cyclic order, as signs.
_NORMALS = np.array([sign * np.eye(3)[axis] for axis in range(3) for sign in (-1.0, 1.0)])
_CORNERS = np.array(
    [
        [np.roll([sign, u, v], axis) for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        for axis in range(3)
        for sign in (-1.0, 1.0)
    ]
)
_CHUNK = 4096  # pairs clipped at once, which bounds the memory


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Boxes:
    """N oriented boxes: center and full size in metres, rotation box-to-frame; see `gapdata.geometry.boxes.Box`."""

    center: Float[Array, "N 3"]
    size: Float[Array, "N 3"]
    rotation: Float[Array, "N 3 3"]

    def __len__(self) -> int:
        return len(self.center)

    def __getitem__(self, places: Array) -> Boxes:
        return Boxes(
            center=self.center[places], size=self.size[places], rotation=self.rotation[places]
        )

    @property
    def usable(self) -> Bool[Array, " N"]:
        """Whether a box is finite with positive sizes; others overlap nothing."""
        numbers = np.concatenate([self.center, self.size, self.rotation.reshape(-1, 9)], axis=1)
        bounded = (np.abs(numbers) < 1e6).all(axis=1)  # false for NaN
        return np.asarray(bounded & (self.size > 0).all(axis=1))


def boxes_from_bbox_3d(rows: Float[Array, "N 9"], euler: str = "zxy") -> Boxes:
    """Boxes of `bbox_3d` rows: center, size, extrinsic z, x, y Euler angles in radians (or scipy's order `euler`)."""
    rows = np.asarray(rows, np.float64).reshape(-1, 9)
    if len(rows) == 0:
        return Boxes(center=rows[:, :3], size=rows[:, 3:6], rotation=np.zeros((0, 3, 3)))
    angles = np.where(np.isfinite(rows[:, 6:]), rows[:, 6:], 0.0)
    rotation = Rotation.from_euler(euler, angles).as_matrix()
    return Boxes(center=rows[:, :3], size=rows[:, 3:6], rotation=rotation)


def iou_matrix(a: Boxes, b: Boxes) -> Float[Array, "N M"]:
    """Intersection over union of each box of `a` with each of `b`; 0 for boxes that are not usable."""
    iou = np.zeros((len(a), len(b)))
    if iou.size == 0:
        return iou
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.linalg.norm(a.center[:, None] - b.center[None], axis=-1)
        reach = 0.5 * np.linalg.norm(a.size, axis=-1)[:, None]
        reach = reach + 0.5 * np.linalg.norm(b.size, axis=-1)[None]
        near = (apart < reach) & a.usable[:, None] & b.usable[None]
    rows, columns = np.nonzero(near)
    iou[rows, columns] = pair_iou(a[rows], b[columns])
    return iou


def pair_iou(a: Boxes, b: Boxes) -> Float[Array, " N"]:
    """Intersection over union of box i of `a` with box i of `b`, all usable."""
    shared = intersection_volume(a, b)
    together = a.size.prod(axis=1) + b.size.prod(axis=1) - shared
    return np.asarray(np.clip(shared / together, 0.0, 1.0))


def intersection_volume(a: Boxes, b: Boxes) -> Float[Array, " N"]:
    """Volume in cubic metres that box i of `a` shares with box i of `b`, all usable.

    The surface of the intersection is the faces of each box clipped to the other. By the divergence theorem the volume is
    a third of the sum of area times distance of the face's plane from an inner point, here the centre of `a`.
    """
    volume = np.zeros(len(a))
    for start in range(0, len(a), _CHUNK):
        part = np.arange(start, min(start + _CHUNK, len(a)))
        volume[part] = _clipped_flux(a[part], b[part]) / 3.0
    return np.maximum(volume, 0.0)


def _clipped_flux(a: Boxes, b: Boxes) -> Float[Array, " N"]:
    eps = _SAME_PLANE * (a.size.max(axis=1) + b.size.max(axis=1))
    b = Boxes(center=b.center - a.center, size=b.size, rotation=b.rotation)
    a = Boxes(center=np.zeros_like(a.center), size=a.size, rotation=a.rotation)
    flux = np.zeros(len(a))
    # Where two faces lie in one plane and look the same way a's counts alone; where they look at each other, none.
    for box, other, same in ((a, b, eps), (b, a, -eps)):
        normals, corners = _faces(box)
        heights = (normals * corners[:, :, 0]).sum(axis=-1)
        area = _area_inside(normals, corners, other, same, -eps)
        flux += (area * heights).sum(axis=1)
    return flux


def _faces(boxes: Boxes) -> tuple[Float[Array, "N 6 3"], Float[Array, "N 6 4 3"]]:
    """Outward normals and corners of the six faces."""
    normals = np.einsum("nij,fj->nfi", boxes.rotation, _NORMALS)
    local = 0.5 * _CORNERS * boxes.size[:, None, None, :]
    corners = np.einsum("nij,nfcj->nfci", boxes.rotation, local) + boxes.center[:, None, None]
    return normals, corners


def _area_inside(
    normals: Float[Array, "N 6 3"],
    corners: Float[Array, "N 6 4 3"],
    box: Boxes,
    same: Float[Array, " N"],
    opposite: Float[Array, " N"],
) -> Float[Array, "N 6"]:
    """Area of each face in the box, whose sides stand out by `same` for faces that look their way, else by `opposite`."""
    polygon = ((corners - box.center[:, None, None]) @ box.rotation[:, None]).reshape(-1, 4, 3)
    towards = (normals @ box.rotation).reshape(-1, 3)
    half = np.repeat(0.5 * box.size, 6, axis=0)
    same, opposite = np.repeat(same, 6), np.repeat(opposite, 6)
    for axis in range(3):
        for sign in (-1.0, 1.0):
            limit = half[:, axis] + np.where(sign * towards[:, axis] > 0, same, opposite)
            polygon = _clip(polygon, sign * polygon[:, :, axis] - limit[:, None])
    fan = np.cross(polygon[:, 1:-1] - polygon[:, :1], polygon[:, 2:] - polygon[:, :1])
    return np.asarray(0.5 * np.linalg.norm(fan.sum(axis=1), axis=-1).reshape(-1, 6))


def _clip(polygon: Float[Array, "P K 3"], outside: Float[Array, "P K"]) -> Float[Array, "P K+1 3"]:
    """Convex polygons cut to where `outside` <= 0 (Sutherland and Hodgman, 1974); what is left over repeats a corner."""
    following = np.roll(polygon, -1, axis=1)
    outside_next = np.roll(outside, -1, axis=1)
    inside, inside_next = outside <= 0, outside_next <= 0
    crossing = inside != inside_next
    share = outside / np.where(crossing, outside - outside_next, 1.0)
    cut = polygon + share[..., None] * (following - polygon)
    # Of every edge at most its first corner and where it crosses are kept, in this order.
    points = np.stack([polygon, cut], axis=2).reshape(len(polygon), -1, 3)
    kept = np.stack([inside, crossing], axis=2).reshape(len(polygon), -1)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : polygon.shape[1] + 1]
    rest = ~np.take_along_axis(kept, order, axis=1)
    clipped = np.take_along_axis(points, order[..., None], axis=1)
    return np.asarray(np.where(rest[..., None], clipped[:, :1], clipped))
