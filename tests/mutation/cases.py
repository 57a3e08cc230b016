"""Literate cases of mutators: a small file, and below it what each mutator makes of it.

    ## Title

    ```python test_orders.py
    the file; further files of the project may follow
    ```

    ### name_of_the_mutator

    ```diff 7:5
    -    await work()
    +    work()
    ```

The mutants stand in the order of the places in the file, all of them: each with the line and column at which the
finding is expected, and the reason in words where it is undecidable. No block says that there is none.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.documents import blocks_of
from tests.mutation.mutators import MUTATORS
from tests.mutation.reading import Reading
from tests.mutation.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mutation.draft import Mutant

_INFO = re.compile(r"diff (?P<place>\d+:\d+)(?: (?P<doubt>.+))?")


@dataclass
class Case:
    """A project, of which the first file is mutated, and the mutants that a mutator makes of it."""

    mutator: str
    files: dict[str, str]
    expected: list[tuple[str, str, str]] = field(default_factory=list)
    """The place, the doubt and the difference of each."""


def load_cases(path: Path) -> list[Case]:
    cases: list[Case] = []
    files: dict[str, str] = {}
    titles = {
        number: line for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if line[:2] == "##"
    }
    told = 0
    for block in blocks_of(path):
        for line in range(told, block.line):
            if line in titles and titles[line].startswith("## "):
                files = {}
            elif line in titles:
                cases.append(Case(titles[line].removeprefix("### "), files))
        told = block.line
        match = _INFO.fullmatch(block.info)
        if match is None:
            files[block.info.rpartition(" ")[2]] = block.text
        else:
            cases[-1].expected.append((match["place"], match["doubt"] or "", block.text))
    return cases


def mutants_in(case: Case, folder: Path) -> list[Mutant]:
    """Every mutant that the mutator makes of the case, written into a folder."""
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    source = Suite(folder).source(folder / next(iter(case.files)))
    assert source is not None
    reading = Reading(source)
    mutator = MUTATORS[case.mutator]
    found = (mutator.mutant(reading, site) for site in mutator.sites(reading))
    return [mutant for mutant in found if mutant is not None]


def described(case: Case, mutant: Mutant) -> tuple[str, str, str]:
    """A mutant as a case writes it."""
    lines: list[str] = []
    for path, text in mutant.around.items():
        lines += [f" {path.name}", *_difference(case.files.get(path.name, ""), text)]
    lines += _difference(case.files[mutant.path.name], mutant.text)
    return f"{mutant.line}:{mutant.column}", mutant.doubt, "".join(f"{line}\n" for line in lines)


def _difference(before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    yield from (line for line in list(lines)[2:] if not line.startswith("@@"))
