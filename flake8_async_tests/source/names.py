"""What a name means where it stands: resolved through imports, aliases and scopes, never matched as text."""

from __future__ import annotations

import ast
import builtins
from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set

    from flake8_async_tests.source.walk import Index, Scope

# How many assignments `a = b` are followed from one name to the next before giving up.
_ALIAS_DEPTH = 4

_BUILTINS = frozenset(dir(builtins))
ALWAYS_BUILTINS = frozenset(
    {
        "BaseException",
        "Exception",
        "classmethod",
        "dict",
        "getattr",
        "hasattr",
        "isinstance",
        "list",
        "object",
        "property",
        "setattr",
        "staticmethod",
        "super",
        "tuple",
        "type",
    }
)
"""Those that hardly any module gives another meaning, so that a star import of who knows what brings none of them.

Others (`TimeoutError`, `open`, `sum`) are names of their own in one library or another.
"""

# The same thing under several names: the longest prefix on the left stands for what is on the right.
_CANONICAL = {
    "httpx2": "httpx",
    "mock": "unittest.mock",
    "mock.mock": "unittest.mock",
    "asyncio.tasks": "asyncio",
    "asyncio.events": "asyncio",
    "asyncio.locks": "asyncio",
    "asyncio.queues": "asyncio",
    "asyncio.runners": "asyncio",
    "asyncio.timeouts": "asyncio",
    "asyncio.taskgroups": "asyncio",
    "asyncio.exceptions": "asyncio",
    "asyncio.futures": "asyncio",
    "asyncio.coroutines": "asyncio",
    "asyncio.threads": "asyncio",
    "asyncio.streams": "asyncio",
    "asyncio.subprocess.create_subprocess_exec": "asyncio.create_subprocess_exec",
    "asyncio.subprocess.create_subprocess_shell": "asyncio.create_subprocess_shell",
    "unittest.case.TestCase": "unittest.TestCase",
    "unittest.async_case.IsolatedAsyncioTestCase": "unittest.IsolatedAsyncioTestCase",
    "pytest_asyncio.plugin": "pytest_asyncio",
    "_pytest.fixtures.fixture": "pytest.fixture",
    "fastapi.testclient": "starlette.testclient",
    "sqlalchemy.ext.asyncio.session": "sqlalchemy.ext.asyncio",
    "sqlalchemy.ext.asyncio.engine": "sqlalchemy.ext.asyncio",
    "sqlalchemy.pool.impl": "sqlalchemy.pool",
    "aiohttp.client": "aiohttp",
    "httpx._client": "httpx",
    "freezegun.api": "freezegun",
    "aioresponses.core": "aioresponses",
    "django.test.utils": "django.test",
}
_CANONICAL_HEADS = frozenset(prefix.partition(".")[0] for prefix in _CANONICAL)


def canonical(name: str) -> str:
    """The one name under which rules know a thing that can be imported from several places."""
    if name.partition(".")[0] not in _CANONICAL_HEADS:
        return name
    head = name
    while head:
        if head in _CANONICAL:
            return _CANONICAL[head] + name[len(head) :]
        head = head.rpartition(".")[0]
    return name


# The libraries of which it is known that a star import brings their own names, and neither fixtures nor marks.
_KNOWN_LIBRARIES = frozenset({"anyio", "asyncio", "pytest", "trio", "unittest", "unittest.mock"})

_COMPREHENSIONS = (ast.DictComp, ast.GeneratorExp, ast.ListComp, ast.SetComp)
_ASSIGNING = frozenset({ast.Assign, ast.AnnAssign, ast.NamedExpr})

# Functions that import the module of which they get the name.
_IMPORTERS = frozenset({"importlib.import_module", "pytest.importorskip"})
IMPORTING_WORDS = frozenset(name.rpartition(".")[2] for name in _IMPORTERS)
_OVERLOAD = frozenset({"typing.overload", "typing_extensions.overload"})


def imported_by_call(node: ast.expr | None) -> str:
    """The module that a call may import, by the last word of what it calls: `pytest.importorskip("anyio")`."""
    if not isinstance(node, ast.Call) or not node.args or word_of(node.func) not in IMPORTING_WORDS:
        return ""
    module = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    return module if isinstance(module, str) and not module.startswith(".") else ""


def source_of(node: ast.ImportFrom) -> str:
    """The module from which an import takes names, with the dots of a relative one."""
    return "." * node.level + (node.module or "")


def is_known_library(source: str) -> bool:
    """Whether all that a star import from a module brings are names of that library."""
    return canonical(source) in _KNOWN_LIBRARIES


