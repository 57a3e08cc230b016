"""What plugins cost on files: CPU time on parsed trees, given as flake8 gives them, beside that of parsing.

    python -m tests.bench.costs PLUGIN < a JSON list of paths

Each plugin is measured in a process of its own that does what `flake8 -j1` would do with it alone: parse a file, check
it, let go of it. So none pays for what another keeps in memory, and Python collects garbage as it would for a user.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from flake8.options.parse_args import parse_args
from flake8.processor import FileProcessor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from flake8.plugins.finder import LoadedPlugin

OURS = "flake8-async-tests"
PEERS = ("flake8-async", "flake8-bugbear", "flake8-comprehensions", "flake8-pytest-style", "pyflakes")

_TEST_FILES = ("test_*.py", "*_test.py", "conftest.py")
_IMPORTS_TEST_LIBRARY = re.compile(r"^[ \t]*(?:import|from)[ \t]+(?:pytest|unittest|mock|asynctest)\b", re.MULTILINE)


@dataclass(slots=True)
class Costs:
    """Seconds of CPU time that parsing some files takes, and by plugin what checking them takes as a multiple of it."""

    files: int = 0
    parsing: float = float("inf")
    ratios: dict[str, float] = field(default_factory=dict)


class Plugins:
    """Flake8's plugins that look at trees, as flake8 finds them in this environment."""

    def __init__(self, names: Collection[str]) -> None:
        plugins, self.options = parse_args(["--isolated", "-j1", "--select=AT,ASYNC,PT,B,C4,F"])
        self.checkers: dict[str, LoadedPlugin] = {
            name: plugin for plugin in plugins.checkers.tree if (name := plugin.plugin.package) in names
        }
        self.versions = {name: plugin.plugin.version for name, plugin in self.checkers.items()}


def python_files(folder: Path) -> Iterator[Path]:
    for directory, below, names in os.walk(folder):
        below.sort()
        yield from (Path(directory, name) for name in sorted(names) if name.endswith(".py"))


def is_test_file(path: Path, text: str) -> bool:
    """Whether the catalogue takes it for one: by its name, or for what it imports."""
    return any(fnmatch(path.name, pattern) for pattern in _TEST_FILES) or bool(_IMPORTS_TEST_LIBRARY.search(text))


def text_of(path: Path) -> str | None:
    """The text of a file that this Python can parse."""
    try:
        text = path.read_text(encoding="utf-8")
        ast.parse(text)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None
    return text


def measure(paths: list[Path], plugins: Plugins, passes: int = 3) -> Costs:
    """Check the files several times, and take the least that was seen: machines do other things, too."""
    costs = Costs(len(paths))
    for name in sorted(plugins.checkers):
        seen = [_in_a_process_of_its_own(name, paths) for _ in range(passes)]
        parsing, checking = (min(seconds) for seconds in zip(*seen, strict=True))
        costs.parsing = min(costs.parsing, parsing)
        costs.ratios[name] = checking / parsing
    return costs


def _in_a_process_of_its_own(name: str, paths: list[Path]) -> tuple[float, float]:
    command = [sys.executable, "-m", __name__, name]
    ran = subprocess.run(
        command, input=json.dumps([str(path) for path in paths]), check=True, capture_output=True, text=True
    )
    parsing, checking = json.loads(ran.stdout)
    return parsing, checking


def one_pass(name: str, paths: Iterable[str]) -> tuple[float, float]:
    """The seconds that parsing the files and checking them with one plugin take."""
    plugins = Plugins({name})
    plugin = plugins.checkers[name]
    parsing = checking = 0.0

    def check(path: str, text: str) -> None:
        nonlocal parsing, checking
        processor = FileProcessor(path, plugins.options, lines=text.splitlines(keepends=True))
        start = time.process_time()
        tree = ast.parse(text)
        parsed = time.process_time()
        parsing += parsed - start
        arguments = {"tree": tree, **processor.keyword_arguments_for(plugin.parameters, {"tree": tree})}
        start = time.process_time()
        for _ in plugin.obj(**arguments).run():
            pass
        checking += time.process_time() - start

    # What a plugin imports when it is used first is its start, which is measured for itself.
    check("test_start.py", "import pytest\n")
    parsing = checking = 0.0
    for path in paths:
        check(path, Path(path).read_text(encoding="utf-8"))
    return parsing, checking


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(one_pass(sys.argv[1], json.load(sys.stdin))))
