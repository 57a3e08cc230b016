"""Whether a file imports a library for tests, told without a walk where that can be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

_TEST_LIBRARIES = ("pytest", "pytest_asyncio", "unittest", "mock", "asynctest")
_WORDS_OF_TEST_LIBRARIES = ("pytest", "unittest", "mock", "asynctest")
_IMPORTS_TEST_LIBRARY = re.compile(
    r"[ \t]*(?:from[ \t]+|import[ \t](?:.*\W)?)(?:pytest|pytest_asyncio|unittest|mock|asynctest)\b"
)


def imports_test_library(module: Module) -> bool:
    """Whether a file imports a library for tests."""
    return may_import_test_library(module.text) and module.imports(*_TEST_LIBRARIES)


def may_import_test_library(text: str) -> bool:
    """The same told without a tree."""
    # Most files that are no tests name none: two searches say so.
    if "test" not in text and "mock" not in text:
        return False
    return "importorskip" in text or any(
        _IMPORTS_TEST_LIBRARY.match(line) for word in _WORDS_OF_TEST_LIBRARIES for line in _lines_with(word, text)
    )


def _lines_with(word: str, text: str) -> Iterator[str]:
    at = text.find(word)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = end if end >= 0 else len(text)
        yield text[start:end]
        at = text.find(word, end)
