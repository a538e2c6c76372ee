"""Path-traced colour over the exact layers of `raycast`, by Mitsuba 3 (extra `mitsuba`)."""

from __future__ import annotations

import zlib
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32

from gapdata.errors import ConfigError, MissingDependencyError
from gapdata.geometry.camera import Camera
from gapdata.mesh_surface import LINEAR_OF_BYTE
from gapdata.renderers.image_size import ImageSize
from gapdata.renderers.light import DirectLight
from gapdata.renderers.raycast import RaycastRenderer
from gapdata.renderers.shading import Shader
from gapdata.scene import AreaLight, Frame, Mesh, Scene, Sky, Sun
from gapdata.view import View

Array = np.ndarray

SAMPLES = 32  # paths a pixel
MAX_BOUNCES = 6  # path segments: what is beyond is a few thousandths of the light
NEAR_M, FAR_M = 1e-3, 1e5
SKY_ROWS = 64  # of the picture that the sky becomes
SQUARE = 1e-6  # relative difference that focal lengths of square pixels may have


class MitsubaRenderer:
    """Draws lit scenes that have a mesh: colour from a path tracer, all else as `raycast` draws it.

    Surfaces are diffuse and have the scene's colours and textures. Lamps with a radius are glowing balls
    that no camera sees, others points. Pixels whose rays hit nothing or what glows show what `raycast` shows,
    and both share exposure and tone curve. The seed of the noise is a frame's id. Single paths brighter than white
    count as white: few paths that meet a lamp's housing would else leave bright dots. A face that is
    textured has one colour, the mean of its corners'.
    """

    variant: ClassVar[str] = "scalar_rgb"

    def __init__(self, scene: Scene, height: int | None = None, width: int | None = None) -> None:
        if scene.mesh is None or not scene.lights:
            raise ConfigError(
                f"{scene.source}: {scene.id}: renderer mitsuba needs a mesh and lights, found a scene that "
                "lacks them; use renderer raycast, captured or points"
            )
        self._mi = load_mitsuba(self.variant)
        self._where = f"{scene.source}: {scene.id}"
        self._size = ImageSize(height, width)
        self._layers = RaycastRenderer(scene, height, width)
        self._shader = self._layers.shader
        self._world = mitsuba_scene(self._mi, scene, self._shader)

    def render(self, frame: Frame) -> View:
        """All layers of a frame, with amodal masks. Raises ConfigError for pixels that are not square."""
        hits = self._layers.cast(frame)
        seen = self._shader.seen(hits)
        traced = (hits.face >= 0) & ~self._layers.glows(hits)
        seen[traced] = self.traced(frame)[traced]
        return self._layers.view(frame, hits, self._shader.developed(seen, hits.face < 0))

    def traced(self, frame: Frame, samples: int = SAMPLES) -> Float32[Array, "H W 3"]:
        """Pi times the linear radiance along paths of a frame; 0 where nothing is hit."""
        # Other renderers of the process may have chosen another variant.
        self._mi.set_variant(self.variant)
        integrator = self._mi.load_dict(
            {"type": "path", "max_depth": MAX_BOUNCES, "hide_emitters": True}
        )
        sensor = self._mi.load_dict(self._sensor(self._size.of(frame.camera)))
        seeds = np.random.default_rng(zlib.crc32(frame.id.encode())).integers(2**31, size=samples)
        total = np.zeros((sensor.film().size()[1], sensor.film().size()[0], 3), np.float32)
        for seed in seeds.tolist():
            image = self._mi.render(self._world, sensor=sensor, integrator=integrator, seed=seed)
            total += np.minimum(np.array(image)[..., :3], self._shader.white_radiance)
        return total * np.float32(np.pi / samples)

    def coarse_depth(self, frame: Frame) -> tuple[Float32[Array, "h w"], Camera]:
        """A small depth map of the frame and its camera."""
        return self._layers.coarse_depth(frame)

    def _sensor(self, camera: Camera) -> dict[str, Any]:
        fx, fy = float(camera.K[0, 0]), float(camera.K[1, 1])
        if abs(fx - fy) > SQUARE * fx:
            raise ConfigError(
                f"{self._where}: renderer mitsuba needs square pixels, found focal lengths {fx:g} and {fy:g}; "
                "ask for a height and width in the frames' own shape"
            )
        # A Mitsuba camera looks along z with x to the left and y up; its pixels' corners, not centres, are whole.
        size = np.array([camera.width, camera.height])
        shift = 0.5 - (camera.K[:2, 2] + 0.5) / size
        pose = camera.cam2world @ np.diag([-1.0, -1.0, 1.0, 1.0])
        return {
            "type": "perspective",
            "fov": float(np.rad2deg(2.0 * np.arctan(0.5 * camera.width / fx))),
            "fov_axis": "x",
            "near_clip": NEAR_M,
            "far_clip": FAR_M,
            "principal_point_offset_x": float(shift[0]),
            "principal_point_offset_y": float(shift[1]),
            "to_world": self._mi.ScalarTransform4f(pose),
            "film": {
                "type": "hdrfilm",
                "width": camera.width,
                "height": camera.height,
                "pixel_format": "rgb",
                "component_format": "float32",
                "rfilter": {"type": "box"},
            },
            "sampler": {"type": "independent", "sample_count": 1},
        }


class MitsubaLlvmRenderer(MitsubaRenderer):
    """The same on all vector units of the processor; needs a shared library of LLVM."""

    variant = "llvm_ad_rgb"


class MitsubaCudaRenderer(MitsubaRenderer):
    """The same on an NVIDIA graphics processor."""

    variant = "cuda_ad_rgb"


