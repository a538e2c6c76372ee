"""A sound dataset passes; every planted fault is found, and found as what it is."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapdata.check import check_dataset
from gapdata.checks import thresholds
from gapdata.checks.geometry import geometry_faults
from gapdata.checks.pairs import pair_faults
from gapdata.checks.pixels import layers_of
from gapdata.checks.records import record_faults
from gapdata.errors import DatasetError
from gapdata.geometry.camera import ray_distance_from_depth
from gapdata.geometry.depth import point_visibility
from gapdata.geometry.transforms import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP, rotation_about_z
from gapdata.renderers import open_renderer
from gapdata.sample import QA, Sample
from gapdata.shards.codec import decode_sample, encode_sample
from gapdata.sources import open_source
from tests.fixtures.samples import room_questions, room_sample, sensed, write_dataset


def stored(sample: Sample) -> Sample:
    """The sample as a reader gets it, with rounding and JPEG artefacts."""
    return decode_sample(encode_sample(sample))


EXACT = stored(room_sample(num_points=1500))
SENSED = stored(sensed(room_sample(seed=3, num_points=1500)))


def with_views(sample: Sample, change, only: int | None = None) -> Sample:
    """The sample a build would have made from changed views: points and pixel counts follow them."""
    views = tuple(
        change(view) if only in (None, number) else view for number, view in enumerate(sample.views)
    )
    states = [point_visibility(sample.points.xyz_world, v.camera, v.depth) for v in views]
    points = replace(
        sample.points,
        pixel=np.stack([pixel for pixel, _ in states]),
        visible=np.stack([state for _, state in states]),
    )
    ids = sample.visibility.ids
    pixels = [np.bincount(v.instance.ravel(), minlength=65536)[ids] for v in views]
    visibility = replace(sample.visibility, pixels=np.stack(pixels).astype(np.int32))
    return replace(sample, views=views, points=points, visibility=visibility)


def with_pose(change):
    def changed(view):
        return replace(view, camera=view.camera.moved(change(view.camera.cam2world)))

    return changed


def with_focal(x: float, y: float):
    def changed(view):
        K = view.camera.K * np.array([[x], [y], [1.0]])
        K[:2, 2] = view.camera.K[:2, 2]
        return replace(view, camera=replace(view.camera, K=K))

    return changed


def with_depth(change):
    return lambda view: replace(view, depth=change(view).astype(np.float32))


def shifted_K(view):
    K = view.camera.K.copy()
    K[0, 2] += 0.2 * view.camera.width
    return replace(view, camera=replace(view.camera, K=K))


def mirrored(*layers: str):
    """The view with some of its layers mirrored left to right; a normal's x changes sign with it."""

    def changed(view):
        flipped = {name: np.ascontiguousarray(getattr(view, name)[:, ::-1]) for name in layers}
        if "normal" in flipped:
            flipped["normal"] = flipped["normal"] * np.array([-1, 1, 1], np.float32)
        return replace(view, **flipped)

    return changed


def relabelled(mapping: dict[int, int]):
    table = np.arange(65536, dtype=np.uint16)
    for old, new in mapping.items():
        table[old] = new
    return lambda view: replace(view, instance=table[view.instance])


def drifted(pose):
    moved = pose.copy()
    moved[:3, :3] = rotation_about_z(np.deg2rad(12)) @ pose[:3, :3]
    moved[:3, 3] += (0.2, -0.15, 0.1)
    return moved


