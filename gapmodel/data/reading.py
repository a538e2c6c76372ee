"""One visit to a sample -> the example it gives: only the members that are needed, decoded, augmented, described."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8

from gapdata.errors import ConfigError, DatasetError
from gapdata.geometry.transforms import invert_rigid
from gapdata.sample import SCHEMA_VERSION
from gapdata.shards.codec import POINTS, decode_points, layer_member
from gapdata.shards.reader import Dataset
from gapdata.shards.records import META, QUESTIONS, load_json
from gapmodel.data.augment import (
    NOTHING,
    Augment,
    crop_window,
    draw_given,
    draw_recolouring,
    noisy_depth,
)
from gapmodel.data.example import Example, Question
from gapmodel.data.geometry import (
    ObjectRule,
    SeenObject,
    boxes_in_first,
    cameras,
    sample_points,
    seen_objects,
    to_first,
)
from gapmodel.data.images import Window, decode_layer, show_layer, stored_size, whole
from gapmodel.data.phrases import (
    RELATIONS,
    PhraseBook,
    RelationRule,
    describe,
    relations_hold,
    sample_relations,
)
from gapmodel.data.questions import (
    asked,
    check_row,
    marked_masks,
    mask_span,
    read_some_rows,
    stated,
)

Array = np.ndarray

NEEDS = frozenset({"depth", "normal", "instance", "points", "objects", "relations", "teacher"})
GREY = 128  # of all pixels that a blind model sees
INSTANCES = b',"instances":['  # in meta.json, whose keys and spaces are fixed; no JSON string holds such a quote
LAYER_TYPES: Mapping[str, tuple[type, tuple[int, ...]]] = {
    "rgb": (np.uint8, (3,)),
    "depth": (np.float32, ()),
    "normal": (np.float32, (3,)),
    "instance": (np.int32, ()),
}
# Purposes of random numbers, each a stream of its own in every visit.
_CROP, _COLOUR, _NOISE, _GIVEN, _POINTS, _OBJECTS, _PHRASES, _RELATIONS = range(8)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One time that a sample is shown: which views in which order, and which of its questions are asked.

    dataset: position in the mixture. number: how often this sample was visited before. views: positions in
    the sample, in the order shown. questions: positions in its qa.json. tokens: what it takes of a row.
    """

    dataset: int
    sample: int
    number: int
    views: tuple[int, ...]
    questions: tuple[int, ...]
    cropped: bool = False
    tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """What is read and how it is shown. needs: what the enabled objectives need, see `Objective.needs`.

    input_geometry: depth and normals are given to the model too. points, objects, relations: most of each in an example.
    phrase_tokens: most tokens that phrases take in an example; with 0 there are no phrases and no relations.
    blind: all pictures are grey, to see what is learned or known without looking; truth stays as it is.
    """

    image_size: tuple[int, int]
    needs: frozenset[str] = frozenset()
    input_geometry: bool = False
    augment: Augment = NOTHING
    seed: int = 0
    points: int = 256
    objects: int = 16
    relations: int = 16
    phrase_tokens: int = 0
    object_rule: ObjectRule = field(default_factory=ObjectRule)
    relation_rule: RelationRule = field(default_factory=RelationRule)
    blind: bool = False

    def __post_init__(self) -> None:
        if self.blind and self.input_geometry:
            raise ConfigError("blind and geometry: a blind model is given nothing to see")
        if unknown := sorted(self.needs - NEEDS):
            raise ConfigError(f"needs {unknown}: expected some of {', '.join(sorted(NEEDS))}")

    @property
    def layers(self) -> tuple[str, ...]:
        """Image layers that every example needs."""
        given = {"depth", "normal"} if self.input_geometry else set()
        wanted = {"rgb"} | given | (self.needs & {"depth", "normal", "instance"})
        return tuple(layer for layer in ("rgb", "depth", "normal", "instance") if layer in wanted)


Teacher = Callable[[UInt8[Array, "V H W 3"]], Float32[Array, "V M h w C"] | None]


class ExampleReader:
    """Reads examples from the datasets of a mixture. Threads may share one; it holds no state.

    phrase_length: tokens of a phrase. teacher: features of a frozen 3D encoder for the pictures as shown, None where
    there are none; see Batch.teacher and `gapmodel.geometry.feature_cache`.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        showing: Showing,
        phrase_length: Callable[[str], int] = len,
        teacher: Teacher | None = None,
    ) -> None:
        self.datasets, self.showing = tuple(datasets), showing
        self.phrase_length, self.teacher = phrase_length, teacher
        if "teacher" in showing.needs and teacher is None:
            raise ConfigError("distillation needs features of a teacher: none was given")

    def read(self, visit: Visit) -> Example:
        """The example of a visit. Raises DatasetError, naming the dataset, shard and key, for a bad sample."""
        dataset = self.datasets[visit.dataset]
        row = dataset.samples.slice(visit.sample, 1).to_pylist()[0]
        try:
            return _Reading(self, dataset, visit, row).example()
        except (DatasetError, OSError) as error:
            raise DatasetError(f"{dataset.url}: {row['shard']}: {row['key']}: {error}") from error


@contextmanager
def as_dataset_error(member: str) -> Iterator[None]:
    """Inside, a record that lacks a key or holds other types is raised as a DatasetError naming the member."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DatasetError(f"{member}: not as expected: {error!r}") from error


