"""Precision by rule, as Markdown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.ecosystem.record import Judged


def precision_table(judged: Iterable[Judged]) -> str:
    """A row for each rule that found something, and one for all. What is not reviewed counts as false."""
    found = Counter[str]()
    right = Counter[str]()
    for each in judged:
        found[each.found.code] += 1
        right[each.found.code] += each.verdict == "right"
    rows = [f"| {_cells(code, found[code], right[code])} |" for code in sorted(found)]
    rows.append(f"| {_cells('all', found.total(), right.total())} |")
    return "\n".join(["| rule | findings | right | false | precision |", "|---|---:|---:|---:|---:|", *rows])


def _cells(name: str, found: int, right: int) -> str:
    precision = f"{100 * right / found:.1f} %" if found else "-"
    return " | ".join([name, str(found), str(right), str(found - right), precision])
