"""What a patch replaces: a coroutine function, a class, or what cannot be told."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaiting.definitions import is_coroutine_method, member_of, takes_nothing
from flake8_async_tests.inference.clients.known import HTTP_METHODS
from flake8_async_tests.inference.values.literals import text_of
from flake8_async_tests.project.outline import LocalClass, OutlinedClass
from flake8_async_tests.source.coroutines import CoroutineFunction, Other, find_method
from flake8_async_tests.source.known_coroutines import KNOWN_COROUTINE_FUNCTIONS, KNOWN_COROUTINE_METHODS
from flake8_async_tests.source.names import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flake8_async_tests.inference.replacing.patches import Patch
    from flake8_async_tests.project.outline import Meaning
    from flake8_async_tests.source.module import Module

# Patched by any path that ends in one of their names: `patch("shop.worker.asyncio.sleep")`.
_LIBRARIES = frozenset({"aio_pika", "aiohttp", "anyio", "asyncio", "httpx", "httpx2", "psycopg", "trio"})

_CLASSES = frozenset({"aiohttp.ClientSession", "httpx.AsyncClient", "httpx.Client"})
_REQUESTS = frozenset(f"httpx.AsyncClient.{method}" for method in (*HTTP_METHODS, "send"))
_SYNC_REQUESTS = frozenset(f"httpx{owner}.{method}" for owner in ("", ".Client") for method in (*HTTP_METHODS, "send"))
# Coroutine functions of other libraries whose result is entered: `async with await aio_pika.connect_robust()`.
_ENTERED = frozenset({"aio_pika.connect", "aio_pika.connect_robust", "psycopg.AsyncConnection.connect"})


class Target(Enum):
    """What is known of the thing that a patch replaces."""

    COROUTINE_FUNCTION = "a coroutine function of asyncio, anyio, trio or the project"
    REQUEST = "a coroutine function of httpx that makes a request"
    ENTERED = "a coroutine function of another library, whose result is entered"
    CLASS = "a class"
    UNKNOWN = "something else, or unknown"

    @property
    def is_coroutine_function(self) -> bool:
        return self in (Target.COROUTINE_FUNCTION, Target.REQUEST, Target.ENTERED)


def target_of(module: Module, patch: Patch) -> Target:
    """What a patch replaces."""
    path = target_path(module, patch)
    if not path:
        return _of_object(module, patch)
    targets = (_target_called(module, name, directory) for name, directory in names_of_target(module, path))
    found = next((target for target in targets if target is not Target.UNKNOWN), Target.UNKNOWN)
    return _of_object(module, patch) if found is Target.UNKNOWN and patch.attribute is not None else found


def _target_called(module: Module, name: str, directory: str) -> Target:
    in_library = path_in_library(name)
    owner, _, attribute = in_library.rpartition(".")
    if in_library in KNOWN_COROUTINE_FUNCTIONS or attribute in KNOWN_COROUTINE_METHODS.get(owner, ()):
        return Target.COROUTINE_FUNCTION
    if in_library in _REQUESTS:
        return Target.REQUEST
    if in_library in _ENTERED:
        return Target.ENTERED
    meaning = module.project.outlines.find(name, directory)
    if isinstance(meaning, CoroutineFunction):
        return Target.COROUTINE_FUNCTION
    return Target.CLASS if in_library in _CLASSES or isinstance(meaning, OutlinedClass) else Target.UNKNOWN


def gives_awaitable(module: Module, patch: Patch) -> bool:
    """Whether what a patch replaces is annotated to come to something that is to be awaited in turn."""
    found: list[Meaning] = []
    path = target_path(module, patch)
    if path:
        found = [module.project.outlines.find(name, directory) for name, directory in names_of_target(module, path)]
    definition = module.names.definition(patch.target, patch.scope)
    klass = module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
    if klass is not None:
        found.append(find_method(LocalClass(klass), patch.attribute_name))
    elif patch.attribute is not None and not path:
        found.append(member_of(module, patch.target, patch.attribute_name, patch.scope))
    return any(
        meaning is Other.GIVES_AWAITABLE or (isinstance(meaning, CoroutineFunction) and meaning.gives_awaitable)
        for meaning in found
    )


def names_of_target(module: Module, path: str) -> Iterator[tuple[str, str]]:
    """A dotted path, then what it leads to by the imports of the project's modules, each with where that is said."""
    for name, directory, _ in module.project.outlines.along_imports(path, module.directory):
        yield name, directory


def replaces_function(module: Module, patch: Patch) -> bool:
    """Whether a patch replaces a coroutine function that is no method: its replacement gets the same arguments."""
    path = target_path(module, patch)
    return path_in_library(path) in KNOWN_COROUTINE_FUNCTIONS or takes_nothing(module, path)


def makes_requests_of_httpx(module: Module, patch: Patch) -> bool:
    """Whether what a patch replaces gives a response of httpx."""
    return not _names_in_libraries(module, patch).isdisjoint(_REQUESTS | _SYNC_REQUESTS)


def is_client_of_httpx(module: Module, patch: Patch) -> bool:
    """Whether a patch replaces one of httpx's client classes."""
    return not _names_in_libraries(module, patch).isdisjoint(("httpx.AsyncClient", "httpx.Client"))


def _names_in_libraries(module: Module, patch: Patch) -> set[str]:
    path = target_path(module, patch)
    return {path_in_library(name) for name, _ in names_of_target(module, path)} if path else set()


def target_path(module: Module, patch: Patch) -> str:
    """The dotted path of what a patch replaces, "" when there is none."""
    if patch.attribute is None:
        return text_of(module, patch.target, patch.scope) or ""
    owner = module.qualified(patch.target, patch.scope)
    return f"{owner}.{patch.attribute_name}" if owner and patch.attribute_name else ""


def path_in_library(path: str) -> str:
    """The end of a path that begins with the name of a library; the path where there is none."""
    return canonical(library_path(path, _LIBRARIES))


def library_path(path: str, libraries: Collection[str]) -> str:
    """The end of a path that begins with the name of one of these libraries; the path where there is none."""
    parts = path.split(".")
    for position in range(len(parts) - 2, -1, -1):
        if parts[position] in libraries:
            return ".".join(parts[position:])
    return path


def _of_object(module: Module, patch: Patch) -> Target:
    """What `patch.object(Shop, "fetch")` replaces, or the same on an instance made in view."""
    definition = module.names.definition(patch.target, patch.scope)
    klass = module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
    method = klass.find_method(patch.attribute_name) if klass is not None else None
    if method is not None:
        is_coroutine_function = method.is_coroutine_function
    elif isinstance(patch.target, ast.Name) and _is_of_project(module, patch):
        # The path of the method was looked up already, and nothing was found.
        return Target.UNKNOWN
    else:
        is_coroutine_function = is_coroutine_method(module, patch.target, patch.attribute_name, patch.scope)
    return Target.COROUTINE_FUNCTION if is_coroutine_function else Target.UNKNOWN


def _is_of_project(module: Module, patch: Patch) -> bool:
    """Whether a patch replaces an attribute of something that is imported from the project."""
    owner = module.qualified(patch.target, patch.scope)
    if not owner or owner in KNOWN_COROUTINE_METHODS:
        return False
    return module.project.outlines.file_behind(owner, module.directory) is not None
