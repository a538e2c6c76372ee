"""Furniture libraries and labelled folders: what is read, how it stands, what is refused and why."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.errors import ConfigError, SourceError
from gapdata.synthetic.assets.config import AssetsConfig
from gapdata.synthetic.assets.entry import Credit, Entry
from gapdata.synthetic.assets.library import is_public_domain, open_library
from gapdata.synthetic.assets.loading import MAX_FACES, RefusedError, load
from gapdata.synthetic.assets.names import (
    NAME_LABEL,
    SCANNET200,
    SCANNET200_NAME,
    label_of,
    scannet200_name,
)
from gapdata.synthetic.assets.sweethome import parse_properties, read_library
from gapdata.synthetic.models import LABEL_NYU40
from tests.fixtures.furniture import (
    CHAIR_BOXES,
    furniture,
    obj_of_boxes,
    png,
    small_library,
    write_folder,
    write_sh3f,
)

FREE = Credit(collection="c", name="n", creator="", licence="CC0")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAPDATA_CACHE", str(tmp_path / "cache"))


def entry(text: str | bytes, name="m.obj", files=None, **more) -> Entry:
    data = text.encode() if isinstance(text, str) else text
    return Entry(label="chair", path=name, files={name: data, **(files or {})}, credit=FREE, **more)


def corners(loaded) -> np.ndarray:
    return np.concatenate([p.vertices[p.faces].reshape(-1, 3) for p in loaded.patches])


def open_one(path, **more):
    return open_library(AssetsConfig(paths=(str(path),), **more))


def test_a_catalogue_is_read(tmp_path):
    entries, left_out = read_library(small_library(tmp_path / "s.sh3f"))
    assert [(e.label, e.size, e.credit.creator) for e in entries] == [
        ("chair", (0.44, 0.44, 0.95), "Ada"),
        ("dining table", (1.4, 0.8, 0.74), "José"),
        ("armchair", (0.6, 0.6, 0.8), "Ada"),
    ]
    assert dict(left_out) == {"name without a label": 1}
    assert entries[0].credit.line == '"Chair" by Ada, from Test library: Public domain'


def test_properties_of_java():
    text = "# no\n! no\na = b \\\n   c\nname#1=Bill 10\\u20ac\nk=C\\:\\\\x\r\nempty="
    assert parse_properties(text) == {"a": "b c", "name#1": "Bill 10€", "k": "C:\\x", "empty": ""}


def test_models_stand_upright_at_catalogue_size_with_the_front_to_minus_y(tmp_path):
    chair = open_one(small_library(tmp_path / "s.sh3f")).models("chair")[0]
    assert chair.size == pytest.approx([0.44, 0.44, 0.95])
    assert chair.low == pytest.approx([-0.22, -0.22, 0.0])
    points = np.concatenate([part.solid.vertices for part in chair.parts])
    back = points[points[:, 2] > 0.6]
    assert back[:, 1].min() == pytest.approx(0.18)  # the back rest is behind the seat


def test_the_catalogue_rotation_comes_before_the_size(tmp_path):
    armchair = open_one(small_library(tmp_path / "s.sh3f")).models("armchair")[0]
    assert armchair.size == pytest.approx([0.6, 0.6, 0.8])
    points = np.concatenate([part.solid.vertices for part in armchair.parts])
    back = points[points[:, 2] > 0.6]
    # Far z turns to near x: seen in our axes the back rest stands at one side of x.
    assert np.ptp(back[:, 0]) == pytest.approx(0.6 * 4 / 44)
    assert np.ptp(back[:, 1]) == pytest.approx(0.6)
    assert back[:, 0].max() < 0


def test_colours_by_the_stated_rule(tmp_path):
    library = open_one(small_library(tmp_path / "s.sh3f"))
    chair, table = library.models("chair")[0], library.models("dining table")[0]
    assert chair.one_color
    assert chair.finish.rgb == (191, 26, 26)  # red covers more than half, blue the rest
    assert table.finish.rgb == (110, 70, 42)
    assert [part.image is not None for part in table.parts] == [True]
    halves = obj_of_boxes([[k, 0, 0, k + 1, 1, 1] for k in (0, 2, 4)], ["a", "b", "c"], "m.mtl")
    colours = "newmtl a\nKd 1 0 0\nnewmtl b\nKd 0 0 1\nnewmtl c\nKd 0 1 0\n"
    write_folder(tmp_path / "f", {"m.obj": "chair"}, {"m.obj": halves, "m.mtl": colours})
    assert not open_one(tmp_path / "f").models("chair")[0].one_color


def test_texture_coordinates_point_at_the_texel_the_file_means(tmp_path):
    import io

    from PIL import Image

    picture = Image.new("RGB", (2, 2), (0, 0, 0))
    picture.putpixel((0, 0), (255, 0, 0))  # top left, which OBJ calls (0, 1)
    data = io.BytesIO()
    picture.save(data, "PNG")
    text = "mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0.2 0.8\nvt 0.3 0.8\nvt 0.2 0.9\nusemtl a\nf 1/1 2/2 3/3\n"
    files = {"m.mtl": b"newmtl a\nmap_Kd t.png\n", "t.png": data.getvalue()}
    (patch,) = load(entry(text, files=files)).patches
    column, row = (patch.uv.mean(axis=0) % 1.0 * 2).astype(int)
    assert patch.image[row, column].tolist() == [255, 0, 0]


def test_a_folder_is_read(tmp_path):
    box = obj_of_boxes([[0, 0, 0, 100, 40, 20]])
    models = {
        "a.obj": {"label": "desk", "unit": 0.01, "up": "z", "creator": "Bo"},
        "sub/b.obj": {"label": "Table", "size": [1.4, 0.7, 0.75]},
        "c.obj": {"label": "moon"},
        "gone.obj": "chair",
        "d.obj": {"label": "chair", "up": "w"},
        "e.obj": {"label": "chair", "size": [1, "x", 1]},
    }
    write_folder(
        tmp_path, models, dict.fromkeys(["a.obj", "sub/b.obj", "c.obj", "d.obj", "e.obj"], box)
    )
    library = open_one(tmp_path)
    (desk,), (table,) = library.models("desk"), library.models("dining table")
    assert desk.size == pytest.approx([1.0, 0.4, 0.2])
    assert table.size == pytest.approx([1.4, 0.7, 0.75])
    assert desk.credit == '"a" by Bo, from Mine: CC0 1.0'
    assert dict(library.prepare()) == {
        "unknown label": 1, "model file missing": 1, "unknown up or front": 1, "size or unit is no number": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("front", "where"), [("-y", (1, 1)), ("+y", (1, -1)), ("+x", (0, -1)), ("-x", (0, 1))]
)
def test_the_stated_front_comes_to_minus_y(front, where):
    # In the file (z up) the back rest stands opposite of the front.
    axis, sign = {"y": 1, "x": 0}[front[1]], 1 if front[0] == "-" else -1
    seat = [0.0, 0, 0, 1, 1, 0.5]
    back = [0.0, 0, 0.5, 1, 1, 1]
    back[axis + (0 if sign > 0 else 3)] = 0.9 if sign > 0 else 0.1
    points = corners(load(entry(obj_of_boxes([seat, back]), up="z", front=front)))
    assert points[points[:, 2] > 0.9][:, 1].min() == pytest.approx(0.4)


def test_glb_with_node_transform(tmp_path):
    import trimesh

    scene = trimesh.Scene()
    lift = np.eye(4)
    lift[1, 3] = 5.0
    scene.add_geometry(trimesh.creation.box((1.0, 2.0, 3.0)), transform=lift)
    points = corners(load(entry(scene.export(file_type="glb"), name="m.glb")))
    assert np.ptp(points, axis=0) == pytest.approx([1.0, 3.0, 2.0])
    assert points.min(axis=0) == pytest.approx([-0.5, -1.5, 0.0])


@pytest.mark.parametrize(
    ("reason", "made"),
    [
        ("neither OBJ nor GLB", lambda: entry("x", name="m.fbx")),
        ("no faces", lambda: entry("v 0 0 0\n")),
        ("no faces", lambda: entry("")),
        ("file cannot be read", lambda: entry(b"glTF\x02\x00\x00\x00garbage", name="m.glb")),
        ("corners that are no numbers", lambda: entry("v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")),
        ("absurd scale", lambda: entry(obj_of_boxes([[0, 0, 0, 100, 40, 20]]))),
        ("absurd scale", lambda: entry(obj_of_boxes(CHAIR_BOXES), unit=1e-6)),
        ("absurd scale", lambda: entry(obj_of_boxes(CHAIR_BOXES), size=(1.0, -1.0, 1.0))),
        ("more than", lambda: entry(obj_of_boxes([[0, 0, 0, 1, 1, 1]] * (MAX_FACES // 12 + 1)))),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_reason(reason, made):
    with pytest.raises(RefusedError, match=reason):
        load(made())


def test_cut_out_textures_are_refused_and_missing_ones_noted():
    text = obj_of_boxes([[0, 0, 0, 1, 1, 1]], ["a"], "m.mtl")
    mtl = b"newmtl a\nKd 0 1 0\nmap_Kd t.png\n"
    with pytest.raises(RefusedError, match="texture with holes"):
        load(entry(text, files={"m.mtl": mtl, "t.png": png((0, 255, 0), alpha=0)}))
    assert "missing file t.png" in load(entry(text, files={"m.mtl": mtl})).notes
    assert "missing file m.mtl" in load(entry(text)).notes


def test_holes_are_said():
    whole = load(entry(obj_of_boxes([[0, 0, 0, 1, 1, 1]])))
    opened = load(entry(obj_of_boxes([[0, 0, 0, 1, 1, 1]]).rpartition("f ")[0]))
    assert whole.notes == ()
    assert opened.notes == ("4 edges at holes",)


def test_a_flat_model_gets_a_thickness():
    points = corners(load(entry("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", size=(1.0, 0.0, 1.0))))
    assert np.isfinite(points).all()
    assert np.ptp(points, axis=0) == pytest.approx([1.0, 0.0, 1.0])


def test_only_cc0_unless_asked(tmp_path):
    path = small_library(tmp_path / "by.sh3f", licence="Creative Commons Attribution 3.0")
    with pytest.raises(
        ConfigError,
        match=r"expected usable models, found none \(licence is not CC0: 3.*--assets-licence any",
    ):
        open_one(path)
    assert len(open_one(path, licence="any").entries) == 3
    assert not is_public_domain("CC-BY 4.0")
    assert is_public_domain("https://creativecommons.org/publicdomain/zero/1.0/")


def test_wrong_paths_and_broken_libraries_are_one_line(tmp_path):
    (tmp_path / "bad.sh3f").write_bytes(b"PK nothing")
    (tmp_path / "empty").mkdir()
    whole = small_library(tmp_path / "whole.sh3f").read_bytes()
    (tmp_path / "cut.sh3f").write_bytes(whole[: len(whole) // 2])
    for name, kind, text in (
        ("gone.sh3f", ConfigError, "expected a .sh3f file or a folder"),
        ("bad.sh3f", SourceError, "expected a Sweet Home 3D library"),
        ("cut.sh3f", SourceError, "expected a Sweet Home 3D library"),
        ("empty", SourceError, "assets.json"),
    ):
        with pytest.raises(kind, match=text) as caught:
            open_one(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="share"):
        AssetsConfig(paths=(), share=1.5)
    with pytest.raises(ConfigError, match="licence"):
        AssetsConfig(paths=(), licence="mit")


def test_rows_with_bad_numbers_or_missing_models_are_counted(tmp_path):
    rows = [
        furniture(1, "Chair", "c.obj", (44, "wide", 95)),
        furniture(2, "Chair", "gone.obj", (44, 44, 95)),
        furniture(3, "Chair", "c.obj", (44, 44, 95), modelRotation="1 0 0"),
        furniture(4, "Chair", "c.obj", (44, 44, 95)),
    ]
    path = write_sh3f(tmp_path / "s.sh3f", rows, {"c.obj": obj_of_boxes(CHAIR_BOXES)})
    entries, left_out = read_library(path)
    assert len(entries) == 1
    assert dict(left_out) == {"size or rotation is no number": 2, "model file missing": 1}


def test_names_map_to_labels_of_the_worlds():
    assert set(NAME_LABEL.values()) <= set(LABEL_NYU40)
    assert set(SCANNET200_NAME.values()) <= SCANNET200
    assert (label_of("Chair 2"), label_of("CHAIR", "Office"), label_of("Fork lift")) == (
        "chair",
        "office chair",
        "",
    )
    assert (scannet200_name("books"), scannet200_name("chair"), scannet200_name("apple")) == (
        "book",
        "chair",
        "",
    )


def test_nothing_depends_on_where_assets_lie_or_their_order(tmp_path):
    one, two = tmp_path / "a", tmp_path / "b" / "c"
    two.mkdir(parents=True)
    box = {"m.obj": obj_of_boxes([[0, 0, 0, 1, 1, 1]])}
    paths = []
    for root in (one, two):
        write_folder(root / "models", {"m.obj": "box"}, box)
        paths.append((str(small_library(root / "s.sh3f")), str(root / "models")))
    first = open_library(AssetsConfig(paths=paths[0]))
    second = open_library(AssetsConfig(paths=(*paths[1][::-1], *paths[0])))
    assert first.digest == second.digest
    assert [e.credit for e in first.entries] == [e.credit for e in second.entries]
    (one / "models" / "m.obj").write_text(obj_of_boxes([[0, 0, 0, 1, 1, 1.1]]))
    assert open_library(AssetsConfig(paths=paths[0])).digest != first.digest
