"""AT607: a test sleeps while freezegun holds the clock that would wake it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import add_argument, replace, unsafe
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import contexts_around, is_test_code, is_test_itself, scopes_around
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.time.sleeps import awaited_sleeps, duration_of, sleeps_among
from flake8_async_tests.inference.uses.handover import Watch, is_handed_over
from flake8_async_tests.inference.values.numbers import number_of
from flake8_async_tests.rule import Edit, Finding, Knows, rule
from flake8_async_tests.source.calls import has_double_star

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# The positions of freezegun's arguments: those that let the time go on, those that give a test what moves it, and the
# one that leaves asyncio its own clock.
_TICKING = {"tick": 3, "auto_tick_seconds": 6}
_MOVING = {"as_arg": 4, "as_kwarg": 5}
_REAL = {"real_asyncio": 7}
_FREEZE = "freezegun.freeze_time"
_CLOCK = Watch(observing=frozenset({"move_to", "tick"}))


@rule("AT607", "frozen-clock-with-sleep", knows=Knows.FILE, fix="unsafe", calls=(_FREEZE,))
def check(module: Module) -> Iterator[Finding]:
    if not module.calls(_FREEZE) or _is_configured(module):
        return
    told: set[ast.Call] = set()
    for sleep in _sleeps(module):
        if not is_test_code(module, sleep.scope) or not _waits_for_clock(sleep):
            continue
        freezing = list(_freezing(sleep))
        for call in freezing if _time_stands_still(freezing) else ():
            if call.node not in told and not _lets_time_go_on(call):
                told.add(call.node)
                yield Finding(
                    call.node,
                    f"freeze_time() stops the event loop's clock too: {sleep.name}() on line {sleep.node.lineno} never"
                    " wakes (add real_asyncio=True)",
                    unsafe(_add_real_asyncio(call)) if call is freezing[-1] else None,
                )


def _sleeps(module: Module) -> list[Call]:
    """The sleeps that are awaited, on the spot or by an awaited `gather`."""
    found = awaited_sleeps(module)
    for call in module.calls("asyncio.gather", "asyncio.shield"):
        if call.is_awaited:
            found += sleeps_among(module, call.node.args, call.scope)
    return found


def _add_real_asyncio(call: Call) -> Edit | None:
    given = call.argument(_REAL["real_asyncio"], "real_asyncio")
    if given is not None:
        return replace(given, "True")
    return add_argument(call.module, call.node, "real_asyncio=True")


def _is_configured(module: Module) -> bool:
    """Whether freezegun is told somewhere to leave modules alone."""
    modules = (module, *module.project.conftests(module.directory).modules)
    return any(each.calls("freezegun.configure", "freezegun.config.configure") for each in modules)


def _waits_for_clock(sleep: Call) -> bool:
    """Whether a sleep waits for asyncio's clock to move, and nothing in the test moves it."""
    module, scope = sleep.module, sleep.scope
    duration = duration_of(sleep)
    seconds = number_of(module.value_of(duration, scope)) if duration is not None else None
    if sleep.name == "trio.sleep" or seconds is None or seconds <= 0:
        return False
    return (
        scope not in module.fact(_scopes_that_move_clock)
        and not function_may_be_replaced(sleep)
        and not runs_on_trio(module, scope)
    )


def _scopes_that_move_clock(module: Module) -> set[Scope]:
    """The scopes that tick or move a frozen clock, or let somebody else do so, and those around them."""
    moving = [call.scope for call in module.method_calls("tick", "move_to")]
    moving += [call.scope for call in module.calls(_FREEZE) if _is_handed_over(call)]
    return {scope for inner in moving for scope in scopes_around(inner)}


def _is_handed_over(call: Call) -> bool:
    """Whether what moves the clock, entered under a name, is given to somebody: itself, or as one of its methods."""
    name = call.parent.optional_vars if isinstance(call.parent, ast.withitem) else None
    return isinstance(name, ast.Name) and is_handed_over(call.module, name, call.scope, _CLOCK)


def _freezing(sleep: Call) -> Iterator[Call]:
    """The calls of `freeze_time` around a sleep, from the inside out: `with` items, then the decorators of a test."""
    module = sleep.module
    function = sleep.function
    assert function is not None
    for name, node in contexts_around(module, sleep.node, sleep.scope):
        if name == _FREEZE:
            yield module.call_at(node, sleep.scope)
    if not is_test_itself(module, sleep.scope):
        # What a decorator makes of a generator or a hook, and when a class freezes around its hooks, is another matter.
        return
    decorators = [(decorator, function.outer) for decorator in reversed(function.decorators)]
    if function.klass is not None:
        decorators += [(decorator, function.klass.outer) for decorator in reversed(function.klass.decorators)]
    for decorator, scope in decorators:
        if decorator.name == _FREEZE and decorator.call is not None:
            yield module.call_at(decorator.call, scope)


def _time_stands_still(freezing: list[Call]) -> bool:
    """Whether it does so within freezes: the innermost says how it goes, the outermost sets the loop's own clock."""
    if not freezing or any(_may_be_given(call, _MOVING) for call in freezing):
        return False
    innermost, outermost = freezing[0], freezing[-1]
    ignored = innermost.argument(2, "ignore")
    return not (_may_be_given(innermost, _TICKING) or _may_ignore_asyncio(ignored) or _may_be_given(outermost, _REAL))


def _lets_time_go_on(call: Call) -> bool:
    """Whether a freeze by itself would be no reason for a sleep not to wake."""
    return _may_be_given(call, _TICKING | _REAL) or _may_ignore_asyncio(call.argument(2, "ignore"))


def _may_be_given(call: Call, positions: dict[str, int]) -> bool:
    """Whether one of these arguments is something true, or may be so."""
    values = [call.argument(position, name) for name, position in positions.items()]
    return has_double_star(call.node) or any(
        value is not None and not (isinstance(value, ast.Constant) and not value.value) for value in values
    )


def _may_ignore_asyncio(ignored: ast.expr | None) -> bool:
    if ignored is None:
        return False
    if not isinstance(ignored, (ast.List, ast.Tuple)):
        return True
    texts = [element.value if isinstance(element, ast.Constant) else None for element in ignored.elts]
    # freezegun leaves alone every module whose name begins with one of these.
    return any(not isinstance(text, str) or "asyncio".startswith(text.rstrip(".")) for text in texts)