def quarter_of_depth_gone_wrong(view):
    depth = view.depth.copy()
    depth[:, : view.camera.width // 3] *= 1.5
    return depth


ALL_LAYERS = ("rgb", "depth", "normal", "instance")
WRONG_VIEWS = {
    "pose with OpenGL axes": with_pose(lambda pose: pose @ OPENGL_FROM_OPENCV),
    "pose with x and y turned round": with_pose(lambda pose: pose @ np.diag([-1.0, -1, 1, 1])),
    "world2cam for cam2world": with_pose(np.linalg.inv),
    "rotation transposed": with_pose(
        lambda pose: np.block([[pose[:3, :3].T, pose[:3, 3:]], [pose[3:]]])
    ),
    "translation in centimetres": with_pose(
        lambda pose: np.block([[pose[:3, :3], 100 * pose[:3, 3:]], [pose[3:]]])
    ),
    "y-up world": with_pose(lambda pose: np.linalg.inv(Z_UP_FROM_Y_UP) @ pose),
    "world of another origin": with_pose(lambda pose: pose + np.array([[0, 0, 0, 1.0]] + [[0] * 4] * 3)),
    "depth in decimetres": with_depth(lambda view: view.depth * 10),
    "depth in decametres": with_depth(lambda view: view.depth / 10),
    "depth 15 % too long": with_depth(lambda view: view.depth * 1.15),
    "distance along the ray for depth": with_depth(
        lambda view: ray_distance_from_depth(view.depth, view.camera.K)
    ),
    "fx 20 % too long": with_focal(1.2, 1),
    "fx 20 % too short": with_focal(0.8, 1),
    "both focal lengths 20 % too long": with_focal(1.2, 1.2),
    "principal point off": shifted_K,
    "ids off by one": relabelled({3: 4, 4: 7, 7: 1, 1: 2, 2: 3}),
    "two objects' ids exchanged": relabelled({4: 7, 7: 4}),
    "whole view mirrored": mirrored(*ALL_LAYERS),
    "depth mirrored": mirrored("depth"),
    "instances mirrored": mirrored("instance"),
    "picture mirrored": mirrored("rgb"),
    "normals flipped": lambda view: replace(view, normal=-view.normal),
    "normals in world axes": lambda view: replace(
        view, normal=(view.normal @ view.camera.cam2world[:3, :3].T).astype(np.float32)
    ),
    "normals with OpenGL axes": lambda view: replace(
        view, normal=view.normal * np.array([1, -1, -1], np.float32)
    ),
    "normals mirrored": mirrored("normal"),
}  # fmt: skip
WRONG_IN_ONE_VIEW = {
    "drift of 27 cm and 12 degrees": with_pose(drifted),
    "depth stretched in a third of the image": with_depth(quarter_of_depth_gone_wrong),
    "two objects' ids exchanged": relabelled({4: 7, 7: 4}),
    "picture of another place": lambda view: replace(
        view, rgb=np.ascontiguousarray(view.rgb[::-1, ::-1])
    ),
    "no rotation": with_pose(lambda pose: np.block([[np.eye(3), pose[:3, 3:]], [pose[3:]]])),
}


def codes(sample: Sample) -> set[str]:
    return {code for code, _ in (*record_faults(sample), *geometry_faults(sample))}


@pytest.mark.parametrize("seed", range(6))
def test_sound_samples_have_no_fault(seed: int) -> None:
    sample = room_sample(seed=seed, height=120, width=160, num_points=1500)
    assert codes(stored(sample)) == set()
    assert codes(stored(sensed(sample, seed, drift=0.04))) == set()


def test_views_from_anywhere_have_the_same_instances() -> None:
    """Also where one looks along a wall, whose depth changes much from pixel to pixel."""
    scene = open_source("synthetic", num_scenes=6, trajectory="random").load("room_000005")
    renderer = open_renderer("raycast", replace(scene, lights=()), height=240, width=320)
    views = [layers_of(renderer.render(frame)) for frame in scene.frames[:16]]
    for first in range(13):
        found = {code for code, _ in pair_faults(views[first : first + 4], thresholds.EXACT)}
        assert "instance-match" not in found


@pytest.mark.parametrize("sample", [EXACT, SENSED], ids=["exact", "sensed"])
@pytest.mark.parametrize("name", WRONG_VIEWS)
def test_a_build_that_gets_all_views_wrong_is_caught(name: str, sample: Sample) -> None:
    assert codes(with_views(sample, lambda view: view)) == set()
    assert codes(with_views(sample, WRONG_VIEWS[name]))


@pytest.mark.parametrize("sample", [EXACT, SENSED], ids=["exact", "sensed"])
@pytest.mark.parametrize("name", WRONG_IN_ONE_VIEW)
def test_one_wrong_view_is_caught(name: str, sample: Sample) -> None:
    assert codes(with_views(sample, WRONG_IN_ONE_VIEW[name], only=1))


def with_question(**changes) -> Sample:
    """The sound sample with one choice question, changed."""
    question = room_questions(EXACT.key)[1]
    return replace(EXACT, qa=(replace(question, **changes),))


def with_instance(**changes) -> Sample:
    """The sound sample with its first instance changed, in the visibility table too."""
    first, *others = EXACT.instances
    instances = (replace(first, **changes), *others)
    ids = np.array([instance.id for instance in instances], np.int32)
    return replace(EXACT, instances=instances, visibility=replace(EXACT.visibility, ids=ids))


def with_box_moved(by) -> Sample:
    instances = tuple(
        replace(instance, box=replace(instance.box, center=instance.box.center + by))
        if instance.label == "table"
        else instance
        for instance in EXACT.instances
    )
    return replace(EXACT, instances=instances)


def with_points(**changes) -> Sample:
    return replace(EXACT, points=replace(EXACT.points, **changes))


def with_visibility(**changes) -> Sample:
    return replace(EXACT, visibility=replace(EXACT.visibility, **changes))


def tilted(box):
    turn = np.array([[1, 0, 0], [0, 0.96, -0.28], [0, 0.28, 0.96]])
    return replace(box, rotation=turn @ box.rotation)


WRONG_RECORDS = {
    "view out of range": ("question", with_question(views=(3,))),
    "negative view": ("question", with_question(views=(-1,))),
    "no view": ("question", with_question(views=())),
    "marker on a view that is not there": ("question", with_question(markers=({"view": 7},))),
    "object that is not there": ("question", with_question(objects=(5,))),
    "value not among the choices": ("question", with_question(value="sofa", answer="sofa")),
    "answer not the value": ("question", with_question(answer="cabinet")),
    "one choice": ("question", with_question(choices=("table",))),
    "a choice twice": ("question", with_question(choices=("table", "table"))),
    "unknown format": ("question", with_question(format="essay")),
    "unknown frame": ("question", with_question(frame="egocentric")),
    "value of another type": ("question", with_question(format="yesno", value="table")),
    "empty question": ("question", with_question(question=" ")),
    "negative margin": ("question", with_question(margin=-0.1)),
    "pixel outside": (
        "question",
        with_question(format="pixel", value=[500.0, 3.0], answer="[500, 3]"),
    ),
    "box in a view that is not there": (
        "question",
        with_question(
            format="box",
            value={"view": 9, "bbox_3d": [0.0] * 9},
            answer=json.dumps({"view": 9, "bbox_3d": [0.0] * 9}),
        ),
    ),
    "the same question twice": ("question", replace(EXACT, qa=EXACT.qa[:1] * 2)),
    "id that the images do not know": ("instance", with_instance(id=99)),
    "carried by what is not there": ("instance", with_instance(support=99)),
    "carried by itself": ("instance", with_instance(support=EXACT.instances[0].id)),
    "tilted box": ("instance", with_instance(box=tilted(EXACT.instances[0].box))),
    "turned AABB": ("instance", with_instance(aabb=tilted(EXACT.instances[0].aabb))),
    "box moved": ("box", with_box_moved(np.array([0.5, 0, 0]))),
    "box at the floor of another storey": ("box", with_box_moved(np.array([0, 0, 3.0]))),
    "stale pixel counts": ("visibility", with_visibility(pixels=EXACT.visibility.pixels + 1)),
    "fractions above 1": ("visibility", with_visibility(visible=EXACT.visibility.visible + 1)),
    "points of another frame": (
        "points",
        with_points(xyz_world=EXACT.points.xyz_world + np.array([0.1, 0, 0], np.float32)),
    ),
    "pixels as (row, column)": ("points", with_points(pixel=EXACT.points.pixel[..., ::-1])),
    "all points seen": ("points", with_points(visible=np.ones_like(EXACT.points.visible))),
    "points' ids off by one": ("points", with_points(instance=EXACT.points.instance + np.uint16(1))),
    "points of fewer views": (
        "points",
        with_points(pixel=EXACT.points.pixel[1:], visible=EXACT.points.visible[1:]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_RECORDS)
def test_wrong_tables_are_caught_as_what_they_are(name: str) -> None:
    code, sample = WRONG_RECORDS[name]
    assert code in codes(sample)


def test_a_pose_that_is_not_rigid_is_caught_and_nothing_is_projected() -> None:
    for change in (
        lambda pose: pose @ np.diag([1.0, 1, -1, 1]),
        lambda pose: pose @ np.diag([1.1, 1, 1, 1]),
        lambda pose: np.full((4, 4), np.inf),
    ):
        views = tuple(with_pose(change)(view) for view in EXACT.views)
        assert codes(replace(EXACT, views=views)) == {"camera"}


def test_intrinsics_must_be_those_of_a_pinhole() -> None:
    for row, column, value in (
        (0, 0, -100.0),
        (0, 1, 3.0),
        (0, 2, 900.0),
        (2, 2, 2.0),
        (1, 1, np.nan),
    ):
        K = EXACT.views[0].camera.K.copy()
        K[row, column] = value
        view = replace(EXACT.views[0], camera=replace(EXACT.views[0].camera, K=K))
        assert codes(replace(EXACT, views=(view, *EXACT.views[1:]))) == {"camera"}


# Files.


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sound")
    write_dataset(str(out), (room_sample(f"room-{i:04d}", seed=i) for i in range(4)), per_shard=2)
    return out


@pytest.fixture
def dataset(sound: Path, tmp_path: Path) -> Path:
    """A fresh copy to damage."""
    for file in sound.rglob("*"):
        if file.is_file():
            target = tmp_path / file.relative_to(sound)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    return tmp_path


SHARD = "shards/train-00000.tar"


def found(dataset: Path) -> set[str]:
    report = check_dataset(str(dataset))
    assert report.ok == (not report.faults)
    assert set(report.counts) == {fault.code for fault in report.faults}
    return set(report.counts)


def test_a_sound_dataset_has_no_fault_and_is_counted(sound: Path) -> None:
    steps: list[tuple[int, int]] = []
    report = check_dataset(str(sound), progress=lambda done, total: steps.append((done, total)))
    assert report.faults == ()
    assert report.ok
    assert (report.samples, report.views, report.qa) == (4, 12, 32)
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.5, 0.77, 0.9999])
def test_a_flipped_byte_is_caught_wherever_it_is(dataset: Path, share: float) -> None:
    path = dataset / SHARD
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 0x10
    path.write_bytes(data)
    assert "sha256" in found(dataset)


@pytest.mark.parametrize("cut", [1, 512, 10_240, 60_001])
def test_a_truncated_shard_is_caught(dataset: Path, cut: int) -> None:
    path = dataset / SHARD
    path.write_bytes(path.read_bytes()[:-cut])
    assert {"bytes", "sha256", "tar"} <= found(dataset)


def test_missing_and_foreign_shards_are_caught(dataset: Path) -> None:
    (dataset / SHARD).rename(dataset / "shards/train-00009.tar")
    assert {"files", "counts"} <= found(dataset)


def test_exchanged_shards_are_caught(dataset: Path) -> None:
    one, two = dataset / SHARD, dataset / "shards/train-00001.tar"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert {"sha256", "index"} <= found(dataset)


def edit_table(path: Path, change) -> None:
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[1]["members"][3].update(offset=rows[1]["members"][3]["offset"] + 512),
        lambda rows: rows[1]["members"][0].update(size=rows[1]["members"][0]["size"] - 1),
        lambda rows: rows[2].update(num_views=4),
        lambda rows: rows[2].update(key="other"),
        lambda rows: rows[3].update(scene_id="elsewhere"),
        lambda rows: rows.pop(),
        lambda rows: rows.reverse(),
        lambda rows: rows[0].update(shard="shards/train-00007.tar"),
    ],
)  # fmt: skip
def test_a_wrong_sample_index_is_caught(dataset: Path, change) -> None:
    edit_table(dataset / "samples.parquet", change)
    assert "index" in found(dataset)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[5].update(answer="7"),
        lambda rows: rows[9].update(objects=[]),
        lambda rows: rows.pop(),
        lambda rows: rows.insert(3, rows[2]),
    ],
)
def test_a_wrong_question_index_is_caught(dataset: Path, change) -> None:
    edit_table(dataset / "qa.parquet", change)
    assert "index" in found(dataset)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["counts"].update(qa=31),
        lambda m: m["counts"].update(scenes=2),
        lambda m: m["counts"]["tasks"].update(task_box=5),
        lambda m: m["counts"]["formats"].pop("box"),
        lambda m: m["splits"]["train"]["shards"][0].update(samples=3),
    ],
)
def test_wrong_counts_in_the_manifest_are_caught(dataset: Path, change) -> None:
    path = dataset / "dataset.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    assert found(dataset) == {"counts"}


