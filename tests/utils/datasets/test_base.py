"""Splits: every record on one side, sizes as said, the order fixed by the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.datasets.base import Splits, split_by_seed, split_in_order
from course_utils.datasets.records import hold_out, split_by_group

shares = st.floats(0.05, 0.45)


@settings(deadline=None, max_examples=60)
@given(count=st.integers(21, 200), valid=shares, test=shares, seed=st.integers(0, 2**40))
def test_records_are_dealt_once_and_sizes_are_rounded(count, valid, test, seed):
    splits = split_by_seed(range(count), valid=valid, test=test, seed=seed)
    assert sorted(record for part in splits for record in part) == list(range(count))
    assert (len(splits.valid), len(splits.test)) == (round(valid * count), round(test * count))
    assert splits == split_by_seed(range(count), valid=valid, test=test, seed=seed)
    ordered = split_in_order(range(count), valid=valid, test=test)
    assert [*ordered.train, *ordered.valid, *ordered.test] == list(range(count))
    assert [len(part) for part in ordered] == [len(part) for part in splits]


def test_the_deal_is_the_same_on_every_machine():
    splits = split_by_seed("abcdefghijklmnopqrst", seed=3)
    assert (splits.valid, splits.test) == (["e", "h"], ["f", "t"])
    assert split_by_seed("abcdefghijklmnopqrst", seed=4) != splits


def test_no_global_state_is_touched():
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    split_by_seed(range(30), seed=1)
    hold_out(range(30), lambda record: record, seed=1)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize(
    "valid, test", [(0.0, 0.1), (0.1, 0.0), (0.5, 0.5), (-0.1, 0.2), (float("nan"), 0.1)]
)
def test_shares_out_of_range_are_errors(valid, test):
    with pytest.raises(ValueError, match="valid and test must be more than 0 and together less than 1, got"):
        split_by_seed(range(100), valid=valid, test=test)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_records_are_an_error(count):
    with pytest.raises(ValueError, match=f"{count} records are too few for a train, a valid"):
        split_in_order(range(count))


def test_map_and_unpacking():
    splits = Splits("ab", "c", "")
    assert splits.map(len) == Splits(2, 1, 0)
    train, valid, test = splits
    assert (train, valid, test) == ("ab", "c", "")


@settings(deadline=None, max_examples=60)
@given(keys=st.lists(st.integers(0, 40), min_size=1, max_size=120), seed=st.integers(0, 99))
def test_groups_stay_whole(keys, seed):
    records = list(enumerate(keys))
    if len(set(keys)) < 10:
        with pytest.raises(ValueError, match=r"too few|share must leave groups on both sides of \d"):
            split_by_group(records, lambda record: record[1], valid=0.01, test=0.01, seed=seed)
            hold_out(records, lambda record: record[1], share=0.01, seed=seed)
        return
    splits = split_by_group(records, lambda record: record[1], seed=seed)
    two = hold_out(records, lambda record: record[1], seed=seed)
    for parts in (tuple(splits), two):
        assert sorted(record for part in parts for record in part) == records
        groups = [{key for _, key in part} for part in parts]
        assert sum(map(len, groups)) == len(set(keys)) and all(groups)
    assert two[0] == sorted(two[0]) and two[1] == sorted(two[1])
    assert len({key for _, key in two[1]}) == round(0.1 * len(set(keys)))


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 0.01, 0.99, float("nan")])
def test_a_share_that_leaves_a_side_empty_is_an_error(share):
    with pytest.raises(ValueError, match="share must leave groups on both sides of 10, got"):
        hold_out(range(10), lambda record: record, share=share, seed=0)
