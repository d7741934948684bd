"""Time and memory of every recurrent layer beside torch.nn's: `python -m tests.bench.layers`.

One thread, float32. Times are this process's CPU time, so that waiting for a turn on a busy machine does not
count; ours and the library's alternate, so that a slow spell hits both. A ratio is the median over rounds of
ours / theirs, its spread the distance between quartiles over the median. Prints tables and writes
build/bench/layers.json, a list of {layer, baseline, shape, phase, ratio, spread}. One to three minutes.

    python -m tests.bench.layers --only LSTM PeepholeLSTM --shapes 0 1

measures and prints the ratios of some layers at some of `SHAPES` alone, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from course_utils.models.gru import GRU
from course_utils.models.lstm import LSTM
from course_utils.models.mgu import MGU
from course_utils.models.peephole import PeepholeLSTM
from course_utils.models.rnn import RNN

REPOSITORY = Path(__file__).resolve().parents[2]
SHAPES = [(32, 100, 64, 128), (64, 50, 64, 64), (32, 200, 64, 256), (8, 1000, 16, 64)]  # B, T, I, H
SECONDS, ROUNDS = 0.5, (5, 25)  # for one ratio: about so long, within so many rounds

LAYERS: dict[str, tuple[Callable[[int, int], nn.Module], type[nn.RNNBase]]] = {
    "RNN": (RNN, nn.RNN),
    "RNN, layer norm": (lambda i, h: RNN(i, h, layer_norm=True), nn.RNN),
    "LSTM": (LSTM, nn.LSTM),
    "LSTM, clamped": (lambda i, h: LSTM(i, h, clamp={"forget": 1.0}), nn.LSTM),
    "PeepholeLSTM": (PeepholeLSTM, nn.LSTM),
    "GRU": (GRU, nn.GRU),
    "GRU, reset before": (lambda i, h: GRU(i, h, reset="before"), nn.GRU),
    "MGU": (MGU, nn.GRU),
}


def train_step(layer: nn.Module, x: Tensor) -> None:
    """Forward, loss, backward; no update."""
    layer.zero_grad()
    layer(x)[0].square().mean().backward()


@torch.inference_mode()
def infer(layer: nn.Module, x: Tensor) -> None:
    """Forward alone."""
    layer(x)


def seconds(work: Callable[[], None]) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def duel(ours: Callable[[], None], theirs: Callable[[], None]) -> dict[str, float]:
    """Return the ratio of times, its spread, and both medians in seconds; the two take turns."""
    for warm in (ours, theirs, ours, theirs):
        warm()
    pairs: list[tuple[float, float]] = []
    while len(pairs) < ROUNDS[0] or (len(pairs) < ROUNDS[1] and sum(map(sum, pairs)) < SECONDS):
        pairs.append((seconds(ours), seconds(theirs)))
    low, ratio, high = statistics.quantiles((mine / other for mine, other in pairs), n=4)
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"ratio": ratio, "spread": (high - low) / ratio, "ours_s": mine, "theirs_s": other}


def kept_bytes(layer: nn.Module, x: Tensor) -> int:
    """Return the bytes of distinct storage, weights aside, that a forward pass keeps for the backward pass."""
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    weights = {parameter.untyped_storage().data_ptr() for parameter in layer.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        held = layer(x)
    del held
    return sum(size for address, size in storages.items() if address not in weights)


def speed_rows(names: list[str], shapes: list[tuple[int, int, int, int]]) -> list[dict[str, Any]]:
    """Measure layers at shapes, in both phases."""
    rows = []
    for name in names:
        make, library = LAYERS[name]
        for shape in shapes:
            batch, steps, inputs, hidden = shape
            x = torch.randn(batch, steps, inputs)
            ours, theirs = make(inputs, hidden), library(inputs, hidden, batch_first=True)
            for phase, work in (("train", train_step), ("infer", infer)):
                figures = duel(lambda w=work, x=x: w(ours, x), lambda w=work, x=x: w(theirs, x))  # noqa: B023
                about = {"layer": name, "baseline": f"nn.{library.__name__}", "shape": shape, "phase": phase}
                rows.append(about | figures)
    return rows


def length_rows() -> list[dict[str, Any]]:
    """Time a training step at T, 2T and 4T: the last two should be 2 and 4 times the first."""
    rows = []
    for name, (make, _) in LAYERS.items():
        layer, times = make(32, 64), {}
        inputs = {steps: torch.randn(16, steps, 32) for steps in (100, 200, 400)}
        for steps, x in inputs.items():
            train_step(layer, x)
            times[steps] = min(seconds(lambda x=x: train_step(layer, x)) for _ in range(7))  # noqa: B023
        rows.append({"layer": name, "seconds": times})
    return rows


def memory_rows() -> list[dict[str, Any]]:
    """Count what is kept for the backward pass at the first shape."""
    batch, steps, inputs, hidden = SHAPES[0]
    x = torch.randn(batch, steps, inputs)
    return [
        {
            "layer": name,
            "ours": kept_bytes(make(inputs, hidden), x),
            "theirs": kept_bytes(library(inputs, hidden, batch_first=True), x),
        }
        for name, (make, library) in LAYERS.items()
    ]


def table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """Return a table whose figures stand to the right."""
    shown = Table(title=title)
    for number, column in enumerate(columns):
        shown.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        shown.add_row(*row)
    return shown


def print_speeds(console: Console, speeds: list[dict[str, Any]]) -> None:
    """Print one table for each phase."""
    for phase in ("train", "infer"):
        cells = [
            [
                f"{row['layer']} / {row['baseline']}",
                str(row["shape"]),
                f"{1e3 * row['ours_s']:.2f}",
                f"{1e3 * row['theirs_s']:.2f}",
                f"{row['ratio']:.2f}",
                f"{row['spread']:.0%}",
            ]
            for row in speeds
            if row["phase"] == phase
        ]
        columns = ["layer / baseline", "B, T, I, H", "ours, ms", "theirs, ms", "ratio", "spread"]
        console.print(table(f"{phase}: time against torch.nn, one thread", columns, cells))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.layers")
    parser.add_argument("--only", nargs="+", choices=LAYERS, metavar="LAYER", help=f"of {', '.join(LAYERS)}")
    parser.add_argument("--shapes", nargs="+", type=int, choices=range(len(SHAPES)), help="places in SHAPES")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    console = Console(width=120)
    shapes = SHAPES if asked.shapes is None else [SHAPES[place] for place in asked.shapes]
    speeds = speed_rows(asked.only or list(LAYERS), shapes)
    print_speeds(console, speeds)
    if asked.only or asked.shapes is not None:
        return
    kept = ("layer", "baseline", "shape", "phase", "ratio", "spread")
    target = REPOSITORY / "build" / "bench" / "layers.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = [{key: row[key] for key in kept} for row in speeds]
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    lengths, memory = length_rows(), memory_rows()
    cells = [
        [
            row["layer"],
            *(f"{1e3 * s:.2f}" for s in row["seconds"].values()),
            f"{row['seconds'][400] / row['seconds'][100]:.2f}",
        ]
        for row in lengths
    ]
    columns = ["layer", "T = 100, ms", "T = 200, ms", "T = 400, ms", "400 / 100"]
    console.print(table("a training step against T (B 16, I 32, H 64)", columns, cells))
    cells = [[row["layer"], f"{row['ours'] / 2**20:.2f}", f"{row['theirs'] / 2**20:.2f}"] for row in memory]
    columns = ["layer", "ours, MiB", "torch.nn, MiB"]
    console.print(table(f"kept for the backward pass at {SHAPES[0]}", columns, cells))


if __name__ == "__main__":
    main()
