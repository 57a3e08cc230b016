"""The one walk over a file's tree, and the raw index that it fills.

This is the hot loop of the whole plugin: everything here is paid for every node of every test file. So it
is one iterative loop with the commonest nodes first, it makes no object per node, and whatever only some
rules need for some functions (bindings, parents) is worked out later, per scope, on demand.
"""

from __future__ import annotations

import ast
from ast import AST, AnnAssign, Attribute, Await, Call, ClassDef, Constant, Expr, Lambda, Name, Return
from typing import Any, TypeAlias

ScopeNode: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

# The kinds of nodes that rules ask for by kind, over a whole file.
INDEXED: tuple[type[AST], ...] = (
    ast.Assert,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.AsyncFor,
    ast.AsyncWith,
    ast.Await,
    ast.Expr,
    ast.For,
    ast.Global,
    ast.Import,
    ast.ImportFrom,
    ast.NamedExpr,
    ast.Nonlocal,
    ast.Return,
    ast.Try,
    ast.TryStar,
    ast.While,
    ast.With,
    ast.Yield,
    ast.YieldFrom,
)

# What cannot hold a statement, a call or a name that any rule looks at. Annotations in a module's own functions
# are read where they stand by whoever needs them; walking them all would only cost.
_LEAVES_AND_ANNOTATIONS = {"annotation", "returns", "ctx", "op", "ops", "type_params", "type_comment", "kind"}


def _child_fields(kind: type[AST]) -> tuple[str, ...]:
    """The fields of a kind of node in which a child can stand."""
    if kind is Constant:
        return ()
    texts_and_numbers = {"attr", "id", "arg", "name", "names", "asname", "module", "level", "rest", "conversion"}
    texts_and_numbers |= {"simple", "is_async", "type_ignores", "lineno", "tag", "str", "keywords_only"}
    return tuple(field for field in kind._fields if field not in _LEAVES_AND_ANNOTATIONS | texts_and_numbers)


def _all_kinds() -> list[type[AST]]:
    found: list[type[AST]] = []
    todo: list[type[AST]] = [AST]
    while todo:
        kind = todo.pop()
        found.append(kind)
        todo.extend(kind.__subclasses__())
    return found


_FIELDS: dict[type, tuple[str, ...]] = {kind: _child_fields(kind) for kind in _all_kinds() if kind is not AST}
_NO_FIELDS: tuple[str, ...] = ()
_SCOPES = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda})


class Scope:
    """A module, class, function or lambda: what stands in it itself, nested scopes left out.

    The lists are in the order of evaluation: operands before the expression, the body of a block before
    the statement that heads it.
    """

    __slots__ = ("_bindings", "_declared", "_parents", "loads", "node", "nodes", "parent", "stores")

    def __init__(self, node: ScopeNode, parent: Scope | None) -> None:
        self.node = node
        self.parent = parent
        self.nodes: list[AST] = []
        """Every node but names, constants and attributes, which are reached through these."""
        self.loads: list[Name] = []
        self.stores: list[Name] = []
        self._bindings: dict[str, list[AST]] | None = None
        self._declared: frozenset[str] | None = None
        self._parents: dict[AST, AST] | None = None

    @property
    def is_function(self) -> bool:
        return isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef))

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    def of(self, *kinds: type[AST]) -> list[AST]:
        """The nodes of these kinds in this scope itself."""
        return [node for node in self.nodes if node.__class__ in kinds]

    @property
    def bindings(self) -> dict[str, list[AST]]:
        """What binds each name in this scope: arguments, stores, definitions, imports, handlers, patterns."""
        if self._bindings is None:
            self._bindings = _bindings_of(self)
        return self._bindings

    @property
    def declared(self) -> frozenset[str]:
        """The names that `global` or `nonlocal` says are another scope's."""
        if self._declared is None:
            self._declared = frozenset(
                name for node in self.of(ast.Global, ast.Nonlocal) for name in _names_bound_by(node)
            )
        return self._declared

    @property
    def parents(self) -> dict[AST, AST]:
        """The parent of each node in this scope, its head (decorators, defaults) left to the outer one."""
        if self._parents is None:
            self._parents = _parents_in(self.node)
        return self._parents

    def body(self) -> list[ast.stmt]:
        return [] if isinstance(self.node, ast.Lambda) else self.node.body


class Index:
    """What one walk leaves behind."""

    __slots__ = ("by_kind", "calls", "scopes", "visited")

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.calls: dict[str, list[tuple[Call, Scope]]] = {}
        """The calls by the last part of what is called: `asyncio.sleep(1)` stands under `sleep`."""
        self.by_kind: dict[type[AST], list[tuple[AST, Scope]]] = {kind: [] for kind in INDEXED}
        self.visited = 0
        """How many nodes the walk looked at: the measure of its work that no machine's speed changes."""


