"""One file of a suite, read by this harness's own eyes: nothing of the plugin has a say in it.

It is read with more doubt than a linter can afford: a name counts only where nothing else in the whole file
binds it. What is left open makes a mutant undecidable, never wrong.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.mutation.suite import Suite

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Placed: TypeAlias = ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias | ast.excepthandler

_Node = TypeVar("_Node", bound=ast.AST)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# The names under which one thing can be imported from several places.
_SAME = {
    "mock": "unittest.mock",
    "fastapi.testclient": "starlette.testclient",
    "pytest.yield_fixture": "pytest.fixture",
}


class Source:
    """The text of a file, its tree, and what the names in it mean."""

    def __init__(self, path: str, text: str, suite: Suite) -> None:
        self.path = path
        self.text = text
        self.suite = suite
        with warnings.catch_warnings():
            # Other people's code is full of invalid escapes, of which the compiler warns.
            warnings.simplefilter("ignore")
            self.tree = ast.parse(text)
        self.parents: dict[ast.AST, ast.AST] = {}
        self._nodes: defaultdict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self._sorted: set[type[ast.AST]] = set()
        todo: list[ast.AST] = [self.tree]
        while todo:
            node = todo.pop()
            self._nodes[node.__class__].append(node)
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
                todo.append(child)

    # -- places in the text -------------------------------------------------------------------------------------------

    @cached_property
    def lines(self) -> list[str]:
        return [f"{line}\n" for line in self.text.split("\n")]

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, line: int, column: int) -> int:
        """The place in the text of a line, counted from 1, and a column in bytes, as a tree has them."""
        if self.text.isascii():
            return self._line_starts[line - 1] + column
        return self._line_starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode(errors="ignore"))

    def start(self, node: Placed) -> int:
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: Placed) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.end_lineno, node.end_col_offset)

    def text_of(self, node: Placed) -> str:
        return self.text[self.start(node) : self.end(node)]

    def line_start(self, line: int) -> int:
        return min(self._line_starts[line - 1], len(self.text))

    def indent(self, statement: ast.stmt | ast.excepthandler) -> str | None:
        """What stands before a statement on its line; None when that is more than blanks."""
        before = self.text[self.line_start(statement.lineno) : self.start(statement)]
        return before if not before.strip(" \t") else None

    def ends_its_line(self, statement: ast.stmt) -> bool:
        """Whether no other statement follows on a statement's last line."""
        assert statement.end_lineno is not None
        rest = self.text[self.end(statement) : self.line_start(statement.end_lineno + 1)].strip()
        return not rest or rest.startswith("#")

    # -- nodes --------------------------------------------------------------------------------------------------------

    def of(self, kind: type[_Node]) -> list[_Node]:
        """All nodes of a kind, in the order of the file."""
        found = self._nodes.get(kind, [])
        if kind not in self._sorted:
            found.sort(key=_place)
            self._sorted.add(kind)
        return found  # type: ignore[return-value]  # under each kind there is just that kind

    @cached_property
    def functions(self) -> list[FunctionNode]:
        """Every `def` and `async def`, in the order of the file."""
        found: list[FunctionNode] = [*self.of(ast.FunctionDef), *self.of(ast.AsyncFunctionDef)]
        return sorted(found, key=_place)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)

    def function_of(self, node: ast.AST) -> FunctionNode | ast.Lambda | None:
        """The function in whose body a node is evaluated."""
        child = node
        for parent in self.ancestors(node):
            if isinstance(parent, FUNCTIONS) and child in parent.body:
                return parent
            if isinstance(parent, ast.Lambda) and child is parent.body:
                return parent
            if isinstance(parent, ast.ClassDef) and child in parent.body:
                return None
            child = parent
        return None

    def statement_of(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that holds a node."""
        for each in (node, *self.ancestors(node)):
            if isinstance(each, ast.stmt):
                return each
        raise AssertionError("every expression stands in a statement")

    def block_of(self, statement: ast.stmt | ast.excepthandler) -> Sequence[ast.AST]:
        """The statements among which one stands."""
        parent = self.parents[statement]
        for _, value in ast.iter_fields(parent):
            if isinstance(value, list) and statement in value:
                return value
        raise AssertionError("every statement stands in a block")

    def class_of(self, function: ast.AST) -> ast.ClassDef | None:
        parent = self.parents.get(function)
        return parent if isinstance(parent, ast.ClassDef) else None

    def own(self, function: FunctionNode) -> Iterator[ast.AST]:
        """What stands in a function itself, in the order of the file; nested functions and classes left out."""
        todo: list[ast.AST] = list(reversed(function.body))
        while todo:
            node = todo.pop()
            yield node
            if isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
                continue
            todo.extend(reversed(list(ast.iter_child_nodes(node))))

    def own_of(self, function: FunctionNode, kind: type[_Node]) -> list[_Node]:
        return [node for node in self.own(function) if isinstance(node, kind)]

    def is_generator(self, function: FunctionNode) -> bool:
        return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in self.own(function))

    # -- names --------------------------------------------------------------------------------------------------------

    @cached_property
    def binders(self) -> dict[str, list[ast.AST]]:
        """What binds each name anywhere in the file, whatever the scope."""
        found: defaultdict[str, list[ast.AST]] = defaultdict(list)
        for kind in BINDERS:
            for node in self._nodes.get(kind, ()):
                for name in names_bound_by(node):
                    found[name].append(node)
        return dict(found)

    @cached_property
    def bindings(self) -> Counter[str]:
        """How often each name is bound anywhere in the file."""
        return Counter({name: len(nodes) for name, nodes in self.binders.items()})

    def bound_within(self, function: ast.AST, name: str) -> list[ast.AST]:
        """What binds a name in a function or in what is nested in it."""
        return [node for node in self.binders.get(name, ()) if function in self.ancestors(node)]

    @cached_property
    def imported(self) -> dict[str, str]:
        """The names that imports bind, all to the same thing, and nothing else binds."""
        meanings: defaultdict[str, set[str]] = defaultdict(set)
        times = Counter[str]()
        statements: list[ast.Import | ast.ImportFrom] = [*self.of(ast.Import), *self.of(ast.ImportFrom)]
        for node in statements:
            for name, meaning in imports_of(node):
                meanings[name].add(_canonical(meaning))
                times[name] += 1
        return {
            name: next(iter(each))
            for name, each in meanings.items()
            if len(each) == 1 and times[name] == self.bindings[name]
        }

    def dotted(self, node: ast.AST | None) -> str:
        """The full name of something imported or built in, else ""."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        base = self.imported.get(node.id, "")
        if not base and node.id not in self.bindings and hasattr(builtins, node.id):
            base = f"builtins.{node.id}"
        return _canonical(".".join((base, *reversed(parts)))) if base else ""

    def dotted_at(self, node: ast.AST, place: ast.AST) -> str:
        """The same where the name may be bound to something else in other functions."""
        parts: list[str] = []
        root = node
        while isinstance(root, ast.Attribute):
            parts.append(root.attr)
            root = root.value
        binder = self.visible(root.id, place) if isinstance(root, ast.Name) else None
        if isinstance(root, ast.Name) and isinstance(binder, (ast.Import, ast.ImportFrom)):
            meaning = dict(imports_of(binder))[root.id]
            return _canonical(".".join((meaning, *reversed(parts))))
        return self.dotted(node)

    @cached_property
    def has_star_import(self) -> bool:
        return any(node.names[0].name == "*" for node in self.of(ast.ImportFrom))

    @cached_property
    def top_level(self) -> dict[str, list[ast.AST]]:
        """What binds each name in the module's own scope, branches included."""
        found: defaultdict[str, list[ast.AST]] = defaultdict(list)
        todo: list[ast.AST] = list(self.tree.body)
        while todo:
            node = todo.pop()
            for name in names_bound_by(node):
                found[name].append(node)
            if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
                todo.extend(ast.iter_child_nodes(node))
        return dict(found)

    def visible(self, name: str, place: ast.AST) -> ast.AST | None:
        """The one thing that a name is bound to where it is looked up at a place, or None."""
        declarations: list[ast.Global | ast.Nonlocal] = [*self.of(ast.Global), *self.of(ast.Nonlocal)]
        if any(name in node.names for node in declarations):
            return None
        scope = self.function_of(place)
        functions = [each for each in self.ancestors(place) if isinstance(each, (*FUNCTIONS, ast.Lambda))]
        for function in functions[functions.index(scope) :] if scope is not None else functions:
            found = [node for node in self.binders.get(name, ()) if self._scope_of(node) is function]
            if found:
                return found[0] if len(found) == 1 else None
        found = self.top_level.get(name, [])
        return found[0] if len(found) == 1 else None

    def _scope_of(self, binder: ast.AST) -> ast.AST | None:
        """The function in whose scope something is bound."""
        if isinstance(binder, ast.arg):
            return self.parents[self.parents[binder]]
        return self.function_of(binder)

    @cached_property
    def attributes_set(self) -> frozenset[str]:
        """The names of all that is set on something: by assignment, by `setattr`, or by a patch."""
        found = {node.attr for node in self.of(ast.Attribute) if not isinstance(node.ctx, ast.Load)}
        for call in self.of(ast.Call):
            named = ast.unparse(call.func)
            if "patch" in named or "setattr" in named:
                found |= {keyword.arg for keyword in call.keywords if keyword.arg}
                texts = [each.value for each in call.args if isinstance(each, ast.Constant)]
                found |= {text.rpartition(".")[2] for text in texts if isinstance(text, str)}
        return frozenset(found)

    def only(self, name: str) -> ast.AST | None:
        """The one thing in the file that binds a name, or None."""
        found = self.binders.get(name, [])
        return found[0] if len(found) == 1 else None


BINDERS = (
    ast.Name,
    *FUNCTIONS,
    ast.ClassDef,
    ast.arg,
    ast.Import,
    ast.ImportFrom,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
    ast.MatchMapping,
)


def names_bound_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id] if not isinstance(node.ctx, ast.Load) else []
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [name for name, _ in imports_of(node)]
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    return []


def imports_of(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, and what it means."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        return
    base = "." * node.level + (node.module or "")
    separator = "." if node.module else ""
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, f"{base}{separator}{alias.name}"


def _canonical(name: str) -> str:
    for head, same in _SAME.items():
        if name == head or name.startswith(f"{head}."):
            return same + name[len(head) :]
    return name


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
