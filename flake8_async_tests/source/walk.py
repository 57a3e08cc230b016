"""The one walk over a file's tree, and the raw index that it fills.

This is the hot loop of the whole plugin: everything here is paid for every node of every test file. So it
is one iterative loop with the commonest nodes first, it makes no object per node, and whatever only some
rules need for some functions (bindings, parents) is worked out later, per scope, on demand.
"""

from __future__ import annotations

import ast
from ast import (
    AST,
    AnnAssign,
    Assert,
    Assign,
    AsyncFunctionDef,
    Attribute,
    Await,
    Call,
    ClassDef,
    Compare,
    Constant,
    Expr,
    FunctionDef,
    Lambda,
    Name,
    Return,
)
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
    ast.Delete,
    ast.ExceptHandler,
    ast.For,
    ast.Global,
    ast.Import,
    ast.ImportFrom,
    ast.MatchAs,
    ast.MatchMapping,
    ast.MatchStar,
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


_NOTHING: frozenset[str] = frozenset()
_DECLARATIONS = frozenset({ast.Global, ast.Nonlocal})


class Scope:
    """A module, class, function or lambda: what stands in it itself, nested scopes left out.

    `nodes` is in the order of evaluation: operands before the expression, the body of a block before the statement
    that heads it. The names are in no order.
    """

    __slots__ = (
        "_bindings",
        "_declared",
        "_parents",
        "binders",
        "is_class",
        "is_function",
        "loads",
        "node",
        "nodes",
        "parent",
        "stands_in_function",
        "stores",
    )

    def __init__(self, node: ScopeNode, parent: Scope | None) -> None:
        self.node = node
        self.parent = parent
        kind = node.__class__
        self.is_function = kind is FunctionDef or kind is AsyncFunctionDef
        self.is_class = kind is ClassDef
        self.stands_in_function: bool = parent is not None and (parent.is_function or parent.stands_in_function)
        self.nodes: list[AST] = []
        """Every node but names, constants and attributes, which are reached through these."""
        self.loads: list[Name] = []
        self.stores: list[Name] = []
        self.binders: list[AST] = []
        """The definitions, imports, handlers, patterns and declarations, which bind names without storing them."""
        self._bindings: dict[str, list[AST]] | None = None
        self._declared: frozenset[str] | None = None
        self._parents: dict[AST, AST] | None = None

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
            found = [node for node in self.binders if node.__class__ in _DECLARATIONS]
            self._declared = frozenset(name for node in found for name in _names_bound_by(node)) if found else _NOTHING
        return self._declared

    @property
    def parents(self) -> dict[AST, AST]:
        """The parent of each node in this scope, its head (decorators, defaults) left to the outer one."""
        if self._parents is None:
            self._parents = _parents_in(self.node)
        return self._parents

    def body(self) -> list[ast.stmt]:
        return [] if isinstance(self.node, ast.Lambda) else self.node.body


CallSite: TypeAlias = tuple[Call, Scope, AST | None]
"""A call, where it stands, and the `await`, assertion, assignment, `return` or bare statement that it is the value of.

None instead of the last says that it stands somewhere else.
"""


class Index:
    """What one walk leaves behind."""

    __slots__ = (
        "by_kind",
        "calls",
        "compared",
        "handed_to",
        "reached",
        "renamings",
        "scopes",
        "settings",
        "uncalled",
    )

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.calls: dict[str, list[CallSite]] = {}
        """The calls by the last part of what is called: `asyncio.sleep(1)` stands under `sleep`."""
        self.compared: set[str] = set()
        """The names that are compared with something."""
        self.handed_to: dict[AST, Call] = {}
        """Of a call that is an argument, the call that it is handed to."""
        self.reached: dict[str, list[Attribute]] = {}
        """What is called through a name and not awaited, by the name: `asyncio.run`, `asyncio.tasks.gather`."""
        self.renamings: list[tuple[Assign, Scope]] = []
        """The assignments of a name or an attribute: `a = b`."""
        self.settings: list[tuple[Assign, Scope]] = []
        """The assignments to something else than plain names: `a.b = c`, `a[b] = c`, `a, b = c`."""
        self.uncalled: list[tuple[Assert | Await | Expr, Scope]] = []
        """What asserts, awaits or is nothing but something that is neither called, nor compared, nor a constant."""
        self.by_kind: dict[type[AST], list[tuple[AST, Scope]]] = {kind: [] for kind in INDEXED}

    @property
    def visited(self) -> int:
        """How many nodes the walk noted: the measure of its work that no machine's speed changes."""
        return sum(len(scope.nodes) + len(scope.loads) + len(scope.stores) for scope in self.scopes)


# What stands in a statement or an assertion is mostly one of these.
_COMMON_VALUES = frozenset({Await, Call, Compare, Constant})
# In these the value of a name may be the value of all.
_WRAPPING = frozenset({ast.BoolOp, ast.IfExp, ast.NamedExpr})