def walk(tree: ast.Module) -> Index:  # noqa: C901  # one loop, nothing called: the price of its speed
    """Visit every node once, scope by scope."""
    index = Index()
    calls = index.calls
    by_kind = index.by_kind
    fields = _FIELDS
    scope_kinds = _SCOPES
    load = ast.Load
    scopes = index.scopes
    todo = [Scope(tree, None)]
    visited = 0
    while todo:
        scope = todo.pop()
        scopes.append(scope)
        # Any: the loop tells nodes apart by their class's identity, which a type checker cannot follow, and
        # isinstance would cost more than all the rest of it.
        stack: list[Any] = []
        _enter(scope.node, stack)
        pop = stack.pop
        push = stack.append
        nodes = scope.nodes
        note = nodes.append
        loads = scope.loads
        stores = scope.stores
        while stack:
            node = pop()
            visited += 1
            kind = node.__class__
            if kind is Name:
                if node.ctx.__class__ is load:
                    loads.append(node)
                else:
                    stores.append(node)
                continue
            if kind is Constant or node is None:
                continue
            if kind is Attribute:
                push(node.value)
                continue
            note(node)
            if kind is Call:
                function = node.func
                push(function)
                function_kind = function.__class__
                if function_kind is Attribute:
                    tail = function.attr
                elif function_kind is Name:
                    tail = function.id
                else:
                    tail = ""
                same = calls.get(tail)
                if same is None:
                    calls[tail] = [(node, scope)]
                else:
                    same.append((node, scope))
                if node.args:
                    stack += node.args
                for keyword in node.keywords:
                    push(keyword.value)
                continue
            if kind in scope_kinds:
                todo.append(Scope(node, scope))
                _stay_outside(node, stack)
                if scope.parent is not None and kind is not Lambda and kind is not ClassDef:
                    _push_annotations(node, stack)
                continue
            same_kind = by_kind.get(kind)
            if same_kind is not None:
                same_kind.append((node, scope))
            if kind is Await or kind is Expr or kind is Return:
                push(node.value)
                continue
            if kind is AnnAssign and scope.parent is not None:
                push(node.annotation)
            for field in fields.get(kind, _NO_FIELDS):
                child = getattr(node, field)
                if child.__class__ is list:
                    if child:
                        stack += child
                elif child is not None:
                    push(child)
        # The stack hands siblings out from the last to the first, each before its children: reversed,
        # that is the order in which Python evaluates them.
        nodes.reverse()
        loads.reverse()
        stores.reverse()
    for pairs in by_kind.values():
        pairs.reverse()
    index.visited = visited
    return index


def _enter(node: ScopeNode, stack: list[AST]) -> None:
    if isinstance(node, ast.Lambda):
        stack.append(node.body)
    else:
        stack.extend(node.body)


def _stay_outside(node: AST, stack: list[AST]) -> None:
    """What stands at the head of a nested scope is evaluated in the outer one."""
    if isinstance(node, ast.ClassDef):
        stack.extend(node.decorator_list)
        stack.extend(node.bases)
        stack.extend(keyword.value for keyword in node.keywords)
        return
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    stack.extend(node.args.defaults)
    stack.extend(default for default in node.args.kw_defaults if default is not None)
    if not isinstance(node, ast.Lambda):
        stack.extend(node.decorator_list)


def _push_annotations(node: FunctionNode, stack: list[AST]) -> None:
    """What stands in a function may use its names in annotations: `Annotated[str, Depends(get_token)]`."""
    stack.extend(argument.annotation for argument in arguments_of(node) if argument.annotation is not None)
    if node.returns is not None:
        stack.append(node.returns)


def arguments_of(node: FunctionNode | ast.Lambda) -> list[ast.arg]:
    """Every parameter of a function, in the order of its signature."""
    arguments = node.args
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found += arguments.kwonlyargs
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found


def _bindings_of(scope: Scope) -> dict[str, list[AST]]:
    bound: dict[str, list[AST]] = {}
    if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        for argument in arguments_of(scope.node):
            bound.setdefault(argument.arg, []).append(argument)
    for name in scope.stores:
        bound.setdefault(name.id, []).append(name)
    for node in scope.nodes:
        if node.__class__ in _BINDERS:
            for text in _names_bound_by(node):
                bound.setdefault(text, []).append(node)
    return bound


_BINDERS = frozenset(
    {
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Import,
        ast.ImportFrom,
        ast.ExceptHandler,
        ast.MatchAs,
        ast.MatchStar,
        ast.MatchMapping,
        ast.Global,
        ast.Nonlocal,
    }
)


def _names_bound_by(node: AST) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Import):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names if alias.name != "*"]
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    assert isinstance(node, (ast.Global, ast.Nonlocal))
    return list(node.names)


def _parents_in(scope: ScopeNode) -> dict[AST, AST]:
    parents: dict[AST, AST] = {}
    todo: list[AST] = []
    heads: list[AST] = []
    _enter(scope, heads)
    for head in heads:
        parents[head] = scope
        todo.append(head)
    while todo:
        node = todo.pop()
        if node.__class__ in _SCOPES:
            children: list[AST] = []
            _stay_outside(node, children)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                _push_annotations(node, children)
        else:
            children = children_of(node)
        for child in children:
            parents[child] = node
        todo += children
    return parents


def _fields_with_children(kind: type[AST]) -> tuple[str, ...]:
    return tuple(field for field in kind._fields if field not in _NEVER_CHILDREN)


# Operators and contexts are nodes as well, but single ones that all expressions share.
_NEVER_CHILDREN = frozenset({"attr", "id", "ctx", "op", "ops", "type_comment", "kind", "level", "module", "simple"})
_CHILD_FIELDS: dict[type, tuple[str, ...]] = {
    kind: () if kind is Constant else _fields_with_children(kind) for kind in _FIELDS
}


def children_of(node: AST) -> list[AST]:
    """What `ast.iter_child_nodes` gives but operators and contexts, at a fraction of its price."""
    found: list[AST] = []
    for field in _CHILD_FIELDS[node.__class__]:
        child = getattr(node, field, None)
        if child.__class__ is list:
            found += [each for each in child if isinstance(each, AST)]
        elif isinstance(child, AST):
            found.append(child)
    return found
