"""Stays in intensive care: the real files by their facts, and padding by hand."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.datasets import clinical, fetch
from course_utils.datasets.clinical import Observation, Stay, parameters_of, read_stay, scale_of, to_tensors

SHARED = Path(__file__).parents[4] / "shared" / "data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="no copies of the real files beside the repository")


def stay(*observations, died=False, record=1):
    return Stay(record, {}, tuple(Observation(*each) for each in observations), died)


@real
def test_icu_stays(monkeypatch):
    monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))
    splits = clinical.icu_stays()
    assert [len(part) for part in splits] == [72, 16, 16]
    stays = {each.record: each for part in splits for each in part}
    assert len(stays) == 104 and sum(each.died for each in stays.values()) == 13
    assert sum(len(each.observations) for each in stays.values()) == 41_811 - 6 * 104
    assert len(parameters_of(list(stays.values()))) == 42 - 5  # Weight is both static and measured
    by_count = {
        count: sorted(r for r, s in stays.items() if len(s.observations) == count) for count in (0, 1)
    }
    assert by_count == {0: [140501, 140936, 141264], 1: [139060]}
    assert max(o.hours for s in stays.values() for o in s.observations) == 48.0
    first = stays[132541]
    assert first.static == {"Age": 44, "Gender": 0, "Height": None, "ICUType": 3, "Weight": 56.7}
    assert len(first.observations) == 434 - 6 and not first.died
    assert first.observations[-1] == (47 + 17 / 60, "Weight", 56.7)
    assert stays[132543].observations[-1] == (47.6, "Urine", 550)
    assert sum(s.static["Height"] is None for s in stays.values()) == 50
    assert sum(s.static["Weight"] is None for s in stays.values()) == 13
    for each in stays.values():
        hours = [o.hours for o in each.observations]
        assert hours == sorted(hours) and -1 not in each.static.values()
    assert [s.record for s in clinical.icu_stays(seed=1).test] != [s.record for s in splits.test]

    names = parameters_of(splits.train)
    scale = scale_of(splits.train, names)
    batch = to_tensors(splits.train, names, scale)
    assert batch.values.shape == (72, int(batch.lengths.max()), 37) and batch.values.isfinite().all()
    assert batch.mask.sum() == sum(len({o[:2] for o in s.observations}) for s in splits.train)
    assert batch.values[batch.mask].mean().abs() < 0.01 and (batch.values[batch.mask].std() - 1).abs() < 0.05
    assert (batch.times.diff(dim=1) >= 0).all() and batch.times.max() <= 48


def write(tmp_path, *rows):
    path = tmp_path / "7.txt"
    path.write_text("\n".join(("Time,Parameter,Value", *rows)) + "\n")
    return path


def test_static_values_and_observations_are_told_apart(tmp_path):
    path = write(
        tmp_path,
        "00:00,RecordID,7", "00:00,Age,60", "00:00,HR,80", "00:00,Gender,-1", "00:00,Height,-1", "00:00,Weight,70",
        "00:00,Weight,71", "47:30,Weight,72", "01:15,HR,-1", "01:15,HR,82",
    )  # fmt: skip
    one = read_stay(path, {7: True})
    assert one.static == {"Age": 60, "Gender": None, "Height": None, "ICUType": None, "Weight": 70}
    assert one.observations == (
        (0, "HR", 80), (0, "Weight", 71), (1.25, "HR", -1), (1.25, "HR", 82), (47.5, "Weight", 72),
    )  # fmt: skip
    assert (one.record, one.died) == (7, True)


@pytest.mark.parametrize(
    "row, message",
    [
        ("1:00,HR,80", "7.txt, line 3: a time must be HH:MM, got '1:00'"),
        ("01:60,HR,80", "7.txt, line 3: a time must be HH:MM"),
        ("01:00,HR", "7.txt, line 3: could not convert"),
        ("01:00,HR,inf", "7.txt, line 3: numbers must be finite"),
        ("01:00,HR,many", "7.txt, line 3: could not convert string to float: 'many'"),
    ],
)
def test_errors_name_file_and_line(tmp_path, row, message):
    with pytest.raises(ValueError, match=message):
        read_stay(write(tmp_path, "00:00,RecordID,7", row), {7: False})


def test_a_stay_needs_an_outcome(tmp_path):
    with pytest.raises(ValueError, match=r"7\.txt: outcomes must hold its record, got none for 7"):
        read_stay(write(tmp_path, "00:00,RecordID,7"), {8: False})
    with pytest.raises(ValueError, match=r"7\.txt: outcomes must hold its record, got none for None"):
        read_stay(write(tmp_path, "01:00,HR,80"), {8: False})
    outcomes = tmp_path / "o.txt"
    outcomes.write_text("RecordID,SAPS-I,In-hospital_death\n7,6,1\n8,-1,0\n")
    assert clinical.read_outcomes(outcomes) == {7: True, 8: False}


def test_padding_by_hand():
    first = stay(
        (0.5, "HR", 80.0),
        (0.5, "Temp", 37.0),
        (2.0, "HR", 90.0),
        (2.0, "HR", 94.0),
        (3.0, "pH", 7.4),
        died=True,
    )
    values, mask, times, lengths, died = to_tensors(
        [first, stay((1.0, "Temp", 38.0)), stay()], ["Temp", "HR"]
    )
    assert values.tolist() == [[[37, 80], [0, 94]], [[38, 0], [0, 0]], [[0, 0], [0, 0]]]
    assert mask.tolist() == [[[True, True], [False, True]], [[True, False], [False] * 2], [[False] * 2] * 2]
    assert times.tolist() == [[0.5, 2.0], [1.0, 1.0], [0.0, 0.0]]
    assert (lengths.tolist(), died.tolist()) == ([2, 1, 1], [1, 0, 0])
    assert (values.dtype, mask.dtype, times.dtype, lengths.dtype) == (
        torch.float32, torch.bool, torch.float32, torch.int64,
    )  # fmt: skip


def test_the_scale():
    stays = [stay((0.0, "HR", 80.0), (1.0, "HR", 90.0)), stay((0.0, "Temp", 37.0))]
    scale = scale_of(stays, ["HR", "Temp", "pH"])
    assert scale.tolist() == [[85, 37, 0], [5, 1, 1]] and scale.dtype == torch.float64
    assert to_tensors(stays, ["HR", "Temp", "pH"], scale).values[:, :, 0].tolist() == [[-1, 1], [0, 0]]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 48), st.sampled_from(["a", "b", "c"]), st.integers(-9, 9)), max_size=6
        ),
        min_size=1,
        max_size=4,
    )
)
def test_padding_keeps_every_value_and_adds_none(drawn):
    stays = [stay(*sorted((float(t), name, float(v)) for t, name, v in each)) for each in drawn]
    values, mask, times, lengths, _ = to_tensors(stays, ["c", "a", "b"])
    for b, one in enumerate(stays):
        known = {(o.hours, o.parameter): o.value for o in one.observations}
        found = {
            (times[b, t].item(), ["c", "a", "b"][p]): values[b, t, p].item()
            for t, p in mask[b].nonzero().tolist()
        }
        assert found == known
        assert lengths[b] == max(1, len({hours for hours, _ in known}))
        assert not mask[b, lengths[b] :].any() and not values[b][~mask[b]].any()
        assert times[b, lengths[b] - 1 :].eq(times[b, lengths[b] - 1]).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: to_tensors([], ["a"]), "stays and parameters must not be empty or repeat, got 0 stays"),
        (lambda: to_tensors([stay()], []), "stays and parameters must not be empty"),
        (lambda: to_tensors([stay()], ["a", "a"]), "must not be empty or repeat"),
        (
            lambda: to_tensors([stay()], ["a"], torch.ones(1, 2)),
            r"scale must be \(2, P\)=\(2, 1\), got \(1, 2\)",
        ),
    ],
)
def test_arguments_are_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call()
