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

_FIXTURES_OWN_SCOPE_SINCE = (1, 5)

# The modules behind the names under which pytest finds plugins by itself.
_MODULES_OF_PLUGINS = {"anyio": "anyio.pytest_plugin", "asyncio": "pytest_asyncio.plugin"}


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
    if config.ground != "configuration" or not config.known or not is_loaded("asyncio", module, config):
        return None
    return config


def is_loaded(plugin: str, module: Module, config: PytestConfig) -> bool:
    """Whether pytest loads a plugin, which is there by the name `anyio` or `asyncio`, by itself or since it is told."""
    if not config.autoload_disabled and plugin not in config.disabled_plugins:
        return True
    itself = _MODULES_OF_PLUGINS[plugin]
    if plugin in config.early_plugins or itself in config.early_plugins:
        return True
    return itself in module.project.conftests(module.directory).foreign_plugins


def accepted_values(option: str, version: tuple[int, ...]) -> tuple[str, ...]:
    """The words that pytest-asyncio takes for an option that is no boolean."""
    if option == MODE:
        return MODES
    return (
        (*SCOPES, FIXTURES_OWN_SCOPE)
        if option == FIXTURE_LOOP_SCOPE and version >= _FIXTURES_OWN_SCOPE_SINCE
        else SCOPES
    )


def is_accepted(setting: Setting, option: str, version: tuple[int, ...]) -> bool:
    """Whether pytest-asyncio takes the value that an option has."""
    if setting.fault:
        return False
    if option == DEBUG:
        return setting.kind != "list" and setting.truth is not None
    return setting.value in accepted_values(option, version)


def loop_scope(setting: Setting | None, default: str) -> str | None:
    """The loop scope that an option gives; None when it is none of pytest's scopes."""
    if setting is None:
        return default
    return setting.value if not setting.fault and setting.value in SCOPES else None
