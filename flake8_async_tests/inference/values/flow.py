"""What a name or a dotted path may hold at a place: by straight-line flow within one function.

A rebinding ends what was known, branches join, a loop joins every assignment in it. Only the scope that is
asked about is looked at, once, from its first statement to its last.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.bindings import (
    MAXIMUM_PATH,
    Binding,
    Kind,
    bound_in,
    effects_of,
    iterated_by,
    path_of,
    root_of,
)
from flake8_async_tests.inference.values.flow_state import State
from flake8_async_tests.inference.values.instances import given_to_instance, is_given_once
from flake8_async_tests.source.annotations import class_annotated
from flake8_async_tests.source.names import word_of
from flake8_async_tests.source.walk import arguments_of, children_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

__all__ = ["Binding", "Kind", "bindings_at", "flow_of", "is_assigned_at"]

# After these a block does not flow on.
_NEVER_RETURN = frozenset(
    {
        "builtins.exit",
        "builtins.quit",
        "os._exit",
        "pytest.exit",
        "pytest.fail",
        "pytest.skip",
        "pytest.xfail",
        "sys.exit",
        "typing.assert_never",
        "typing_extensions.assert_never",
    }
)
_NEVER_RETURN_ON_SELF = frozenset({"fail", "skipTest"})
# In a block under these what comes after an exception is left out, and what follows the block is not.
_SUPPRESSORS = frozenset(
    {
        "anyio.CancelScope",
        "anyio.move_on_after",
        "contextlib.suppress",
        "pytest.RaisesGroup",
        "pytest.raises",
        "trio.CancelScope",
        "trio.move_on_after",
        "trio.move_on_at",
    }
)
_SUPPRESSORS_ON_SELF = frozenset({"assertRaises", "assertRaisesRegex"})

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# What binds names itself, or holds what may not be reached.
_INVOLVED = frozenset({*_COMPREHENSIONS, ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr})
_SIMPLE = frozenset({ast.AnnAssign, ast.Assert, ast.Assign, ast.Expr, ast.Return})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def bindings_at(module: Module, node: ast.expr, scope: Scope) -> tuple[Binding, ...]:
    """Every binding that a name or dotted path (`self.client`, `session.execute`) may have where it is read.

    An empty tuple says that it is not known.
    """
    path = path_of(node)
    root = root_of(node)
    if not path or root is None:
        return ()
    owner = module.names.owner_of(root, scope)
    if owner is None or is_rebound_elsewhere(module, owner, root.id):
        return ()
    bound = bound_in(module, owner).get(path, ())
    if node is root:
        if len(bound) == 1 == len(owner.bindings[path]) and (
            owner is not scope or _needs_no_flow(module, bound[0], root)
        ):
            return (bound[0],)
        return flow_of(module, scope).seen.get(node, ()) if owner is scope else ()
    if owner is scope and bound:
        found = flow_of(module, scope).seen.get(node)
        if found is not None:
            return found
    attribute = path.partition(".")[2]
    if "." in attribute:
        return ()
    if bound and owner is not scope:
        return tuple(bound) if is_given_once(module, owner, root.id, attribute) else ()
    return given_to_instance(module, owner, root.id, attribute, flow_of)


def _needs_no_flow(module: Module, only: Binding, node: ast.Name) -> bool:
    """Whether the only binding of a name is what the name holds where it is read further down in the same scope."""
    straight = _straight(module, only.scope)
    if straight is None or not (only.node in straight or only.kind is Kind.PARAMETER):
        return False
    bound_at = (only.node.lineno, only.node.col_offset)  # type: ignore[attr-defined]  # all that binds a name has a place
    return bound_at <= (node.lineno, node.col_offset)


def _straight(module: Module, scope: Scope) -> set[ast.AST] | None:
    """The statements of a scope that are always reached; None when some of it never is."""
    answers = module.fact(_answers_about_scopes)
    if scope not in answers:
        answers[scope] = _find_straight(module, scope)
    return answers[scope]


def _answers_about_scopes(_: Module) -> dict[Scope, set[ast.AST] | None]:
    return {}


def _find_straight(module: Module, scope: Scope) -> set[ast.AST] | None:
    found: set[ast.AST] = set()
    todo = [scope.body()]
    while todo:
        block = todo.pop()
        for statement in block:
            found.add(statement)
            if isinstance(statement, (ast.With, ast.AsyncWith)):
                todo.append(statement.body)
            elif leaves(module, statement, scope) and statement is not block[-1]:
                return None
    return found


def is_assigned_at(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a dotted path was, or may have been, assigned to before in this function, known or not."""
    return path_of(node) in bound_in(module, scope) and node in flow_of(module, scope).seen


