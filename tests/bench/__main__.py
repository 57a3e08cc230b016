"""What this plugin costs, beside its peers: CPU time as a multiple of parsing the same files in the same run.

    python -m tests.bench [FOLDER ...]

Without a folder: the asyncio tests of the running Python's own library. Each file is parsed and then given,
parsed, to each flake8 plugin in turn, as flake8 does it, so that a noisy machine is noisy for all of them.
"""

from __future__ import annotations

import ast
import gc
import os
import subprocess
import sys
import sysconfig
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from flake8.options.parse_args import parse_args
from flake8.processor import FileProcessor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from flake8.plugins.finder import LoadedPlugin

OURS = "flake8-async-tests"


def main(folders: list[str]) -> None:
    plugins, options = parse_args(["--isolated", "-j1", "--select=AT,ASYNC,PT,B,C4,F"])
    checkers = {_package(plugin): plugin for plugin in plugins.checkers.tree}
    # Once for nothing: what a plugin imports when it first runs is told of on its own.
    _measure(__file__, checkers, options, defaultdict(float))
    seconds = {kind: defaultdict[str, float](float) for kind in ("test files", "other files")}
    count = Counter[str]()
    for path in _files(folders or [str(Path(sysconfig.get_path("stdlib")) / "test" / "test_asyncio")]):
        kind = "test files" if Path(path).name.startswith(("test_", "conftest")) else "other files"
        if _measure(path, checkers, options, seconds[kind]):
            count[kind] += 1
    for kind, spent in seconds.items():
        if not count[kind]:
            continue
        print(f"\n{count[kind]} {kind}, parsed in {spent['parse']:.2f} s of CPU time\n")
        print("| plugin | times the cost of parsing |\n|---|---|")
        for package in sorted(checkers, key=lambda name: spent[name]):
            print(f"| {package} | {spent[package] / spent['parse']:.3f} |")
    print(f"\nImporting the plugin, beyond flake8's own imports: {_import_time() * 1000:.0f} ms")


def _package(plugin: LoadedPlugin) -> str:
    return str(plugin.plugin.package)


def _files(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        for directory, folders_below, names in os.walk(folder):
            folders_below.sort()
            yield from (os.path.join(directory, name) for name in sorted(names) if name.endswith(".py"))


def _measure(
    path: str, checkers: dict[str, LoadedPlugin], options: argparse.Namespace, spent: defaultdict[str, float]
) -> bool:
    try:
        text = Path(path).read_text(encoding="utf-8")
        ast.parse(text)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return False
    gc.collect()
    start = time.process_time()
    tree = ast.parse(text)
    spent["parse"] += time.process_time() - start
    processor = FileProcessor(path, options, lines=text.splitlines(keepends=True))
    for package, plugin in checkers.items():
        # Some peers change the tree that they are given: each gets one of its own.
        tree = ast.parse(text)
        arguments = {"tree": tree, **processor.keyword_arguments_for(plugin.parameters, {"tree": tree})}
        gc.collect()
        start = time.process_time()
        for _ in plugin.obj(**arguments).run():
            pass
        spent[package] += time.process_time() - start
    return True


def _import_time() -> float:
    def seconds(code: str) -> float:
        times = []
        for _ in range(7):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    flake8 = "import ast, argparse, flake8.exceptions, flake8.main.application"
    ours = f"{flake8}; from flake8_async_tests.rules import all_rules; import flake8_async_tests; all_rules()"
    return seconds(ours) - seconds(flake8)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])
