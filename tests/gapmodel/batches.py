"""Packed batches of random pictures, geometry and words for tests that need no dataset."""

from __future__ import annotations

import numpy as np
import torch

from gapmodel.data.batch import Batch
from gapmodel.data.packing import BranchTokens, GroupTokens, SampleTokens, pack
from gapmodel.model import GapModel
from gapmodel.presets import PRESETS, preset_config

IMAGE_TOKEN, VISION_START, VISION_END, PAD = 5, 6, 7, 0
FIRST_WORD = 16  # ids below are special tokens
VOCABULARY = PRESETS["tiny"].text["vocab_size"]


def example_config(**settings):
    """The tiny preset with the special tokens of these batches; settings as of `preset_config`."""
    config = preset_config("tiny", **settings)
    config.image_token_id, config.video_token_id = IMAGE_TOKEN, 4
    config.vision_start_token_id, config.vision_end_token_id = VISION_START, VISION_END
    return config


def words(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(FIRST_WORD, VOCABULARY, count)


def example_group(
    rng: np.random.Generator, pictures: tuple[int, ...], questions: int, grid: tuple[int, int]
) -> GroupTokens:
    """A prefix of some pictures with questions of different lengths, each with an answer of 1 to 4 tokens."""
    size = grid[0] * grid[1]
    prefix = [words(rng, 2)]
    for _ in pictures:
        prefix += [words(rng, 2), np.array([VISION_START] + [IMAGE_TOKEN] * size + [VISION_END])]
    branches = []
    for number in range(questions):
        question, answer = (
            words(rng, 3 + int(rng.integers(6))),
            words(rng, 1 + int(rng.integers(4))),
        )
        branches.append(
            BranchTokens(
                ids=np.concatenate([question, answer]),
                answer_start=len(question),
                qa=f"q{number}",
                task="depth_point",
                format="number",
            )
        )
    return GroupTokens(pictures=pictures, prefix=np.concatenate(prefix), branches=tuple(branches))


def example_samples(
    rng: np.random.Generator,
    *,
    samples: int = 2,
    pictures: int = 2,
    questions: int = 3,
    grid: tuple[int, int] = (2, 3),
    phrases: int = 0,
) -> list[SampleTokens]:
    """Samples with a scene group and, where there are several pictures, a group on them in reverse order.

    Phrase j of every sample is the same words, so that phrases are shared.
    """
    shared = [tuple(int(word) for word in words(rng, 2 + j % 3)) for j in range(phrases)]
    result = []
    for s in range(samples):
        order = tuple(range(pictures))
        groups = [example_group(rng, order, questions, grid)]
        if pictures > 1:
            groups.append(example_group(rng, order[::-1], 1, grid))
        result.append(
            SampleTokens(
                key=f"sample-{s}",
                num_pictures=pictures,
                groups=tuple(groups),
                phrases=tuple(shared),
            )
        )
    return result


def example_batch(
    seed: int = 0,
    *,
    samples: int = 2,
    pictures: int = 2,
    questions: int = 3,
    size: tuple[int, int] = (64, 96),
    phrases: int = 4,
    points: int = 32,
    objects: int = 3,
    pad_to: int = 16,
) -> Batch:
    """A batch with every layer: each picture sees a slanted wall with `objects` upright stripes as instances.

    All cameras of a sample look along the first one's axis, each moved 0.1 m to the right of the one before, so
    depth, normals, points, poses and pixels agree with each other.
    """
    rng = np.random.default_rng(seed)
    token_size = 32
    height, width = size
    count = samples * pictures
    packed = pack(
        example_samples(
            rng,
            samples=samples,
            pictures=pictures,
            questions=questions,
            grid=(height // token_size, width // token_size),
            phrases=phrases,
        ),
        grid=(height // token_size, width // token_size),
        image_token_id=IMAGE_TOKEN,
        pad_token_id=PAD,
        pad_to=pad_to,
    )
    K = np.array([[width, 0, (width - 1) / 2], [0, width, (height - 1) / 2], [0, 0, 1]], np.float32)
    # Wall z = 2 + 0.3 x in the first camera, so that n = (0.3, 0, -1) / |.| faces the camera.
    slope, distance = 0.3, 2.0
    u = np.arange(width)
    ray_x = (u - K[0, 2]) / K[0, 0]
    cam2first = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    cam2first[:, 0, 3] = 0.1 * np.tile(np.arange(pictures), samples)
    shift = cam2first[:, 0, 3]
    # x = ray_x z + shift and z = distance + slope x.
    z = (distance + slope * shift[:, None]) / (1 - slope * ray_x[None])
    depth = np.repeat(z[:, None, :], height, axis=1).astype(np.float32)
    x_first = ray_x[None] * z + shift[:, None]
    stripe = np.clip(((x_first + 1.2) / 2.4 * objects).astype(np.int32), 0, objects - 1) + 1
    normal = np.array([slope, 0, -1], np.float32) / np.float32(np.hypot(slope, 1.0))

    # Points on the wall where every camera sees them: drawn in the first picture's middle.
    px = rng.uniform(0.3, 0.6, samples * points) * width
    py = rng.uniform(0.2, 0.8, samples * points) * height
    rx, ry = (px - K[0, 2]) / K[0, 0], (py - K[1, 2]) / K[1, 1]
    pz = distance / (1 - slope * rx)
    point = np.stack([rx * pz, ry * pz, pz], -1).astype(np.float32)
    point_sample = np.repeat(np.arange(samples), points)
    owner = np.clip(((point[:, 0] + 1.2) / 2.4 * objects).astype(np.int32), 0, objects - 1) + 1
    seen_point = np.repeat(np.arange(samples * points), pictures)
    seen_image = (point_sample[:, None] * pictures + np.arange(pictures)).ravel()
    local = point[seen_point] - cam2first[seen_image, :3, 3]
    pixel = local[:, :2] / local[:, 2:] * K[0, 0] + K[:2, 2]

    edges = np.linspace(-1.2, 1.2, objects + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    box = np.zeros((samples * objects, 15), np.float32)
    box[:, 0] = np.tile(middle, samples)
    box[:, 2] = distance + slope * box[:, 0]
    box[:, 3:6] = [2.4 / objects, 1.0, 0.2]
    box[:, 6:] = np.eye(3, dtype=np.float32).ravel()
    has_phrases = phrases >= 4
    pairs = np.array([(s * objects, s * objects + 1) for s in range(samples)]).reshape(-1, 2)

    def tensor(array, dtype=None):
        return torch.from_numpy(
            np.ascontiguousarray(array if dtype is None else array.astype(dtype))
        )

    return Batch(
        **packed,
        images=tensor(_painted(stripe, height, rng)),
        K=tensor(np.tile(K, (count, 1, 1))),
        cam2first=tensor(cam2first),
        input_depth=tensor(depth),
        input_normal=tensor(np.broadcast_to(normal, (count, height, width, 3))),
        geometry_given=torch.ones(count, dtype=torch.bool),
        depth=tensor(depth),
        normal=tensor(np.broadcast_to(normal, (count, height, width, 3))),
        instance=tensor(np.repeat(stripe[:, None, :], height, axis=1), np.int32),
        point_sample=tensor(point_sample),
        point_first=tensor(point),
        point_instance=tensor(owner, np.int32),
        seen_point=tensor(seen_point),
        seen_image=tensor(seen_image),
        seen_pixel=tensor(pixel, np.float32),
        object_sample=tensor(np.repeat(np.arange(samples), objects)),
        object_instance=tensor(np.tile(np.arange(1, objects + 1), samples), np.int32),
        object_box_first=tensor(box),
        object_phrase=tensor(np.tile(np.arange(objects) % 2 if has_phrases else -1, samples))
        if has_phrases
        else torch.full((samples * objects,), -1),
        relation_objects=tensor(pairs) if has_phrases else None,
        relation_phrase=torch.full((samples,), 2) if has_phrases else None,
        relation_inverse=torch.full((samples,), 3) if has_phrases else None,
    )


def _painted(stripe: np.ndarray, height: int, rng: np.random.Generator) -> np.ndarray:
    """Pictures whose colour tells the instance, with noise."""
    colours = rng.integers(40, 216, (int(stripe.max()) + 1, 3))
    rows = np.repeat(colours[stripe][:, None], height, axis=1)
    return np.clip(rows + rng.normal(0, 8, rows.shape), 0, 255).astype(np.uint8)


def example_model(seed: int = 0, **settings):
    """A tiny model with weights large enough that what it computes depends on what it sees."""
    torch.manual_seed(seed)
    model = GapModel(example_config(**settings))
    with torch.no_grad():
        for name, parameter in model.model.named_parameters():
            if parameter.ndim > 1 and "embed_tokens" not in name:
                parameter.mul_(3)
    return model.eval()
