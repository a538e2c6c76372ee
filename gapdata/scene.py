"""A scene at the door of the pipeline: metric, z up, one world frame, whatever the source was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int16, Int32, UInt8, UInt16

from gapdata.geometry.boxes import Box
from gapdata.geometry.camera import Camera

Array = np.ndarray
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear sRGB, as lights are in (IEC 61966-2-1)

# World frames a source may deliver. In both, z is up and lengths are metres.
AXIS_ALIGNED = "axis_aligned"  # x and y follow the walls, the floor is at z = 0
GRAVITY_ALIGNED = "gravity_aligned"  # only z is known to be meaningful


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributes:
    """What can be said of an instance besides its label; empty string = unknown."""

    color: str = ""
    material: str = ""
    shape: str = ""
    size: str = ""  # "small", "medium" or "large" among things of its label


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Instance:
    """One object or structural part. `id` is 1..65535 and stable within the scene."""

    id: int
    label: str
    nyu40: int  # NYU40 class id, 0 = not mapped; see gapdata.labels
    box: Box  # upright oriented box in the world: rotated about z only
    aabb: Box  # axis-aligned box in the world
    attributes: Attributes = Attributes()
    support: int = 0  # id of the instance that carries it; 0 = none or unknown
    room: str = ""  # name of the room it is in, unique in the scene; "" = none or unknown


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mesh:
    """A triangle mesh in the world frame whose faces know their instance.

    Colour is `vertex_color`, times the face's texture sampled at `uv` (repeating, (0, 0) = first texel of
    the top row) where `face_texture` >= 0. A face with `face_glow` is seen as if that many times the scene's mean
    irradiance fell on it besides. It lights nothing else: that takes lights. `face_roughness` is that of GGX
    reflection: 0 a mirror, 1 matt, which shows no highlights.
    """

    vertices: Float32[Array, "V 3"]
    faces: Int32[Array, "F 3"]
    vertex_color: UInt8[Array, "V 3"]
    face_instance: UInt16[Array, " F"]  # 0 = none
    uv: Float32[Array, "V 2"] | None = None
    face_texture: Int16[Array, " F"] | None = None  # -1 = none
    textures: tuple[UInt8[Array, "_ _ 3"], ...] = ()  # of any sizes
    face_glow: Float32[Array, " F"] | None = None  # None: nothing glows
    face_roughness: Float32[Array, " F"] | None = None  # None: all is matt

    def part(self, faces: Int[Array, " n"] | Bool[Array, " F"]) -> Mesh:
        """The mesh of some of the faces, by number or mask, with all vertices."""

        def own(values: Array | None) -> Array | None:
            return None if values is None else values[faces]

        return replace(
            self, faces=self.faces[faces], face_instance=self.face_instance[faces],
            face_texture=own(self.face_texture), face_glow=own(self.face_glow),
            face_roughness=own(self.face_roughness),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PointCloud:
    """Points on surfaces, in the world frame. A zero normal is unknown."""

    xyz: Float32[Array, "N 3"]
    color: UInt8[Array, "N 3"]
    normal: Float32[Array, "N 3"]
    instance: UInt16[Array, " N"]  # 0 = none


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Light:
    """A lamp. `color` is linear RGB radiant intensity: irradiance at r metres is color / r**2.

    Its size only softens shadows: it shines from a level disc of `radius` metres, or from a point with 0.
    """

    position: Float[Array, "3"]
    color: Float[Array, "3"]
    radius: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AreaLight:
    """A rectangle that shines to one side, as windows do.

    `color` is its linear RGB radiant intensity straight ahead: irradiance at r metres, large against its size, is
    color / r**2 times the cosines at both ends.
    """

    position: Float[Array, "3"]  # of its middle
    edges: Float[Array, "2 3"]  # whole sides, metres; it shines towards their cross product
    color: Float[Array, "3"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sun:
    """Parallel light. `color` is the linear RGB irradiance of a surface that faces it."""

    direction: Float[Array, "3"]  # unit vector towards the sun
    color: Float[Array, "3"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sky:
    """Light from the upper half of the world, and what is seen where nothing stands.

    Its linear RGB radiance at elevation e is `horizon` + (`zenith` - `horizon`) sin(e).
    """

    zenith: Float[Array, "3"]
    horizon: Float[Array, "3"]


AnyLight = Light | AreaLight | Sun | Sky


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Recording:
    """Lazy readers of what a sensor recorded for a frame. Nothing is decoded before a call.

    `read_depth` gives metres on the grid of `depth_camera`, which shares the frame's pose but may have
    other intrinsics and size. `read_jpeg` gives the recorded colour bytes when they were a JPEG.
    """

    read_rgb: Callable[[], UInt8[Array, "H W 3"]]
    read_depth: Callable[[], Float32[Array, "h w"]]
    depth_camera: Camera
    read_jpeg: Callable[[], bytes] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Frame:
    """A recorded or planned camera. `id` is unique in the scene and sorts in time order."""

    id: str
    camera: Camera
    timestamp_s: float
    recording: Recording | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """Everything known of one place. At least one of `mesh`, `points` or recorded frames is there."""

    id: str
    source: str
    frames: tuple[Frame, ...]
    instances: tuple[Instance, ...] = ()
    mesh: Mesh | None = None
    points: PointCloud | None = None
    lights: tuple[AnyLight, ...] = ()  # empty: colours already contain the light (scans)
    world_frame: str = GRAVITY_ALIGNED
    drops: Mapping[str, int] = field(default_factory=dict)  # frames the source left out, by reason
    provenance: Mapping[str, str] = field(
        default_factory=dict
    )  # where the data came from, for the sample