def class_of_parameter(module: Module, binding: Binding) -> str:
    """The class by which a parameter of a function is annotated; "" for what is none."""
    function = module.function_at(binding.scope)
    if function is None or not isinstance(binding.node, ast.arg):
        return ""
    return class_annotated(module, binding.node.annotation, function.outer)


def flow_of(module: Module, scope: Scope) -> Flow:
    """The flow through a scope, worked out once."""
    flows = module.fact(_flows)
    found = flows.get(scope)
    if found is None:
        found = flows[scope] = Flow(module, scope)
    return found


def _flows(_: Module) -> dict[Scope, Flow]:
    return {}


def is_rebound_elsewhere(module: Module, owner: Scope, name: str) -> bool:
    """Whether a `global` or `nonlocal` of another scope reaches for the name."""
    return (owner, name) in module.fact(_rebound_elsewhere)


def _rebound_elsewhere(module: Module) -> set[tuple[Scope, str]]:
    found: set[tuple[Scope, str]] = set()
    for node, _ in module.index.by_kind[ast.Global]:
        assert isinstance(node, ast.Global)
        found.update((module.scope, text) for text in node.names)
    for node, scope in module.index.by_kind[ast.Nonlocal]:
        assert isinstance(node, ast.Nonlocal)
        for text in node.names:
            outer = module.names.binding_scope(text, scope)
            if outer is not None:
                found.add((outer, text))
    return found


def leaves(module: Module, node: ast.stmt, scope: Scope) -> bool:
    """Whether a statement is one after which its block does not go on."""
    kind = node.__class__
    if kind is ast.Assign:
        return False
    if isinstance(node, ast.Expr):
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        return isinstance(call, ast.Call) and _calls(module, call, scope, _NEVER_RETURN, _NEVER_RETURN_ON_SELF)
    if isinstance(node, ast.Assert):
        return isinstance(node.test, ast.Constant) and not node.test.value
    return isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue))


def _calls(module: Module, call: ast.Call, scope: Scope, names: frozenset[str], methods: frozenset[str]) -> bool:
    """Whether a call is of one of some qualified names, or of some methods of `self`."""
    function = call.func
    word = word_of(function)
    if word in module.names.tails_of_all(names) and module.qualified(function, scope) in names:
        return True
    if word not in methods or not isinstance(function, ast.Attribute):
        return False
    return isinstance(function.value, ast.Name) and function.value.id == "self"


