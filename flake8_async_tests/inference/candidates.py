"""Which calls of a file may be of coroutine functions and stand behind no `await`: told by names alone.

Most calls of a test file are of nothing asynchronous, and of the others most are awaited. What a name means costs
something to find out, so it is found out for what is left.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_async_tests.inference.bindings import path_of
from flake8_async_tests.inference.clients import Kind
from flake8_async_tests.inference.known_coroutines import CLASS_WORDS, FUNCTION_WORDS, METHOD_WORDS
from flake8_async_tests.project.texts import ITSELF, joined
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

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
# Builtins that look into what they are given, or iterate over it.
LOOKING_BUILTINS = frozenset(
    {
        "all",
        "any",
        "bool",
        "dict",
        "float",
        "int",
        "len",
        "list",
        "max",
        "min",
        "set",
        "sorted",
        "str",
        "sum",
        "tuple",
    }
)
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
        conftests = module.project.conftests(module.directory).modules
        self._has_clients = any(each.fact(_speaks_of_clients) for each in (module, *conftests))
        self._tails = module.names.tails_of_any(self._functions)
        self._mocks = self._calls_for_mocks()
        self._add_assigned()

    def calls(self) -> list[tuple[ast.Call, Scope]]:
        """Those calls that may be of a coroutine function and are neither awaited nor entered nor handed on."""
        tails = self._tails | _CLIENT_METHODS if self._has_clients else self._tails
        calls = self._module.index.calls
        pairs = [pair for tail in tails & calls.keys() for pair in calls[tail]]
        if not pairs:
            return []
        settled = set(_settled(self._module))
        pairs = [pair for pair in pairs if pair[0] not in settled]
        looking = self._module.names.tails_of_any(LOOKING_BUILTINS)
        handed_on = {value for scope in {pair[1] for pair in pairs} for value in _handed_on(scope, looking)}
        return [pair for pair in pairs if pair[0] not in handed_on]

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
            node = scope.node
            kind = node.__class__
            if kind is ast.AsyncFunctionDef:
                self._functions.add(node.name)  # type: ignore[union-attr]  # told by its class
            elif kind is ast.ClassDef:
                self._classes.add(node.name)  # type: ignore[union-attr]  # told by its class

    def _add_imported(self) -> None:
        outlines, directory = self._module.project.outlines, self._module.directory
        modules = {}
        for local, dotted in _imports(self._module):
            located = outlines.file_behind(dotted, directory)
            # `import app` may lead to modules below a folder that is none itself.
            if located is None:
                is_module = local == dotted and self._module.project.has_top_level(dotted, directory)
            else:
                is_module = not located[1]
            if is_module:
                modules[local] = dotted
            elif located is not None and self._is_used(local):
                self._add(local, dotted)
        for local, path in self._paths_from(modules):
            self._add(path.rpartition(".")[2], f"{modules[local]}.{path}")
        for star in self._module.fact(star_imports):
            for tail in self._module.index.calls:
                self._add(tail, joined(star, tail))

    def _is_used(self, name: str) -> bool:
        """Whether something may be called by a name or of it, or inherit from it."""
        if name in self._module.index.calls or name in self._bases or f"{name}." in self._module.text:
            return True
        return len(self._module.names.tails_of(name)) > 1

    @cached_property
    def _bases(self) -> set[str]:
        nodes = (scope.node for scope in self._module.index.scopes if isinstance(scope.node, ast.ClassDef))
        return {_last_word(base) for node in nodes for base in node.bases}

    def _paths_from(self, modules: dict[str, str]) -> set[tuple[str, str]]:
        """What is called, assigned or inherited from as an attribute of these: `("service", "fetch")`."""
        found: set[tuple[str, str]] = set()
        if not modules:
            return found
        for pairs in self._module.index.calls.values():
            for node, _ in pairs:
                if node.func.__class__ is ast.Attribute:
                    _note_path(node.func, modules, found)
        for scope in self._module.index.scopes:
            if isinstance(scope.node, ast.ClassDef):
                for base in scope.node.bases:
                    _note_path(base, modules, found)
        for statement, _ in self._module.of_kind(ast.Assign):
            if statement.value.__class__ is ast.Attribute:
                _note_path(statement.value, modules, found)
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
        for node in _assignments(self._module):
            value = node.value
            if isinstance(value, ast.Call):
                if _last_word(value.func) in classes:
                    self._instances.update(_words_assigned(node))
                if value in self._mocks:
                    self._add_mocks(_words_assigned(node))
            elif isinstance(value, (ast.Name, ast.Attribute)):
                self._assigned.update(_words_assigned(node))
        for block in _blocks(self._module):
            for item in block.items:
                given, entered = item.optional_vars, item.context_expr
                if isinstance(given, ast.Name) and isinstance(entered, ast.Call):
                    if _last_word(entered.func) in classes:
                        self._instances.add(given.id)
                    if entered in self._mocks:
                        self._add_mocks([given.id])
        if self._mocks:
            self._add_injected()

    def _add_injected(self) -> None:
        """What `@patch(.., new_callable=AsyncMock)` passes to the function below it."""
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


def _settled(module: Module) -> Iterator[ast.expr | None]:
    """What is awaited, entered, or given to whoever called the function."""
    yield from (node.value for node, _ in module.of_kind(ast.Await))
    yield from (node.value for node, _ in module.of_kind(ast.Return))
    yield from (node.value for node, _ in module.of_kind(ast.Yield))
    yield from (node.value for node, _ in module.of_kind(ast.YieldFrom))
    yield from (item.context_expr for block in _blocks(module) for item in block.items)


def _assignments(module: Module) -> Iterator[ast.Assign | ast.AnnAssign]:
    yield from (node for node, _ in module.of_kind(ast.Assign))
    yield from (node for node, _ in module.of_kind(ast.AnnAssign))


def _blocks(module: Module) -> Iterator[ast.With | ast.AsyncWith]:
    yield from (node for node, _ in module.of_kind(ast.With))
    yield from (node for node, _ in module.of_kind(ast.AsyncWith))


def _handed_on(scope: Scope, looking: Container[str]) -> Iterator[ast.expr]:
    """What is given to functions, but for those that look at it at once."""
    for node in scope.nodes:
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                looks = function.attr.startswith("assert")
            else:
                looks = isinstance(function, ast.Name) and function.id in looking
            if not looks:
                yield from node.args
                for keyword in node.keywords:
                    yield keyword.value


def _speaks_of_clients(module: Module) -> bool:
    return any(word in module.text for word in _CLIENT_WORDS)


def star_imports(module: Module) -> tuple[str, ...]:
    """The modules from which a file imports everything."""
    return tuple(
        "." * node.level + (node.module or "")
        for node in module.scope.of(ast.ImportFrom)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    )


def _imports(module: Module) -> Iterator[tuple[str, str]]:
    """The names that imports bind, at the top or in functions, and what they mean."""
    for node, _ in module.of_kind(ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, joined(base, alias.name)
    for statement, _ in module.of_kind(ast.Import):
        for alias in statement.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2


def _note_path(node: ast.expr, modules: Container[str], found: set[tuple[str, str]]) -> None:
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and root.id in modules:
        found.add((root.id, path_of(node).partition(".")[2]))


def _words_assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        word = _last_word(target)
        if word:
            yield word


def _last_word(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
