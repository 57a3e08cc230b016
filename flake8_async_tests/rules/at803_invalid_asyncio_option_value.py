"""AT803: a value at which pytest-asyncio stops."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import (
    DEBUG,
    FIXTURE_LOOP_SCOPE,
    FIXTURES_OWN_SCOPE,
    MODES,
    TEST_LOOP_SCOPE,
    about,
    configuration_of,
    told_here,
)
from flake8_async_tests.rule import Finding, Knows, brief, rule
from flake8_async_tests.source.fixtures import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.config import PytestConfig, Setting
    from flake8_async_tests.project.problems import Problem
    from flake8_async_tests.source.module import Module

_COMMENT = re.compile(r"\s[#;]")
_FIXTURES_OWN_SCOPE_SINCE = (1, 5)


@rule("AT803", "invalid-asyncio-option-value", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    config = configuration_of(module)
    if config is not None:
        yield from told_here(module, _problems(config, module.options.pytest_asyncio))


def _problems(config: PytestConfig, version: tuple[int, ...]) -> Iterator[Problem]:
    if config.asyncio_mode is not None and not _is_one_of(config.asyncio_mode, MODES):
        yield _invalid(config.asyncio_mode, "no mode", "auto or strict")
    fixture_loop_scope = config.get(FIXTURE_LOOP_SCOPE)
    may_be_the_fixtures_own = version >= _FIXTURES_OWN_SCOPE_SINCE
    valid = (*SCOPES, FIXTURES_OWN_SCOPE) if may_be_the_fixtures_own else SCOPES
    if fixture_loop_scope is not None and not _is_one_of(fixture_loop_scope, valid):
        yield _invalid(fixture_loop_scope, "no loop scope", _listed(valid))
    test_loop_scope = config.get(TEST_LOOP_SCOPE)
    if test_loop_scope is not None and not _is_one_of(test_loop_scope, SCOPES):
        yield _invalid(test_loop_scope, "no loop scope", _listed(SCOPES))
    debug = config.get(DEBUG)
    if debug is not None and not _is_boolean(debug) and "--asyncio-debug" not in _words_of_addopts(config):
        yield _invalid(debug, "no boolean", "true or false")


def _is_one_of(setting: Setting, words: tuple[str, ...]) -> bool:
    return not setting.fault and setting.value in words


def _is_boolean(setting: Setting) -> bool:
    return not setting.fault and setting.kind != "list" and setting.truth is not None


def _words_of_addopts(config: PytestConfig) -> tuple[str, ...]:
    addopts = config.get("addopts")
    return addopts.values if addopts is not None else ()


def _invalid(setting: Setting, what: str, remedy: str) -> Problem:
    if not setting.path.endswith(".toml") and _COMMENT.search(setting.value):
        # What stands behind a value in an ini file is part of it.
        remedy += ", and the comment on a line of its own"
    return about(setting, f"is {brief(setting.value)}, which is {what}: pytest stops with an error (write {remedy})")


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
