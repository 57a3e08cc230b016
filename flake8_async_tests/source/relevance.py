"""Whether a file can be one of tests, and have anything to do with asynchronous code, told without a walk."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

# Every rule that speaks of the code of a file speaks of something that is spelled with one of these, or of a
# coroutine function that the file imports.
_WORDS = re.compile(
    r"async|await|anyio|trio|event_loop|coroutine|[Mm]ock|patch|TestCase|TestClient|dependency_overrides|httpx|NullPool"
)

_TEST_LIBRARIES = frozenset({"pytest", "pytest_asyncio", "unittest", "mock", "asynctest"})


def imports_test_library(tree: ast.Module) -> bool:
    """Whether an import outside functions and classes is of a library for tests."""
    blocks: list[list[ast.stmt]] = [tree.body]
    for block in blocks:
        for statement in block:
            if isinstance(statement, ast.ImportFrom):
                names = [statement.module] if statement.module and not statement.level else []
            elif isinstance(statement, ast.Import):
                names = [alias.name for alias in statement.names]
            else:
                if isinstance(statement, (ast.If, ast.Try)):
                    blocks += _blocks_of(statement)
                continue
            if any(name.partition(".")[0] in _TEST_LIBRARIES for name in names):
                return True
    return False


def _blocks_of(statement: ast.If | ast.Try) -> Iterator[list[ast.stmt]]:
    yield statement.body
    yield statement.orelse
    if isinstance(statement, ast.Try):
        yield from (handler.body for handler in statement.handlers)
        yield statement.finalbody


def can_matter(module: Module) -> bool:
    """Whether any rule about the code of a file can have something to say of it."""
    return bool(_WORDS.search(module.text)) or any(_defines_coroutines(module, name) for name in _imported(module.tree))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
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
