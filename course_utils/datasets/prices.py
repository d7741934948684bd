"""Daily prices, and the question whether tomorrow's close is higher than today's.

`google_prices` comes with Matplotlib and needs no network; `stock_prices` are fetched by name. Every split is in time
order: train, then valid, then test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course_utils.datasets.base import Splits, split_in_order
from course_utils.datasets.fetch import fetch
from course_utils.datasets.series import Moments, csv_rows, matplotlib_sample

STOCKS = {  # name: file, form of its dates
    "sp500": ("sp500.csv", "%d-%m-%y"),  # day first, then two digits of the year: 04-01-00 is 4 January 2000
    "aapl_1984_2008": ("aapl.csv", "%Y-%m-%d"),
    "aapl_2012_2017": ("AAPL.csv", "%Y-%m-%d"),
}
PRICES = ("Open", "High", "Low", "Close")


@dataclass(frozen=True)
class Prices:
    """Trading days, oldest first. Each field is an array (T,); all but `dates` (datetime64[D]) are float64.

    `adjusted` is the closing price as if no split or dividend had moved it; `volume` counts shares.
    """

    dates: Moments
    open: NDArray
    high: NDArray
    low: NDArray
    close: NDArray
    volume: NDArray
    adjusted: NDArray

    def __len__(self) -> int:
        return len(self.dates)

    def __getitem__(self, days: slice) -> Prices:
        return Prices(*(getattr(self, field.name)[days] for field in fields(self)))


class Directions(NamedTuple):
    """What `next_day_direction` makes: N windows of W days, I features a day.

    x: (N, W, I) float32; y: (N,) int64, 1 when the day after the window closed higher than the window's last;
    today: (N,) int64, 1 when the window's last day closed higher than the one before; dates: (N,) of y.
    """

    x: Tensor
    y: Tensor
    today: Tensor
    dates: Moments


def google_prices(*, valid: float = 0.15, test: float = 0.15) -> Splits[Prices]:
    """Return Google's daily prices from its first trading day, 2004-08-19, to 2008-10-14.

    Data card:
        Origin: Yahoo Finance, as Matplotlib's sample data (`goog.npz`).
        Licence: not stated for the prices; the file comes with Matplotlib, the course carries no copy.
        Size: 1047 trading days; open, high, low, close, volume, adjusted close (equal to close: no split).
        Splits: in time order, 70/15/15; the test part begins in March 2008 and ends in a crash.
        Good for: honest work on a hard question, next-day direction, without a network.
        Not good for: showing that a network beats the market.

    Args:
        valid, test: shares.

    Raises:
        FileNotFoundError: this Matplotlib was installed without its sample data.
        ValueError: shares out of range.
    """
    with np.load(matplotlib_sample("goog.npz"), allow_pickle=False) as archive:
        rows = archive["price_data"]
    columns = [
        np.asarray(rows[name], dtype=float)
        for name in ("open", "high", "low", "close", "volume", "adj_close")
    ]
    return _in_order(Prices(rows["date"].astype("datetime64[D]"), *columns), valid, test)


def stock_prices(name: str = "sp500", *, valid: float = 0.15, test: float = 0.15) -> Splits[Prices]:
    """Return daily prices by name: an index, or Apple's share in two periods.

    Data card:
        Origin: sp500: the S&P 500 index, J. Aungiers's LSTM tutorial. aapl_1984_2008: Matplotlib's former sample
            data. aapl_2012_2017: Xu & Cohen (2018), StockNet, from Yahoo Finance.
        Licence: AGPL-3.0 on the tutorial's code, not stated for its prices; not stated; MIT.
        Size: sp500 4697 days from 2000-01-03 to 2018-08-31; aapl_1984_2008 6081 days from 1984-09-07 to
            2008-10-14; aapl_2012_2017 1258 days from 2012-09-04 to 2017-09-01.
        Splits: in time order, 70/15/15.
        Good for: the same question as `google_prices` over calm and wild decades.
        Not good for: unadjusted prices across a split (`close` of aapl_1984_2008 halves; `adjusted` does not).
            The index has no adjusted price: `adjusted` is its close.

    Args:
        name: "sp500", "aapl_1984_2008" or "aapl_2012_2017".
        valid, test: shares.

    Raises:
        ValueError: an unknown name, shares out of range, or a row that cannot be read (named by file and line).
        DataError: the file cannot be had (`course_utils.datasets.fetch`).
    """
    if name not in STOCKS:
        raise ValueError(f"name must be in {list(STOCKS)}, got {name!r}")
    file, form = STOCKS[name]
    return _in_order(read_prices(fetch(f"stock_{name}", file), form), valid, test)


def next_day_direction(prices: Splits[Prices], window: int = 20) -> Splits[Directions]:
    """Cut windows of features that are known when a day closes, each with the direction of the next day.

    The features of a day are, from prices adjusted for splits and dividends: log return since the close before,
    log jump from that close to the open, log of close over open, log of high over low, log change of the volume.
    Each is scaled by its mean and standard deviation over the train part alone, and no window reaches into
    another part: nothing of the valid or test part is known in training.

    Args:
        prices: in time order.
        window: W, days in a window, at least 1.

    Returns:
        N = T - W - 1 windows for a part of T days.

    Raises:
        ValueError: window < 1, or a part with fewer than window + 2 days.
    """
    shortest = min(len(part) for part in prices)
    if not 1 <= window <= shortest - 2:
        raise ValueError(
            f"window must be in 1..{shortest - 2} (the shortest part has {shortest} days), got {window}"
        )
    train = _features(prices.train)[:-1]  # the last day is in no window of the train part
    mean, sd = train.mean(axis=0), train.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)

    def cut(part: Prices) -> Directions:
        scaled = (_features(part) - mean) / sd  # (T - 1, I), from the second day on
        windows = np.lib.stride_tricks.sliding_window_view(scaled[:-1], window, axis=0)  # (N, I, W)
        up = (np.diff(part.adjusted) > 0).astype(np.int64)  # (T - 1,), of the second day on
        return Directions(
            torch.tensor(windows.transpose(0, 2, 1), dtype=torch.float32),  # (N, W, I)
            torch.from_numpy(up[window:]),
            torch.from_numpy(up[window - 1 : -1]),
            part.dates[window + 1 :],
        )

    return prices.map(cut)


def read_prices(path: Path, date_form: str = "%Y-%m-%d") -> Prices:
    """Read a CSV file of daily prices: columns by name in any order, rows oldest or newest first.

    Args:
        path: with the columns Date, Open, High, Low, Close, Volume and perhaps Adj Close.
        date_form: of the dates, in the letters of `datetime.strptime`.

    Raises:
        ValueError: no rows, a missing column, a row that cannot be read, a price that is not positive, or days out
            of order; the message names file and line.
    """
    with path.open(encoding="utf-8") as file:
        adjusted = "Adj Close" in file.readline()

    def day(text: str) -> np.datetime64:
        return np.datetime64(datetime.strptime(text, date_form), "D")

    readers: dict[str, Callable[[str], Any]] = {"Date": day, **dict.fromkeys(PRICES, _price), "Volume": float}
    if adjusted:
        readers["Adj Close"] = _price
    rows = list(csv_rows(path, readers))
    if not rows:
        raise ValueError(f"{path.name}, line 2: expected a trading day, got none")
    dates = np.array([row[0] for row in rows], dtype="datetime64[D]")
    steps = np.diff(dates).astype(int)
    newest_first = len(steps) > 0 and steps[0] < 0
    wrong = np.flatnonzero(steps >= 0 if newest_first else steps <= 0)
    if len(wrong):
        at = int(wrong[0]) + 1
        raise ValueError(
            f"{path.name}, line {at + 2}: days must stand in order, got {dates[at]} after {dates[at - 1]}"
        )
    way = slice(None, None, -1 if newest_first else 1)
    open_, high, low, close, volume, *rest = np.array([row[1:] for row in rows])[way].T.copy()
    return Prices(dates[way].copy(), open_, high, low, close, volume, rest[0] if rest else close.copy())


def _price(text: str) -> float:
    if not float(text) > 0:
        raise ValueError(f"a price must be more than 0, got {text}")
    return float(text)


def _in_order(prices: Prices, valid: float, test: float) -> Splits[Prices]:
    return split_in_order(range(len(prices)), valid=valid, test=test).map(
        lambda days: prices[days[0] : days[-1] + 1]
    )


def _features(prices: Prices) -> NDArray:
    """Return (T - 1, 5) features of each day but the first, known when the day closes."""
    factor = prices.adjusted / prices.close  # (T,), steps where the share was split
    open_, high, low = (np.log(price * factor) for price in (prices.open, prices.high, prices.low))
    close, volume = np.log(prices.adjusted), np.log1p(prices.volume)
    return np.stack(
        [np.diff(close), open_[1:] - close[:-1], (close - open_)[1:], (high - low)[1:], np.diff(volume)],
        axis=1,
    )
