"""What the plugin takes of a whole run of flake8, and of its start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from flake8.checker import FileChecker
from flake8.options.parse_args import parse_args
from flake8.plugins.finder import Checkers

from tests.bench.costs import OURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_OF_FLAKE8_ITSELF = ("mccabe", "pycodestyle", "pyflakes")
_TIMES = 9


def share_of_a_run(paths: Sequence[Path]) -> float:
    """How much of the CPU time of `flake8 -j1`, with its own plugins and this one, is this one's."""
    plugins, options = parse_args(["--isolated", "-j1"])

    def run(*packages: str) -> float:
        checkers = Checkers(
            *(
                [plugin for plugin in kind if plugin.plugin.package in packages]
                for kind in (plugins.checkers.tree, plugins.checkers.logical_line, plugins.checkers.physical_line)
            )
        )
        start = time.process_time()
        for path in paths:
            FileChecker(filename=str(path), plugins=checkers, options=options).run_checks()
        return time.process_time() - start

    run(*_OF_FLAKE8_ITSELF, OURS)
    # In turns, since a machine is not equally fast all the time, and a share this small would be lost in that.
    pairs = [(run(*_OF_FLAKE8_ITSELF, OURS), run(*_OF_FLAKE8_ITSELF)) for _ in range(5)]
    with_ours = min(first for first, _ in pairs)
    without = min(second for _, second in pairs)
    return (with_ours - without) / with_ours


def import_milliseconds() -> tuple[float, float]:
    """CPU time to import flake8 alone, and what the plugin with all its rules adds to that."""
    flake8 = "import flake8.main.application"
    with tempfile.TemporaryDirectory() as folder:
        # As installed: compiled. Some environments are told not to write bytecode.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder
        alone = _least_cpu_time(flake8, environment)
        ours = "from flake8_async_tests.rules import all_rules; import flake8_async_tests; all_rules()"
        return alone, _least_cpu_time(f"{flake8}; {ours}", environment) - alone


def _least_cpu_time(code: str, environment: dict[str, str]) -> float:
    measured = f"import time; start = time.process_time(); {code}; print(time.process_time() - start)"
    command = [sys.executable, "-c", measured]
    # The first one compiles.
    subprocess.run(command, env=environment, check=True, capture_output=True)
    runs = (subprocess.run(command, env=environment, check=True, capture_output=True, text=True) for _ in range(_TIMES))
    return min(float(run.stdout) for run in runs) * 1000
