"""Every attack against stock nbgrader and against ours, side by side: `make bench-attacks`.

Prints a table and writes build/bench/attacks.json; with --document also the table in docs/attacks.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.attacks.load import Attack, attacks
from tests.attacks.runners import REPOSITORY, Batch, run_ours, run_stock, stock_template

BEGIN, END = "<!-- table: make bench-attacks -->", "<!-- end of table -->"


def main() -> None:
    """Run both, print, write."""
    parser = argparse.ArgumentParser(description="Attacks against stock nbgrader and against ours.")
    parser.add_argument("--document", action="store_true", help="write the table into docs/attacks.md")
    asked = parser.parse_args()
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
    if asked.document:
        document(rows, REPOSITORY / "docs" / "attacks.md")


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


def document(rows: list[dict[str, Any]], page: Path) -> None:
    """Put the rows between the two marks of the page."""
    lines = [
        "| kind | what it tries | deserved | stock nbgrader | ours | flag |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        stock = _text(row["stock"]) if row["stock"] == row["deserved"] else f"**{_text(row['stock'])}**"
        about = row["about"].replace("|", "\\|").replace("<", "&lt;")
        flag = "yes" if row["flagged"] else ""
        lines.append(
            f"| {row['kind']} | {about} | {row['deserved']:g} | {stock} | {_text(row['ours'])} | {flag} |"
        )
    right = {key: sum(row[key] == row["deserved"] for row in rows) for key in ("stock", "ours")}
    lines.append(f"| | **scored as deserved** | {len(rows)} | {right['stock']} | {right['ours']} | |")
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after, encoding="utf-8")


def _text(outcome: float | str) -> str:
    return outcome if isinstance(outcome, str) else f"{outcome:g}"


if __name__ == "__main__":
    main()
