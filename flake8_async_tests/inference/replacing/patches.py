"""The calls that make mocks and those that put something in the place of something else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.replacing.mock_values import Given, MockKind, Origin
from flake8_async_tests.inference.values.flow import Kind, bindings_at, class_of_parameter
from flake8_async_tests.inference.values.literals import text_of
from flake8_async_tests.record import record
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.fixtures import doubles_before_mocks, injects_mock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

CONSTRUCTORS = {f"unittest.mock.{kind.value}": kind for kind in (MockKind.PLAIN, MockKind.MAGIC, MockKind.ASYNC)}
# What these make takes after something else: pytest-mock's spies and stubs among them.
_SPECCED = frozenset({"async_stub", "create_autospec", "spy", "stub"})

# pytest-mock's fixtures, one for each scope of fixtures.
_MOCKERS = frozenset({"mocker", "class_mocker", "module_mocker", "package_mocker", "session_mocker"})

_MONKEYPATCH = "pytest.MonkeyPatch"

# The keywords of a mock that are no attributes of it.
_SPECS = ("spec", "spec_set", "wraps")
_SETTINGS = frozenset({*_SPECS, "name", "unsafe", "parent", "_spec_class"})
_PATCH_SETTINGS = frozenset(
    {"new", "spec", "create", "spec_set", "autospec", "new_callable", "unsafe", "target", "attribute"}
)
_PATCH_SPECS = ("spec", "spec_set", "autospec", "wraps")
# What a mock takes by its position: what it is like, what its call does, what its call gives.
_POSITIONAL = ("spec", "side_effect", "return_value")

# The parameters of pytest's `monkeypatch.setattr`.
_OF_SETATTR = ("target", "name", "value", "raising")


@record
class Patch:
    """A call of `patch`, `patch.object` or `monkeypatch.setattr`: what is replaced, and by what."""

    call: ast.Call
    scope: Scope
    target: ast.expr
    """A text with a dotted path, or the object whose attribute is replaced."""
    attribute: ast.expr | None
    """The attribute's name, where the target is the object."""
    new: ast.expr | None
    new_callable: ast.expr | None
    makes_mock: bool
    """Whether it makes a mock when nothing new is given."""
    is_specced: bool
    is_autospecced: bool = False
    """Whether the mock is to be like what it replaces, a coroutine function where that is one."""

    @property
    def attribute_name(self) -> str:
        return _text(self.attribute)

    @property
    def dotted(self) -> str:
        """The path of the target where it is one text."""
        return _text(self.target) if self.attribute is None else ""


def mock_constructor(module: Module, node: ast.expr, scope: Scope) -> MockKind | None:
    """The kind of mock that a class makes: `AsyncMock`, `mock.AsyncMock`, `mocker.AsyncMock`."""
    name = _maker(module, node, scope)
    return CONSTRUCTORS.get(f"unittest.mock.{name}") if name else None


def _maker(module: Module, node: ast.expr, scope: Scope) -> str:
    """The name in unittest.mock of what makes a mock, be it reached through pytest-mock's fixture."""
    qualified = module.qualified(node, scope)
    if not qualified and isinstance(node, ast.Attribute) and is_mocker(module, node.value, scope):
        return node.attr
    return qualified.removeprefix("unittest.mock.")


