"""Runs a page's example under real pytest, in a process and a folder of its own, and tells what came of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.pages import Ending, Outcome, ProofRun, parse_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

PATIENCE = 20.0
"""Seconds after which a run that should end is given up."""

HANG = 5.0
"""Seconds after which a run that is said to hang is believed."""

CONFIGURATION_FILES = frozenset({"pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"})

KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")
"""All that a run inherits: variables of pytest, coverage, Python and CI would change what it does or prints."""

FOREIGN_PLUGINS = ("cacheprovider", "randomly", "xdist", "cov")
"""Plugins that a developer or the outer run may have, and no page speaks of."""

UNSET_LOOP_SCOPE = 'ignore:The configuration option "asyncio_default_fixture_loop_scope" is unset'
"""pytest-asyncio warns of this before any test; under -W error it would keep every proof from starting."""

LAST_LINE = re.compile(r"^(?:=+ )?(?P<counts>[a-z0-9 ,]+) in \d+\.\d+s(?: \([\d:, day]+\))?(?: =+)?$", re.MULTILINE)
COLLECTED_NOTHING = 5
NO_EXIT_CODE = -1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run printed, and how it ended."""

    text: str
    outcome: Outcome
    exit_code: int


def run_proof(run: ProofRun, files: Mapping[str, str], directory: Path) -> Seen:
    """Run a page's project as one line of its proof says."""
    write_project(files, directory)
    limit = HANG if run.outcome.ending is Ending.HANGS else PATIENCE
    return run_pytest([*_plugin_arguments(files), *run.arguments, "-W", UNSET_LOOP_SCOPE], directory, limit)


def write_project(files: Mapping[str, str], directory: Path) -> None:
    """Write the files, and make the folder pytest's root directory, whatever stands above it."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if CONFIGURATION_FILES.isdisjoint(files):
        (directory / "pytest.ini").touch()


def run_pytest(arguments: Iterable[str], directory: Path, limit: float) -> Seen:
    """Run pytest in a folder; when the time is up, end it with all it started."""
    # Where all share one, each run clears away at its end what others have left: that can take longer than the run.
    temporary = directory / ".temporary"
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=directory,
        env=_environment() | {"PYTEST_DEBUG_TEMPROOT": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        text, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        text, _ = process.communicate()
        return Seen(text, Outcome(Ending.HANGS, {}), NO_EXIT_CODE)
    return Seen(text, read_outcome(text, process.returncode), process.returncode)


def read_outcome(text: str, exit_code: int) -> Outcome:
    """What pytest's closing line says; an exit code alone when it printed none."""
    closing = [match["counts"] for match in LAST_LINE.finditer(text)]
    if not closing:
        return Outcome(Ending.EXIT, {}, exit_code)
    if exit_code == COLLECTED_NOTHING:
        return Outcome(Ending.NO_TESTS, {}, exit_code)
    return Outcome(Ending.COUNTS, parse_counts(closing[-1]) or {}, exit_code)


def differences(run: ProofRun, seen: Seen) -> list[str]:
    """What the page says and the run does not bear out; empty when it is all true."""
    wrong = []
    if not _agrees(run.outcome, seen):
        wrong.append(f"the page says {_told(run.outcome)}, pytest ended {_told(seen.outcome)}")
    wrong += [f"not in the output: {line}" for line in run.shown if line not in seen.text]
    wrong += [f"in the output, against the page: {line}" for line in run.not_shown if line in seen.text]
    return wrong


def _agrees(said: Outcome, seen: Seen) -> bool:
    if said.ending is Ending.EXIT:
        return said.exit_code == seen.exit_code
    return said.ending is seen.outcome.ending and _comparable(said.counts, said) == _comparable(
        seen.outcome.counts, said
    )


def _comparable(counts: Mapping[str, int], said: Outcome) -> dict[str, int]:
    """Warnings count only where the page counts them: their number depends on unrelated plugins."""
    return {what: number for what, number in counts.items() if what != "warning" or "warning" in said.counts}


def _told(outcome: Outcome) -> str:
    match outcome.ending:
        case Ending.COUNTS:
            return ", ".join(f"{number} {what}" for what, number in outcome.counts.items())
        case Ending.EXIT:
            return f"exit {outcome.exit_code}"
        case _:
            return outcome.ending


def _plugin_arguments(files: Mapping[str, str]) -> list[str]:
    blocked: Sequence[str] = FOREIGN_PLUGINS
    if not any("hypothesis" in text for text in files.values()):
        # Its plugin alone doubles the time that a run takes to start.
        blocked = (*FOREIGN_PLUGINS, "hypothesispytest")
    return [argument for name in blocked for argument in ("-p", f"no:{name}")]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    # A hanging run is killed: without buffers, what it printed until then is not lost. The width keeps pytest
    # from shortening the lines that a page quotes.
    return kept | {
        "COLUMNS": "200",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
    }
