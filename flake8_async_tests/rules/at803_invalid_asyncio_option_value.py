"""AT803: a value at which pytest-asyncio stops."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import (
    DEBUG,
    FIXTURE_LOOP_SCOPE,
    MODE,
    TEST_LOOP_SCOPE,
    about,
    accepted_values,
    configuration_of,
    is_accepted,
    told_here,
)
from flake8_async_tests.rule import Finding, Knows, brief, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.config import PytestConfig, Setting
    from flake8_async_tests.project.problems import Problem
    from flake8_async_tests.source.module import Module

_COMMENT = re.compile(r"\s[#;]")


@rule("AT803", "invalid-asyncio-option-value", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    config = configuration_of(module)
    if config is not None:
        yield from told_here(module, _problems(config, module.options.pytest_asyncio))


def _problems(config: PytestConfig, version: tuple[int, ...]) -> Iterator[Problem]:
    for option in (MODE, FIXTURE_LOOP_SCOPE, TEST_LOOP_SCOPE):
        setting = config.asyncio_mode if option == MODE else config.get(option)
        if setting is not None and not is_accepted(setting, option, version):
            what = "no mode" if option == MODE else "no loop scope"
            yield _invalid(setting, what, _listed(accepted_values(option, version)))
    debug = config.get(DEBUG)
    is_hidden = "--asyncio-debug" in _words_of_addopts(config)
    if debug is not None and not is_hidden and not is_accepted(debug, DEBUG, version):
        yield _invalid(debug, "no boolean", "true or false")


def _words_of_addopts(config: PytestConfig) -> tuple[str, ...]:
    addopts = config.get("addopts")
    return addopts.values if addopts is not None else ()


def _invalid(setting: Setting, what: str, remedy: str) -> Problem:
    if not setting.path.endswith(".toml") and _COMMENT.search(setting.value):
        # What stands behind a value in an ini file is part of it.
        remedy += ", and the comment on a line of its own"
    value = brief(list(setting.values) if setting.kind == "list" else setting.value)
    # A fault of the kind of value begins with the name of the option.
    wrong = setting.fault.removeprefix(f"{setting.name} ") or f"is {value}, which is {what}"
    return about(setting, f"{wrong}: pytest stops with an error (write {remedy})")


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
