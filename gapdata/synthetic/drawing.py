"""A described world becomes a scene: one mesh, its textures, and exact boxes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32, UInt8

from gapdata.geometry.boxes import Box, aabb_from_points
from gapdata.scene import AXIS_ALIGNED, Attributes, Instance, Mesh, Scene
from gapdata.synthetic.description import NOT_SUPPORTED, Description, Placed
from gapdata.synthetic.materials import color_name, rgb_array
from gapdata.synthetic.models import Part
from gapdata.synthetic.shapes import Solid
from gapdata.synthetic.size_classes import size_class
from gapdata.synthetic.textures import texture

Array = np.ndarray


class _Textures:
    """The textures a mesh uses, each once."""

    def __init__(self) -> None:
        self.images: list[UInt8[Array, "_ _ 3"]] = []
        self._number: dict[str, int] = {}
        self._wrapped: dict[
            int, int
        ] = {}  # by the image's identity: one model stands in many places

    def of(self, part: Part) -> tuple[int, Float[Array, "V 2"]]:
        """(texture number or -1, uv in texture units) of a part."""
        if part.image is not None and part.wrapped:
            if id(part.image) not in self._wrapped:
                self._wrapped[id(part.image)] = len(self.images)
                self.images.append(part.image)
            return self._wrapped[id(part.image)], part.solid.uv
        if part.image is not None:
            self.images.append(part.image)
            return len(self.images) - 1, _stretched(part.solid, part.image)
        name = part.finish.texture
        if not name:
            return -1, part.solid.uv
        if name not in self._number:
            self._number[name] = len(self.images)
            self.images.append(texture(name).image)
        return self._number[name], part.solid.uv / texture(name).period_m


def _stretched(solid: Solid, image: UInt8[Array, "H W 3"]) -> Float[Array, "V 2"]:
    """Texture coordinates that spread one image over the solid's caps, its top row at the caps' largest y.

    Half a texel of the border is left out, so that the repeat never shows.
    """
    height, width = image.shape[:2]
    cap = solid.uv[-2 * solid.cap :]
    low, high = cap.min(axis=0), cap.max(axis=0)
    unit = np.clip((solid.uv - low) / (high - low), 0.0, 1.0)
    unit = np.stack([unit[:, 0], 1.0 - unit[:, 1]], axis=-1)
    border = 0.5 / np.array([width, height])
    return np.asarray(border + unit * (1.0 - 2.0 * border))


def draw(
    description: Description, scene_id: str, source: str, *, provenance: Mapping[str, str] | None = None
) -> Scene:  # fmt: skip
    """The scene of a description; instance i + 1 is what was placed i-th. `provenance` is added to its own."""
    textures = _Textures()
    vertices, faces, colors, owners, uvs, kinds = [], [], [], [], [], []
    glows, roughness = [], []
    instances, count = [], 0
    for number, thing in enumerate(description.placed, start=1):
        own = []
        for part in thing.model.parts:
            points = (part.solid.vertices @ thing.rotation.T + thing.position).astype(np.float32)
            kind, uv = textures.of(part)
            own.append(points)
            faces.append(part.solid.faces + count)
            colors.append(np.broadcast_to(rgb_array(part.finish), points.shape))
            owners.append(np.full(len(part.solid.faces), number, np.uint16))
            kinds.append(np.full(len(part.solid.faces), kind, np.int16))
            uvs.append(uv.astype(np.float32))
            glows.append(np.full(len(part.solid.faces), part.glow, np.float32))
            roughness.append(np.full(len(part.solid.faces), part.finish.roughness, np.float32))
            count += len(points)
        vertices += own
        instances.append(_instance(number, thing, np.concatenate(own)))
    mesh = Mesh(
        vertices=np.concatenate(vertices),
        faces=np.concatenate(faces).astype(np.int32),
        vertex_color=np.ascontiguousarray(np.concatenate(colors)),
        face_instance=np.concatenate(owners),
        uv=np.concatenate(uvs),
        face_texture=np.concatenate(kinds),
        textures=tuple(textures.images),
        face_glow=np.concatenate(glows),
        face_roughness=np.concatenate(roughness),
    )
    return Scene(
        id=scene_id, source=source, frames=description.frames, instances=tuple(instances), mesh=mesh,
        lights=description.lights, world_frame=AXIS_ALIGNED,
        provenance={**description.provenance, **(provenance or {})},
    )  # fmt: skip


def _instance(number: int, thing: Placed, points: Float32[Array, "V 3"]) -> Instance:
    rotation = thing.rotation
    exact = points.astype(np.float64)
    local = exact @ rotation
    low, high = local.min(axis=0), local.max(axis=0)
    finish = thing.model.finish
    return Instance(
        id=number,
        label=thing.model.label,
        nyu40=thing.model.nyu40,
        box=Box(center=rotation @ (0.5 * (low + high)), size=high - low, rotation=rotation),
        aabb=aabb_from_points(exact),
        attributes=Attributes(
            color=color_name(finish.rgb) if thing.model.one_color else "",
            material=finish.material,
            shape=thing.model.shape,
            size=size_class(thing.model.label, float((high - low).max())),
        ),
        support=0 if thing.support == NOT_SUPPORTED else thing.support + 1,
        room=thing.room,
    )
