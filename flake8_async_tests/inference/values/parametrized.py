"""What tests and fixtures get one after the other: from `parametrize`, or as the `params` of a fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.record import record
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.decorators import FIXTURE
from flake8_async_tests.source.tests import argument_names

if TYPE_CHECKING:
    import ast

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

_PARAMETRIZE = "pytest.mark.parametrize"
_PARAMETER = "request.param"


@record
class Receiver:
    """Who gets the values of a list, and under which name or path."""

    path: str
    function: Function | None
    """None where a class is parametrized, or a mark that is kept by a name."""
    fixture: Fixture | None = None


def receivers_of(module: Module, values: ast.AST) -> list[Receiver]:
    """Who gets the values of a display, whether it stands at the mark or is a constant."""
    return module.fact(_receivers).get(values, [])


def _receivers(module: Module) -> dict[ast.AST, list[Receiver]]:
    found: dict[ast.AST, list[Receiver]] = {}
    for call in module.calls(_PARAMETRIZE):
        names, values = call.argument(0, "argnames"), call.argument(1, "argvalues")
        if names is not None and values is not None:
            function = _decorated(call)
            received = [Receiver(name, function) for name in argument_names(names)]
            found.setdefault(module.value_of(values, call.scope), []).extend(received)
    for call in module.calls(*FIXTURE):
        values, function = keyword_value(call.node, "params"), _decorated(call)
        if values is not None and function is not None:
            received = [Receiver(_PARAMETER, function, module.fixture_of(function))]
            found.setdefault(module.value_of(values, call.scope), []).extend(received)
    return found


def _decorated(call: Call) -> Function | None:
    node = call.scope.parents.get(call.node)
    return call.module.function_of_node(node) if node is not None else None
