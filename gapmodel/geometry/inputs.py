"""What is known of the geometry of pictures, and where in space each visual token lies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, Int64, UInt8
from torch import Tensor

from gapmodel.data.batch import Batch
from gapmodel.geometry.grids import patch_centres, to_patches


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GeometryInput:
    """The geometry of I pictures of some samples, all of one size, as the model may see it.

    Where `given` is False nothing else is looked at for that picture, its pose and intrinsics included:
    an RGB-only picture tells the model no more than its pixels. Poses are camera to the sample's first
    camera, so no world frame enters.
    """

    image_sample: Int64[Tensor, " I"]  # in any order; a sample's pictures keep theirs
    size: tuple[int, int]  # H, W
    given: Bool[Tensor, " I"]
    K: Float32[Tensor, "I 3 3"]
    cam2first: Float32[Tensor, "I 4 4"]
    depth: Float32[Tensor, "I H W"]  # z-depth in metres; 0, negative or not finite = unknown
    normal: Float32[Tensor, "I H W 3"]  # camera axes, zeros = unknown
    images: UInt8[Tensor, "I H W 3"] | None = None  # for an encoder that looks at pictures
    features: Float[Tensor, "I M h w C"] | None = None  # of a frozen 3D encoder, from its cache

    @classmethod
    def from_batch(cls, batch: Batch) -> GeometryInput:
        """The geometry that a batch offers as an input; layers it lacks count as unknown."""
        height, width = batch.images.shape[1:3]
        bare = cls.rgb_only(batch.image_sample, (height, width), images=batch.images)
        given, depth, normal = batch.geometry_given, batch.input_depth, batch.input_normal
        return cls(
            image_sample=batch.image_sample,
            size=(height, width),
            given=bare.given if given is None else given,
            K=batch.K,
            cam2first=batch.cam2first,
            depth=bare.depth if depth is None else depth,
            normal=bare.normal if normal is None else normal,
            images=batch.images,
            features=batch.teacher,
        )

    @classmethod
    def rgb_only(
        cls,
        image_sample: Int64[Tensor, " I"],
        size: tuple[int, int],
        *,
        images: UInt8[Tensor, "I H W 3"] | None = None,
    ) -> GeometryInput:
        """Pictures whose depth, normals, intrinsics and poses are all unknown."""
        count, device = len(image_sample), image_sample.device
        return cls(
            image_sample=image_sample,
            size=size,
            given=torch.ones(count, dtype=torch.bool, device=device),
            K=torch.eye(3, device=device).expand(count, 3, 3),
            cam2first=torch.eye(4, device=device).expand(count, 4, 4),
            depth=torch.zeros(count, *size, device=device),
            normal=torch.zeros(count, *size, 3, device=device),
            images=images,
        )

    @property
    def depth_known(self) -> Bool[Tensor, "I H W"]:
        """Pixels with a given depth."""
        known = torch.isfinite(self.depth) & (self.depth > 0)
        return known & self.given[:, None, None]

    @property
    def normal_known(self) -> Bool[Tensor, "I H W"]:
        """Pixels with a given normal."""
        known = torch.isfinite(self.normal).all(-1) & (self.normal != 0).any(-1)
        return known & self.given[:, None, None]

    @property
    def measured(self) -> Bool[Tensor, " I"]:
        """Pictures with at least one given depth or normal; the others count as not given."""
        return (self.depth_known | self.normal_known).flatten(1).any(1)


def camera_directions(
    K: Float32[Tensor, "I 3 3"], v: Float32[Tensor, " h"], u: Float32[Tensor, " w"]
) -> Float32[Tensor, "I h w 3"]:
    """Directions (x, y, 1) in camera axes through the pixels of rows `v` and columns `u`; times z-depth they are points."""
    y = (v[None, :, None] - K[:, 1, 2, None, None]) / K[:, 1, 1, None, None]
    skew = K[:, 0, 1, None, None]
    x = (u[None, None, :] - K[:, 0, 2, None, None] - skew * y) / K[:, 0, 0, None, None]
    x, y = torch.broadcast_tensors(x, y)
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TokenPositions:
    """Where the visual tokens lie, in metres, in the frame of a camera."""

    point: Float32[Tensor, "I h w 3"]  # zeros where not known
    point_known: Bool[Tensor, "I h w"]
    ray: Float32[Tensor, "I h w 3"]  # unit direction, zeros where not known
    ray_known: Bool[Tensor, "I h w"]


def token_positions(
    pictures: GeometryInput, patch_size: int, *, in_first_camera: bool
) -> TokenPositions:
    """Each patch's point and ray: through its centre, as far as the median of its known depths.

    In the axes of its sample's first camera, or of its own; poses enter only into the former.

    The median (the lower of two middle ones) is a depth that something in the patch has; a mean would
    hang between the two sides of an edge. Patches without depth have a ray only, pictures without any
    measurement neither.
    """
    (height, width), device = pictures.size, pictures.depth.device
    measured = pictures.measured
    K = torch.where(measured[:, None, None], pictures.K, torch.eye(3, device=device))
    direction = camera_directions(
        K, patch_centres(height, patch_size, device), patch_centres(width, patch_size, device)
    )
    depth = torch.where(pictures.depth_known, pictures.depth, torch.nan)
    depth = to_patches(depth[..., None], patch_size).nanmedian(dim=-1).values
    point_known = ~depth.isnan()
    ray = direction / direction.norm(dim=-1, keepdim=True)
    point = direction * torch.where(point_known, depth, 0.0)[..., None]
    if in_first_camera:
        rotation, translation = pictures.cam2first[:, :3, :3], pictures.cam2first[:, :3, 3]
        ray = torch.einsum("iab,ihwb->ihwa", rotation, ray)
        point = torch.einsum("iab,ihwb->ihwa", rotation, point) + translation[:, None, None]
    ray_known = measured[:, None, None].expand(point_known.shape)
    return TokenPositions(
        point=torch.where(point_known[..., None], point, 0.0),
        point_known=point_known,
        ray=torch.where(ray_known[..., None], ray, 0.0),
        ray_known=ray_known,
    )