def is_mocker(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a name is pytest-mock's fixture, taken as a parameter."""
    return isinstance(node, ast.Name) and node.id in _MOCKERS and _is_plugins_fixture(module, node, scope)


def _is_plugins_fixture(module: Module, node: ast.Name, scope: Scope) -> bool:
    owner = module.names.binding_scope(node.id, scope)
    if owner is None or not all(isinstance(binding, ast.arg) for binding in owner.bindings[node.id]):
        return False
    return not any(fixture.name == node.id for fixture in module.fixtures)


def constructed(module: Module, call: ast.Call, scope: Scope) -> Origin | None:
    """The mock that a call of `Mock`, `MagicMock`, `AsyncMock` or `create_autospec` makes, or a spy is."""
    kind = mock_constructor(module, call.func, scope)
    if kind is None:
        is_specced = _maker(module, call.func, scope) in _SPECCED
        return Origin(call, scope, MockKind.UNKNOWN, is_open=False) if is_specced else None
    given = tuple(_given(call, _SETTINGS, scope))
    given += tuple(_given_by_position(call, scope))
    return Origin(
        node=call,
        scope=scope,
        kind=kind,
        is_open=not has_unseen(call) and not _is_given(call, *_SPECS) and not _has_positional_spec(call),
        is_unsafe=_is_given(call, "unsafe"),
        given=given,
    )


def patch_of(module: Module, call: ast.Call, scope: Scope) -> Patch | None:
    """The patch that a call is: of unittest.mock, of pytest-mock's fixture, of pytest's monkeypatch."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr == "setattr":
        return _monkeypatch(module, call, scope) if _is_monkeypatch(module, function.value, scope) else None
    name = module.qualified(function, scope)
    if name == "unittest.mock.patch" or _is_mockers(module, function, scope, "patch"):
        return _patch(module, call, scope, first=1)
    if name == "unittest.mock.patch.object" or _is_mockers(module, function, scope, "patch.object"):
        return _patch(module, call, scope, first=2)
    return None


def patches_by(module: Module, call: ast.Call, scope: Scope) -> Iterator[Patch]:
    """What a call patches: one thing, or with `patch.multiple` what its keywords name."""
    if not _is_multiple(module, call.func, scope):
        patch = patch_of(module, call, scope)
        if patch is not None:
            yield patch
        return
    target = call.args[0] if call.args else keyword_value(call, "target")
    path = text_of(module, target, scope)
    for keyword in call.keywords:
        if keyword.arg is None or target is None:
            continue
        is_made = _maker(module, keyword.value, scope) == "DEFAULT"
        new = None if is_made else keyword.value
        if path:
            yield Patch(call, scope, ast.Constant(f"{path}.{keyword.arg}"), None, new, None, is_made, False)
        else:
            yield Patch(call, scope, target, ast.Constant(keyword.arg), new, None, is_made, False)


def _is_multiple(module: Module, function: ast.expr, scope: Scope) -> bool:
    name = module.qualified(function, scope)
    return name == "unittest.mock.patch.multiple" or _is_mockers(module, function, scope, "patch.multiple")


def _is_mockers(module: Module, function: ast.expr, scope: Scope, method: str) -> bool:
    for name in reversed(method.split(".")):
        if not isinstance(function, ast.Attribute) or function.attr != name:
            return False
        function = function.value
    return is_mocker(module, function, scope)


def _patch(module: Module, call: ast.Call, scope: Scope, *, first: int) -> Patch | None:
    if has_unseen(call):
        return None
    target = call.args[0] if call.args else keyword_value(call, "target")
    attribute = _written_out(module, _attribute(call), scope) if first == 2 else None
    if target is None or (first == 2 and attribute is None):
        return None
    new = call.args[first] if len(call.args) > first else keyword_value(call, "new")
    specs = len(call.args) > first + 1 or _is_given(call, *_PATCH_SPECS)
    autospec = keyword_value(call, "autospec")
    is_autospecced = isinstance(autospec, ast.Constant) and autospec.value is True
    return Patch(call, scope, target, attribute, new, keyword_value(call, "new_callable"), True, specs, is_autospecced)


def attribute_patched(call: ast.Call) -> str:
    """The name of the attribute that a call replaces if it is one of `patch.object`."""
    return _text(_attribute(call))


def _written_out(module: Module, name: ast.expr | None, scope: Scope) -> ast.expr | None:
    """The name of an attribute as a literal where it stands behind a constant."""
    text = None if isinstance(name, ast.Constant) else text_of(module, name, scope)
    return name if text is None else ast.Constant(text)


def _attribute(call: ast.Call) -> ast.expr | None:
    return call.args[1] if len(call.args) > 1 else keyword_value(call, "attribute")


def _is_monkeypatch(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is pytest's fixture, its `context()`, or a `MonkeyPatch` made or annotated in view."""
    if isinstance(node, ast.Name) and node.id == "monkeypatch" and _is_plugins_fixture(module, node, scope):
        return True
    bindings = bindings_at(module, node, scope)
    return bool(bindings) and all(_holds_monkeypatch(module, binding) for binding in bindings)


def _holds_monkeypatch(module: Module, binding: Binding) -> bool:
    value, scope = binding.value, binding.scope
    if isinstance(binding.node, ast.arg):
        return class_of_parameter(module, binding) == _MONKEYPATCH
    if not isinstance(value, ast.Call):
        return False
    name = module.qualified(value.func, scope)
    if binding.kind is Kind.ASSIGNED:
        return name == _MONKEYPATCH
    function_called = value.func
    return binding.kind is Kind.ENTERED and (
        name == f"{_MONKEYPATCH}.context"
        or (
            isinstance(function_called, ast.Attribute)
            and function_called.attr == "context"
            and _is_monkeypatch(module, function_called.value, scope)
        )
    )


def _monkeypatch(module: Module, call: ast.Call, scope: Scope) -> Patch | None:
    if has_unseen(call) or len(call.args) > len(_OF_SETATTR):
        return None
    given = dict(zip(_OF_SETATTR, call.args, strict=False))
    given.update((name, value) for name, value, _ in _keywords(call))
    target, name, value = (given.get(each) for each in _OF_SETATTR[:3])
    if target is None or name is None:
        return None
    if value is None:
        # The target is a dotted path, and what is called a name the new value.
        return Patch(call, scope, target, None, name, None, False, False)
    return Patch(call, scope, target, _written_out(module, name, scope), value, None, False, False)


def keywords_for_mock(patch: Patch) -> tuple[Given, ...]:
    """The keywords of a patch that configure the mock that it makes."""
    return tuple(_given(patch.call, _PATCH_SETTINGS | _SETTINGS, patch.scope))


def configured_by(call: ast.Call, scope: Scope) -> tuple[Given, ...]:
    """What a call of `configure_mock` gives to which path."""
    return tuple(_given(call, frozenset(), scope))


def patched_parameters(function: Function) -> dict[str, tuple[ast.Call, Scope]]:
    """The parameters that the `patch` decorators of a function and of its class fill, the lowest decorator first."""
    injecting = [each for each in reversed(function.decorators) if _injects(each)]
    klass = function.klass
    calls = [(each.call, function.outer) for each in injecting]
    if klass is not None and function.name.startswith("test"):
        calls += [(each.call, klass.outer) for each in reversed(klass.decorators) if _injects(each)]
    names = [argument.arg for argument in (*function.node.args.posonlyargs, *function.node.args.args)]
    is_static = any(decorator.name == "builtins.staticmethod" for decorator in function.decorators)
    if klass is not None and not is_static:
        names = names[1:]
    if not function.keeps_its_nature:
        # Another decorator may put an argument in front.
        return {}
    names = names[doubles_before_mocks(function) :]
    return {name: (call, scope) for name, (call, scope) in zip(names, calls, strict=False) if call is not None}


def _injects(decorator: Decorator) -> bool:
    return decorator.is_patch and injects_mock(decorator)


def _given(call: ast.Call, settings: frozenset[str], scope: Scope) -> Iterator[Given]:
    for name, value, node in _keywords(call):
        if name not in settings:
            yield Given(tuple(name.split(".")), value, node, scope)


def _keywords(call: ast.Call) -> Iterator[tuple[str, ast.expr, ast.expr | ast.keyword]]:
    """The keywords of a call, those of a `**{"get.return_value": 1}` among them."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value, keyword
        elif isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                if key is not None:
                    yield _text(key), value, key


def _given_by_position(call: ast.Call, scope: Scope) -> Iterator[Given]:
    for name, value in zip(_POSITIONAL[1:], call.args[1:], strict=False):
        yield Given((name,), value, value, scope)


def _has_positional_spec(call: ast.Call) -> bool:
    return bool(call.args) and not _is_nothing(call.args[0])


def has_unseen(call: ast.Call) -> bool:
    """Whether there are arguments that cannot be seen: `*arguments`, `**options`."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return True
    return any(
        keyword.arg is None and not (isinstance(keyword.value, ast.Dict) and all(map(_text, keyword.value.keys)))
        for keyword in call.keywords
    )


def _is_given(call: ast.Call, *names: str) -> bool:
    return any(name in names and not _is_nothing(value) for name, value, _ in _keywords(call))


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