class Names:
    """Resolves the names of one file."""

    def __init__(self, index: Index, may_be_starred: Callable[[str], bool]) -> None:
        self._may_be_starred = may_be_starred
        self._module = index.scopes[0]
        self._index = index
        self._meanings: dict[tuple[Scope, str], str] = {}
        self._assigned: dict[Scope, dict[str, list[ast.expr | None]]] = {}
        self._comprehended: dict[Scope, dict[str, _Comprehensions]] = {}
        stars: list[str] = []
        self._lowest_star = 0
        for node, _ in index.by_kind[ast.ImportFrom]:
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                stars.append(source_of(node))
                if not is_known_library(stars[-1]):
                    self._lowest_star = max(self._lowest_star, node.lineno)
        self._has_star_import = bool(stars)
        # What nothing else binds can only come from the one star import of a file.
        self._starred_library = stars[0] if len(stars) == 1 and is_known_library(stars[0]) else ""
        self.other_names = self._local_names_by_tail()
        """The words that imports `as` and plain assignments give to things with another last word, by that."""
        self._tails: dict[str, set[str]] = {}
        self._tails_of_all: dict[frozenset[str], frozenset[str]] = {}

    # -- from an expression to a qualified name ------------------------------------------------------------

    def qualified(self, node: ast.expr | None, scope: Scope) -> str:
        """The dotted name that an expression refers to (`asyncio.sleep`, `builtins.print`), else "".

        A thing of this file is no external name and gives "" too: `definition` finds it.
        """
        return self._qualified(node, scope, _ALIAS_DEPTH)

    def _qualified(self, node: ast.expr | None, scope: Scope, depth: int) -> str:
        attributes: list[str] = []
        while node.__class__ is ast.Attribute:
            attributes.append(node.attr)
            node = node.value
        if node.__class__ is not ast.Name:
            return ""
        base = self._name(node, scope, depth)
        if not base or not attributes:
            return base
        attributes.append(base)
        attributes.reverse()
        return canonical(".".join(attributes))

    def _name(self, node: ast.Name, scope: Scope, depth: int) -> str:
        name = node.id
        owner = self.owner_of(node, scope)
        if owner is None:
            if name in _BUILTINS:
                return "" if self._has_star_import and self._may_be_starred(name) else f"builtins.{name}"
            is_starred = self._starred_library and not name.startswith("_")
            return canonical(f"{self._starred_library}.{name}") if is_starred else ""
        known = self._meanings.get((owner, name))
        if known is None:
            known = self._bound_name(name, owner, depth)
            # That nothing was found at the end of a chain of names says nothing of that end itself.
            if known or depth == _ALIAS_DEPTH:
                self._meanings[owner, name] = known
        return known

    def _bound_name(self, name: str, owner: Scope, depth: int) -> str:
        """What all bindings of a name agree on."""
        found = ""
        bindings = self._but_for_none(name, owner)
        values = self._assignments(owner).get(name, ()) if len(bindings) > 1 and depth else ()
        if values and len(values) == len(bindings):
            # Each branch assigns it, and the same.
            meanings = {self._qualified(value, owner, depth - 1) for value in values}
            return meanings.pop() if len(meanings) == 1 else ""
        for binding in bindings:
            meaning = self._meaning(name, binding, owner, depth)
            if not meaning or (found and meaning != found):
                return ""
            found = meaning
        return found

    def _but_for_none(self, name: str, owner: Scope) -> list[ast.AST]:
        """What binds a name; of an optional import (`except ImportError: anyio = None`) the import alone.

        Whatever asks something of the name asks it of the module: None would have nothing to give.
        """
        bindings = owner.bindings[name]
        if len(bindings) == 1:
            return bindings
        imports: list[ast.AST] = [each for each in bindings if isinstance(each, (ast.Import, ast.ImportFrom))]
        if not 0 < len(imports) < len(bindings):
            return bindings
        values = self._assignments(owner).get(name, ())
        nothing = [value for value in values if isinstance(value, ast.Constant) and value.value is None]
        return imports if len(imports) + len(nothing) == len(bindings) else bindings

    def _meaning(self, name: str, binding: ast.AST, owner: Scope, depth: int) -> str:
        if isinstance(binding, (ast.Import, ast.ImportFrom)):
            return canonical(_imported(name, binding))
        if isinstance(binding, ast.Name) and depth:
            value = self.assigned_value(name, owner)
            if isinstance(value, (ast.Name, ast.Attribute)):
                return self._qualified(value, owner, depth - 1)
            module = imported_by_call(value)
            if module and isinstance(value, ast.Call):
                is_import = self._qualified(value.func, owner, depth - 1) in _IMPORTERS
                return canonical(module) if is_import else ""
        return ""

    def binding_scope(self, name: str, scope: Scope | None) -> Scope | None:
        """The scope whose binding a name means when it is read in `scope`, None for builtins."""
        start = scope
        while scope is not None:
            if name in scope.bindings and (scope is start or not scope.is_class) and name not in scope.declared:
                return scope
            scope = scope.parent
        return None

    def owner_of(self, node: ast.Name, scope: Scope) -> Scope | None:
        """The scope whose binding a name means where it stands: a comprehension's variable is none outside of it."""
        owner = self.binding_scope(node.id, scope)
        # Most names mean nothing further out than where they are bound first.
        while owner is not None and owner.parent is not None and owner.bindings[node.id][0].__class__ is ast.Name:
            outer: Scope | None = owner.parent
            while outer is not None and outer.is_class:
                outer = outer.parent
            outer = self.binding_scope(node.id, outer)
            if outer is None or self._is_bound_at(node, owner):
                break
            owner = outer
        return owner

    def _is_bound_at(self, node: ast.Name, owner: Scope) -> bool:
        """Whether a scope binds a name where it stands, be it in a comprehension around it."""
        found = self._comprehended.get(owner)
        if found is None:
            found = self._comprehended[owner] = _bound_by_comprehensions(owner)
        places = found.get(node.id)
        # It is asked with names of other scopes, too, such as those of a lambda in the comprehension.
        return places is None or places.number < len(owner.bindings[node.id]) or places.include(node)

    # -- what this file itself defines ---------------------------------------------------------------------

    def definition(self, node: ast.expr, scope: Scope) -> ast.AST | None:
        """The one function or class of this file that a name means, or None."""
        if not isinstance(node, ast.Name):
            return None
        owner = self.owner_of(node, scope)
        if owner is None:
            return None
        binding = self.only_binding(node.id, owner)
        return binding if isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else None

    def may_be_starred_over(self, name: str, owner: Scope) -> bool:
        """Whether a star import, below all else that binds a name of the module, may bring another thing of it."""
        if owner is not self._module or not self._lowest_star or name.startswith("_"):
            return False
        last = max((getattr(each, "lineno", 0) for each in owner.bindings.get(name, ())), default=0)
        return last < self._lowest_star and self._may_be_starred(name)

    def only_binding(self, name: str, owner: Scope) -> ast.AST | None:
        """What binds a name in its scope if nothing else does, the overloads of the same function left out."""
        if self._lowest_star and self.may_be_starred_over(name, owner):
            return None
        *others, last = owner.bindings[name]
        if others and not (
            isinstance(last, (ast.FunctionDef, ast.AsyncFunctionDef))
            and all(self._is_overload(each, owner) for each in others)
        ):
            return None
        return last

    def _is_overload(self, binding: ast.AST, owner: Scope) -> bool:
        return isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
            self.qualified(decorator, owner) in _OVERLOAD for decorator in binding.decorator_list
        )

    def assigned_value(self, name: str, owner: Scope) -> ast.expr | None:
        """What the only assignment of a name in its scope gives it; None when there are several, or none so simple."""
        values = self._assignments(owner).get(name)
        if values is None or len(values) != 1 or len(owner.bindings.get(name, ())) != 1:
            return None
        if self._lowest_star and self.may_be_starred_over(name, owner):
            return None
        return values[0]

    def may_mean(self, name: str, owner: Scope) -> Iterator[str | ast.AST]:
        """All that the bindings of a name give it: qualified names, and functions and classes of this file."""
        for binding in owner.bindings.get(name, ()):
            if isinstance(binding, (ast.Import, ast.ImportFrom)):
                yield canonical(_imported(name, binding))
            elif isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield binding
        for value in self._assignments(owner).get(name, ()):
            if isinstance(value, (ast.Name, ast.Attribute)):
                yield self.definition(value, owner) or self.qualified(value, owner)

    def value_of(self, node: ast.expr, scope: Scope) -> ast.expr:
        """The expression behind a name that is assigned once, else the expression itself."""
        for _ in range(_ALIAS_DEPTH):
            if not isinstance(node, ast.Name):
                break
            owner = self.owner_of(node, scope)
            value = self.assigned_value(node.id, owner) if owner else None
            if value is None or owner is None:
                break
            node, scope = value, owner
        return node

    def _assignments(self, owner: Scope) -> dict[str, list[ast.expr | None]]:
        found = self._assigned.get(owner)
        if found is None:
            found = self._assigned[owner] = {}
            for node in owner.nodes:
                if node.__class__ not in _ASSIGNING:
                    continue
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        if isinstance(target, ast.Name):
                            found.setdefault(target.id, []).append(node.value)
                elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
                    found.setdefault(node.target.id, []).append(node.value)
        return found

    # -- calls by qualified name ---------------------------------------------------------------------------

    def tails_of(self, qualified: str) -> set[str]:
        """The last words under which a call of a qualified name can stand in this file."""
        tail = qualified.rpartition(".")[2]
        return self._follow_names(tail) if tail in self.other_names else {tail}

    def _follow_names(self, tail: str) -> set[str]:
        """`a as b`, `c = b`: what `a` names can stand under `c` too."""
        found = self._tails.get(tail)
        if found is None:
            found = self._tails[tail] = {tail}
            todo = [tail]
            while todo:
                further = self.other_names.get(todo.pop(), set()) - found
                found |= further
                todo.extend(further)
        return found

    def tails_of_all(self, qualified: frozenset[str]) -> frozenset[str]:
        """The last words under which calls of some qualified names can stand in this file."""
        found = self._tails_of_all.get(qualified)
        if found is None:
            tails = _last_words(qualified)
            # A set of its own is needed in few files only: in most, nothing of it has another name.
            if not tails.isdisjoint(self.other_names):
                tails = frozenset(self.tails_of_any(tails))
            found = self._tails_of_all[qualified] = tails
        return found

    def tails_of_any(self, words: Set[str]) -> set[str]:
        """The last words under which calls of things can stand that have these last words themselves."""
        found = set(words)
        for word in words & self.other_names.keys():
            found |= self._follow_names(word)
        return found

    def _local_names_by_tail(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for kind in (ast.Import, ast.ImportFrom):
            for node, _ in self._index.by_kind[kind]:
                assert isinstance(node, (ast.Import, ast.ImportFrom))
                for alias in node.names:
                    if alias.asname:
                        found.setdefault(alias.name.rpartition(".")[2], set()).add(alias.asname)
        for assignment, _ in self._index.renamings:
            for target in assignment.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(word_of(assignment.value), set()).add(target.id)
        for given, _ in (*self._index.by_kind[ast.AnnAssign], *self._index.by_kind[ast.NamedExpr]):
            assert isinstance(given, (ast.AnnAssign, ast.NamedExpr))
            if isinstance(given.target, ast.Name) and word_of(given.value):
                found.setdefault(word_of(given.value), set()).add(given.target.id)
        return found


@cache
def _last_words(qualified: frozenset[str]) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in qualified)