def walk(tree: ast.Module) -> Index:  # noqa: C901  # one loop, nothing called: the price of its speed
    """Visit every node once, scope by scope."""
    index = Index()
    calls = index.calls
    compared = index.compared
    handed_to = index.handed_to
    reached = index.reached
    renamings = index.renamings
    settings = index.settings
    uncalled = index.uncalled
    by_kind = index.by_kind
    assertions, assignments, awaits, returns = by_kind[Assert], by_kind[Assign], by_kind[Await], by_kind[Return]
    fields = _FIELDS
    scope_kinds = _SCOPES
    common_values = _COMMON_VALUES
    wrapping = _WRAPPING
    other_binders = _BINDERS
    load = ast.Load
    scopes = index.scopes
    todo = [Scope(tree, None)]
    while todo:
        scope = todo.pop()
        scopes.append(scope)
        # Any: the loop tells nodes apart by their class's identity, which a type checker cannot follow, and
        # isinstance would cost more than all the rest of it.
        body: Any = scope.node.body
        stack: list[Any] = [*body] if body.__class__ is list else [body]
        pop = stack.pop
        push = stack.append
        nodes = scope.nodes
        note = nodes.append
        loads = scope.loads.append
        stores = scope.stores.append
        binders = scope.binders
        is_within_function = scope.is_function or scope.stands_in_function
        # To look at a node for the first time costs more than what is done then, for it has to come from far away
        # in memory. So whatever is seldom but asked for is sorted out here, while the node is at hand; and names
        # and constants, which are half of all, are dealt with where their parent is, as far as that is a common one.
        while stack:
            node = pop()
            kind = node.__class__
            holder = None
            # First what holds one expression, and goes on with that.
            if kind is Expr:
                note(node)
                holder = node
                node = node.value
                kind = node.__class__
                if kind not in common_values:
                    uncalled.append((holder, scope))
            elif kind is Assign:
                note(node)
                assignments.append((node, scope))
                is_setting = False
                for child in node.targets:
                    if child.__class__ is Name:
                        stores(child)
                    else:
                        is_setting = True
                        push(child)
                if is_setting:
                    settings.append((node, scope))
                holder = node
                node = node.value
                kind = node.__class__
                if kind is Name or kind is Attribute:
                    renamings.append((holder, scope))
            elif kind is Assert:
                note(node)
                assertions.append((node, scope))
                if node.msg is not None:
                    push(node.msg)
                holder = node
                node = node.test
                kind = node.__class__
                if kind not in common_values:
                    uncalled.append((holder, scope))
            elif kind is Return:
                note(node)
                returns.append((node, scope))
                holder = node
                node = node.value
                kind = node.__class__
            if kind is Await:
                note(node)
                awaits.append((node, scope))
                holder = node
                node = node.value
                kind = node.__class__
                if kind is Attribute:
                    uncalled.append((holder, scope))
            if kind is Call:
                note(node)
                child = node.func
                kind = child.__class__
                if kind is Attribute:
                    tail = child.attr
                    called = child
                    child = child.value
                    while child.__class__ is Attribute:
                        child = child.value
                    if child.__class__ is Name:
                        loads(child)
                        if holder.__class__ is not Await:
                            others = reached.get(child.id)
                            if others is None:
                                reached[child.id] = [called]
                            else:
                                others.append(called)
                    else:
                        push(child)
                elif kind is Name:
                    tail = child.id
                    loads(child)
                else:
                    tail = ""
                    push(child)
                same = calls.get(tail)
                if same is None:
                    calls[tail] = [(node, scope, holder)]
                else:
                    same.append((node, scope, holder))
                for child in node.args:
                    kind = child.__class__
                    if kind is Name:
                        loads(child)
                    elif kind is not Constant:
                        push(child)
                        if kind is Call:
                            handed_to[child] = node
                for child in node.keywords:
                    child = child.value
                    kind = child.__class__
                    if kind is Name:
                        loads(child)
                    elif kind is not Constant:
                        push(child)
                        if kind is Call:
                            handed_to[child] = node
                continue
            if kind is Attribute:
                node = node.value
                while node.__class__ is Attribute:
                    node = node.value
                kind = node.__class__
                if kind is not Name:
                    push(node)
                    continue
            if kind is Name:
                if node.ctx.__class__ is load:
                    loads(node)
                else:
                    stores(node)
                continue
            if kind is Constant or node is None:
                continue
            note(node)
            if kind is Compare:
                for child in (node.left, *node.comparators):
                    kind = child.__class__
                    if kind is Name:
                        loads(child)
                        compared.add(child.id)
                    elif kind is not Constant:
                        push(child)
                        if kind in wrapping:
                            compared.update(_names_in(child))
                continue
            if kind in scope_kinds:
                todo.append(Scope(node, scope))
                if kind is not Lambda:
                    binders.append(node)
                _stay_outside(node, stack)
                if is_within_function and kind is not Lambda and kind is not ClassDef:
                    _push_annotations(node, stack)
                continue
            same_kind = by_kind.get(kind)
            if same_kind is not None:
                same_kind.append((node, scope))
                if kind in other_binders:
                    binders.append(node)
                elif kind is AnnAssign and is_within_function:
                    push(node.annotation)
            for field in fields.get(kind, _NO_FIELDS):
                child = getattr(node, field)
                kind = child.__class__
                if kind is list:
                    if child:
                        stack += child
                elif kind is Name:
                    if child.ctx.__class__ is load:
                        loads(child)
                    else:
                        stores(child)
                elif kind is not Constant and child is not None:
                    push(child)
        # The stack hands siblings out from the last to the first, each before its children: reversed,
        # that is the order in which Python evaluates them.
        nodes.reverse()
        binders.reverse()
    for pairs in by_kind.values():
        pairs.reverse()
    return index


