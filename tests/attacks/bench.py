"""Every attack against stock nbgrader and against ours, side by side: `make bench-attacks`.

Prints a table and writes build/bench/attacks.json.
"""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.attacks.load import Attack, attacks
from tests.attacks.runners import REPOSITORY, Batch, run_ours, run_stock, stock_template


def main() -> None:
    """Run both, print, write."""
    every = attacks()
    with tempfile.TemporaryDirectory(prefix="attacks-") as scratch:
        folder = Path(scratch)
        template = stock_template(folder / "template")
        with ThreadPoolExecutor(2) as pool:
            stock = list(
                pool.map(lambda attack: run_stock(template, folder / "stock" / attack.name, attack), every)
            )
        batch = run_ours(folder / "ours", every)
        rows = [_row(attack, outcome, batch) for attack, outcome in zip(every, stock, strict=True)]
    target = REPOSITORY / "build" / "bench" / "attacks.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    Console(width=130).print(table(rows))


def _row(attack: Attack, stock: float | str, batch: Batch) -> dict[str, Any]:
    record = batch.graded[attack.name]
    ours: float | str = (
        record.total if not record.error else f"no mark: {record.error.strip().splitlines()[-1][:80]}"
    )
    return {
        "name": attack.name,
        "kind": attack.kind,
        "deserved": attack.deserved,
        "stock": stock,
        "ours": ours,
        "flagged": bool(record.flags or record.error),
        "about": attack.about,
    }


def table(rows: list[dict[str, Any]]) -> Table:
    """The rows as a table; a score that is not the deserved one stands out."""
    shown = Table(title="What attacks come to")
    for name in ("kind", "attack", "deserved", "stock nbgrader", "ours", "flagged"):
        shown.add_column(name, justify="right" if name in ("deserved", "ours") else "left")
    for row in rows:
        cells = [
            f"[red]{_text(row[key])}[/red]" if row[key] != row["deserved"] else _text(row[key])
            for key in ("stock", "ours")
        ]
        name = row["name"].removeprefix(row["kind"] + "_").replace("_", " ")
        shown.add_row(row["kind"], name, f"{row['deserved']:g}", *cells, "yes" if row["flagged"] else "")
    right = {key: sum(row[key] == row["deserved"] for row in rows) for key in ("stock", "ours")}
    shown.add_section()
    shown.add_row("", "scored as deserved", str(len(rows)), str(right["stock"]), str(right["ours"]), "")
    return shown


def _text(outcome: float | str) -> str:
    return outcome if isinstance(outcome, str) else f"{outcome:g}"


if __name__ == "__main__":
    main()
