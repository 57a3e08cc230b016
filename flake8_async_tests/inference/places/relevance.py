"""Whether the code of a file can have anything to do with asynchronous tests, told without a walk."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_async_tests.project.texts import joined
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
    "setattr",
    "TestCase",
    "dependency_overrides",
    "httpx",
    "threading",
    "NullPool",
)
# The same of the rules that are off unless asked for.
_WORDS_OF_OPT_IN = ("TestClient",)
_PATH = re.compile(r"\w+(?:\.\w+)*")
_IMPORT_FURTHER_IN = re.compile(r"\n[ \t]+(?:from|import)[ \t]")


def can_matter(module: Module, *, opt_in: bool) -> bool:
    """Whether any rule about the code of a file can have something to say of it."""
    text = module.text
    words = _WORDS + _WORDS_OF_OPT_IN if opt_in else _WORDS
    return any(word in text for word in words) or _may_name_coroutine_functions(module)


def _may_name_coroutine_functions(module: Module) -> bool:
    """Whether one of the project's coroutine functions, or of their classes' methods, may be named in a file."""
    for node in _imports(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                if _may_give(module, local, alias.name if alias.asname else local):
                    return True
        else:
            base = source_of(node)
            for alias in node.names:
                if alias.name == "*":
                    if _may_define_coroutines(module, base):
                        return True
                elif _may_give(module, alias.asname or alias.name, joined(base, alias.name)):
                    return True
    return False


def _may_give(module: Module, local: str, dotted: str) -> bool:
    """Whether a coroutine function may be reached through what is imported under a name."""
    if not module.project.may_have(dotted, module.directory):
        return False
    outlines = module.project.outlines
    names = outlines.coroutine_names(dotted, module.directory)
    if not names and outlines.is_module(dotted, module.directory):
        reached = {joined(dotted, path) for path in _paths_from(local, module.text)}
        names = names.union(*(outlines.coroutine_names(path, module.directory) for path in reached))
    # That it is one itself is an empty name, which is in every text.
    return any(name in module.text for name in names)


def _paths_from(name: str, text: str) -> Iterator[str]:
    """What stands behind a name and a dot."""
    start = f"{name}."
    at = text.find(start)
    while at >= 0:
        path = _PATH.match(text, at + len(start))
        if path is not None:
            yield path.group()
        at = text.find(start, at + len(start))


def _imports(module: Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """All imports of a file: where there are none in functions or under conditions, told without a walk."""
    if _IMPORT_FURTHER_IN.search(module.text) is None:
        yield from (node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom)))
    else:
        yield from (node for node, _ in module.of_kind(ast.Import))
        yield from (node for node, _ in module.of_kind(ast.ImportFrom))


def _may_define_coroutines(module: Module, name: str) -> bool:
    path = module.project.find_import(name, module)
    if path is None:
        return False
    content = module.project.files.read(path)
    # It may hand on what another one defines.
    return content is not None and (b"async" in content or b"import" in content)