def load_mitsuba(variant: str) -> Any:
    """The mitsuba package, set to a variant. Raises MissingDependencyError when it cannot be loaded."""
    try:
        import mitsuba
    except ImportError as error:
        raise MissingDependencyError(
            f"mitsuba cannot be loaded ({error}): run `pip install 'gapdata[mitsuba]'`"
        ) from error
    try:
        mitsuba.set_variant(variant)
    except ImportError as error:
        raise MissingDependencyError(
            f"mitsuba's variant {variant} cannot be loaded ({error}): use renderer mitsuba, which runs "
            "everywhere, or, for llvm, run `apt-get install -y libllvm15`"
        ) from error
    return mitsuba


def mitsuba_scene(mi: Any, scene: Scene, shader: Shader) -> Any:
    """A Mitsuba scene of the mesh and the lights: one shape a texture and colour."""
    assert scene.mesh is not None
    parts: dict[str, Any] = {"type": "scene"}
    for number, (faces, texture, tint) in enumerate(_groups(scene.mesh)):
        parts[f"shape_{number}"] = _shape(mi, scene.mesh, faces, texture, tint)
    skies = []
    for number, light in enumerate(scene.lights):
        if isinstance(light, Sky):
            skies.append(light)
        else:
            parts[f"light_{number}"] = _emitter(mi, light)
    if skies:
        parts["sky"] = {
            "type": "envmap",
            "bitmap": mi.Bitmap(_sky_picture(shader)),
            # Its picture has y up and the world has z up.
            "to_world": mi.ScalarTransform4f().rotate([1, 0, 0], 90),
        }
    return mi.load_dict(parts)


def _groups(mesh: Mesh) -> list[tuple[Array, int, Float32[Array, "3"]]]:
    """(faces, texture or -1, linear colour) of all faces that share a texture and a colour."""
    color = LINEAR_OF_BYTE[mesh.vertex_color][mesh.faces].mean(axis=1)
    texture = np.full(len(mesh.faces), -1) if mesh.face_texture is None else mesh.face_texture
    if mesh.uv is None or not mesh.textures:
        texture = np.full(len(mesh.faces), -1)
    color[texture < 0] = 1.0  # their vertices have attributes
    keys, group = np.unique(
        np.column_stack([texture.astype(np.float64), color]), axis=0, return_inverse=True
    )
    order = np.argsort(group.reshape(-1), kind="stable")
    starts = np.searchsorted(group.reshape(-1)[order], np.arange(len(keys)))
    parts = np.split(order, starts[1:])
    return [
        (part, int(key[0]), key[1:].astype(np.float32))
        for part, key in zip(parts, keys, strict=True)
    ]


def _shape(mi: Any, mesh: Mesh, faces: Array, texture: int, tint: Float32[Array, "3"]) -> Any:
    used, local = np.unique(mesh.faces[faces], return_inverse=True)
    if texture < 0:
        reflectance: dict[str, Any] = {"type": "mesh_attribute", "name": "vertex_color"}
    else:
        texels = LINEAR_OF_BYTE[mesh.textures[texture]] * tint
        reflectance = {"type": "bitmap", "data": mi.TensorXf(texels), "raw": True}
    properties = mi.Properties()
    properties["mesh_bsdf"] = mi.load_dict(
        {"type": "twosided", "sides": {"type": "diffuse", "reflectance": reflectance}}
    )
    properties["face_normals"] = True
    shape = mi.Mesh(
        f"shape_{texture}",
        len(used),
        len(faces),
        has_vertex_texcoords=texture >= 0,
        props=properties,
    )
    if texture < 0:
        colors = LINEAR_OF_BYTE[mesh.vertex_color[used]]
        shape.add_attribute("vertex_color", 3, np.ascontiguousarray(colors).reshape(-1))
    parameters = mi.traverse(shape)
    parameters["vertex_positions"] = np.ascontiguousarray(mesh.vertices[used]).reshape(-1)
    parameters["faces"] = local.astype(np.uint32).reshape(-1)
    if texture >= 0:
        assert mesh.uv is not None
        parameters["vertex_texcoords"] = np.ascontiguousarray(mesh.uv[used]).reshape(-1)
    parameters.update()
    return shape


def _emitter(mi: Any, light: DirectLight) -> dict[str, Any]:
    color = {"type": "rgb", "value": light.color.tolist()}
    if isinstance(light, Sun):
        return {
            "type": "directional",
            "direction": (-light.direction).tolist(),
            "irradiance": color,
        }
    if isinstance(light, AreaLight):
        # Mitsuba's rectangle has sides of 2 along x and y and shines along z.
        ahead = np.cross(*light.edges)
        pose = np.eye(4)
        pose[:3] = np.column_stack([*(0.5 * light.edges), ahead, light.position])
        value = (light.color / np.linalg.norm(ahead)).tolist()
        return {
            "type": "rectangle",
            "to_world": mi.ScalarTransform4f(pose),
            "emitter": {"type": "area", "radiance": {"type": "rgb", "value": value}},
        }
    position = light.position.tolist()
    if light.radius == 0:
        return {"type": "point", "position": position, "intensity": color}
    # A ball of radiance L has the radiant intensity L pi r^2 in all directions.
    radiance = light.color / (np.pi * light.radius**2)
    return {
        "type": "sphere",
        "center": position,
        "radius": light.radius,
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": radiance.tolist()}},
    }


def _sky_picture(shader: Shader) -> Float32[Array, "h w 3"]:
    """Radiance by elevation, the zenith in the first row, alike in all directions of the compass."""
    elevation = 0.5 * np.pi - np.pi * (np.arange(SKY_ROWS) + 0.5) / SKY_ROWS
    rows = shader.surroundings.radiance(np.sin(elevation)).astype(np.float32)
    return np.ascontiguousarray(np.repeat(rows[:, None], 2 * SKY_ROWS, axis=1))
