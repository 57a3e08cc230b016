"""Whether a file can be one of tests, and have anything to do with asynchronous code, told without a walk."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_async_tests.source.names import source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

# Every rule that speaks of the code of a file speaks of something that is spelled with one of these, or of a
# coroutine function that the file imports.
_WORDS = (
    "async",
    "await",
    "anyio",
    "trio",
    "event_loop",
    "coroutine",
    "Mock",
    "mock",
    "patch",
    "TestCase",
    "TestClient",
    "dependency_overrides",
    "httpx",
    "NullPool",
)

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


def can_matter(module: Module) -> bool:
    """Whether any rule about the code of a file can have something to say of it."""
    text = module.text
    return any(word in text for word in _WORDS) or any(
        _defines_coroutines(module, name) for name in _imported(module.tree)
    )


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = source_of(node)
            yield base
            # `from package import module`
            separator = "." if node.module else ""
            yield from (f"{base}{separator}{alias.name}" for alias in node.names)


def _defines_coroutines(module: Module, name: str) -> bool:
    path = module.project.find_import(name, module)
    if path is None:
        return False
    content = module.project.files.read(path)
    # A package may hand on what a module below it defines.
    return content is not None and (b"async" in content or path.endswith("__init__.py"))