def rewrite(dataset: Path, change) -> None:
    """Packs a shard again with changed members, and a manifest that agrees with its bytes."""
    path = dataset / SHARD
    with tarfile.open(path) as tar:
        members = [(info, tar.extractfile(info).read()) for info in tar.getmembers()]
    with path.open("wb") as file:
        for info, data in change(members):
            info.size = len(data)
            file.write(info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512))
        file.write(bytes(1024 + -(file.tell() + 1024) % 10_240))


def edited(suffix: str, change):
    return lambda members: [
        (info, change(data) if info.name.endswith(suffix) else data) for info, data in members
    ]


def edited_json(suffix: str, change):
    def apply(data: bytes) -> bytes:
        record = json.loads(data)
        change(record)
        return json.dumps(record).encode()

    return edited(suffix, apply)


def restamped(members):
    for info, _ in members:
        info.mtime = 1
    return members


REPACKED = {
    "members not sorted": ("schema", lambda members: members[::-1]),
    "member missing": ("decode", lambda members: members[1:]),
    "member too many": ("schema", lambda members: [(tarfile.TarInfo(members[0][0].name + "2"), b""), *members]),
    "time stamps": ("tar", restamped),
    "key twice": ("key", lambda members: [*members, *members]),
    "int where a float belongs": ("decode", edited_json("qa.json", lambda rows: rows[0].update(margin=1))),
    "null where a list belongs": ("decode", edited_json("qa.json", lambda rows: rows[0].update(choices=None))),
    "key missing": ("decode", edited_json("qa.json", lambda rows: rows[0].pop("unit"))),
    "another scene's key": ("schema", edited_json("meta.json", lambda meta: meta.update(key="room-0009"))),
    "another split": ("schema", edited_json("meta.json", lambda meta: meta.update(split="val"))),
    "newer schema": ("schema", edited_json("meta.json", lambda meta: meta.update(schema_version=99))),
    "2x3 K": ("decode", edited_json("meta.json", lambda meta: meta["views"][0]["K"].pop())),
    "8-bit depth": ("decode", lambda members: edited("depth.tiff16", lambda _: members[2][1])(members)),
    "no JSON": ("decode", edited("meta.json", lambda data: data[:-1])),
    "no npz": ("decode", edited("points.npz", lambda data: data[:-30])),
}  # fmt: skip


