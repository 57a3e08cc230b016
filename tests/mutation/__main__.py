"""Plant pitfalls in test suites, count what the plugin finds, and compare it with what is written down.

    python -m tests.mutation [--record] [--missed] [--cache FOLDER] [PACKAGE ...]
    python -m tests.mutation --suite FOLDER [--select CODES] [--cap N] [--seed SEED] [--missed] [--open]
    python -m tests.mutation --table

Test files are changed one pitfall at a time, in memory, and linted. Of each kind of change, at most `cap` mutants of a
suite count that must be found by what the catalogue says.

The first does so with the pinned packages of tests/ecosystem, and exits with 1 when the figures are others than in
tests/mutation/figures.txt, or when less than nine in ten are found of a rule. With --record it writes the figures of
now down. The second takes any folder, and compares with nothing. The third prints the tables from what is written
down. With --missed, the mutants that must be found and are not are shown with what was changed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.ecosystem.__main__ import CACHE
from tests.ecosystem.pins import pinned
from tests.ecosystem.sources import archive_of, pips_index, unpack
from tests.figures_in_docs import put_figures
from tests.mutation.record import by_rule, count, difference, read, together, write
from tests.mutation.run import try_suite
from tests.mutation.table import shown, table, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.mutation.record import Figures, Record

CAP = 6
SEED = "1"
PAGE = Path(__file__).parent.parent.parent / "docs" / "mutation.md"
LEAST_SHARE = 0.9
"""So many of the mutants of a rule must be found."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which mutants are made, and which are shown."""

    cap: int
    seed: str
    codes: tuple[str, ...]
    missed: bool
    open: bool

    @property
    def is_usual(self) -> bool:
        """Whether it gives the figures that are written down."""
        return (self.cap, self.seed, self.codes) == (CAP, SEED, ("AT",))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Plant pitfalls in test suites.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="only these (default: all that are pinned)")
    parser.add_argument("--suite", action="append", type=Path, metavar="FOLDER", help="a suite that is no package")
    parser.add_argument("--record", action="store_true", help="write the figures of now down")
    parser.add_argument("--table", action="store_true", help="print the tables, and make no mutants")
    parser.add_argument("--cap", type=int, default=CAP, help="mutants of each kind and suite (default: %(default)s)")
    parser.add_argument("--seed", default=SEED, help="which ones are drawn (default: %(default)s)")
    parser.add_argument("--select", default="AT", help="the beginnings of codes, separated by commas")
    parser.add_argument("--missed", action="store_true", help="show the mutants that must be found and are not")
    parser.add_argument("--open", action="store_true", help="show the undecidable mutants that are found")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the archives are kept (default: %(default)s)")
    options = parser.parse_args(arguments)
    pins = {pin.name: pin for pin in pinned()}
    if unknown := set(options.packages) - set(pins):
        parser.error(f"not pinned: {', '.join(sorted(unknown))}")
    if options.table:
        print("\n\n".join(tables(read())))
        return 0
    wanted = Wanted(options.cap, options.seed, tuple(options.select.split(",")), options.missed, options.open)
    if options.record and (options.packages or options.suite or not wanted.is_usual):
        parser.error("what is written down is of all packages, and of nothing special")
    sources: dict[str, Path] = {str(folder): folder for folder in options.suite or ()}
    if not sources:
        index = pips_index()
        sources = {name: archive_of(pins[name], options.cache, index) for name in options.packages or pins}
    found: list[Record] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        results = pool.map(partial(_try, wanted=wanted), sources, sources.values())
        for name, (lines, record) in zip(sources, results, strict=True):
            print("\n".join((*lines, f"{name}: {_in_short(record)}")), flush=True)
            found.append(record)
    now = together(found)
    print(table(now.figures))
    if options.record:
        write(now)
        put_figures(PAGE, tables(now))
    # What was just written down does not differ.
    compared = wanted.is_usual and not options.suite
    return 1 if [*_too_low(now), *(_changes(now, list(sources)) if compared else ())] else 0


def _try(name: str, source: Path, wanted: Wanted) -> tuple[list[str], Record]:
    """The mutants of a folder, or of what an archive holds: those to be shown, and what all came to."""
    if source.is_dir():
        return _try_folder(name, source, wanted)
    # Outside of this project, whose own configuration of pytest would count for a package that has none.
    with tempfile.TemporaryDirectory() as folder:
        return _try_folder(name, unpack(source, Path(folder)), wanted)


def _try_folder(name: str, folder: Path, wanted: Wanted) -> tuple[list[str], Record]:
    tried = list(try_suite(folder, wanted.cap, wanted.seed, wanted.codes))
    told = [
        each
        for each in tried
        if (wanted.missed and each.mutant.is_decidable and not each.is_caught)
        or (wanted.open and not each.mutant.is_decidable and each.is_caught)
    ]
    return [line for each in told for line in shown(each)], count(name, tried)


def _in_short(record: Record) -> str:
    decidable = sum(each.decidable for each in record.figures)
    caught = sum(each.caught for each in record.figures)
    return f"{caught} of {decidable} are found"


def _too_low(now: Record) -> Iterator[str]:
    """Say of which rules too few mutants are found."""
    for each in by_rule(now.figures):
        if each.caught < LEAST_SHARE * each.decidable:
            print(f"Of {each.code} no more than {each.caught} of {each.decidable} are found: see --missed")
            yield each.code


def _changes(now: Record, packages: list[str]) -> list[str]:
    """Say what differs from what is written down of these packages."""
    recorded: list[Figures] = [each for each in read().figures if each.package in packages]
    lines = difference(recorded, now.figures)
    if lines:
        print("These figures differ from what is written down (package, rule, decidable, caught, undecidable):")
        print("\n".join(lines))
        print("If they are right, write them down with --record.")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
