"""All models that worlds may draw instead of their own parametric ones."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gapdata.errors import ConfigError
from gapdata.synthetic.assets.config import AssetsConfig
from gapdata.synthetic.assets.conversion import Converted, convert
from gapdata.synthetic.assets.entry import Entry
from gapdata.synthetic.assets.folder import LABELS, read_folder
from gapdata.synthetic.assets.loading import Patch, RefusedError
from gapdata.synthetic.assets.sweethome import SUFFIX, read_library
from gapdata.synthetic.materials import Finish
from gapdata.synthetic.models import Model, Part, Surface
from gapdata.synthetic.shapes import Solid, block, rectangle

Array = np.ndarray

LIKE_SIZE = 1.6  # times larger or smaller along each axis than the model it stands for, at most
INSET = 0.004  # metres: surfaces are drawn in by it
LEAST_WIDTH = 2e-4  # metres of a solid box
# Shelves have their boards numbered from low to high, all others their largest surface first.
SHELVES = frozenset({"bookshelf", "shelf", "shoe rack"})
# What lies on these lies where the parametric ones are made for it: on others nothing does.
UPHOLSTERED = frozenset(
    {"bed", "couch", "armchair", "office chair", "chair", "stool", "bench", "ottoman"}
)
# These are made to fit what they are in or on.
FITTED = frozenset({"sink", "jacket", "shower", "curtain", "door", "window"})
MIXED = (128, 128, 128)  # stands in for the base colour of models that have no one colour
CORRECT = "correct --assets"
INSTALL = f"{CORRECT}, or install what holds it (`apt-get install sweethome3d-furniture` has five {SUFFIX} files)"
PUBLIC_DOMAIN = ("cc0", "public domain", "cc-0", "creativecommons.org/publicdomain")


@dataclass(kw_only=True, slots=True, eq=False)
class Library:
    """Models by label. Nothing depends on where they were read from, nor in which order."""

    entries: tuple[Entry, ...]  # sorted by digest, each once
    share: float
    left_out: Counter[str] = field(default_factory=Counter)  # of the collections' lists, by reason
    _models: dict[str, tuple[Model, ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over all entries, in hexadecimal."""
        return hashlib.sha256("".join(entry.digest for entry in self.entries).encode()).hexdigest()

    def facts(self) -> dict[str, str | int | float]:
        """What decides, besides a seed, which models are drawn."""
        return {"sha256": self.digest, "models": len(self.entries), "share": self.share}

    def prepare(self) -> Counter[str]:
        """Converts everything; how many models were left out or refused, by reason."""
        reasons = Counter(self.left_out)
        for entry in self.entries:
            try:
                convert(entry)
            except RefusedError as refusal:
                reasons[str(refusal)] += 1
        return reasons

    def models(self, label: str) -> tuple[Model, ...]:
        """The usable models of a label."""
        if label not in self._models:
            self._models[label] = tuple(
                model
                for entry in self.entries
                if entry.label == label and (model := _usable(entry)) is not None
            )
        return self._models[label]

    def stand_in(self, rng: np.random.Generator, model: Model) -> Model:
        """A model of like size to be drawn instead of a parametric one, or that one itself.

        One that must carry things is replaced only by one that can; what hangs on walls keeps its back at y = 0.
        """
        if model.label in FITTED or rng.random() >= self.share:
            return model
        carries = bool(model.surfaces) and model.label not in UPHOLSTERED
        fitting = [
            other
            for other in self.models(model.label)
            if (other.surfaces or not carries)
            and (np.maximum(other.size / model.size, model.size / other.size) <= LIKE_SIZE).all()
        ]
        if not fitting:
            return model
        chosen = replace(fitting[int(rng.integers(len(fitting)))], clearance=model.clearance)
        hangs = abs(float(model.high[1])) < 1e-9
        return _moved(chosen, -float(chosen.high[1])) if hangs else chosen


