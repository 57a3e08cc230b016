"""Whether what a name holds is handed over: given to somebody who can see to it from then on.

One question with one answer for every rule. A task, a client or an engine that is handed over is somebody
else's business; one that is not, and that nobody looks after in the function itself, is lost there.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.inference.places.assertions import is_unittest_assertion
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

INERT_CALLS = frozenset(
    {
        "asyncio.iscoroutine",
        "asyncio.isfuture",
        "builtins.bool",
        "builtins.callable",
        "builtins.format",
        "builtins.hasattr",
        "builtins.hash",
        "builtins.id",
        "builtins.isinstance",
        "builtins.len",
        "builtins.print",
        "builtins.repr",
        "builtins.str",
        "builtins.type",
        "inspect.isawaitable",
        "inspect.iscoroutine",
        "pprint.pprint",
        "warnings.warn",
    }
)
"""What looks at its arguments and keeps none of them; logging counts as well."""

_LOOKING_ASSERTIONS = (
    "assertEqual",
    "assertFalse",
    "assertIn",
    "assertIs",
    "assertIsInstance",
    "assertIsNone",
    "assertIsNot",
    "assertIsNotNone",
    "assertNotEqual",
    "assertNotIn",
    "assertNotIsInstance",
    "assertTrue",
)
_LOGGER_MAKERS = frozenset({"logging.getLogger", "structlog.get_logger", "structlog.getLogger"})
_LOG_METHODS = frozenset(
    {"critical", "debug", "error", "exception", "fatal", "info", "log", "success", "trace", "warn", "warning"}
)

# The value of an expression is also that of what it stands in.
_PASSING_ON = (ast.BoolOp, ast.Starred, ast.keyword)
LOOKING = (ast.Assert, ast.Compare, ast.Expr, ast.FormattedValue, ast.If, ast.UnaryOp, ast.While)
"""What a value that stands in one of these is looked at by, and no more."""

_UNPACKING = (ast.List, ast.Starred, ast.Tuple)


_PlainUse: TypeAlias = ast.Attribute | ast.Await | ast.Call


@record
class Watch:
    """What counts as seeing to one kind of thing.

    With `observing`, only these attributes do (`client.aclose`, called or handed over as a bound method);
    without it every attribute does but the calls of `inert` ones (`task.done()`).
    """

    inert: frozenset[str] = frozenset()
    observing: frozenset[str] | None = None
    inert_calls: frozenset[str] = frozenset()
    """Calls by qualified name that take it as an argument and do not take charge of it, beside the common ones."""
    by_part: bool = False
    """Whether the thing may be a collection: what is done with each of its parts is what is done with the whole."""

    def minds(self, attribute: str, *, called: bool) -> bool:
        """Whether an attribute of the thing sees to it."""
        if self.observing is not None:
            return attribute in self.observing
        return not called or attribute not in self.inert


def is_handed_over(module: Module, name: ast.Name, scope: Scope, watch: Watch) -> bool:
    """Whether what is bound to a local name is ever observed from there on.

    `name` is the name as it stands in its binding (the target of an assignment or of a `with`), `scope` the
    scope that it stands in. A thing is observed when it is awaited, entered, iterated, returned, yielded, raised, put
    into an attribute, a container, or a `global` or `nonlocal` name, passed to any call that is not inert,
    captured by a nested function (other than to ask it for an attribute that a watch with a list of those does not
    mind), or asked for an attribute that the watch minds. Another local name for it is followed. A later binding of
    the name ends the search; whatever is not understood counts as observed.
    """
    return _is_plainly_observed(module, name, scope, watch) or any(
        True for _ in observations(module, name, scope, watch)
    )


def _is_plainly_observed(module: Module, name: ast.Name, scope: Scope, watch: Watch) -> bool:
    """Whether a name that is bound only once is awaited, asked for something, or passed to a call that is not inert.

    That is what becomes of most things, and told without the parents of the scope and the flow through it.
    """
    if len(scope.bindings.get(name.id, ())) != 1:
        return False
    return any(_observes(module, use, scope, watch) for use in _plain_uses_of(module, scope).get(name.id, ()))


def _observes(module: Module, use: _PlainUse, scope: Scope, watch: Watch) -> bool:
    if isinstance(use, ast.Attribute):
        return watch.minds(use.attr, called=True)
    return isinstance(use, ast.Await) or not _is_inert(module, use, scope, watch)


def _plain_uses(_: Module) -> dict[Scope, dict[str, list[_PlainUse]]]:
    return {}


def _plain_uses_of(module: Module, scope: Scope) -> dict[str, list[_PlainUse]]:
    """By each name in a scope: the awaits of it, its methods that are called, and the calls that it is passed to."""
    by_scope = module.fact(_plain_uses)
    found = by_scope.get(scope)
    if found is None:
        found = by_scope[scope] = {}
        for node in scope.nodes:
            if isinstance(node, ast.Await):
                if isinstance(node.value, ast.Name):
                    found.setdefault(node.value.id, []).append(node)
            elif isinstance(node, ast.Call):
                if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                    found.setdefault(node.func.value.id, []).append(node.func)
                for argument in node.args:
                    if isinstance(argument, ast.Name):
                        found.setdefault(argument.id, []).append(node)
    return found


def observations(module: Module, name: ast.Name, scope: Scope, watch: Watch) -> Iterator[ast.AST]:
    """The places at which the thing is observed: names that are read, or what declares or captures the name."""
    yield from _Search(module, scope, watch).of_name(name)


def reads(module: Module, name: ast.Name, scope: Scope) -> list[ast.Name]:
    """Where the scope itself may read what a binding gave to a name."""
    by_binder = _by_binder(module, name.id, scope)
    binder = binder_of(name, scope)
    # What may be read where the binding is not known, may be this one.
    return by_binder.get(None, []) + (by_binder.get(binder, []) if binder is not None else [])


def reads_of_each(module: Module, name: ast.Name, scope: Scope) -> Iterator[ast.Name]:
    """The same, and where a loop gives each part of it a name, where that is read instead."""
    for load in reads(module, name, scope):
        loop = scope.parents[load]
        if isinstance(loop, (ast.For, ast.comprehension)) and isinstance(loop.target, ast.Name):
            yield from reads(module, loop.target, scope)
        else:
            yield load


def _by_binder(module: Module, name: str, scope: Scope) -> dict[ast.AST | None, list[ast.Name]]:
    """Where a scope reads a name, by what may have bound it there; None where that is not known."""
    known = _reads_of(module, scope).by_binder
    found = known.get(name)
    if found is None:
        found = known[name] = {}
        for load in loads_of(module, name, scope):
            binders: set[ast.AST | None] = {binding.node for binding in bindings_at(module, load, scope)}
            for binder in binders or {None}:
                found.setdefault(binder, []).append(load)
    return found


def binder_of(name: ast.Name, scope: Scope) -> ast.AST | None:
    """The node by which the flow knows the binding that a name stands in."""
    node: ast.AST | None = scope.parents.get(name)
    while isinstance(node, (*_UNPACKING, ast.withitem)):
        node = scope.parents.get(node)
    return node


def is_shared(module: Module, name: str, scope: Scope) -> bool:
    """Whether other scopes can get at a local name: nested ones that read it, or `global` and `nonlocal`."""
    return name in _reads_of(module, scope).declared or any(True for _ in captures(module, name, scope))


def captures(module: Module, name: str, scope: Scope) -> Iterator[tuple[ast.Name, Scope]]:
    """Where nested functions, lambdas and classes read a name of a scope, and which of them do."""
    for load, inner in _reads_of(module, scope).inside.get(name, ()):
        if module.names.binding_scope(name, inner) is scope:
            yield load, inner


def loads_of(module: Module, name: str, scope: Scope) -> list[ast.Name]:
    """Where a scope itself reads a name, in the order of evaluation."""
    return _reads_of(module, scope).own.get(name, [])


@record
class _Reads:
    """Where names are read, by name: in a scope itself, and in the scopes nested in it."""

    own: dict[str, list[ast.Name]]
    inside: dict[str, list[tuple[ast.Name, Scope]]]
    by_binder: dict[str, dict[ast.AST | None, list[ast.Name]]]
    declared: dict[str, ast.AST]
    """The names that a `global` or `nonlocal` of the scope itself declares."""


def _reads_by_scope(_: Module) -> dict[Scope, _Reads]:  # filled when a scope is asked about
    return {}


def _reads_of(module: Module, scope: Scope) -> _Reads:
    by_scope = module.fact(_reads_by_scope)
    found = by_scope.get(scope)
    if found is None:
        found = by_scope[scope] = _Reads({}, {}, {}, {})
        for node in scope.of(ast.Global, ast.Nonlocal):
            assert isinstance(node, (ast.Global, ast.Nonlocal))
            found.declared.update(dict.fromkeys(node.names, node))
        for inner in module.scopes_within(scope):
            for load in inner.loads:
                if inner is scope:
                    found.own.setdefault(load.id, []).append(load)
                else:
                    found.inside.setdefault(load.id, []).append((load, inner))
    return found


def is_inert_call(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call only looks at its arguments: `print`, `repr`, `len`, `isinstance` and their like, or logging."""
    qualified = module.qualified(call.func, scope)
    return qualified in INERT_CALLS or is_log_call(module, call, scope)


