"""Compare every family, print a table, write build/bench/agreement.json. Under a minute."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from tests.bench.agreement import FAMILIES

REPOSITORY = Path(__file__).resolve().parents[3]


def main() -> None:
    """Compare, print, write."""
    torch.set_num_threads(1)
    found: list[dict[str, Any]] = []
    for (family, reference), differences in FAMILIES.items():
        torch.manual_seed(0)
        began = time.perf_counter()
        cases = list(differences())
        gradients = [gradient for _, gradient in cases if gradient is not None]
        row = {
            "family": family,
            "reference": reference,
            "cases": len(cases),
            "output": max(output for output, _ in cases),
            "gradient": max(gradients) if gradients else None,
            "seconds": round(time.perf_counter() - began, 2),
        }
        found.append(row)
    target = REPOSITORY / "build" / "bench" / "agreement.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    shown = Table(title="largest absolute difference, float64")
    for number, column in enumerate(["family", "reference", "cases", "outputs and states", "gradients"]):
        shown.add_column(column, justify="left" if number < 2 else "right")
    for row in found:
        gradient = "–" if row["gradient"] is None else f"{row['gradient']:.1e}"
        shown.add_row(row["family"], row["reference"], str(row["cases"]), f"{row['output']:.1e}", gradient)
    Console(width=120).print(shown)
    print(f"{len(found)} comparisons in {sum(row['seconds'] for row in found):.0f} s")


if __name__ == "__main__":
    main()
