"""A contact sheet of samples, to look at: is left left, does the chair stand on the floor?"""

from __future__ import annotations

import colorsys
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from gapdata.errors import ConfigError
from gapdata.geometry.boxes import CORNER_EDGES
from gapdata.geometry.camera import Camera, project
from gapdata.geometry.transforms import transform_points
from gapdata.labels import is_structure
from gapdata.markers import draw_markers
from gapdata.sample import QA, Sample
from gapdata.scene import Instance
from gapdata.shards.reader import open_dataset
from gapdata.view import View

Array = np.ndarray
Picture = UInt8[Array, "_ _ 3"]

TILE_WIDTH = 400  # of one view, pixels
LINE_HEIGHT = 19
MAX_QUESTIONS = 16  # shown of a sample, every task before a second of any
MAX_VIEWS = 6
NEAR_M = 0.05  # box edges are cut at this depth
_FONT = ImageFont.load_default(14)


def draw_preview(url: str, *, key: str = "", samples: int = 2) -> Picture:
    """The contact sheet of one sample by key, or of `samples` samples spread over the dataset."""
    dataset = open_dataset(url)
    if key:
        chosen = [dataset.index(key)]
    else:
        chosen = sorted({round(i) for i in np.linspace(0, len(dataset) - 1, samples)})
    return _stack([draw_sample(dataset[i]) for i in chosen])


def write_png(picture: Picture, path: Path) -> None:
    """Writes a picture as PNG, making its folder. Raises ConfigError when it cannot be written."""
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def draw_sample(sample: Sample) -> Picture:
    """One sample: its views with boxes, its other layers, and its questions with their marks."""
    shown = sample.views[:MAX_VIEWS]
    questions = choose_questions(sample.qa, MAX_QUESTIONS)
    ranges = [view.depth[view.depth > 0] for view in shown if view.depth is not None]
    farthest = max((float(np.percentile(r, 99)) for r in ranges if len(r)), default=1.0)
    rows = [
        _row([_draw_boxes(sample, i) for i in range(len(shown))], [f"view {i}: {_title(v)}" for i, v in enumerate(shown, 1)]),
        _row([_colorize_depth(v, farthest) for v in shown], [f"depth, 0 to {farthest:.1f} m, {v.depth_source}" for v in shown]),
        _row([_colorize_normal(v) for v in shown], [f"normals, {v.normal_source}" for v in shown]),
        _row([_colorize_instances(v) for v in shown], ["instances"] * len(shown)),
        _row([_mark(sample, questions, i) for i in range(len(shown))], ["what the questions mark"] * len(shown)),
    ]  # fmt: skip
    head = f"{sample.key}   {sample.source} {sample.scene_id}   split {sample.split}   {len(sample.qa)} questions"
    lines = [head]
    for number, qa in enumerate(questions, 1):
        views = ", ".join(str(v + 1) for v in qa.views)
        options = f"  [{' | '.join(qa.choices)}]" if qa.choices else ""
        lines.append(f"Q{number} {qa.task} (view {views}): {qa.question}{options}")
        lines.append(f"      -> {' '.join(qa.answer.split())}   (margin {qa.margin:.2f} {qa.unit})")
    width = max(row.shape[1] for row in rows)
    return _stack([_text(lines[:1], width), *rows, _text(lines[1:], width)])


def choose_questions(qa: tuple[QA, ...], most: int) -> list[QA]:
    """Up to `most` questions, every task's first before any task's second."""
    seen: dict[str, int] = {}
    ranked = []
    for order, question in enumerate(qa):
        turn = seen.setdefault(question.task, 0)
        seen[question.task] += 1
        ranked.append((turn, order, question))
    return [question for *_, question in sorted(ranked, key=lambda entry: entry[:2])[:most]]


def instance_color(number: int) -> tuple[int, int, int]:
    """A colour for an instance id; neighbouring ids get hues far apart (golden-ratio steps)."""
    if number == 0:
        return (0, 0, 0)
    red, green, blue = colorsys.hsv_to_rgb(number * 0.61803 % 1, 0.55 + 0.4 * (number % 2), 0.95)
    return (int(red * 255), int(green * 255), int(blue * 255))


