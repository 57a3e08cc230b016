"""Measure what this plugin costs, beside its peers.

    python -m tests.bench [--record] [--cache FOLDER] [--passes N] [FOLDER ...]
    python -m tests.bench --table

The first measures on the asyncio tests of this Python's library and on the packages of the ecosystem check; with
--record it writes what it saw to `record.json` and into the docs. With folders it measures on these alone, with all
peers. The second prints the tables of the docs from what was recorded.

All that is measured is CPU time, as a multiple of `ast.parse` of the same files in the same run.
"""

from __future__ import annotations

import argparse
import platform
import sys
import sysconfig
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.costs import OURS, PEERS, Plugins, is_test_file, measure, python_files, text_of
from tests.bench.growth import in_a_process_of_its_own
from tests.bench.record import Measured, Record, read_record, table_of_peers, tables
from tests.bench.whole import import_milliseconds, share_of_a_run
from tests.ecosystem.__main__ import CACHE
from tests.ecosystem.pins import pinned
from tests.ecosystem.sources import archive_of, pips_index, unpack
from tests.figures_in_docs import put_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAGE = Path(__file__).parent.parent.parent / "docs" / "cost.md"
FILES = [1250, 2500, 5000, 10_000, 20_000]
LINES = [3125, 6250, 12_500, 25_000, 50_000]

# It costs two hundred times what parsing costs: on all the packages it would run for half an hour.
_SLOW = "flake8-async"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what the plugin costs.")
    parser.add_argument("folders", nargs="*", metavar="FOLDER", type=Path, help="measure on these alone")
    parser.add_argument("--record", action="store_true", help="write down what was seen")
    parser.add_argument("--table", action="store_true", help="print the tables of the docs, and measure nothing")
    parser.add_argument("--passes", type=int, default=3, help="how often each file is checked (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the archives are kept (default: %(default)s)")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if options.table:
        print("\n\n".join(tables(read_record())))
        return 0
    plugins = Plugins({OURS, *PEERS})
    if options.folders:
        print(table_of_peers(list(_on_folders(options.folders, plugins, options.passes)), plugins.versions))
        return 0
    record = _everything(plugins, options.passes, options.cache)
    print("\n\n".join(tables(record)))
    if options.record:
        record.write()
        put_figures(PAGE, tables(record))
    return 0


def _everything(plugins: Plugins, passes: int, cache: Path) -> Record:
    library = Path(sysconfig.get_path("stdlib"), "test", "test_asyncio")
    measured = [_measured("asyncio's own tests", _tests_and_others([library])[0], plugins, passes)]
    index = pips_index()
    with tempfile.TemporaryDirectory() as folder:
        roots = []
        for pin in pinned():
            below = Path(folder, pin.name)
            below.mkdir()
            roots.append(unpack(archive_of(pin, cache, index), below))
        quick = Plugins({OURS, *PEERS} - {_SLOW})
        tests, others = _tests_and_others(roots)
        measured.append(_measured("tests of the packages", tests, quick, passes))
        measured.append(_measured("their other files", others, quick, passes))
    alone, ours = import_milliseconds()
    return Record(
        python=platform.python_version(),
        versions=plugins.versions,
        measured=measured,
        import_of_flake8=alone,
        import_of_plugin=ours,
        share_of_run=share_of_a_run([path for path in python_files(library) if text_of(path) is not None]),
        many_files=in_a_process_of_its_own("files", FILES),
        long_file=in_a_process_of_its_own("lines", LINES),
    )


def _on_folders(folders: Iterable[Path], plugins: Plugins, passes: int) -> Iterable[Measured]:
    for folder in folders:
        for name, files in zip(("tests", "others"), _tests_and_others([folder]), strict=True):
            if files:
                yield _measured(f"{name} of {folder.name}", files, plugins, passes)


def _tests_and_others(folders: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    tests: list[Path] = []
    others: list[Path] = []
    for folder in folders:
        for path in python_files(folder):
            text = text_of(path)
            if text:
                (tests if is_test_file(path, text) else others).append(path)
    return tests, others


def _measured(name: str, files: list[Path], plugins: Plugins, passes: int) -> Measured:
    print(f"{name}: {len(files)} files", file=sys.stderr, flush=True)
    costs = measure(files, plugins, passes)
    return Measured(name, costs.files, costs.parsing, costs.ratios)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
