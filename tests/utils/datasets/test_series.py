"""Prices, the EEG and labelled series: real files by their facts, and no leak from one part to another."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.datasets import fetch, prices, series
from course_utils.datasets.base import Splits

SHARED = Path(__file__).parents[4] / "shared" / "data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="no copies of the real files beside the repository")


@pytest.fixture(autouse=True)
def copies(monkeypatch):
    if SHARED.is_dir():
        monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))


def invented(days, seed=0):
    """Return prices with a split in the middle: close halves there, the adjusted close does not."""
    rng = np.random.default_rng(seed)
    adjusted = np.exp(rng.normal(0, 0.02, days).cumsum())
    factor = np.where(np.arange(days) < days // 2, 0.5, 1.0)
    close = adjusted / factor
    open_ = close * np.exp(rng.normal(0, 0.01, days))
    dates = np.datetime64("2020-01-01") + np.arange(days)
    return prices.Prices(
        dates, open_, np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99, close,
        rng.integers(1, 1000, days).astype(float), adjusted,
    )  # fmt: skip


def cut(whole, *sizes):
    ends = np.cumsum(sizes)
    return Splits(*(whole[slice(end - size, end)] for end, size in zip(ends, sizes, strict=True)))


def assert_in_order(splits):
    dates = np.concatenate([part.dates for part in splits])
    assert (np.diff(dates) > np.timedelta64(0)).all()
    assert all(
        len(getattr(part, name)) == len(part) for part in splits for name in ("open", "volume", "adjusted")
    )


def test_google_prices():
    google = prices.google_prices()
    assert [len(part) for part in google] == [733, 157, 157]
    assert_in_order(google)
    first, last = google.train[:1], google.test[-1:]
    assert (str(first.dates[0]), first.open[0], first.close[0], first.volume[0]) == (
        "2004-08-19",
        100.0,
        100.34,
        22_351_900,
    )
    assert (str(last.dates[0]), last.high[0], last.low[0], last.adjusted[0]) == (
        "2008-10-14",
        394.5,
        357.0,
        362.71,
    )
    assert str(google.test.dates[0]) == "2008-03-04"


def test_eeg():
    parts = series.eeg()
    assert [part.shape for part in parts] == [(560, 4), (120, 4), (120, 4)]
    whole = torch.cat(list(parts))
    assert whole.dtype == torch.float32 and len(whole) / series.EEG_RATE == 10
    torch.testing.assert_close(whole[0], torch.tensor([0.04009357, 0.04333238, 0.08450375, 0.03699944]))
    torch.testing.assert_close(whole[-1], torch.tensor([0.20538193, -0.57988334, 1.04153433, 0.26367175]))


def test_a_missing_sample_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(series.cbook, "get_sample_data", lambda file, asfileobj: tmp_path / file)
    with pytest.raises(FileNotFoundError, match=r"lacks its sample file 'goog\.npz'"):
        prices.google_prices()
    with pytest.raises(FileNotFoundError, match=r"lacks its sample file 'eeg\.dat'"):
        series.eeg()


@real
@pytest.mark.parametrize(
    "name, sizes, first, last",
    [
        ("sp500", [3287, 705, 705], ("2000-01-03", 1469.25, 1478, 1438.359985, 1455.219971, 931_800_000, 1455.219971),
         ("2018-08-31", 2898.370117, 2906.320068, 2891.72998, 2901.52002, 2_880_260_000, 2901.52002)),
        ("aapl_1984_2008", [4257, 912, 912], ("1984-09-07", 26.5, 26.87, 26.25, 26.5, 2_981_600, 3.02),
         ("2008-10-14", 116.26, 116.40, 103.14, 104.08, 70_749_800, 104.08)),
        ("aapl_2012_2017", [880, 189, 189],
         ("2012-09-04", 95.108574, 96.448570, 94.928574, 96.424286, 91_973_000, 87.121140),
         ("2017-09-01", 164.800003, 164.940002, 163.630005, 164.050003, 16_552_800, 164.050003)),
    ],
)  # fmt: skip
def test_stock_prices_by_name(name, sizes, first, last):
    splits = prices.stock_prices(name)
    assert [len(part) for part in splits] == sizes
    assert_in_order(splits)
    for day, expected in ((splits.train[:1], first), (splits.test[-1:], last)):
        got = [
            getattr(day, field)[0]
            for field in ("dates", "open", "high", "low", "close", "volume", "adjusted")
        ]
        assert (str(got[0]), *got[1:]) == expected
    assert all((part.high >= part.low).all() for part in splits)


@real
def test_unadjusted_prices_jump_at_a_split_and_adjusted_ones_do_not():
    splits = prices.stock_prices("aapl_1984_2008")
    close, adjusted = (
        np.concatenate([getattr(part, name) for part in splits]) for name in ("close", "adjusted")
    )
    halved = close[1:] / close[:-1] < 0.55
    assert halved.sum() == 4  # three splits, and one day in 2000 on which it really fell by half
    assert (adjusted[1:] / adjusted[:-1] < 0.55).sum() == 1


HEADER = "Date,Open,High,Low,Close,Volume\n"
ROW = "03-01-00,2,3,1,2.5,100\n"


def test_columns_are_read_by_name_and_rows_in_either_order(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"Volume,Adj Close,Close,Low,High,Open,Date\r\n7,2,4,3,5,3.5,2020-01-03\r\n8,1,2,1,3,2.5,2020-01-02\r\n"
    )
    read = prices.read_prices(path)
    assert [str(day) for day in read.dates] == ["2020-01-02", "2020-01-03"]
    columns = [
        getattr(read, name).tolist() for name in ("open", "high", "low", "close", "volume", "adjusted")
    ]
    assert columns == [[2.5, 3.5], [3, 5], [1, 3], [2, 4], [8, 7], [1, 2]]
    path.write_text(HEADER + ROW + "04-01-00,2,3,1,2.75,0\n")
    read = prices.read_prices(path, "%d-%m-%y")
    assert [str(day) for day in read.dates] == ["2000-01-03", "2000-01-04"]
    assert read.adjusted.tolist() == read.close.tolist() == [2.5, 2.75]


@pytest.mark.parametrize(
    "text, message",
    [
        ("Date,Open\n", "a.csv, line 1: expected columns .* got no 'High'"),
        (HEADER, "a.csv, line 2: expected a trading day, got none"),
        (HEADER + ROW + "04-01-00,2,3,1\n", "a.csv, line 3: could not convert"),
        (HEADER + ROW + "2000-01-04,2,3,1,2,5\n", "a.csv, line 3: time data"),
        (HEADER + "03-01-00,2,x,1,2,5\n", "a.csv, line 2: could not convert string to float: 'x'"),
        (HEADER + "03-01-00,2,3,1,2,nan\n", "a.csv, line 2: numbers must be finite"),
        (HEADER + "03-01-00,2,3,0,2,5\n", "a.csv, line 2: a price must be more than 0, got 0"),
        (HEADER + ROW + ROW, "a.csv, line 3: days must stand in order, got 2000-01-03 after 2000-01-03"),
        (
            HEADER + ROW + "05-01-00,2,3,1,2,5\n04-01-00,2,3,1,2,5\n",
            "line 4: days .* got 2000-01-04 after 2000-01-05",
        ),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, message):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        prices.read_prices(path, "%d-%m-%y")


def test_names_and_shares_are_checked():
    with pytest.raises(ValueError, match=r"name must be in .*sp500.*, got 'msft'"):
        prices.stock_prices("msft")
    with pytest.raises(ValueError, match=r"name must be in .*nyc_taxi.*, got 'taxi'"):
        series.labelled_series("taxi")
    for call in (prices.google_prices, series.eeg):
        with pytest.raises(ValueError, match="valid and test"):
            call(valid=0.6, test=0.5)


def test_features_and_labels_by_hand():
    whole = invented(14)
    x, y, today, dates = prices.next_day_direction(cut(whole, 6, 4, 4), window=2).train
    assert x.shape == (3, 2, 5) and x.dtype == torch.float32 and y.dtype == torch.int64
    factor = whole.adjusted / whole.close
    p = {name: getattr(whole, name) * factor for name in ("open", "high", "low", "close")}
    features = np.array(
        [
            [np.log(p["close"][t] / p["close"][t - 1]), np.log(p["open"][t] / p["close"][t - 1]),
             np.log(p["close"][t] / p["open"][t]), np.log(p["high"][t] / p["low"][t]),
             np.log((1 + whole.volume[t]) / (1 + whole.volume[t - 1]))]
            for t in range(1, 5)
        ]
    )  # fmt: skip
    scaled = (features - features.mean(0)) / features.std(0)
    for n in range(3):  # the window's last day is n + 2, the day to predict n + 3
        np.testing.assert_allclose(x[n], scaled[n : n + 2], rtol=1e-5, atol=1e-5)
        assert y[n] == int(whole.close[n + 3] * factor[n + 3] > whole.close[n + 2] * factor[n + 2])
        assert today[n] == int(whole.adjusted[n + 2] > whole.adjusted[n + 1])
        assert dates[n] == whole.dates[n + 3]


@settings(deadline=None, max_examples=30)
@given(
    sizes=st.tuples(*[st.integers(3, 12)] * 3),
    window=st.integers(1, 10),
    day=st.integers(0, 11),
    seed=st.integers(0, 99),
)
def test_nothing_leaks(sizes, window, day, seed):
    """Change one day: no window that ended before it changes, nor does any other part's label."""
    whole = invented(sum(sizes), seed)
    if window > min(sizes) - 2:
        with pytest.raises(ValueError, match=r"window must be in 1\.\."):
            prices.next_day_direction(cut(whole, *sizes), window)
        return
    before = prices.next_day_direction(cut(whole, *sizes), window)
    assert [len(part.y) for part in before] == [size - window - 1 for size in sizes]
    changed = sizes[0] + day % (sizes[1] + sizes[2])  # a day of the valid or the test part
    columns = {
        name: getattr(whole, name).copy() for name in ("open", "high", "low", "close", "volume", "adjusted")
    }
    for column in columns.values():
        column[changed] *= 7
    after = prices.next_day_direction(cut(prices.Prices(whole.dates, **columns), *sizes), window)
    assert torch.equal(before.train.x, after.train.x) and torch.equal(before.train.y, after.train.y)
    for old, new in ((before.valid, after.valid), (before.test, after.test)):
        earlier = old.dates <= whole.dates[changed]  # windows that end before the day that was changed
        assert torch.equal(old.x[earlier], new.x[earlier])
        assert torch.equal(old.today[earlier], new.today[earlier])


