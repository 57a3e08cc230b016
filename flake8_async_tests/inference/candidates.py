"""Which calls of a file may be of coroutine functions and stand behind no `await`: told by names alone.

Most calls of a test file are of nothing asynchronous, and of the others most are awaited. What a name means costs
something to find out, so it is found out for what is left.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients import Kind
from flake8_async_tests.inference.known_coroutines import CLASS_WORDS, FUNCTION_WORDS, METHOD_WORDS
from flake8_async_tests.project.texts import ITSELF, joined
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

CLIENTS = frozenset(
    {
        Kind.HTTPX_ASYNC_CLIENT,
        Kind.AIOHTTP_SESSION,
        Kind.ASYNC_CONNECTION,
        Kind.ASYNC_ENGINE,
        Kind.ASYNC_SESSION,
    }
)
_CLIENT_METHODS = frozenset(method for kind in CLIENTS for method in kind.coroutine_methods)
_CLIENT_WORDS = (
    "AsyncClient",
    "ClientSession",
    "AsyncSession",
    "AsyncEngine",
    "AsyncConnection",
    "async_engine",
    "sessionmaker",
)


class Candidates:
    """The names under which coroutine functions may be called in a file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._functions: set[str] = set()
        """The last words of what may be a coroutine function."""
        self._classes: set[str] = set()
        """The names of classes that may have coroutine methods."""
        self._instances: set[str] = set()
        self._assigned: set[str] = set()
        self._add_own()
        self._add_imported()
        self._add_libraries()
        self._has_clients = any(word in text for text in self._texts_in_view() for word in _CLIENT_WORDS)
        self._tails = module.names.tails_of_any(self._functions)
        self._mocks = self._calls_for_mocks()
        self._add_assigned()

    def _texts_in_view(self) -> Iterator[str]:
        yield self._module.text
        for conftest in self._module.project.conftests(self._module.directory).modules:
            yield conftest.text

    def calls(self) -> Iterator[tuple[ast.Call, Scope]]:
        """Those calls that may be of a coroutine function and are neither awaited nor entered nor handed on."""
        by_kind = self._module.index.by_kind
        settled: set[ast.AST | None] = set()
        for kind in (ast.Await, ast.Return, ast.Yield, ast.YieldFrom):
            for node, _ in by_kind[kind]:
                assert isinstance(node, (ast.Await, ast.Return, ast.Yield, ast.YieldFrom))
                settled.add(node.value)
        for block, _ in (*by_kind[ast.AsyncWith], *by_kind[ast.With]):
            assert isinstance(block, (ast.AsyncWith, ast.With))
            settled.update(item.context_expr for item in block.items)
        tails = self._tails | _CLIENT_METHODS if self._has_clients else self._tails
        calls = self._module.index.calls
        for tail in tails & calls.keys():
            yield from (pair for pair in calls[tail] if pair[0] not in settled)

    def may_hold_instance(self, node: ast.expr) -> bool:
        """Whether a name or path may have been given an instance of a class with coroutine methods."""
        return _last_word(node) in self._instances

    def may_hold_function(self, node: ast.expr) -> bool:
        """Whether a name or path may have been given a coroutine function or an AsyncMock."""
        return _last_word(node) in self._assigned

    def may_be_of_client(self, node: ast.Attribute) -> bool:
        return self._has_clients and node.attr in _CLIENT_METHODS

    # -- where the names come from ---------------------------------------------------------------------------------

    def _add_own(self) -> None:
        for scope in self._module.index.scopes:
            kind = scope.node.__class__
            if kind is ast.AsyncFunctionDef or kind is ast.ClassDef:
                assert isinstance(scope.node, (ast.AsyncFunctionDef, ast.ClassDef))
                (self._functions if kind is ast.AsyncFunctionDef else self._classes).add(scope.node.name)

    def _add_imported(self) -> None:
        outlines, directory = self._module.project.outlines, self._module.directory
        used = self._words_used()
        for local, dotted in _imports(self._module):
            words = used.get(local)
            if words is None:
                continue
            located = outlines.file_behind(dotted, directory)
            if located is not None and located[1]:
                self._add(local, dotted)
            elif located is not None or local == dotted:
                for word in words:
                    self._add(word.rpartition(".")[2], f"{dotted}.{word}")
        for star in self._module.fact(star_imports):
            for word in used:
                self._add(word, joined(star, word))

    def _words_used(self) -> dict[str, set[str]]:
        """The names that are called, assigned or inherited from, or of which something is; with what that is."""
        found: dict[str, set[str]] = {}
        for tail, pairs in self._module.index.calls.items():
            for node, _ in pairs:
                function = node.func
                if function.__class__ is ast.Name:
                    found.setdefault(tail, set())
                else:
                    _note_path(function, found)
        for scope in self._module.index.scopes:
            if scope.node.__class__ is ast.ClassDef:
                assert isinstance(scope.node, ast.ClassDef)
                for base in scope.node.bases:
                    _note_path(base, found)
        for statement, _ in self._module.index.by_kind[ast.Assign]:
            assert isinstance(statement, ast.Assign)
            if statement.value.__class__ is ast.Attribute or statement.value.__class__ is ast.Name:
                _note_path(statement.value, found)
        return found

    def _add(self, local: str, dotted: str) -> None:
        names = self._module.project.outlines.coroutine_names(dotted, self._module.directory)
        if ITSELF in names:
            self._functions.add(local)
        elif names:
            self._functions |= names
            self._classes.add(local)

    def _add_libraries(self) -> None:
        for library, words in FUNCTION_WORDS.items():
            if self._module.imports(library):
                self._functions |= words
                called = CLASS_WORDS.get(library, frozenset()).intersection(self._module.index.calls)
                if called:
                    self._functions |= METHOD_WORDS
                    self._classes |= called

    def _add_assigned(self) -> None:
        classes = self._module.names.tails_of_any(self._classes)
        by_kind = self._module.index.by_kind
        for node, _ in (*by_kind[ast.Assign], *by_kind[ast.AnnAssign]):
            assert isinstance(node, (ast.Assign, ast.AnnAssign))
            value = node.value
            kind = value.__class__
            if kind is ast.Call:
                assert isinstance(value, ast.Call)
                if _last_word(value.func) in classes:
                    self._instances.update(_words_assigned(node))
                if value in self._mocks:
                    self._add_mocks(_words_assigned(node))
            elif kind is ast.Name or kind is ast.Attribute:
                self._assigned.update(_words_assigned(node))
        if self._mocks:
            self._add_patched()

    def _add_patched(self) -> None:
        """What `with patch(.., new_callable=AsyncMock) as m` and the like of a decorator bind."""
        for block, _ in self._module.index.by_kind[ast.With]:
            assert isinstance(block, ast.With)
            for item in block.items:
                if item.optional_vars is not None and item.context_expr in self._mocks:
                    self._add_mocks([_last_word(item.optional_vars)])
        for scope in self._module.index.scopes:
            node = scope.node if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
            if node is not None and not self._mocks.isdisjoint(node.decorator_list):
                self._add_mocks(argument.arg for argument in arguments_of(node))

    def _add_mocks(self, words: Iterable[str]) -> None:
        found = set(words)
        self._assigned |= found
        self._tails |= found

    def _calls_for_mocks(self) -> set[ast.expr]:
        """The calls that may make an AsyncMock, be it as a patch."""
        if "AsyncMock" not in self._module.text:
            return set()
        calls = self._module.index.calls
        names = self._module.names.tails_of("AsyncMock")
        found: set[ast.expr] = {node for name in names for node, _ in calls.get(name, ())}
        for maker in ("patch", "object"):
            for node, _ in calls.get(maker, ()):
                kind = keyword_value(node, "new_callable")
                if kind is not None and _last_word(kind) in names:
                    found.add(node)
        return found


def star_imports(module: Module) -> tuple[str, ...]:
    """The modules from which a file imports everything."""
    return tuple(
        "." * node.level + (node.module or "")
        for node in module.scope.of(ast.ImportFrom)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    )


def _imports(module: Module) -> Iterator[tuple[str, str]]:
    """The names that imports bind, at the top or in functions, and what they mean."""
    for node, _ in module.index.by_kind[ast.ImportFrom]:
        assert isinstance(node, ast.ImportFrom)
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, joined(base, alias.name)
    for node, _ in module.index.by_kind[ast.Import]:
        assert isinstance(node, ast.Import)
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2


def _note_path(node: ast.expr, found: dict[str, set[str]]) -> None:
    """Note `b.c` under `a` for `a.b.c`."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        found.setdefault(node.id, set())
        if words:
            words.reverse()
            found[node.id].add(".".join(words))


def _words_assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        word = _last_word(target)
        if word:
            yield word


def _last_word(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
