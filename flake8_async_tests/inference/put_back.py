"""Whether what a hook or a helper patches is put back when the test is over that it works for."""

from __future__ import annotations

from ast import Call
from typing import TYPE_CHECKING

from flake8_async_tests.inference.bindings import root_of
from flake8_async_tests.inference.places import entered_by
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Pytest puts back what is patched through these.
_FIXTURES = frozenset({"mocker", "monkeypatch"})
# What enters a patch until the test is over, and what is given something to do then.
_ENTERING = frozenset(
    {"enter_async_context", "enter_context", "enterAsyncContext", "enterClassContext", "enterContext"}
)
_CLEARING_UP = ("addClassCleanup", "addCleanup", "addfinalizer", "callback")
_STOPPING = ("stop", "stopall")


def is_put_back(module: Module, call: Call, scope: Scope) -> bool:
    """Whether what a call patches is put back when the test is over at the latest, be it by another hook."""
    root = root_of(call.func)
    if entered_by(module, call) is not None or (root is not None and root.id in _FIXTURES):
        return True
    holder = scope.parents[call]
    if isinstance(holder, Call) and word_of(holder.func) in _ENTERING:
        return True
    return module.fact(_patches_are_stopped)


def _patches_are_stopped(module: Module) -> bool:
    """Whether a file stops what it starts: `patcher.stop()`, `self.addCleanup(patch.stopall)`."""
    given = (each for call in module.method_calls(*_CLEARING_UP) for each in call.node.args)
    return bool(module.method_calls(*_STOPPING)) or any(word_of(each) in _STOPPING for each in given)
