"""Plant pitfalls in test suites, and count what the plugin finds.

    python -m tests.mutation [--cap N] [--seed SEED] [--select CODES] [--missed] [FOLDER ...]

Each folder is a suite: its test files are changed one pitfall at a time, in memory, and linted. Of each kind of
change, at most `cap` mutants of a suite count that must be found by what the catalogue says. With --missed, those
that are not found are shown with what was changed.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutation.run import Tried, try_suite
from tests.mutation.table import shown, table

if TYPE_CHECKING:
    from collections.abc import Sequence

CAP = 6
SEED = "1"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Plant pitfalls in test suites.")
    parser.add_argument("folders", nargs="*", metavar="FOLDER", type=Path, help="the suites")
    parser.add_argument("--cap", type=int, default=CAP, help="mutants of each kind and suite (default: %(default)s)")
    parser.add_argument("--seed", default=SEED, help="which ones are drawn (default: %(default)s)")
    parser.add_argument("--select", default="AT", help="the beginnings of codes, separated by commas")
    parser.add_argument("--missed", action="store_true", help="show the mutants that must be found and are not")
    parser.add_argument("--open", action="store_true", help="show the undecidable mutants that are found")
    parser.add_argument("--jobs", type=int, default=2, help="how many suites at a time (default: %(default)s)")
    options = parser.parse_args(arguments)
    tried: list[Tried] = []
    wanted = tuple(options.select.split(","))
    with ProcessPoolExecutor(options.jobs) as pool:
        work = partial(_all_of, cap=options.cap, seed=options.seed, wanted=wanted)
        for found in pool.map(work, options.folders):
            tried += found
            for each in found:
                is_missed = options.missed and each.mutant.is_decidable and not each.is_caught
                if is_missed or (options.open and not each.mutant.is_decidable and each.is_caught):
                    print("\n".join(shown(each)), flush=True)
    print(table(tried))
    return 0


def _all_of(folder: Path, cap: int, seed: str, wanted: tuple[str, ...]) -> list[Tried]:
    return list(try_suite(folder, cap, seed, wanted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