def _names_in(node: AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, Name)]


def _enter(node: ScopeNode, stack: list[AST]) -> None:
    if isinstance(node, ast.Lambda):
        stack.append(node.body)
    else:
        stack.extend(node.body)


def _stay_outside(node: Any, stack: list[AST]) -> None:
    """What stands at the head of a nested scope is evaluated in the outer one."""
    kind = node.__class__
    if kind is not Lambda and node.decorator_list:
        stack += node.decorator_list
    if kind is ClassDef:
        stack += node.bases
        stack += [keyword.value for keyword in node.keywords]
        return
    arguments = node.args
    if arguments.defaults:
        stack += arguments.defaults
    if arguments.kw_defaults:
        stack += [default for default in arguments.kw_defaults if default is not None]


def _push_annotations(node: FunctionNode, stack: list[AST]) -> None:
    """What stands in a function may use its names in annotations: `Annotated[str, Depends(get_token)]`."""
    for argument in arguments_of(node):
        if argument.annotation is not None:
            stack.append(argument.annotation)  # noqa: PERF401  # mostly there is none, and no list is made for it
    if node.returns is not None:
        stack.append(node.returns)


def arguments_of(node: FunctionNode | ast.Lambda) -> list[ast.arg]:
    """Every parameter of a function, in the order of its signature."""
    arguments = node.args
    found = arguments.posonlyargs + arguments.args
    if arguments.vararg:
        found.append(arguments.vararg)
    if arguments.kwonlyargs:
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
    for node in scope.binders:
        if node.__class__ in _BINDERS:
            for text in _names_bound_by(node):
                bound.setdefault(text, []).append(node)
        else:
            bound.setdefault(node.name, []).append(node)  # type: ignore[attr-defined]  # a function or class
    return bound


# What binds names beside the functions and classes, which bind their own.
_BINDERS = frozenset(
    {
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
    _enter(scope, todo)
    for head in todo:
        parents[head] = scope
    push = todo.append
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
            if child.__class__ not in _LEAVES:
                push(child)
    return parents


def _fields_with_children(kind: type[AST]) -> tuple[str, ...]:
    return tuple(field for field in kind._fields if field not in _NEVER_CHILDREN)


# Operators and contexts are nodes as well, but single ones that all expressions share; the rest are texts and numbers.
_NEVER_CHILDREN = frozenset(
    {
        "arg",
        "asname",
        "attr",
        "conversion",
        "ctx",
        "id",
        "is_async",
        "kind",
        "kwd_attrs",
        "level",
        "lineno",
        "module",
        "op",
        "ops",
        "rest",
        "simple",
        "str",
        "tag",
        "type_comment",
        "type_ignores",
    }
)
_LEAVES = frozenset({Constant, Name})
_CHILD_FIELDS: dict[type, tuple[str, ...]] = {
    kind: () if kind in _LEAVES else _fields_with_children(kind) for kind in _FIELDS
}


def children_of(node: AST) -> list[AST]:
    """What `ast.iter_child_nodes` gives but operators and contexts, at a fraction of its price."""
    if node.__class__ is Call:
        # The commonest.
        return [node.func, *node.args, *node.keywords]
    found: list[AST] = []
    for field in _CHILD_FIELDS[node.__class__]:
        child: Any = getattr(node, field, None)
        kind = child.__class__
        if kind is list:
            if child:
                # `global` lists texts, and a `**` in a dictionary has no key.
                found += child if isinstance(child[0], AST) and None not in child else filter(_is_node, child)
        elif kind in _LEAVES or isinstance(child, AST):
            found.append(child)  # told by its class
    return found


def _is_node(child: object) -> bool:
    return isinstance(child, AST)
