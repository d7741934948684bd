"""Real series: an EEG, and measurements with the windows in which something went wrong.

`eeg` comes with Matplotlib and needs no network; `labelled_series` is fetched by name. Prices have their own file,
`prices.py`.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib import cbook
from numpy.typing import NDArray
from torch import Tensor

from course_utils.datasets.base import Splits, split_in_order
from course_utils.datasets.fetch import fetch, files

Moments = NDArray[np.datetime64]
EEG_RATE = 80.0  # samples a second


@dataclass(frozen=True)
class LabelledSeries:
    """A measured series (T,) float64, its times datetime64[s] in the order of the file, and labeled windows.

    Windows are (start, end), both inside. `probation` steps at the start are free of them, to learn what is normal.
    """

    name: str
    times: Moments
    values: NDArray
    windows: tuple[tuple[np.datetime64, np.datetime64], ...]

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Return (T,) bool, True inside a window."""
        inside = np.zeros(len(self.times), dtype=bool)
        for start, end in self.windows:
            inside |= (self.times >= start) & (self.times <= end)
        return inside

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Return each window as steps (start, stop), stop not included."""
        steps = [np.flatnonzero((self.times >= start) & (self.times <= end)) for start, end in self.windows]
        return [(int(inside[0]), int(inside[-1]) + 1) for inside in steps if len(inside)]

    @property
    def probation(self) -> int:
        """The steps that NAB gives a detector to learn from: 15 %, counted on 5000 steps at most."""
        return int(0.15 * min(len(self.times), 5000))


def eeg(*, valid: float = 0.15, test: float = 0.15) -> Splits[Tensor]:
    """Return ten seconds of an electroencephalogram, four channels.

    Data card:
        Origin: Matplotlib's sample data (`eeg.dat`), which does not tell the patient, the place or the unit.
        Licence: not stated; the file comes with Matplotlib, the course carries no copy.
        Size: 800 samples at 80 Hz of four channels, from -5.2 to 5.3.
        Splits: in time order, 70/15/15.
        Good for: forecasting a rhythm that is not quite periodic, from several channels.
        Not good for: medicine, or models that need much data.

    Args:
        valid, test: shares.

    Returns:
        (T, 4) float32.

    Raises:
        FileNotFoundError: this Matplotlib was installed without its sample data.
        ValueError: shares out of range.
    """
    samples = np.fromfile(matplotlib_sample("eeg.dat"), dtype="<f8").reshape(-1, 4)  # (T, 4)
    rows = split_in_order(range(len(samples)), valid=valid, test=test)
    return rows.map(lambda part: torch.tensor(samples[part], dtype=torch.float32))


def labelled_series_names() -> list[str]:
    """Return the names that `labelled_series` takes, sorted."""
    return [file.removesuffix(".csv") for file in files("nab") if file.endswith(".csv")]


def labelled_series(name: str = "realKnownCause/nyc_taxi") -> LabelledSeries:
    """Return a series of the Numenta Anomaly Benchmark with its labeled windows.

    Data card:
        Origin: Lavin & Ahmad (2015), Numenta Anomaly Benchmark: servers, a machine, taxis, and series by rule.
        Licence: MIT.
        Size: 18 of its 58 series, 1127 to 22 695 steps each, 113 913 in all, with 25 windows. A window holds a
            tenth of a series, shared among its anomalies: it is wider than what went wrong.
        Splits: in time order; learn on the first `probation` steps, find the windows in the rest.
        Good for: whether a detector sees what people saw.
        Not good for: precision by step: most steps in a window look normal. Times repeat, step back once
            (machine_temperature) or leave gaps; rows stand here in the order of the file.

    Args:
        name: one of `labelled_series_names()`.

    Raises:
        ValueError: an unknown name, or a row that cannot be read (named by file and line).
        DataError: a file cannot be had (`course_utils.datasets.fetch`).
    """
    if name not in labelled_series_names():
        raise ValueError(f"name must be in {labelled_series_names()}, got {name!r}")
    path = fetch("nab", f"{name}.csv")
    labels = json.loads(fetch("nab", "labels/combined_windows.json").read_text(encoding="ascii"))
    rows = list(csv_rows(path, {"timestamp": _moment, "value": float}))
    windows = tuple((_moment(start), _moment(end)) for start, end in labels[f"{name}.csv"])
    return LabelledSeries(name, np.array([t for t, _ in rows]), np.array([v for _, v in rows]), windows)


def csv_rows(path: Path, columns: Mapping[str, Callable[[str], Any]]) -> Iterator[list[Any]]:
    """Yield the named columns of a CSV file, row by row, each read by its function; other columns are passed over.

    Raises:
        ValueError: a column is missing, or a cell is missing, empty, not finite or not to be read; the message
            names file and line.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in columns if name not in (reader.fieldnames or [])]:
            raise ValueError(f"{path.name}, line 1: expected columns {list(columns)}, got no {missing[0]!r}")
        for row in reader:
            try:
                cells = [read(row[name] or "") for name, read in columns.items()]
                if not all(math.isfinite(cell) for cell in cells if isinstance(cell, float)):
                    raise ValueError("numbers must be finite")
            except ValueError as error:
                raise ValueError(f"{path.name}, line {reader.line_num}: {error}, in {row}") from None
            yield cells


def matplotlib_sample(file: str) -> Path:
    """Return the path of a file of Matplotlib's sample data.

    Raises:
        FileNotFoundError: this Matplotlib was installed without it.
    """
    path = Path(cbook.get_sample_data(file, asfileobj=False))
    if not path.is_file():
        raise FileNotFoundError(
            f"Matplotlib {matplotlib.__version__} lacks its sample file {file!r} (looked in {path.parent}); "
            "install Matplotlib from the Python Package Index"
        )
    return path


def _moment(text: str) -> np.datetime64:
    return np.datetime64(datetime.fromisoformat(text), "s")