@pytest.mark.parametrize("name", REPACKED)
def test_wrong_members_are_caught_as_what_they_are(dataset: Path, name: str) -> None:
    code, change = REPACKED[name]
    rewrite(dataset, change)
    assert code in found(dataset)


def test_an_unfinished_dataset_is_refused(dataset: Path) -> None:
    (dataset / "dataset.json").unlink()
    with pytest.raises(DatasetError, match=r"found no dataset\.json; finish the build"):
        check_dataset(str(dataset))


def test_a_missing_or_torn_index_is_one_fault(dataset: Path) -> None:
    path = dataset / "samples.parquet"
    path.write_bytes(path.read_bytes()[:-10])
    assert found(dataset) == {"index"}
    path.unlink()
    assert found(dataset) == {"index"}


def test_faults_are_capped_but_all_counted(tmp_path: Path) -> None:
    bad = tuple(
        QA(id=f"q{i}", task="t", format="number", views=(9,), frame="", question="?", answer="1", value=1.0)
        for i in range(50)
    )  # fmt: skip
    write_dataset(str(tmp_path), [room_sample(questions=bad)])
    report = check_dataset(str(tmp_path))
    assert report.counts == {"question": 50}
    assert len(report.faults) == 20
    assert str(report.faults[0]).startswith(f"{SHARD}: room-0000: question: q0: ")
