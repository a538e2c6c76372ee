"""Predictions as files: exact where they are read by programs, of the pictures' size, with clear errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from typer.testing import CliRunner

from gapdata.errors import ConfigError, GapdataError
from gapdata.geometry.camera import intrinsics, unproject_depth
from gapdata.shards.reader import Dataset
from gapmodel.cli import app
from gapmodel.loading import Trained, load_trained
from gapmodel.predicted import Predicted
from gapmodel.prediction.ask import Shown, ask, cameras_of, see, shown_batch
from gapmodel.prediction.pictures import (
    UNKNOWN,
    PictureError,
    colour_depth,
    colour_normal,
    depth_range,
    read_depth,
    read_picture,
    sheet,
    write_depth,
    write_picture,
)
from gapmodel.prediction.ply import ply_bytes
from gapmodel.prediction.results import cloud, write_predictions
from gapmodel.prediction.run import PictureFiles, compare, predict_files, predict_sample
from tests.gapmodel.checkpoints import write_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tiny_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(
        tiny_url, tmp_path_factory.mktemp("model"), heads=("depth", "normal", "pose", "pointmap")
    )


@pytest.fixture(scope="module")
def trained(checkpoint: Path) -> Trained:
    return load_trained(checkpoint)


@pytest.fixture
def files(tiny_dataset: Dataset, tmp_path: Path) -> tuple[Path, ...]:
    """Three pictures of one scene, larger than the model sees them."""
    paths = []
    for number, view in enumerate(tiny_dataset[0].views[:3]):
        path = tmp_path / f"picture{number}.png"
        write_picture(path, cv2.resize(view.rgb, (200, 150), interpolation=cv2.INTER_LINEAR))
        paths.append(path)
    return tuple(paths)


# Files


def test_points_come_back_from_ply(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    xyz, rgb = (
        rng.normal(size=(50, 3)).astype(np.float32),
        rng.integers(0, 256, (50, 3)).astype(np.uint8),
    )
    path = tmp_path / "points.ply"
    path.write_bytes(ply_bytes(xyz, rgb))
    read = trimesh.load(path)
    assert np.array_equal(np.asarray(read.vertices, np.float32), xyz)
    assert np.array_equal(np.asarray(read.colors)[:, :3], rgb)
    header, _, body = path.read_bytes().partition(b"end_header\n")
    assert b"element vertex 50\n" in header
    assert len(body) == 50 * 15
    with pytest.raises(ValueError, match="finite"):
        ply_bytes(np.full((1, 3), np.nan), rgb[:1])


def test_depth_comes_back_to_the_millimetre(tmp_path: Path) -> None:
    depth = np.array([[0.0, 0.0014, 1.2346], [65.535, 70.0, np.nan]], np.float32)
    write_depth(tmp_path / "depth.png", depth)
    assert read_depth(tmp_path / "depth.png") == pytest.approx(
        np.array([[0, 0.001, 1.235], [65.535, 0, 0]])
    )
    stored = cv2.imread(str(tmp_path / "depth.png"), cv2.IMREAD_UNCHANGED)
    assert (stored.dtype, stored[0, 2]) == (np.uint16, 1235)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("not a picture")
    write_picture(tmp_path / "rgb.png", np.zeros((4, 4, 3), np.uint8))
    for path, read, message in (
        (text, read_picture, "notes.jpg: expected a picture"),
        (tmp_path / "none.png", read_picture, "none.png: cannot be read"),
        (tmp_path / "rgb.png", read_depth, "expected depth as a 16-bit grey PNG"),
        (text, read_depth, "expected depth as a 16-bit grey PNG"),
    ):
        with pytest.raises(PictureError, match=message):
            read(path)
    with pytest.raises(PictureError, match="cannot be written"):
        write_picture(tmp_path / "nowhere" / "a.png", np.zeros((4, 4, 3), np.uint8))


def test_near_is_red_far_is_blue_and_unknown_is_grey() -> None:
    picture = colour_depth(np.array([[1.0, 2.0, 4.0, 0.0, np.nan]]), 1.0, 4.0)[0].astype(int)
    near, middle, far, *unknown = picture
    assert near.argmax() == 0
    assert middle.argmax() == 1
    assert far[2] > far[1]
    assert [tuple(pixel) for pixel in unknown] == [UNKNOWN] * 2
    assert depth_range([np.zeros((2, 2))]) == (1.0, 2.0)
    low, high = depth_range([np.linspace(1, 2, 1001)[None], np.zeros((1, 5))])
    assert (low, high) == pytest.approx((1.01, 1.99))


def test_normals_are_coloured_as_shards_store_them(tiny_dataset: Dataset) -> None:
    from gapdata.shards.codec import encode_normal

    normal = tiny_dataset[0].views[0].normal
    stored = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(encode_normal(normal), np.uint8), 1), cv2.COLOR_BGR2RGB
    )
    known = (normal != 0).any(axis=-1)
    assert np.abs(colour_normal(normal)[known].astype(int) - stored[known]).max() <= 1
    assert (colour_normal(np.zeros((2, 2, 3))) == UNKNOWN).all()


def test_a_sheet_has_every_picture_in_its_place() -> None:
    colours = [[(r * 60 + 50, c * 60 + 50, 0) for c in range(3)] for r in range(2)]
    rows = [[np.full((10, 20, 3), colour, np.uint8) for colour in row] for row in colours]
    drawn = sheet(["a", "b", "c"], rows, least_width=40)
    assert drawn.shape == (18 + 2 * 24, 3 * 44 - 4, 3)
    for r in range(2):
        for c in range(3):
            assert tuple(drawn[18 + r * 24 + 10, c * 44 + 20]) == colours[r][c]


# Geometry


def test_a_cloud_from_depth_lies_on_the_surface() -> None:
    depth = np.stack([np.full((6, 8), 2.0), np.full((6, 8), 3.0)]).astype(np.float32)
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[1, :3, 3] = [1.0, 0.0, 0.0]
    K = intrinsics(8.0, 8.0, 7.5, 5.5)  # of pictures twice as large
    predicted = Predicted(depth=depth, cam2first=poses.astype(np.float32))
    pictures = [np.full((12, 16, 3), shade, np.uint8) for shade in (10, 200)]
    xyz, rgb = cloud(predicted, pictures, [K, K])
    small = intrinsics(4.0, 4.0, 3.5, 2.5)
    for number in range(2):
        expected = unproject_depth(depth[number], small).reshape(-1, 3) + poses[number, :3, 3]
        own = slice(48 * number, 48 * (number + 1))
        assert xyz[own] == pytest.approx(expected)
        assert (rgb[own] == pictures[number][0, 0]).all()
    # Without poses, and without intrinsics, several pictures have no common cloud.
    assert cloud(Predicted(depth=depth), pictures, [K, K]) is None
    assert cloud(predicted, pictures, None) is None
    assert cloud(Predicted(), pictures) is None
    assert len(cloud(Predicted(depth=depth[:1]), pictures[:1], [K])[0]) == 48


def test_predicted_fields_of_view_give_intrinsics() -> None:
    predicted = Predicted(fov=np.array([[np.pi / 2, 2 * np.arctan(0.75)]], np.float32))
    (K,) = cameras_of(predicted, (48, 64), None)
    assert pytest.approx(intrinsics(32.0, 32.0, 31.5, 23.5), rel=1e-5) == K
    assert cameras_of(Predicted(), (48, 64), None) is None


def test_pictures_and_their_geometry_come_to_the_models_size(trained: Trained) -> None:
    picture = np.zeros((192, 256, 3), np.uint8)
    depth = np.full((192, 256), 2.0, np.float32)
    K = intrinsics(200.0, 200.0, 127.5, 95.5)
    batch = shown_batch(trained, Shown(pictures=[picture], K=[K], depth=[depth]))
    assert tuple(batch.images.shape) == (1, 96, 128, 3)
    assert batch.K[0].numpy() == pytest.approx(intrinsics(100.0, 100.0, 63.5, 47.5))
    assert (batch.input_depth == 2).all()
    assert batch.input_normal[0, 48, 64].numpy() == pytest.approx([0, 0, -1])
    bare = shown_batch(trained, Shown(pictures=[picture]))
    assert bare.input_depth is None
    assert not np.array_equal(see(trained, batch).depth, see(trained, bare).depth)
    assert ask(trained, bare, [], 5) == []


# From end to end


def test_pictures_give_an_answer_and_files_of_their_size(
    checkpoint: Path, files: tuple[Path, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = predict_files(
        checkpoint, PictureFiles(pictures=files), "How far is it?", out, max_new_tokens=4
    )
    assert [answer["question"] for answer in result["answers"]] == ["How far is it?"]
    assert sorted(result["files"] + ["prediction.json"]) == sorted(
        path.name for path in out.iterdir()
    )
    assert json.loads((out / "prediction.json").read_text()) == result
    for number in range(3):
        depth = read_depth(out / f"depth_{number:02d}.png")
        assert depth.shape == (150, 200)
        assert 0.05 < np.median(depth) < 60
        assert read_picture(out / f"depth_{number:02d}_colour.png").shape == (150, 200, 3)
        assert read_picture(out / f"normal_{number:02d}.png").shape == (150, 200, 3)
    cameras = json.loads((out / "cameras.json").read_text())
    assert cameras[0]["cam2first"] == np.eye(4).tolist()
    assert {camera["intrinsics"] for camera in cameras} == {"predicted"}
    points = trimesh.load(out / "points.ply")
    assert len(points.vertices) == 3 * 96 * 128


def test_a_sample_is_shown_beside_its_truth(
    checkpoint: Path, tiny_url: str, tiny_dataset: Dataset, tmp_path: Path
) -> None:
    key = tiny_dataset.keys[1].as_py()
    result = predict_sample(checkpoint, tiny_url, key, "", tmp_path, questions=3, max_new_tokens=4)
    assert result["key"] == key
    assert len(result["answers"]) == 3
    assert {"answer", "output", "score"} <= result["answers"][0].keys()
    assert set(result["heads"]) == {"depth", "normal", "pose", "pointmap"}
    drawn = read_picture(tmp_path / "comparison.png")
    assert drawn.shape == (18 + 4 * (96 * 2 + 4), 5 * (128 * 2 + 4) - 4, 3)
    view = tiny_dataset[1].views[0]
    assert np.array_equal(drawn[18 : 18 + 192 : 2, 0:256:2], view.rgb)
    asked = predict_sample(checkpoint, tiny_url, "", "Is it big?", None, max_new_tokens=2)
    assert asked["key"] == tiny_dataset.keys[0].as_py()
    assert "files" not in asked
    with pytest.raises(ConfigError, match="no sample 'nobody'"):
        predict_sample(checkpoint, tiny_url, "nobody", "", None)


def test_nothing_to_compare_gives_no_sheet(trained: Trained) -> None:
    batch = shown_batch(trained, Shown(pictures=[np.zeros((96, 128, 3), np.uint8)]))
    assert compare(see(trained, batch), batch) is None


def test_a_model_without_heads_writes_nothing_but_its_answer(tmp_path: Path) -> None:
    assert write_predictions(tmp_path, Predicted(), [np.zeros((8, 8, 3), np.uint8)]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ({"depth": 3}, "depth without intrinsics"),
        ({"depth": 1, "intrinsics": 1}, "depth: expected one for each of 3 pictures, found 1"),
        ({"depth": 3, "intrinsics": 1}, "depth of 3 pictures without poses"),
        ({"intrinsics": 2}, "K: expected one for each of 3 pictures, found 2"),
        ({"poses": "[[1, 2]]"}, "expected a JSON list of rigid 4 x 4 matrices"),
        ({"poses": "nothing"}, "expected a JSON list of 4 x 4 matrices"),
    ],
)
def test_geometry_that_does_not_fit_is_named(
    files: tuple[Path, ...], tmp_path: Path, geometry: dict[str, Any], message: str
) -> None:
    depth = tmp_path / "depth.png"
    write_depth(depth, np.ones((150, 200)))
    poses = None
    if "poses" in geometry:
        poses = tmp_path / "poses.json"
        poses.write_text(geometry["poses"])
    given = PictureFiles(
        pictures=files,
        intrinsics=((100.0, 100.0, 99.5, 74.5),) * geometry.get("intrinsics", 0),
        depth=(depth,) * geometry.get("depth", 0),
        poses=poses,
    )
    with pytest.raises(ConfigError, match=message):
        given.read()


def test_depth_of_another_size_is_named(files: tuple[Path, ...], tmp_path: Path) -> None:
    write_depth(tmp_path / "small.png", np.ones((10, 20)))
    given = PictureFiles(
        pictures=files[:1],
        intrinsics=((100.0, 100.0, 99.5, 74.5),),
        depth=(tmp_path / "small.png",),
    )
    with pytest.raises(ConfigError, match=r"picture 1: expected depth of its size \(150, 200\)"):
        given.read()


def test_the_command_predicts_and_names_mistakes(
    checkpoint: Path, files: tuple[Path, ...], tmp_path: Path
) -> None:
    base = ["predict", "--checkpoint", str(checkpoint), "--device", "cpu"]
    depth = tmp_path / "depth.png"
    write_depth(depth, np.full((150, 200), 2.0))
    given = [
        "--depth",
        str(depth),
        "--intrinsics",
        "180,180,99.5,74.5",
        "--out",
        str(tmp_path / "out"),
    ]
    asked = ["--question", "What is it?", "--max-new-tokens", "3"]
    result = CliRunner().invoke(app, [*base, str(files[0]), *asked, *given])
    assert result.exit_code == 0, result.output
    assert "written: depth_00.png" in result.stdout
    cameras = json.loads((tmp_path / "out" / "cameras.json").read_text())
    assert cameras[0]["intrinsics"] == "given"
    mistakes = {
        "expected either pictures or --data": [],
        "--intrinsics: expected FX,FY,CX,CY": [str(files[0]), "--intrinsics", "1,2"],
        "expected positive focal lengths": [str(files[0]), "--intrinsics", "0,1,2,3"],
        "cannot be read": [str(tmp_path / "none.jpg")],
        "--device 'warp'": [str(files[0]), "--device", "warp"],
    }
    for message, options in mistakes.items():
        failed = CliRunner().invoke(app, [*base, *options])
        assert isinstance(failed.exception, GapdataError), (message, failed.exception)
        assert message in str(failed.exception)
