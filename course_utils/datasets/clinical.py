"""Stays in intensive care: what was measured, whenever it was measured, and whether the patient died.

After the PhysioNet Computing in Cardiology Challenge 2012 (Silva, Moody, Scott, Celi & Mark, 2012). A stay is a list
of observations at irregular times; `to_tensors` pads a batch of them for models that are given times and masks
(GRU-D, Che et al., 2018; ODE-RNN, Rubanova et al., 2019).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.datasets.base import Splits, split_by_seed
from course_utils.datasets.fetch import fetch, fetch_all
from course_utils.datasets.series import csv_rows

STATIC = ("RecordID", "Age", "Gender", "Height", "ICUType", "Weight")


class Observation(NamedTuple):
    """One value of one parameter (HR, Temp, …; units as on PhysioNet's page), hours after admission."""

    hours: float
    parameter: str
    value: float


@dataclass(frozen=True)
class Stay:
    """The first 48 hours of a stay.

    `static` holds Age (years), Gender (0 female, 1 male), Height (cm), ICUType (1..4) and Weight (kg) on
    admission, None where the file has -1 or nothing; observations stand in time order, perhaps none.
    """

    record: int
    static: dict[str, float | None]
    observations: tuple[Observation, ...]
    died: bool


class Irregular(NamedTuple):
    """A padded batch of B stays, T times, P parameters.

    values: (B, T, P) float32, 0 where not measured; mask: (B, T, P) bool, True where measured; times: (B, T)
    float32, hours, ascending, the last one repeated in the padding; lengths: (B,) int64; died: (B,) int64.
    """

    values: Tensor
    mask: Tensor
    times: Tensor
    lengths: Tensor
    died: Tensor


def icu_stays(*, valid: float = 0.15, test: float = 0.15, seed: int = 0) -> Splits[list[Stay]]:
    """Return stays in intensive care with the outcome.

    Data card:
        Origin: PhysioNet Challenge 2012, set A, from MIMIC-II (Silva et al., 2012), adults, de-identified.
        Licence: not stated in the copy that is fetched; PhysioNet calls the set open access.
        Size: 104 of the 4000 stays of set A (100 with the lowest numbers and four edge cases); 41 187
            observations of 37 parameters over 48 hours; 13 deaths. Three stays have no observation, one has one.
        Splits: by the seed, 70/15/15 of the stays.
        Good for: models of irregular times: parameters are measured from every few minutes to once a day.
        Not good for: predicting death (13 cases), or any clinical conclusion.

    Args:
        valid, test: shares.
        seed: of the split.

    Raises:
        ValueError: shares out of range, or a row that cannot be read (named by file and line).
        DataError: a file cannot be had (`course_utils.datasets.fetch`).
    """
    outcomes = read_outcomes(fetch("physionet2012", "Outcomes-a.txt"))
    paths = [path for path in fetch_all("physionet2012") if path.stem.isdigit()]
    return split_by_seed([read_stay(path, outcomes) for path in paths], valid=valid, test=test, seed=seed)


def read_outcomes(path: Path) -> dict[int, bool]:
    """Return for each record whether the patient died in hospital. Errors as `csv_rows`."""
    return dict(csv_rows(path, {"RecordID": int, "In-hospital_death": lambda text: bool(int(text))}))


def read_stay(path: Path, outcomes: dict[int, bool]) -> Stay:
    """Read one stay.

    The first value at 00:00 of each static parameter describes the patient; a weight that comes later, or a
    second time at 00:00, was measured. Values that repeat a time and parameter are all kept.

    Raises:
        ValueError: a row that cannot be read (named by file and line), or a record that outcomes lack.
    """
    static: dict[str, float | None] = {}
    observations = []
    for hours, parameter, value in csv_rows(path, {"Time": _hours, "Parameter": str, "Value": float}):
        if hours == 0 and parameter in STATIC and parameter not in static:
            static[parameter] = None if value == -1 else value
        elif parameter not in STATIC or parameter == "Weight":
            observations.append(Observation(hours, parameter, value))
    record = static.pop("RecordID", None)
    if record not in outcomes:
        raise ValueError(f"{path.name}: outcomes must hold its record, got none for {record}")
    given = {name: static.get(name) for name in STATIC[1:]}
    return Stay(int(record), given, tuple(sorted(observations, key=lambda o: o.hours)), outcomes[int(record)])


def parameters_of(stays: Sequence[Stay]) -> list[str]:
    """Return the parameters that were ever measured, sorted."""
    return sorted({observation.parameter for stay in stays for observation in stay.observations})


def scale_of(stays: Sequence[Stay], parameters: Sequence[str]) -> Tensor:
    """Return (2, P) float64, mean and standard deviation of each parameter; fit it on the train part alone.

    A parameter that was never measured gets 0 and 1, one that never changed a standard deviation of 1.
    """
    columns: dict[str, list[float]] = {name: [] for name in parameters}
    for stay in stays:
        for _, parameter, value in stay.observations:
            if parameter in columns:
                columns[parameter].append(value)
    scale = torch.tensor([[0.0], [1.0]], dtype=torch.float64).repeat(1, len(parameters))  # (2, P)
    for at, name in enumerate(parameters):
        values = torch.tensor(columns[name], dtype=torch.float64)
        if len(values):
            scale[0, at] = values.mean()
            scale[1, at] = values.std(correction=0) or 1.0
    return scale


def to_tensors(stays: Sequence[Stay], parameters: Sequence[str], scale: Tensor | None = None) -> Irregular:
    """Pad stays into tensors, one step for each time at which any of the parameters was measured.

    Of values that repeat a time and parameter the last counts. A stay without any has one step, at time 0, whose
    mask is all False.

    Args:
        stays: B ≥ 1.
        parameters: P names, the order of the last dimension; observations of others are left out.
        scale: (2, P) from `scale_of`; values become (value - mean) / standard deviation.

    Raises:
        ValueError: no stays, no parameters, repeated names, or a scale of another shape.
    """
    column = {name: at for at, name in enumerate(parameters)}
    if not stays or not column or len(column) < len(parameters):
        raise ValueError(
            f"stays and parameters must not be empty or repeat, got {len(stays)} stays, {parameters}"
        )
    if scale is None:
        scale = torch.tensor([[0.0], [1.0]], dtype=torch.float64).expand(2, len(column))
    if scale.shape != (2, len(column)):
        raise ValueError(f"scale must be (2, P)=(2, {len(column)}), got {tuple(scale.shape)}")
    seen = [[o for o in stay.observations if o.parameter in column] for stay in stays]
    clocks = [sorted({o.hours for o in observations}) or [0.0] for observations in seen]
    lengths = torch.tensor([len(clock) for clock in clocks])
    shape = (len(stays), int(lengths.max()))
    values = torch.zeros(*shape, len(column), dtype=torch.float32)  # (B, T, P)
    mask = torch.zeros_like(values, dtype=torch.bool)
    times = torch.zeros(shape, dtype=torch.float32)  # (B, T)
    mean, deviation = scale.tolist()
    for b, (observations, clock) in enumerate(zip(seen, clocks, strict=True)):
        times[b] = clock[-1]
        times[b, : len(clock)] = torch.tensor(clock)
        step = {hours: t for t, hours in enumerate(clock)}
        for hours, parameter, value in observations:
            p = column[parameter]
            values[b, step[hours], p] = (value - mean[p]) / deviation[p]
            mask[b, step[hours], p] = True
    return Irregular(values, mask, times, lengths, torch.tensor([int(stay.died) for stay in stays]))


def _hours(text: str) -> float:
    match = re.fullmatch(r"(\d\d):([0-5]\d)", text)
    if match is None:
        raise ValueError(f"a time must be HH:MM, got {text!r}")
    return int(match[1]) + int(match[2]) / 60