class Flow:
    """One pass through a scope, which leaves behind what each name and path that is read may hold there."""

    def __init__(self, module: Module, scope: Scope) -> None:
        self._module = module
        self._scope = scope
        self._state = State()
        self._alive = True
        self._effects: dict[ast.AST, tuple[tuple[str, Binding | None], ...]] = {}
        self.seen: dict[ast.expr, tuple[Binding, ...]] = {}
        """By the name or attribute that is read. A name that is missing here is unbound or never reached."""
        self.at_end: dict[str, tuple[Binding, ...]] = {}
        """What is held when the scope is left at its end."""
        self.comes_to_end = False
        """Whether the end can be reached, without a `return` on the way."""
        self._run()

    def _run(self) -> None:
        node = self._scope.node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for argument in arguments_of(node):
                binding = Binding(Kind.PARAMETER, None, argument, self._scope)
                self._state.set(argument.arg, (binding,))
        if isinstance(node, ast.Lambda):
            self._expression(node.body)
            return
        self._block(node.body)
        if self._alive:
            self.comes_to_end = True
            self.at_end = self._state.held

    # -- statements: as deep as Python lets blocks be indented, which is a hundred ---------------------------------

    def _block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            if not self._alive:
                break
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if node.__class__ in _SIMPLE:
            self._simple(node)
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self._loop(node)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self._try(node)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self._with(node)
        elif isinstance(node, ast.Match):
            self._match(node)
        else:
            self._simple(node)

    def _simple(self, node: ast.stmt) -> None:
        if node.__class__ is ast.Expr:
            self._expression(node.value)
        else:
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                if node.value is not None:
                    self._expression(node.value)
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self._expressions(target for target in targets if target.__class__ is not ast.Name)
                if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                    # The one target that is read as well.
                    self.seen[node.target] = self._state.held.get(node.target.id, ())
            elif isinstance(node, _DEFINITIONS):
                self._expressions(_head_of(node))
            else:
                self._expressions(child for child in children_of(node) if isinstance(child, ast.expr))
            self._bind(node)
        if leaves(self._module, node, self._scope):
            self._alive = False

    def _if(self, node: ast.If) -> None:
        # The branches of an `elif` chain stand in each other, to any depth: they are joined all at once.
        branches: list[Sequence[ast.stmt]] = []
        while True:
            self._expression(node.test)
            branches.append(node.body)
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            node = node.orelse[0]
        branches.append(node.orelse)
        self._fork([self._later(branch) for branch in branches])

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        if isinstance(node, ast.While):
            self._weaken([node.test, *node.body])
            self._expression(node.test)
        else:
            self._expression(node.iter)
            self._add(node)
            self._weaken(node.body)

        def once() -> None:
            if not isinstance(node, ast.While):
                self._expression(node.target)
                self._bind(node)
            self._block(node.body)

        self._fork([once, _nothing])
        self._fork([self._later(node.orelse), _nothing])

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        def through() -> None:
            self._block(node.body)
            if self._alive:
                self._block(node.orelse)

        leaves = False
        if node.finalbody:
            # It is reached from every place in the block; what flows on comes through the block alone.
            mark = self._state.mark()
            self._weaken([*node.body, *node.orelse, *(part for handler in node.handlers for part in handler.body)])
            self._block(node.finalbody)
            leaves, self._alive = not self._alive, True
            self._state.undo(mark)
        self._fork([through, *(self._handled(node, handler) for handler in node.handlers)])
        self._weaken(node.finalbody)
        self._alive = self._alive and not leaves

    def _handled(self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> Callable[[], None]:
        def run() -> None:
            self._weaken(node.body)
            if handler.type is not None:
                self._expression(handler.type)
            self._bind(handler)
            self._block(handler.body)
            if handler.name and self._alive:
                self._state.set(handler.name, ())

        return run

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._expression(item.context_expr)
            if item.optional_vars is not None:
                self._expression(item.optional_vars)
                for path, binding in self._effects_of(node):
                    if binding is not None and binding.value is item.context_expr:
                        self._state.set(path, (binding,))
        if any(self._suppresses(item.context_expr) for item in node.items):
            self._fork([self._later(node.body), lambda: self._weaken(node.body)])
        else:
            self._block(node.body)

    def _suppresses(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and _calls(
            self._module, node, self._scope, _SUPPRESSORS, _SUPPRESSORS_ON_SELF
        )

    def _match(self, node: ast.Match) -> None:
        self._expression(node.subject)

        def taken(case: ast.match_case) -> Callable[[], None]:
            def run() -> None:
                self._pattern(case.pattern)
                if case.guard is not None:
                    self._expression(case.guard)
                self._block(case.body)

            return run

        branches = [taken(case) for case in node.cases]
        last = node.cases[-1]
        always = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        self._fork(branches if always else [*branches, _nothing])

    def _pattern(self, pattern: ast.pattern) -> None:
        for node in ast.walk(pattern):
            if isinstance(node, ast.pattern):
                self._bind(node)
            elif isinstance(node, (ast.Name, ast.Attribute)):
                self._read(node, None)

    def _later(self, block: Sequence[ast.stmt]) -> Callable[[], None]:
        return lambda: self._block(block)

    # -- joining ---------------------------------------------------------------------------------------------------

    def _fork(self, branches: Sequence[Callable[[], None]]) -> None:
        ends = []
        for branch in branches:
            mark = self._state.mark()
            self._alive = True
            branch()
            if self._alive:
                ends.append(self._state.changes_since(mark))
            self._state.undo(mark)
        self._alive = bool(ends)
        self._state.join(ends)

    def _weaken(self, nodes: Sequence[ast.AST]) -> None:
        """Whatever stands in these may have been bound, or not."""
        for path, binding in self._effects_in(nodes):
            self._state.add(path, binding)

    def _effects_in(self, nodes: Sequence[ast.AST]) -> list[tuple[str, Binding | None]]:
        found: list[tuple[str, Binding | None]] = []
        todo: list[ast.AST] = list(reversed(nodes))
        while todo:
            node = todo.pop()
            found += self._effects_of(node)
            if isinstance(node, _DEFINITIONS):
                todo.extend(reversed(_head_of(node)))
            elif not isinstance(node, ast.Lambda):
                todo.extend(reversed(children_of(node)))
        return found

    # -- bindings --------------------------------------------------------------------------------------------------

    def _effects_of(self, node: ast.AST) -> tuple[tuple[str, Binding | None], ...]:
        found = self._effects.get(node)
        if found is None:
            found = effects_of(node, self._scope)
            if found:
                self._effects[node] = found
        return found

    def _bind(self, node: ast.AST) -> None:
        for path, binding in self._effects_of(node):
            self._state.set(path, () if binding is None else (binding,))

    def _add(self, node: ast.AST) -> None:
        for path, binding in self._effects_of(node):
            self._state.add(path, binding)

    # -- expressions: as deep as they come -----------------------------------------------------------------------

    def _expressions(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self._expression(node)

    def _expression(self, node: ast.AST) -> None:
        """Read what an expression reads, in order."""
        todo = [node]
        while todo:
            node = todo.pop()
            if isinstance(node, (ast.Name, ast.Attribute)):
                base = self._read(node, None)
                if base is not None:
                    todo.append(base)
            elif node.__class__ in _INVOLVED:
                self._involved(node)
            elif node.__class__ is not ast.Constant:
                todo += reversed(children_of(node))

    def _involved(self, node: ast.AST) -> None:
        """The same where not all is reached. A walrus that may not be only adds to what is known."""
        todo: list[tuple[ast.AST, _Locals | None, bool, bool]] = [(node, None, False, False)]
        while todo:
            node, inner, uncertain, is_done = todo.pop()
            if node.__class__ is ast.Constant:
                continue
            if is_done:
                if uncertain:
                    self._add(node)
                else:
                    self._bind(node)
            elif isinstance(node, (ast.Name, ast.Attribute)):
                base = self._read(node, inner)
                if base is not None:
                    todo.append((base, inner, uncertain, False))
            elif isinstance(node, _COMPREHENSIONS):
                self._comprehension(node, inner, todo)
            else:
                if isinstance(node, ast.NamedExpr):
                    todo.append((node, inner, uncertain, True))
                uncertain = uncertain or isinstance(node, (ast.BoolOp, ast.IfExp))
                children = _head_of(node) if isinstance(node, ast.Lambda) else children_of(node)
                todo.extend((child, inner, uncertain, False) for child in reversed(children))

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        inner: _Locals | None,
        todo: list[tuple[ast.AST, _Locals | None, bool, bool]],
    ) -> None:
        own = [effect for generator in node.generators for effect in iterated_by(generator, self._scope)]
        within = _Locals(dict(own), inner)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        todo.extend((part, within, True, False) for part in reversed(parts))
        for generator in reversed(node.generators):
            todo.extend((condition, within, True, False) for condition in reversed(generator.ifs))
            # Only the first iterable is evaluated outside.
            is_first = generator is node.generators[0]
            todo.append((generator.iter, inner if is_first else within, True, False))

    def _read(self, node: ast.Name | ast.Attribute, inner: _Locals | None) -> ast.expr | None:
        """Note what a name or path holds here; what an attribute is taken of when that is no path."""
        chain: list[ast.Attribute] = []
        base: ast.expr = node
        while base.__class__ is ast.Attribute:
            chain.append(base)
            base = base.value
        if base.__class__ is not ast.Name:
            return base
        if base.ctx.__class__ is not ast.Load:
            return None
        own = _own_of(base.id, inner) if inner is not None else None
        if own is not None:
            self.seen[base] = (own,)
            return None
        held = self._state.held.get(base.id)
        if held is not None:
            self.seen[base] = held
        path = base.id
        for attribute in reversed(chain[-MAXIMUM_PATH:]):
            if not self._state.has_below(path):
                break
            path = f"{path}.{attribute.attr}"
            held = self._state.get(path)
            if held is not None and isinstance(attribute.ctx, ast.Load):
                self.seen[attribute] = held
        return None


class _Locals:
    """The targets of a comprehension, and those of the one around it."""

    __slots__ = ("names", "outer")

    def __init__(self, names: dict[str, Binding], outer: _Locals | None) -> None:
        self.names = names
        self.outer = outer


def _own_of(name: str, inner: _Locals | None) -> Binding | None:
    while inner is not None:
        if name in inner.names:
            return inner.names[name]
        inner = inner.outer
    return None


def _head_of(node: ast.AST) -> list[ast.AST]:
    """What of a nested scope is evaluated in the outer one."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    defaults = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None]
    return [*defaults] if isinstance(node, ast.Lambda) else [*node.decorator_list, *defaults]


def _nothing() -> None:
    """The way past a block that is not taken."""