def _draw_boxes(sample: Sample, index: int) -> Picture:
    view = sample.views[index]
    camera = view.camera.resized(*_tile_size(view.camera))
    picture = np.ascontiguousarray(_resize(_layer(view.rgb), camera))
    labels = []
    for column, instance in enumerate(sample.instances):
        if is_structure(instance.label, instance.nyu40):
            continue
        if sample.visibility.visible[index, column] < 0.2:
            continue
        color = instance_color(instance.id)
        for start, end in _box_edges(instance, camera):
            cv2.line(picture, start, end, color, 1, cv2.LINE_AA)
        place = np.argwhere(_resize(_layer(view.instance), camera) == instance.id)
        if len(place):
            labels.append((instance.label, place.mean(axis=0), color))
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for label, (row, left), color in labels:
        draw.text(
            (left, row),
            label,
            fill="white",
            font=_FONT,
            anchor="mm",
            stroke_width=2,
            stroke_fill=tuple(c // 2 for c in color),
        )
    return np.asarray(image)  # fmt: skip


def _box_edges(instance: Instance, camera: Camera) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    corners = transform_points(camera.world2cam, instance.box.corners)
    edges = []
    for i, j in CORNER_EDGES:
        start, end = corners[i], corners[j]
        if max(start[2], end[2]) <= NEAR_M:
            continue
        if min(start[2], end[2]) < NEAR_M:
            cut = start + (end - start) * (NEAR_M - start[2]) / (end[2] - start[2])
            start, end = (cut, end) if start[2] < NEAR_M else (start, cut)
        pixels, _ = project(camera.K, np.stack([start, end]))
        (u0, v0), (u1, v1) = np.clip(pixels, -1e4, 1e4).round().astype(int).tolist()
        edges.append(((u0, v0), (u1, v1)))
    return edges


def _colorize_depth(view: View, farthest: float) -> Picture:
    depth = _layer(view.depth)
    scaled = np.clip(255 * (1 - depth / farthest), 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    picture[depth <= 0] = 0
    return _resize(picture, view.camera)


def _colorize_normal(view: View) -> Picture:
    normal = _layer(view.normal) * np.array(
        [1, -1, -1]
    )  # the usual look: up is green, facing is blue
    picture = ((normal + 1) * 127.5).astype(np.uint8)
    picture[~normal.any(axis=-1)] = 0
    return _resize(picture, view.camera)


def _colorize_instances(view: View) -> Picture:
    instance = _layer(view.instance)
    palette = np.array([instance_color(i) for i in range(int(instance.max()) + 1)], np.uint8)
    return _resize(palette[instance], view.camera)


def _mark(sample: Sample, questions: list[QA], index: int) -> Picture:
    view = sample.views[index]
    picture = _layer(view.rgb)
    for number, qa in enumerate(questions, 1):
        markers = [
            {**marker, "text": f"Q{number} {marker.get('text', '')}"} for marker in qa.markers
        ]
        picture = draw_markers(picture, markers, index, view.instance)
    return _resize(picture, view.camera)


def _title(view: View) -> str:
    return (
        f"frame {view.frame_id}, {view.timestamp_s:.2f} s, {view.camera.width}x{view.camera.height}"
    )


def _layer(layer: Array | None) -> Array:
    assert layer is not None, "draw_sample needs all layers"
    return layer


def _tile_size(camera: Camera) -> tuple[int, int]:
    return round(TILE_WIDTH * camera.height / camera.width), TILE_WIDTH


def _resize(picture: Array, camera: Camera) -> Array:
    height, width = _tile_size(camera)
    colors = picture.ndim == 3
    return cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA if colors else cv2.INTER_NEAREST
    )


def _row(tiles: list[Picture], captions: list[str]) -> Picture:
    height = max(tile.shape[0] for tile in tiles)
    titled = [
        _stack(
            [_text([caption], TILE_WIDTH), np.pad(tile, ((0, height - len(tile)), (0, 4), (0, 0)))]
        )
        for tile, caption in zip(tiles, captions, strict=True)
    ]
    return np.concatenate(titled, axis=1)


def _text(lines: list[str], width: int) -> Picture:
    canvas = Image.new("RGB", (width, LINE_HEIGHT * max(1, len(lines)) + 4), "white")
    draw = ImageDraw.Draw(canvas)
    for i, line in enumerate(lines):
        draw.text((4, 2 + i * LINE_HEIGHT), _fit(line, width - 8), fill="black", font=_FONT)
    return np.asarray(canvas)


def _fit(line: str, width: int) -> str:
    if _FONT.getlength(line) <= width:
        return line
    while _FONT.getlength(line + " ...") > width:
        line = line[: max(0, int(len(line) * 0.95) - 1)]
    return line + " ..."


def _stack(pictures: list[Picture]) -> Picture:
    width = max(picture.shape[1] for picture in pictures)
    padded = [
        np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pictures
    ]
    return np.concatenate(padded, axis=0)
