"""What the rules about configuration files share: their findings, and what pytest-asyncio makes of its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.record import record
from flake8_async_tests.rule import Finding, FirstLine
from flake8_async_tests.source.fixtures import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.project.config import PytestConfig, Setting
    from flake8_async_tests.source.module import Module

MODES = ("auto", "strict")
MODE = "asyncio_mode"
DEBUG = "asyncio_debug"
FIXTURE_LOOP_SCOPE = "asyncio_default_fixture_loop_scope"
TEST_LOOP_SCOPE = "asyncio_default_test_loop_scope"

OPTIONS = (MODE, DEBUG, FIXTURE_LOOP_SCOPE, TEST_LOOP_SCOPE)
"""All that pytest-asyncio takes from a configuration file."""

FIXTURES_OWN_SCOPE = "fixture-scope"
"""The loop scope that is each fixture's own scope."""

_PLUGIN_NAMES = frozenset({"asyncio", "pytest_asyncio.plugin"})


@record
class Problem:
    """Something wrong in a configuration file."""

    path: str
    line: int
    text: str


def is_place_for(path: str, module: Module) -> bool:
    """Whether this is the one file in which the problems of that configuration file are told."""
    return module.project.places.of(path) == module.path


def told_here(module: Module, problems: Iterable[Problem]) -> Iterator[Finding]:
    """The findings about the problems whose place is this file; any other file has none."""
    for problem in problems:
        if is_place_for(problem.path, module):
            place = f"{module.project.shown(module.directory, problem.path)}:{problem.line}"
            yield Finding(FirstLine(), f"{place}: {problem.text}")


def about(setting: Setting, text: str) -> Problem:
    """A problem of an option, which the text says after its name."""
    via = f" (from {setting.via})" if setting.via else ""
    return Problem(setting.path, setting.line, f"{setting.name.lstrip('-').replace('-', '_')}{via} {text}")


def configuration_of(module: Module) -> PytestConfig | None:
    """The configuration of a file, where one stands in a file, pytest can read it and pytest-asyncio gets to see it."""
    config = module.project.config_for(module.directory)
    if config.ground != "configuration" or not config.known or not _loads_pytest_asyncio(module, config):
        return None
    return config


def _loads_pytest_asyncio(module: Module, config: PytestConfig) -> bool:
    if not config.autoload_disabled and "asyncio" not in config.disabled_plugins:
        return True
    if not _PLUGIN_NAMES.isdisjoint(config.early_plugins):
        return True
    return "pytest_asyncio.plugin" in module.project.conftests(module.directory).foreign_plugins


def loop_scope(setting: Setting | None, default: str) -> str | None:
    """The loop scope that an option gives; None when it is none of pytest's scopes."""
    if setting is None:
        return default
    return setting.value if not setting.fault and setting.value in SCOPES else None
