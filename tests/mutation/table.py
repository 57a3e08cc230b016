"""What was caught, by rule, as Markdown."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutation.run import Tried


def table(tried: Iterable[Tried]) -> str:
    """A row for each rule of which a mutant was made, and one for all."""
    decidable = Counter[str]()
    caught = Counter[str]()
    undecidable = Counter[str]()
    for each in tried:
        code = each.mutant.code
        if each.mutant.is_decidable:
            decidable[code] += 1
            caught[code] += each.is_caught
        else:
            undecidable[code] += 1
    rows = [_row(code, decidable[code], caught[code], undecidable[code]) for code in sorted({*decidable, *undecidable})]
    rows.append(_row("all", decidable.total(), caught.total(), undecidable.total()))
    return "\n".join(
        ["| rule | decidable mutants | caught | share | undecidable |", "|---|---:|---:|---:|---:|", *rows]
    )


def _row(name: str, decidable: int, caught: int, undecidable: int) -> str:
    share = f"{100 * caught / decidable:.1f} %" if decidable else "-"
    return f"| {name} | {decidable} | {caught} | {share} | {undecidable} |"


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