def _is_inert(module: Module, call: ast.Call, scope: Scope, watch: Watch) -> bool:
    return (
        module.qualified(call.func, scope) in watch.inert_calls
        or is_inert_call(module, call, scope)
        or is_unittest_assertion(call, *_LOOKING_ASSERTIONS)
    )


def is_log_call(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call writes to a log: a function of `logging`, or a method of a logger in view."""
    function = call.func
    if module.qualified(function, scope).startswith(("logging.", "loguru.")):
        return True
    if not isinstance(function, ast.Attribute) or function.attr not in _LOG_METHODS:
        return False
    receiver = module.value_of(function.value, scope)
    return isinstance(receiver, ast.Call) and module.qualified(receiver.func, scope) in _LOGGER_MAKERS


class _Search:
    """One question, with the names it has come past."""

    def __init__(self, module: Module, scope: Scope, watch: Watch) -> None:
        self._module = module
        self._scope = scope
        self._watch = watch
        self._seen: set[ast.Name] = set()

    def of_name(self, name: ast.Name) -> Iterator[ast.AST]:
        todo = [name]
        while todo:
            name = todo.pop()
            if name in self._seen:
                continue
            self._seen.add(name)
            declaration = _reads_of(self._module, self._scope).declared.get(name.id)
            if declaration is not None:
                yield declaration
            yield from (
                load
                for load, inner in captures(self._module, name.id, self._scope)
                if not self._is_only_asked(load, inner)
            )
            for load in reads(self._module, name, self._scope):
                use = self._use_of(load)
                if use:
                    todo += use
                elif use is not None:
                    yield load

    def _is_only_asked(self, load: ast.Name, inner: Scope) -> bool:
        """Whether a nested function only asks the thing for what does not see to it: `client.get(..)`."""
        if self._watch.observing is None:
            return False
        parent = inner.parents[load]
        return isinstance(parent, ast.Attribute) and not self._watch.minds(parent.attr, called=True)

    def _use_of(self, load: ast.Name) -> list[ast.Name] | None:
        """None when the load only looks; else the local names that the thing is just called by from there on."""
        parents = self._scope.parents
        child: ast.AST = load
        parent = parents[child]
        while _passes_on(parent, child):
            child, parent = parent, parents[parent]
        if isinstance(parent, LOOKING) or _is_condition(parent, child):
            return None
        if isinstance(parent, (ast.For, ast.comprehension)) and child is parent.iter and self._watch.by_part:
            return [parent.target] if isinstance(parent.target, ast.Name) else []
        if isinstance(parent, ast.Attribute):
            call = parents[parent]
            called = isinstance(call, ast.Call) and call.func is parent
            is_minded = isinstance(parent.ctx, ast.Load) and self._watch.minds(parent.attr, called=called)
            return [] if is_minded else None
        if isinstance(parent, ast.Call) and child is not parent.func:
            return None if _is_inert(self._module, parent, self._scope, self._watch) else []
        if isinstance(parent, (ast.Assign, ast.AnnAssign)):
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
            # Another name for it that says that it is not needed was given on purpose.
            if all(isinstance(target, ast.Name) and not target.id.startswith("_") for target in targets):
                return [target for target in targets if isinstance(target, ast.Name)]
        return []


def _passes_on(parent: ast.AST, child: ast.AST) -> bool:
    return isinstance(parent, _PASSING_ON) or (isinstance(parent, ast.IfExp) and child is not parent.test)


def _is_condition(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(parent, ast.IfExp):
        return child is parent.test
    return isinstance(parent, ast.comprehension) and child in parent.ifs
