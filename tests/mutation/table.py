"""What was caught, by rule, and what was undecidable, by reason, as Markdown; and mutants to be read."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.mutation.record import by_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutation.record import Doubt, Figures, Record
    from tests.mutation.run import Tried


def tables(record: Record) -> list[str]:
    """All that the page shows, in its order."""
    return [table(record.figures), table_of_doubts(record.doubts)]


def table(figures: Iterable[Figures]) -> str:
    """A row for each rule of which a mutant was made, and one for all."""
    sums = by_rule(figures)
    rows = [_row(each.code, each.decidable, each.caught, each.undecidable) for each in sums]
    totals = (sum(getattr(each, name) for each in sums) for name in ("decidable", "caught", "undecidable"))
    rows.append(_row("all", *totals))
    return "\n".join(
        ["| rule | decidable mutants | caught | share | undecidable |", "|---|---:|---:|---:|---:|", *rows]
    )


def _row(name: str, decidable: int, caught: int, undecidable: int) -> str:
    share = f"{100 * caught / decidable:.1f} %" if decidable else "-"
    return f"| {name} | {decidable} | {caught} | {share} | {undecidable} |"


def table_of_doubts(doubts: Iterable[Doubt]) -> str:
    """A row for each reason, the most common first."""
    mutants, caught = Counter[str](), Counter[str]()
    codes: defaultdict[str, list[str]] = defaultdict(list)
    for each in doubts:
        mutants[each.reason] += each.mutants
        caught[each.reason] += each.caught
        codes[each.reason].append(each.code)
    rows = [
        f"| {reason} | {', '.join(sorted(codes[reason]))} | {mutants[reason]} | {caught[reason]} |"
        for reason in sorted(mutants, key=lambda reason: (-mutants[reason], reason))
    ]
    return "\n".join(["| why it is open | rules | mutants | reported all the same |", "|---|---|---:|---:|", *rows])


def shown(tried: Tried) -> Iterator[str]:
    """A mutant to be read: where it is, what it says, and what was changed."""
    mutant = tried.mutant
    where = f"{mutant.path}:{mutant.line}:{mutant.column}: {mutant.code} {mutant.mutator}"
    yield f"{where} [{mutant.doubt}]" if mutant.doubt else where
    for path, text in mutant.around.items():
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        yield from _difference(before, text)
    yield from _difference(tried.before, mutant.text)


def _difference(before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=3, lineterm="")
    yield from (f"    {line}" for line in list(lines)[2:])
