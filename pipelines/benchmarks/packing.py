"""Supervised answers a second, forward and backward: questions that share their pictures against questions on their own.

python pipelines/benchmarks/packing.py [--preset P] [--questions N] [--views N] [--rounds N] [--device D]

Arms take turns in one process on the same samples with the same model and loss: `alone`, a sequence for each question,
one after the other; `packed`, the same sequences side by side in rows of the budget, without sharing; `shared`, rows of the
same budget whose questions share the prefix of their sample.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from machine import describe_run

from gapmodel.data.batch import Batch
from gapmodel.data.collate import collate
from gapmodel.data.example import Example, Question
from gapmodel.data.packing import first_fit
from gapmodel.data.prompt import Prompt
from gapmodel.patches import token_grid
from gapmodel.presets import build_model, preset_config
from gapmodel.pretraining import PretrainingModel
from gapmodel.tokenizer import train_tokenizer

SIZE = (320, 448)  # height, width: 140 visual tokens a picture
WORDS = (
    (
        "How far is the {} from the {}, measured between their nearest points, in metres?",
        "{:.2f} m",
    ),
    ("Seen from image 1, is the {} to the left of the {}?", "Yes"),
    ("How many {}s stand within one metre of the {}?", "3"),
    (
        "Which is nearer to the camera in image 2, the {} or the {}?\nA. the first\nB. the second",
        "the first",
    ),
)
NAMES = (
    "red chair",
    "wooden table",
    "floor lamp",
    "white shelf",
    "sofa",
    "plant",
    "monitor",
    "bed",
)


def make_samples(count: int, views: int, questions: int) -> list[Example]:
    """Samples of random pictures with questions of the usual length about all of them."""
    rng = np.random.default_rng(0)
    samples = []
    for sample in range(count):
        asked = []
        for number in range(questions):
            text, answer = WORDS[number % len(WORDS)]
            names = rng.choice(NAMES, 2, replace=False)
            asked.append(
                Question(
                    qa=f"q{number}",
                    task="benchmark",
                    format="text",
                    views=tuple(range(views)),
                    text=text.format(*names),
                    answer=answer.format(rng.uniform(0.2, 6.0)),
                )
            )
        samples.append(
            Example(
                key=f"sample-{sample}",
                questions=tuple(asked),
                images=rng.integers(0, 256, (views, *SIZE, 3)).astype(np.uint8),
                K=np.tile(np.eye(3, dtype=np.float32), (views, 1, 1)),
                cam2first=np.tile(np.eye(4, dtype=np.float32), (views, 1, 1)),
            )
        )
    return samples


def make_rows(
    samples: list[Example], prompt: Prompt, budget: int, device: torch.device
) -> dict[str, list[Batch]]:
    """The rows of each arm."""
    apart = [
        replace(sample, questions=(question,))
        for sample in samples
        for question in sample.questions
    ]

    def rows(examples: list[Example]) -> list[Batch]:
        lengths = [prompt.encode(example).length for example in examples]
        return [
            collate([examples[i] for i in row], prompt, budget=budget, pad_to=pad_to).to(device)
            for row in first_fit(lengths, budget)
        ]

    pad_to = 1 if device.type == "cpu" else 128
    return {
        "alone": [collate([example], prompt, pad_to=pad_to).to(device) for example in apart],
        "packed": rows(apart),
        "shared": rows(samples),
    }


def seconds_of(work: Callable[[], None], device: torch.device) -> float:
    """What `work` takes: wall-clock time of a GPU, processor time of one thread on a host that others may use too."""
    if device.type == "cpu":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    """Print answers a second of each arm, median and range over the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--budget", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    torch.set_num_threads(1)

    samples = make_samples(arguments.samples, arguments.views, arguments.questions)
    tokenizer = train_tokenizer([q.text for s in samples for q in s.questions], 1024)
    config = preset_config(arguments.preset, tokenizer=tokenizer)
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    model = PretrainingModel(build_model(config, device=device, dtype=dtype))
    if device.type == "cuda":
        model.model.set_attn_implementation({"text_config": "flex_attention"})
    prompt = Prompt(tokenizer, token_grid(config, *SIZE))
    arms = make_rows(samples, prompt, arguments.budget, device)
    answers = arguments.samples * arguments.questions

    def train(rows: list[Batch]) -> None:
        for row in rows:
            model(row, {"answers": 1.0})["answers"].value.backward()
        model.zero_grad(set_to_none=True)

    rates: dict[str, list[float]] = {name: [] for name in arms}
    for round_number in range(arguments.rounds + 1):
        for name, rows in arms.items():
            spent = seconds_of(lambda rows=rows: train(rows), device)
            if round_number:  # the first one warms up
                rates[name].append(answers / spent)
    print(
        f"{arguments.preset}, {arguments.samples} samples x {arguments.views} views "
        f"{SIZE[1]}x{SIZE[0]} x {arguments.questions} questions, rows of {arguments.budget} tokens"
    )
    base = statistics.median(rates["alone"])
    for name, rows in arms.items():
        tokens = sum(int((row.group_ids >= 0).sum()) for row in rows)
        pictures = sum(len(row.images) for row in rows)
        middle = statistics.median(rates[name])
        print(
            f"  {name:7s} {middle:7.1f} answers/s ({min(rates[name]):.1f} to {max(rates[name]):.1f}), "
            f"{middle / base:.2f} x alone; {len(rows)} rows, {tokens} tokens, {pictures} pictures"
        )
    print(
        f"{describe_run()}, torch {torch.__version__}, {torch.get_num_threads()} threads, {device}"
    )


if __name__ == "__main__":
    main()