def word_of(node: ast.expr | None) -> str:
    """The last word of a name or a dotted one, "" for anything else."""
    if node.__class__ is ast.Attribute:
        return node.attr
    if node.__class__ is ast.Name:
        return node.id
    return ""


class _Comprehensions:
    """Those comprehensions of a scope that bind one name."""

    __slots__ = ("_ends", "_starts", "number")

    def __init__(self) -> None:
        self.number = 0
        """How often they bind it."""
        self._starts: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []

    def add(self, node: ast.expr) -> None:
        """Note one: each stands behind, or in, those before it."""
        end = (node.end_lineno or 0, node.end_col_offset or 0)
        self.number += 1
        self._starts.append((node.lineno, node.col_offset))
        self._ends.append(max(self._ends[-1], end) if self._ends else end)

    def include(self, node: ast.Name) -> bool:
        """Whether a name stands in one of them."""
        place = (node.lineno, node.col_offset)
        before = bisect_right(self._starts, place)
        return before > 0 and place < self._ends[before - 1]


def _bound_by_comprehensions(scope: Scope) -> dict[str, _Comprehensions]:
    found: dict[str, _Comprehensions] = {}
    nodes = [node for node in scope.nodes if isinstance(node, _COMPREHENSIONS)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        for part in node.generators:
            for target in ast.walk(part.target):
                if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                    found.setdefault(target.id, _Comprehensions()).add(node)
    return found


def _imported(name: str, node: ast.Import | ast.ImportFrom) -> str:
    """The full name of what an import binds to a name."""
    if isinstance(node, ast.Import):
        alias = next(each for each in node.names if (each.asname or each.name.partition(".")[0]) == name)
        return alias.name if alias.asname else name
    alias = next(each for each in node.names if (each.asname or each.name) == name)
    return f"{'.' * node.level}{node.module or ''}{'.' if node.module else ''}{alias.name}"
