"""First hits and amodal masks against analysis and against casting each instance alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.errors import ConfigError
from gapdata.geometry.camera import ray_distance_from_depth, unproject_depth
from gapdata.renderers.amodal import CANVAS_MARGIN, OUTSIDE_STRIDE
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.scene import Instance, Mesh
from tests.fixtures.scenes import (
    MeshBuilder,
    box_room,
    camera_at,
    plane_scene,
    sphere_scene,
)


def caster_of(scene, **options):
    return MeshCaster(scene.mesh, scene.instances, **options)


def test_plane_at_two_metres():
    scene = plane_scene(2.0)
    caster = caster_of(scene)
    hits = caster.cast(scene.frames[0].camera)
    np.testing.assert_allclose(hits.depth, 2.0, rtol=1e-6)
    expected = np.broadcast_to([0, 0, -1], (*hits.depth.shape, 3))
    np.testing.assert_allclose(caster.normals_at(hits), expected, atol=1e-6)
    assert (caster.instances_at(hits) == 1).all()
    np.testing.assert_allclose(hits.coordinates_world()[0], 2.0, atol=1e-5)


def test_a_plane_seen_from_behind_has_the_same_facing_normal():
    scene = plane_scene(2.0)
    flipped = replace(scene.mesh, faces=np.ascontiguousarray(scene.mesh.faces[:, ::-1]))
    caster = MeshCaster(flipped, scene.instances)
    normal = caster.normals_at(caster.cast(scene.frames[0].camera))
    np.testing.assert_allclose(normal[..., 2], -1, atol=1e-6)


def test_inside_a_sphere_every_ray_is_as_long_as_the_radius():
    radius, rings = 2.0, 128
    scene = sphere_scene(radius, rings)
    caster = caster_of(scene)
    camera = scene.frames[0].camera
    hits = caster.cast(camera)
    length = ray_distance_from_depth(hits.depth, camera.K)
    sagitta = radius * (1 - np.cos(np.pi / (rings - 1)) ** 2)  # chord error of a cell's two angles
    assert length.max() <= radius * (1 + 1e-5)
    assert length.min() >= radius - sagitta
    points = unproject_depth(hits.depth, camera.K)
    inward = -points / np.linalg.norm(points, axis=-1, keepdims=True)
    cosine = (caster.normals_at(hits) * inward).sum(axis=-1)
    assert cosine.min() > np.cos(np.pi / (rings - 1))


def test_normals_face_the_camera_everywhere():
    scene = box_room()
    caster = caster_of(scene)
    for frame in scene.frames[:4]:
        hits = caster.cast(frame.camera)
        points = unproject_depth(hits.depth, frame.camera.K)
        normal = caster.normals_at(hits)
        hit = hits.depth > 0
        assert ((normal * points).sum(axis=-1)[hit] < 1e-4).all()
        np.testing.assert_allclose(np.linalg.norm(normal[hit], axis=-1), 1, atol=1e-5)


def test_missed_rays_are_empty():
    scene = (
        MeshBuilder()
        .box((3, 0, 0), (0.2, 0.2, 0.2), "box")
        .scene([camera_at((0, 0, 0), (1, 0, 0))])
    )
    caster = caster_of(scene)
    hits = caster.cast(scene.frames[0].camera)
    missed = hits.depth == 0
    assert 0.5 < missed.mean() < 1
    assert (hits.face[missed] == -1).all()
    assert (caster.instances_at(hits)[missed] == 0).all()
    assert (caster.normals_at(hits)[missed] == 0).all()


def occluded_box():
    """A far box hidden in its left half by a near one, and wholly inside the image."""
    camera = camera_at((0, 0, 0), (1, 0, 0), height=240, width=320)
    near = [(2, 1.0, -1), (2, 0, -1), (2, 0, 1), (2, 1.0, 1)]  # left of the axis: y > 0
    far = [(4, 0.5, -0.5), (4, -0.5, -0.5), (4, -0.5, 0.5), (4, 0.5, 0.5)]
    return MeshBuilder().quad(near, "door").quad(far, "picture").scene([camera])


def test_half_hidden_quad_has_its_analytic_area():
    scene = occluded_box()
    caster = caster_of(scene)
    camera = scene.frames[0].camera
    hits = caster.cast(camera)
    masks = {mask.instance: mask for mask in caster.amodal_masks(hits)}
    side = camera.K[0, 0] / 4.0  # a 1 m side at 4 m, in pixels
    assert masks[2].mask.sum() == pytest.approx(side**2, abs=4 * side)
    visible = (caster.instances_at(hits) == 2).sum()
    assert visible / masks[2].mask.sum() == pytest.approx(0.5, abs=2 / side)
    assert masks[2].outside == 0


def test_unoccluded_instance_has_its_visible_mask():
    scene = occluded_box()
    caster = caster_of(scene)
    hits = caster.cast(scene.frames[0].camera)
    front = next(mask for mask in caster.amodal_masks(hits) if mask.instance == 1)
    full = np.zeros(hits.depth.shape, bool)
    full[front.top :, front.left :][: front.mask.shape[0], : front.mask.shape[1]] = front.mask
    np.testing.assert_array_equal(full, caster.instances_at(hits) == 1)


def test_truncated_quad_counts_its_part_outside():
    """A 2 x 1 m quad at 2 m whose left half lies left of the image."""
    camera = camera_at((0, 0, 0), (1, 0, 0), height=240, width=320)
    edge = 2.0 * (camera.width / 2) / camera.K[0, 0]  # y of the left image border at 2 m
    corners = [(2, edge + 1, -0.5), (2, edge - 1, -0.5), (2, edge - 1, 0.5), (2, edge + 1, 0.5)]
    scene = MeshBuilder().quad(corners, "picture").scene([camera])
    (mask,) = caster_of(scene).amodal_masks(caster_of(scene).cast(camera))
    inside = int(mask.mask.sum())
    half = (camera.K[0, 0] / 2.0) ** 2
    assert inside == pytest.approx(half, rel=0.02)
    assert mask.outside == pytest.approx(half, rel=0.05)


def slow_amodal(scene, camera, number):
    """Inside mask and outside count of an instance by casting a mesh of only its faces at every pixel."""
    mesh = scene.mesh
    own = mesh.face_instance == number
    alone = Mesh(
        vertices=mesh.vertices,
        faces=mesh.faces[own],
        vertex_color=mesh.vertex_color,
        face_instance=mesh.face_instance[own],
    )
    height, width = camera.height, camera.width
    canvas = camera.cropped(
        -CANVAS_MARGIN * height,
        -CANVAS_MARGIN * width,
        (2 * CANVAS_MARGIN + 1) * height,
        (2 * CANVAS_MARGIN + 1) * width,
    )
    covered = MeshCaster(alone).cast(canvas).depth > 0
    inside = covered[height : 2 * height, width : 2 * width]
    return inside, int(covered.sum() - inside.sum())


@pytest.mark.parametrize("number", [0, 3, 5])
def test_amodal_masks_equal_casting_each_instance_alone(number):
    scene = box_room()
    # A camera inside the ring of boxes has boxes beside and behind it.
    camera = scene.frames[number].camera
    if number == 5:
        camera = camera_at((1.2, 0.2, 0.9), (0.2, 0.9, 0.4), height=96, width=128)
    caster = caster_of(scene)
    masks = {mask.instance: mask for mask in caster.amodal_masks(caster.cast(camera))}
    objects = [
        item.id for item in scene.instances if item.label not in ("wall", "floor", "ceiling")
    ]
    assert len(masks) >= 2
    for instance in objects:
        inside, outside = slow_amodal(scene, camera, instance)
        found = np.zeros_like(inside)
        if instance in masks:
            mask = masks[instance]
            height, width = mask.mask.shape
            found[mask.top : mask.top + height, mask.left : mask.left + width] = mask.mask
            border = 3 * OUTSIDE_STRIDE * (sum(inside.shape))
            assert mask.outside == pytest.approx(outside, abs=border, rel=0.1)
            assert (mask.outside > 0) == (outside > OUTSIDE_STRIDE**2) or outside < border
        np.testing.assert_array_equal(found, inside)


def test_an_occluder_right_in_front_hides_the_mask_but_does_not_shrink_it():
    camera = camera_at((0, 0, 0), (1, 0, 0), height=120, width=160)
    picture = [(4, 0.5, -0.5), (4, -0.5, -0.5), (4, -0.5, 0.5), (4, 0.5, 0.5)]
    sheet = [(3.999, 2, -2), (3.999, -2, -2), (3.999, -2, 2), (3.999, 2, 2)]
    scene = MeshBuilder().quad(picture, "picture").quad(sheet, "curtain").scene([camera])
    caster = caster_of(scene)
    hits = caster.cast(camera)
    assert not (caster.instances_at(hits) == 1).any()
    mask = next(mask for mask in caster.amodal_masks(hits) if mask.instance == 1)
    side = camera.K[0, 0] / 4.0
    assert mask.mask.sum() == pytest.approx(side**2, abs=4 * side)


def test_structure_has_no_amodal_mask():
    scene = box_room()
    caster = caster_of(scene)
    shell = {item.id for item in scene.instances if item.label in ("wall", "floor", "ceiling")}
    masks = caster.amodal_masks(caster.cast(scene.frames[0].camera))
    assert not shell & {mask.instance for mask in masks}


@pytest.mark.parametrize("stride", [2, 4])
def test_strides_agree_with_every_pixel_cast(stride):
    scene = box_room(height=97, width=127)
    exact, sparse = caster_of(scene), caster_of(scene, stride=stride)
    for frame in scene.frames[:4]:
        a, b = exact.cast(frame.camera), sparse.cast(frame.camera)
        assert (exact.instances_at(a) != sparse.instances_at(b)).mean() < 2e-3
        np.testing.assert_allclose(b.depth, a.depth, rtol=0.03)
        np.testing.assert_array_equal(b.depth[::stride, ::stride], a.depth[::stride, ::stride])
        whole = {mask.instance: int(mask.mask.sum()) for mask in exact.amodal_masks(a)}
        block = {mask.instance: int(mask.mask.sum()) for mask in sparse.amodal_masks(b)}
        assert whole.keys() == block.keys()
        for number, pixels in whole.items():
            assert block[number] == pytest.approx(pixels, rel=0.05, abs=30)


def test_shadow_is_where_the_box_stands_between():
    builder = MeshBuilder().quad([(-5, -5, 0), (5, -5, 0), (5, 5, 0), (-5, 5, 0)], "floor")
    scene = builder.box((0, 0, 1), (1, 1, 0.1), "table").scene([camera_at((4, 0, 3), (0, 0, 0))])
    light = np.array([0.0, 0.0, 2.05])
    # Similar triangles from the board's upper edge at z = 1.05, and its lower edge at z = 0.95.
    half = 0.5 * 2.05 / (2.05 - 1.05)
    x = np.linspace(-3, 3, 601, dtype=np.float32)
    points = np.stack([x, np.zeros_like(x), np.zeros_like(x)], axis=1)
    shadow = caster_of(scene).is_shadowed(points, light)
    clear = np.abs(np.abs(x) - half) > 1e-3
    np.testing.assert_array_equal(shadow[clear], (np.abs(x) < half)[clear])


def test_a_mesh_without_faces_is_refused():
    mesh = plane_scene().mesh
    empty = replace(mesh, faces=mesh.faces[:0], face_instance=mesh.face_instance[:0])
    with pytest.raises(ConfigError, match="without faces"):
        MeshCaster(empty)


def test_instances_without_faces_are_left_out():
    scene = occluded_box()
    ghost = scene.instances[0]
    extra = Instance(id=9, label="box", nyu40=0, box=ghost.box, aabb=ghost.aabb)
    caster = MeshCaster(scene.mesh, (*scene.instances, extra))
    masks = caster.amodal_masks(caster.cast(scene.frames[0].camera))
    assert [mask.instance for mask in masks] == [1, 2]


def test_two_thousand_instances_have_masks_of_their_own():
    """More than ray-casting scenes can be alive; a second wall of boards is hidden by the first."""
    builder = MeshBuilder()
    for depth in (40.0, 42.0):
        for x in range(40):
            for z in range(25):
                builder.box((depth, x - 19.5, z - 12.0), (0.001, 0.8, 0.8), "board")
    scene = builder.scene([camera_at((0, 0, 0.2), (1, 0, 0.2))])
    caster = caster_of(scene)
    hits = caster.cast(scene.frames[0].camera)
    masks = caster.amodal_masks(hits)
    assert len(masks) == 2000
    seen = np.bincount(caster.instances_at(hits).ravel(), minlength=2001)[1:]
    amodal = np.array([mask.mask.sum() for mask in masks])
    assert (seen <= amodal).all()
    assert (seen[:1000] == amodal[:1000]).all()  # nothing stands in front of the first wall
    assert seen[1000:].sum() < 0.5 * amodal[1000:].sum()
