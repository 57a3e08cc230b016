"""AT801: a section that looks like pytest's configuration and is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import Problem, told_here
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.config import RawConfig
    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.module import Module

_INI = "[pytest]"
_TOML = "[tool.pytest.ini_options]"

# By the name of the file: each section that pytest passes over there, and the one that it takes.
_IGNORED = {
    "pytest.ini": {"tool:pytest": _INI},
    ".pytest.ini": {"tool:pytest": _INI},
    "tox.ini": {"tool:pytest": _INI},
    "setup.cfg": {"pytest": "[tool:pytest]"},
    "pyproject.toml": {"pytest": _TOML, "tool:pytest": _TOML, "tool.pytest-asyncio": _TOML},
}


@rule("AT801", "ignored-config-section", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    yield from told_here(module, module.project.fact_of_folder(module.directory, _problems))


def _problems(project: Project, directory: str) -> tuple[Problem, ...]:
    return tuple(
        problem
        for folder in project.places.folders_up(directory)
        for raw in project.configs.candidates(folder)
        for problem in _ignored_sections(raw)
    )


def _ignored_sections(raw: RawConfig) -> Iterator[Problem]:
    if raw.error and raw.name != "setup.cfg":
        return
    for name, right_name in _IGNORED.get(raw.name, {}).items():
        section = raw.sections.get(name)
        if section is None:
            continue
        written = f'["{name}"]' if ":" in name and raw.kind == "toml" else f"[{name}]"
        if raw.error:
            consequence = "stops pytest with an error"
        else:
            options = f", and with it {', '.join(section.options)}" if section.options else ""
            consequence = f"is ignored by pytest{options}"
        yield Problem(raw.path, section.line, f"{written} {consequence} (name it {right_name})")