def test_the_scale_is_that_of_the_train_part():
    whole = invented(300)
    parts = prices.next_day_direction(cut(whole, 200, 50, 50), window=1)
    np.testing.assert_allclose(parts.train.x.mean((0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(parts.train.x.std((0, 1), correction=0), 1, atol=1e-5)
    assert parts.test.x.mean((0, 1)).abs().max() > 1e-3
    flat = prices.Prices(whole.dates, *[np.ones(300)] * 6)
    assert not prices.next_day_direction(cut(flat, 200, 50, 50)).train.x.any()


NAB = {  # name: rows, windows, rows inside, first and last value
    "artificialNoAnomaly/art_daily_no_noise": (4032, 0, 0, 20.0, 20.003839998),
    "artificialNoAnomaly/art_flatline": (4032, 0, 0, 45.0, 45.0),
    "artificialWithAnomaly/art_daily_jumpsup": (4032, 1, 403, None, None),
    "realKnownCause/ambient_temperature_system_failure": (7267, 2, 726, None, None),
    "realKnownCause/cpu_utilization_asg_misconfiguration": (18_050, 1, 1499, None, None),
    "realKnownCause/ec2_request_latency_system_failure": (4032, 3, 346, None, None),
    "realKnownCause/machine_temperature_system_failure": (22_695, 4, 2268, None, None),
    "realKnownCause/nyc_taxi": (10_320, 5, 1035, None, None),
    "realKnownCause/rogue_agent_key_hold": (1882, 2, 190, None, None),
    "realKnownCause/rogue_agent_key_updown": (5315, 2, 530, 1.04725631, 0.0),
}


@real
@pytest.mark.parametrize("name", NAB)
def test_labelled_series(name):
    rows, windows, inside, first, last = NAB[name]
    one = series.labelled_series(name)
    assert (one.name, len(one.times), len(one.values), len(one.windows)) == (name, rows, rows, windows)
    assert one.anomalous.sum() == inside and not one.anomalous[: one.probation].any()
    if first is not None:
        assert (one.values[0], one.values[-1]) == (first, last)
    marked = np.zeros(rows, dtype=bool)
    for start, stop in one.spans:
        assert not marked[start:stop].any()
        marked[start:stop] = True
    assert len(one.spans) == windows and (marked == one.anomalous).all()


@real
def test_all_labelled_series_and_their_odd_times():
    names = series.labelled_series_names()
    assert len(names) == 18 and set(NAB) <= set(names)
    every = {name.split("/")[1]: series.labelled_series(name) for name in names}
    assert sum(len(one.times) for one in every.values()) == 113_913
    assert sum(len(one.windows) for one in every.values()) == 25
    steps = {name: np.diff(one.times).astype(int) for name, one in every.items()}
    assert {name: int((gap == 0).sum()) for name, gap in steps.items() if (gap == 0).any()} == {
        "ec2_request_latency_system_failure": 11
    }
    assert {name: gap[gap < 0].tolist() for name, gap in steps.items() if (gap < 0).any()} == {
        "machine_temperature_system_failure": [-55 * 60]
    }
    taxi = every["nyc_taxi"]
    assert (str(taxi.times[0]), str(taxi.times[-1])) == ("2014-07-01T00:00:00", "2015-01-31T23:30:00")
    assert str(taxi.windows[0][0]) == "2014-10-30T15:30:00"


@real
def test_a_damaged_series_names_its_line(monkeypatch, tmp_path):
    path = tmp_path / "nyc_taxi.csv"
    path.write_text("timestamp,value\n2014-07-01 00:00:00,1\n2014-07-01 00:30,2\n2014-07-99 01:00:00,3\n")
    whole = series.fetch
    monkeypatch.setattr(
        series, "fetch", lambda name, file: path if file.endswith(".csv") else whole(name, file)
    )
    with pytest.raises(ValueError, match=r"nyc_taxi\.csv, line 4: .*2014-07-99"):
        series.labelled_series("realKnownCause/nyc_taxi")
