"""One visit to a sample -> the example it gives: only the members that are needed, decoded, augmented, described."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from gapdata.errors import ConfigError, DatasetError
from gapdata.geometry.transforms import invert_rigid
from gapdata.shards.codec import POINTS, decode_points, layer_member
from gapdata.shards.reader import Dataset
from gapdata.shards.records import META, QUESTIONS, load_json, parse_meta
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
from gapmodel.data.images import Window, decode_layer, stored_size, whole
from gapmodel.data.phrases import (
    RELATIONS,
    PhraseBook,
    RelationRule,
    describe,
    relations_hold,
    sample_relations,
)
from gapmodel.data.questions import asked, check_row, marked_masks, mask_span, stated

Array = np.ndarray

NEEDS = frozenset({"depth", "normal", "instance", "points", "objects", "relations", "teacher"})
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

    def __post_init__(self) -> None:
        if unknown := sorted(self.needs - NEEDS):
            raise ConfigError(f"needs {unknown}: expected some of {', '.join(sorted(NEEDS))}")

    @property
    def layers(self) -> tuple[str, ...]:
        """Image layers that every example needs."""
        given = {"depth", "normal"} if self.input_geometry else set()
        wanted = {"rgb"} | given | (self.needs & {"depth", "normal", "instance"})
        return tuple(layer for layer in ("rgb", "depth", "normal", "instance") if layer in wanted)


class ExampleReader:
    """Reads examples from the datasets of a mixture. Threads may share one; it holds no state.

    phrase_length: tokens of a phrase. teacher: features of a frozen 3D encoder for a sample's views, see Batch.teacher.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        showing: Showing,
        phrase_length: Callable[[str], int] = len,
        teacher: Callable[[Dataset, int, Sequence[int]], Float[Array, "V M h w C"]] | None = None,
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
            return _Reading(self, dataset, visit, row["key"]).example()
        except (DatasetError, OSError) as error:
            raise DatasetError(f"{dataset.url}: {row['shard']}: {row['key']}: {error}") from error


class _Reading:
    """One visit while it is read."""

    def __init__(self, reader: ExampleReader, dataset: Dataset, visit: Visit, key: str) -> None:
        self.reader, self.dataset, self.visit, self.key = reader, dataset, visit, key
        self.showing = reader.showing
        self.members = dataset.read_members(visit.sample, self._names())
        self.meta = parse_meta(self._member(META))
        self._check_meta()
        self.size = stored_size(self.meta, visit.views)
        self.decoded: dict[tuple[int, str], Array] = {}

    def example(self) -> Example:
        showing, views = self.showing, self.visit.views
        questions = self._questions()
        windows = self._windows()
        K, cam2world = cameras(self.meta, views)
        world2first = invert_rigid(cam2world[0])
        book = PhraseBook(budget=showing.phrase_tokens, length=self.reader.phrase_length)
        shown_K = np.stack([window.intrinsics(k) for window, k in zip(windows, K, strict=True)])
        return Example(
            key=self.key,
            questions=questions,
            images=self._images(windows, questions),
            K=shown_K.astype(np.float32),
            cam2first=to_first(cam2world).astype(np.float32),
            **self._layers(windows),
            **self._points(windows, world2first),
            **self._objects(windows, world2first, book),
            phrases=tuple(book.rows),
            teacher=self._teacher(),
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

    def _check_meta(self) -> None:
        count = len(self.meta["views"])
        if max(self.visit.views) >= count:
            raise DatasetError(
                f"{META}: expected view {max(self.visit.views)}, found {count} views"
            )
        for record in self.meta["instances"]:
            if len(record["visible"]) != count or len(record["pixels"]) != count:
                raise DatasetError(
                    f"{META}: instance {record['id']}: expected {count} values a list"
                )

    def _layer(self, view: int, layer: str) -> Array:
        if (view, layer) not in self.decoded:
            record = self.meta["views"][view]
            self.decoded[view, layer] = decode_layer(self.members, view, layer, record)
        return self.decoded[view, layer]

    def _questions(self) -> tuple[Question, ...]:
        if not self.visit.questions:
            return ()
        rows = load_json(self._member(QUESTIONS), QUESTIONS)
        found = []
        for number in self.visit.questions:
            if not isinstance(rows, list) or number >= len(rows):
                raise DatasetError(f"{QUESTIONS}: expected question {number}; the index disagrees")
            row = rows[number]
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
        images = np.empty((len(windows), *self.showing.image_size, 3), np.uint8)
        for image, view, window in zip(images, self.visit.views, windows, strict=True):
            shown = window.rgb(self._layer(view, "rgb"))
            image[:] = shown if recolouring is None else recolouring.apply(shown)
        return images

    def _stack(self, layer: str, windows: Sequence[Window]) -> Array:
        views = zip(self.visit.views, windows, strict=True)
        return np.stack([window.nearest(self._layer(view, layer)) for view, window in views])

    def _layers(self, windows: Sequence[Window]) -> dict[str, Array]:
        """Truth layers that are needed, and what the geometry encoder is given."""
        showing = self.showing
        shown = {layer: self._stack(layer, windows) for layer in showing.layers if layer != "rgb"}
        fields = {layer: shown[layer] for layer in shown if layer in showing.needs}
        if "instance" in fields:
            fields["instance"] = fields["instance"].astype(np.int32)
        if showing.input_geometry:
            given = draw_given(showing.augment, len(windows), self._rng(_GIVEN))
            depth, normal = shown["depth"].copy(), shown["normal"].copy()
            rng = self._rng(_NOISE)
            if rng.random() < showing.augment.depth_noise:
                for i in np.flatnonzero(given):
                    depth[i] = noisy_depth(depth[i], rng)
                normal[depth == 0] = 0
            depth[~given], normal[~given] = 0, 0
            fields |= {"input_depth": depth, "input_normal": normal, "geometry_given": given}
        return fields

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
        objects = seen_objects(
            self.meta,
            self.visit.views,
            self._shares(windows),
            showing.object_rule,
            showing.objects,
            self._rng(_OBJECTS),
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
        ids = np.array([record["id"] for record in self.meta["instances"]], np.int64)
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

    def _teacher(self) -> Array | None:
        if "teacher" not in self.showing.needs or self.reader.teacher is None:
            return None
        return self.reader.teacher(self.dataset, self.visit.sample, self.visit.views)
