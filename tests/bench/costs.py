"""What plugins cost on files: CPU time on parsed trees, given as flake8 gives them, beside that of parsing."""

from __future__ import annotations

import ast
import os
import re
import time
from collections import defaultdict
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
    """Seconds of CPU time that parsing some files takes, and that each plugin takes for them."""

    files: int = 0
    parsing: float = 0.0
    plugins: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def ratios(self) -> dict[str, float]:
        """What each plugin costs, as a multiple of parsing."""
        return {name: seconds / self.parsing for name, seconds in sorted(self.plugins.items())}


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


def measure(files: Iterable[tuple[Path, str]], plugins: Plugins, passes: int = 3) -> Costs:
    """Check the files several times, and take of each the least that was seen: machines do other things, too."""
    files = list(files)
    parsing = dict.fromkeys(range(len(files)), float("inf"))
    least: dict[str, dict[int, float]] = {name: parsing.copy() for name in plugins.checkers}
    for _ in range(passes):
        for at, (path, text) in enumerate(files):
            start = time.process_time()
            tree = ast.parse(text)
            parsing[at] = min(parsing[at], time.process_time() - start)
            processor = FileProcessor(str(path), plugins.options, lines=text.splitlines(keepends=True))
            for name, plugin in plugins.checkers.items():
                # Some change the tree that they are given: each gets one of its own.
                tree = ast.parse(text)
                arguments = {"tree": tree, **processor.keyword_arguments_for(plugin.parameters, {"tree": tree})}
                start = time.process_time()
                for _ in plugin.obj(**arguments).run():
                    pass
                least[name][at] = min(least[name][at], time.process_time() - start)
    costs = Costs(len(files), sum(parsing.values()))
    for name, seconds in least.items():
        costs.plugins[name] = sum(seconds.values())
    return costs
