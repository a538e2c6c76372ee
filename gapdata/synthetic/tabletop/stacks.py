"""Things on top of each other: plates in each other, books, blocks, a mug on its saucer."""

from __future__ import annotations

import numpy as np

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.collision import contains
from gapdata.synthetic.furniture import decor
from gapdata.synthetic.materials import Finish, Palette, accent
from gapdata.synthetic.models import Model, parts_of
from gapdata.synthetic.shapes import lathe
from gapdata.synthetic.tabletop.groups import ON_TABLE, Group, Member, standing
from gapdata.synthetic.tabletop.things import toy_block
from gapdata.synthetic.tabletop.vessels import mug

NESTED = 0.007  # metres by which plates in each other rise: the thickness of their bottom
FOOT, WELL = 0.55, 0.58  # of a plate's radius: what it stands on, and its level inside
WHITE_CLAY = Finish(rgb=(240, 238, 232), material="ceramic")


def plate(rng: np.random.Generator, palette: Palette, radius: float | None = None) -> Model:
    """A shallow plate, 16 to 27 cm wide."""
    r = float(rng.uniform(0.08, 0.135)) if radius is None else radius
    clay = WHITE_CLAY if rng.random() < 0.5 else accent(rng)
    profile = [(FOOT * r, 0.0), (r, 0.018), (r - 0.003, 0.022), (WELL * r, NESTED)]
    return Model(
        label="plate", parts=parts_of(clay, lathe(profile, segments=40)), finish=clay, shape="round"
    )


def plate_stack(rng: np.random.Generator, palette: Palette) -> Group:
    """Two to five plates of one size in each other."""
    model = plate(rng, palette)
    count = int(rng.integers(2, 6))
    return tuple(
        Member(model=model, at=np.array([0.0, 0.0, NESTED * k]), on=k - 1 if k else ON_TABLE) for k in range(count)
    )  # fmt: skip


def saucer_and_mug(rng: np.random.Generator, palette: Palette) -> Group:
    """A mug on a plate whose level inside takes all of it."""
    cup = mug(rng, palette).model
    reach = float(np.linalg.norm(cup.outline, axis=1).max())
    saucer = plate(rng, palette, radius=max(float(rng.uniform(0.08, 0.12)), (reach + 0.001) / WELL))
    turn = float(rng.uniform(-np.pi, np.pi))
    return standing(saucer), Member(model=cup, at=np.array([0.0, 0.0, NESTED]), yaw=turn, on=0)


def book_stack(rng: np.random.Generator, palette: Palette) -> Group:
    """Books on each other, the largest below, none quite square to the next."""
    books = [decor.book(rng, palette) for _ in range(int(rng.integers(2, 5)))]
    books.sort(key=lambda book: -float(book.size[0] * book.size[1]))
    return _pile(rng, books, shift=0.02, turn=0.25)


def block_tower(rng: np.random.Generator, palette: Palette) -> Group:
    """Building blocks on each other, the broadest below."""
    blocks = [toy_block(rng, palette) for _ in range(int(rng.integers(2, 5)))]
    blocks.sort(key=lambda item: (-float(item.size[0]), -float(item.size[1])))
    return _pile(rng, blocks, shift=0.004, turn=0.4)


def _pile(rng: np.random.Generator, models: list[Model], *, shift: float, turn: float) -> Group:
    """Each model on the one before, moved and turned a little where all of it still lies on that; others are left out."""
    group = [standing(models[0])]
    for model in models[1:]:
        below = group[-1]
        area = below.model.surfaces[0]
        for ease in (1.0, 0.5, 0.0):
            yaw = ease * float(rng.uniform(-turn, turn))
            spot = ease * rng.uniform(-shift, shift, 2)
            base = model.base @ rotation_about_z(yaw)[:2, :2].T + spot
            if contains(area.outline, base):
                place = rotation_about_z(below.yaw)[:2, :2] @ spot + below.at[:2]
                at = np.append(place, below.at[2] + area.z)
                group.append(Member(model=model, at=at, yaw=below.yaw + yaw, on=len(group) - 1))
                break
    return tuple(group)