def open_library(config: AssetsConfig) -> Library:
    """The models of all collections. Raises ConfigError for a path that is none, SourceError for a broken one."""
    entries: dict[str, Entry] = {}
    left_out = Counter[str]()
    for name in config.paths:
        path = Path(name)
        if path.suffix.lower() == SUFFIX and path.is_file():
            found, reasons = read_library(path)
        elif path.is_dir():
            found, reasons = read_folder(path)
        else:
            raise ConfigError(
                f"assets: {path.name}: expected a {SUFFIX} file or a folder with an {LABELS}, "
                + (
                    f"found another file; {CORRECT}"
                    if path.exists()
                    else f"found nothing there; {INSTALL}"
                )
            )
        left_out += reasons
        for entry in found:
            if config.licence == "any" or is_public_domain(entry.credit.licence):
                entries[entry.digest] = entry
            else:
                left_out["licence is not CC0"] += 1
    if not entries:
        reasons_told = ", ".join(f"{reason}: {n}" for reason, n in sorted(left_out.items()))
        raise ConfigError(
            f"assets: expected usable models, found none ({reasons_told or 'no models'}); "
            "--assets-licence any takes models that must be attributed as well"
        )
    ordered = tuple(entries[digest] for digest in sorted(entries))
    return Library(entries=ordered, share=config.share, left_out=left_out)


def is_public_domain(licence: str) -> bool:
    """Whether a licence's text names CC0 or the public domain."""
    return any(word in licence.lower() for word in PUBLIC_DOMAIN)


def _usable(entry: Entry) -> Model | None:
    try:
        converted = convert(entry)
    except RefusedError:
        return None  # counted by `prepare`
    return _model(entry, converted)


def _model(entry: Entry, converted: Converted) -> Model:
    color = converted.color
    finish = Finish(rgb=color if color is not None else MIXED, material="")
    parts = tuple(_part(patch) for patch in converted.loaded.patches)
    return Model(
        label=entry.label, parts=parts, finish=finish, surfaces=_surfaces(entry.label, converted),
        hull=tuple(_box(box) for box in converted.bounds.boxes), credit=entry.credit.line,
        one_color=color is not None,
    )  # fmt: skip


def _part(patch: Patch) -> Part:
    solid = Solid(
        vertices=patch.vertices,
        faces=patch.faces,
        uv=np.zeros((len(patch.vertices), 2)) if patch.uv is None else patch.uv,
        cap=0,
    )
    rgb = (255, 255, 255) if patch.image is not None else patch.rgb
    return Part(solid=solid, finish=Finish(rgb=rgb, material=""), image=patch.image, wrapped=True)


def _box(box: Array) -> Solid:
    low, high = box[:3], box[3:]
    size = np.maximum(high - low, [LEAST_WIDTH, LEAST_WIDTH, 0.0])
    middle = 0.5 * (low + high)
    return block(size, (middle[0], middle[1], low[2]))


def _surfaces(label: str, converted: Converted) -> tuple[Surface, ...]:
    if label in UPHOLSTERED:
        return ()
    found = []
    for x0, y0, x1, y1, z, headroom in converted.bounds.surfaces.tolist():
        wide, deep = x1 - x0 - 2 * INSET, y1 - y0 - 2 * INSET
        if wide > 0 and deep > 0:
            outline = rectangle(wide, deep) + 0.5 * np.array([x0 + x1, y0 + y1])
            found.append((wide * deep, Surface(outline=outline, z=z, headroom=headroom)))
    if label not in SHELVES:
        found.sort(key=lambda pair: -pair[0])
    return tuple(surface for _, surface in found)


def _moved(model: Model, y: float) -> Model:
    shift = (0.0, y, 0.0)
    return replace(
        model,
        parts=tuple(replace(part, solid=part.solid.moved(shift)) for part in model.parts),
        hull=tuple(solid.moved(shift) for solid in model.hull),
        surfaces=tuple(
            replace(surface, outline=surface.outline + [0.0, y]) for surface in model.surfaces
        ),
    )
