"""Run as a program: has real pytest collect and run several small projects, and writes down which fixtures it took.

    python fixture_recorder.py <folder with one project per subfolder> <file for the answers>

One process does all projects, since starting pytest costs more than any of them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = ["-q", "-p", "no:cacheprovider"]


class Recorder:
    """A pytest plugin that takes down, for each test, what each name means and what is set up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            assert isinstance(item, pytest.Function)
            known = item._fixtureinfo.name2fixturedefs  # noqa: SLF001  # it tells nobody otherwise
            self.tests[self.key(item)] = {
                "names": sorted(name for name in item.fixturenames if self.is_ours(known.get(name))),
                "meanings": {
                    name: [self.place(each) for each in reversed(found)]
                    for name, found in known.items()
                    if self.is_ours(found)
                },
                "set_up": [],
                "failed": False,
            }

    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> None:
        if self.is_ours([fixturedef]):
            self.tests[self.key(request._pyfuncitem)]["set_up"].append(self.place(fixturedef))  # noqa: SLF001

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.tests[report.nodeid.partition("[")[0]]["failed"] = True

    def key(self, item: pytest.Item) -> str:
        return item.nodeid.partition("[")[0]

    def is_ours(self, found: Any) -> bool:
        """Whether a name means a fixture of the project, or none at all."""
        return not found or any(self.folder in Path(each.func.__code__.co_filename).parents for each in found)

    def place(self, fixturedef: Any) -> list[object]:
        code = fixturedef.func.__code__
        return [Path(code.co_filename).relative_to(self.folder).as_posix(), code.co_firstlineno]


def record(folder: Path) -> dict[str, dict[str, Any]]:
    recorder = Recorder(folder)
    modules, path = set(sys.modules), list(sys.path)
    pytest.main([*ARGUMENTS, "--rootdir", str(folder), str(folder)], plugins=[recorder])
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    sys.path[:] = path
    return recorder.tests


def main(projects: Path, answers: Path) -> None:
    found = {folder.name: record(folder) for folder in sorted(projects.iterdir())}
    answers.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
