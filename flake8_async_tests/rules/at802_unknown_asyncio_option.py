"""AT802: an option that pytest-asyncio does not have."""

from __future__ import annotations

import ast
from difflib import get_close_matches
from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import OPTIONS, Problem, about, told_here
from flake8_async_tests.project.project import plugin_names
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


@rule("AT802", "unknown-asyncio-option", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    yield from told_here(module, _problems(module))