class _Reading:
    """One visit while it is read."""

    def __init__(
        self, reader: ExampleReader, dataset: Dataset, visit: Visit, row: Mapping[str, Any]
    ) -> None:
        self.reader, self.visit, self.showing = reader, visit, reader.showing
        self.key, self.count = row["key"], row["num_qa"]
        self.members = dataset.read_members(visit.sample, self._names())
        self.decoded: dict[tuple[int, str], Array] = {}
        meta = self._meta()
        with as_dataset_error(META):
            version, self.instances = meta["schema_version"], meta.get("instances", ())
            if version != SCHEMA_VERSION:
                raise DatasetError(
                    f"{META}: expected schema version {SCHEMA_VERSION}, found {version}"
                )
            self.size = stored_size(meta, visit.views)
            self.depth_scale = {v: float(meta["views"][v]["depth_scale"]) for v in visit.views}
            self.K, self.cam2world = cameras(meta, visit.views)

    def example(self) -> Example:
        questions = self._questions()
        windows = self._windows()
        world2first = invert_rigid(self.cam2world[0])
        book = PhraseBook(budget=self.showing.phrase_tokens, length=self.reader.phrase_length)
        shown_K = np.stack(
            [window.intrinsics(k) for window, k in zip(windows, self.K, strict=True)]
        )
        images = self._images(windows, questions)
        if self.showing.blind:
            images = np.full_like(images, GREY)
        return Example(
            key=self.key,
            questions=questions,
            images=images,
            K=shown_K.astype(np.float32),
            cam2first=to_first(self.cam2world).astype(np.float32),
            **self._layers(windows),
            **self._points(windows, world2first),
            **self._objects(windows, world2first, book),
            phrases=tuple(book.rows),
            teacher=self._teacher(images),
        )

    def _rng(self, purpose: int) -> np.random.Generator:
        visit = self.visit
        return np.random.default_rng(
            [self.showing.seed, visit.dataset, visit.sample, visit.number, purpose]
        )

    def _names(self) -> list[str]:
        """Members to fetch. Instance ids are always fetched with questions, as a mask may mark something."""
        visit, showing = self.visit, self.showing
        layers = set(showing.layers)
        if visit.questions or (visit.cropped and {"objects", "relations"} & showing.needs):
            layers.add("instance")
        names = [layer_member(view, layer) for view in visit.views for layer in sorted(layers)]
        names.append(META)
        if visit.questions:
            names.append(QUESTIONS)
        if "points" in showing.needs:
            names.append(POINTS)
        return names

    def _member(self, name: str) -> bytes:
        if name not in self.members:
            raise DatasetError(f"member {name} is missing")
        return self.members[name]

    def _meta(self) -> Any:
        """The record of meta.json; without its instances, the bulk of it, when no object is asked for."""
        data = self._member(META)
        if not {"objects", "relations"} & self.showing.needs:
            head, border, _ = data.partition(INSTANCES)
            data = head + b"}" if border else data
        return load_json(data, META)

    def _layer(self, view: int, layer: str) -> Array:
        if (view, layer) not in self.decoded:
            self.decoded[view, layer] = decode_layer(self.members, view, layer, self.size)
        return self.decoded[view, layer]

    def _questions(self) -> tuple[Question, ...]:
        if not self.visit.questions:
            return ()
        numbers, data = self.visit.questions, self._member(QUESTIONS)
        found = []
        for number, row in zip(numbers, read_some_rows(data, numbers, self.count), strict=True):
            check_row(row, f"{QUESTIONS}[{number}]")
            if not set(row["views"]) <= set(self.visit.views):
                raise DatasetError(f"{QUESTIONS}[{number}]: other views than in the index")
            spans = {
                (view, instance): mask_span(self._layer(view, "instance"), instance)
                for view, instance in marked_masks(row)
            }
            found.append(asked(row, self.visit.views, stated(row, self.size, spans)))
        return tuple(found)

    def _windows(self) -> list[Window]:
        shown = self.showing.image_size
        if not self.visit.cropped:
            return [whole(self.size, shown)] * len(self.visit.views)
        rng, side = self._rng(_CROP), self.showing.augment.crop_side
        return [crop_window(self.size, shown, side, rng) for _ in self.visit.views]

    def _images(self, windows: Sequence[Window], questions: Sequence[Question]) -> Array:
        tasks = {question.task for question in questions}
        recolouring = draw_recolouring(self.showing.augment, tasks, self._rng(_COLOUR))
        images = self._shown("rgb", windows)
        if recolouring is not None:
            for image in images:
                image[:] = recolouring.apply(image)
        return images

    def _shown(self, layer: str, windows: Sequence[Window]) -> Array:
        """A layer of all views as shown."""
        kind, channels = LAYER_TYPES[layer]
        out: Array = np.empty((len(windows), *self.showing.image_size, *channels), kind)
        for shown, view, window in zip(out, self.visit.views, windows, strict=True):
            show_layer(self._layer(view, layer), layer, window, shown, self.depth_scale[view])
        return out

    def _layers(self, windows: Sequence[Window]) -> dict[str, Array]:
        """Truth layers that are needed, and what the geometry encoder is given."""
        showing = self.showing
        shown = {layer: self._shown(layer, windows) for layer in showing.layers if layer != "rgb"}
        fields = {layer: shown[layer] for layer in shown if layer in showing.needs}
        if showing.input_geometry:
            fields |= self._given(shown["depth"], shown["normal"])
        return fields

    def _given(self, depth: Array, normal: Array) -> dict[str, Array]:
        """The input fields: true depth and normals, copied where they are changed."""
        augment = self.showing.augment
        given = draw_given(augment, len(depth), self._rng(_GIVEN))
        rng = self._rng(_NOISE)
        noisy = rng.random() < augment.depth_noise
        if noisy or not given.all():
            depth, normal = depth.copy(), normal.copy()
            depth[~given], normal[~given] = 0, 0
        if noisy:
            for i in np.flatnonzero(given):
                depth[i] = noisy_depth(depth[i], rng)
            normal[depth == 0] = 0
        return {"input_depth": depth, "input_normal": normal, "geometry_given": given}

    def _points(self, windows: Sequence[Window], world2first: Array) -> dict[str, Array]:
        if "points" not in self.showing.needs:
            return {}
        points = decode_points(self._member(POINTS))
        budget, rng = self.showing.points, self._rng(_POINTS)
        return sample_points(points, self.visit.views, windows, world2first, budget, rng)

    def _objects(
        self, windows: Sequence[Window], world2first: Array, book: PhraseBook
    ) -> dict[str, Array]:
        showing = self.showing
        if not {"objects", "relations"} & showing.needs:
            return {}
        area = self.size[0] * self.size[1]
        rule, budget, rng = showing.object_rule, showing.objects, self._rng(_OBJECTS)
        with as_dataset_error(META):
            shares = self._shares(windows)
            objects = seen_objects(
                self.instances, self.visit.views, shares, area, rule, budget, rng
            )
        fields = self._relations(objects, world2first, book) if "relations" in showing.needs else {}
        rng = self._rng(_PHRASES)
        phrases = [book.add(describe(item, rng))[0] for item in objects]
        return {
            "object_instance": np.array([item.id for item in objects], np.int32),
            "object_box_first": boxes_in_first(objects, world2first),
            "object_phrase": np.array(phrases, np.int64),
            **fields,
        }

    def _shares(self, windows: Sequence[Window]) -> Float[Array, "V N"]:
        """Part of each instance's visible pixels that each window keeps."""
        ids = np.array([record["id"] for record in self.instances], np.int64)
        shares = np.ones((len(windows), len(ids)))
        if not self.visit.cropped:
            return shares
        for row, view, window in zip(shares, self.visit.views, windows, strict=True):
            stored = self._layer(view, "instance")
            top, left = window.top, window.left
            part = stored[top : top + window.height, left : left + window.width]
            size = int(max(ids.max(initial=0), stored.max())) + 1
            total = np.bincount(stored.ravel(), minlength=size)[ids]
            row[:] = np.bincount(part.ravel(), minlength=size)[ids] / np.maximum(total, 1)
        return shares

    def _relations(
        self, objects: Sequence[SeenObject], world2first: Array, book: PhraseBook
    ) -> dict[str, Array]:
        showing = self.showing
        holds = relations_hold(objects, world2first, showing.relation_rule)
        rows = []
        for relation, a, b, turned in sample_relations(
            holds, showing.relations, self._rng(_RELATIONS)
        ):
            phrase, inverse = book.add(*RELATIONS[relation])
            if phrase >= 0:
                rows.append((b, a, inverse, phrase) if turned else (a, b, phrase, inverse))
        table = np.array(rows, np.int64).reshape(len(rows), 4)
        return {
            "relation_objects": table[:, :2],
            "relation_phrase": table[:, 2],
            "relation_inverse": table[:, 3],
        }

    def _teacher(self, images: UInt8[Array, "V H W 3"]) -> Float32[Array, "V M h w C"] | None:
        if "teacher" not in self.showing.needs or self.reader.teacher is None:
            return None
        features = self.reader.teacher(images)
        if features is None:
            raise DatasetError(
                f"no teacher's features for views {list(self.visit.views)} as shown; compute them first, and "
                "leave views, their order and colours as they are"
            )
        return features
