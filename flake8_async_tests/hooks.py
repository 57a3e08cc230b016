"""What the hooks of a conftest or plugin may do to who runs the async tests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.elsewhere import function_meant
from flake8_async_tests.record import record
from flake8_async_tests.source.calls import keyword_value, receiver_of
from flake8_async_tests.source.decorators import MARK
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.marks import mark_of, marks_in_values, running_marks
from flake8_async_tests.source.names import word_of
from flake8_async_tests.source.tests import argument_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.marks import Marks
    from flake8_async_tests.source.module import Module

# Hooks through which a conftest can run async tests itself, or mark them in time.
_MARKING_HOOK = "pytest_collection_modifyitems"
_RUNNING_HOOKS = ("pytest_pycollect_makeitem", "pytest_pycollect_makemodule", "pytest_pyfunc_call", _MARKING_HOOK)
_GENERATING_HOOK = "pytest_generate_tests"
_CONFIGURING_HOOKS = (
    "pytest_configure",
    "pytest_load_initial_conftests",
    "pytest_cmdline_main",
    "pytest_addoption",
    "pytest_sessionstart",
    "pytest_collection",
)
# Hooks that get a test, or what it is collected by, and through which a conftest can make something else of it.
_ITEM_HOOKS = (
    _GENERATING_HOOK,
    "pytest_sessionstart",
    "pytest_collection",
    "pytest_collectstart",
    "pytest_collect_directory",
    "pytest_collect_file",
    "pytest_itemcollected",
    "pytest_collection_finish",
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_call",
)
_HOOKS = frozenset((*_RUNNING_HOOKS, *_CONFIGURING_HOOKS, *_ITEM_HOOKS))
# What pytest calls of a test.
_CALLED_OF_ITEM = ("obj", "runtest")
# What all tests are made of: who puts another `runtest` there needs no hook.
_CLASSES_OF_TESTS = frozenset({"pytest.Function", "pytest.Item", "_pytest.python.Function", "_pytest.nodes.Item"})

# What a hook that only sorts tests out calls, none of which can change how a test runs.
_HARMLESS_LIBRARIES = ("collections.", "itertools.", "operator.", "os.", "pathlib.", "platform.", "re.", "sys.")
_HARMLESS_FUNCTIONS = frozenset({"pytest.skip", "pytest_asyncio.is_async_test"})
_HARMFUL_BUILTINS = frozenset({"__import__", "delattr", "eval", "exec", "globals", "locals", "setattr", "vars"})
_READING_METHODS = (
    "as_posix count difference endswith exists format get get_closest_marker getini getoption getvalue index"
    " intersection is_relative_to isdisjoint issubset issuperset items iter_markers join keys lower match partition"
    " pytest_deselected relative_to removeprefix removesuffix replace resolve rpartition rsplit search split startswith"
    " strip union upper values"
)
# These change what they are called on: a list or set of the hook's own, or the one of all tests, in which they stand.
_CHANGING_METHODS = "add append clear extend insert pop remove reverse sort update"
_HARMLESS_METHODS = frozenset(_READING_METHODS.split())
_HARMLESS_ON_LISTS = frozenset(_CHANGING_METHODS.split())
# What something of a test may be, and not a list of the hook's own.
_PARTS = (ast.Attribute, ast.Call, ast.Subscript)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Stands for a helper that speaks of the mode in a file that does not parse.
_WHAT_CANNOT_BE_READ = ast.Constant("asyncio_mode")


def running_hook(conftest: Module) -> str:
    """The hook of a conftest (or plugin) that could run async tests or mark them, "" when there is none."""
    return conftest.fact(_find_running_hook)


def configuring_hook(conftest: Module) -> str:
    """The hook that could set pytest-asyncio's mode, "" when there is none."""
    return conftest.fact(_find_configuring_hook)


def may_be_generated(module: Module, name: str) -> bool:
    """Whether a hook of a test file, or of a conftest in sight, gives a parameter its values, or may do so."""
    conftests = module.project.conftests(module.directory).modules
    found = (each.fact(_generated) for each in (module, *conftests))
    return any(names is None or name in names for names in found)


def _generated(module: Module) -> frozenset[str] | None:
    """The parameters of tests to which the hook of a file gives values; None where that cannot be read."""
    if any(not isinstance(binding, ast.FunctionDef) for binding in module.scope.bindings.get(_GENERATING_HOOK, ())):
        return None
    found: set[str] = set()
    for call in module.method_calls("parametrize"):
        if call.function is not None and call.function.name == _GENERATING_HOOK:
            names = names_filled(call)
            if names is None:
                return None
            found |= names
    return frozenset(found)


def names_filled(parametrize: Call) -> frozenset[str] | None:
    """The parameters that a call of `parametrize` fills; None where it names what cannot be read.

    What is indirect goes to a fixture.
    """
    indirect = parametrize.argument(2, "indirect")
    if isinstance(indirect, ast.Constant) and indirect.value is True:
        return frozenset()
    given = parametrize.argument(0, "argnames")
    names = argument_names(parametrize.module.value_of(given, parametrize.scope)) if given is not None else ()
    return frozenset(names) or None


def _find_running_hook(conftest: Module) -> str:
    if _replaces_runtest(conftest):
        return "another runtest"
    if not _has_any_hook(conftest):
        return ""
    for name in _RUNNING_HOOKS:
        for module, binding in hooks_called(conftest, name):
            if name != _MARKING_HOOK or not only_sorts_out(module, binding):
                return name
    for name in _ITEM_HOOKS:
        for module, binding in hooks_called(conftest, name):
            if not isinstance(binding, _DEFINITIONS) or module.fact(_changes_tests):
                return name
    return configuring_hook(conftest)


def _find_configuring_hook(conftest: Module) -> str:
    """One that speaks of the mode, or that stands elsewhere."""
    if not _has_any_hook(conftest):
        return ""
    for name in _CONFIGURING_HOOKS:
        for module, binding in hooks_called(conftest, name):
            if not isinstance(binding, _DEFINITIONS) or _touches_asyncio_mode(module, binding):
                return name
    return ""


def _has_any_hook(conftest: Module) -> bool:
    """Whether it has one of those that matter here: hardly a file of tests has."""
    modules = (conftest, *conftest.provided_fixtures.star_modules)
    return any(not _HOOKS.isdisjoint(module.scope.bindings) or module.fact(_registered).classes for module in modules)


def has_hook(conftest: Module, name: str) -> bool:
    """Whether a conftest (or plugin) has a hook, be it imported."""
    return any(True for _ in hooks_called(conftest, name))


def hooks_called(conftest: Module, name: str) -> Iterator[tuple[Module, ast.AST]]:
    """What binds the name of a hook, in the conftest itself or in a module from which it imports everything.

    The methods of the plugins that these register are hooks as well.
    """
    for module in (conftest, *conftest.provided_fixtures.star_modules):
        for binding in module.scope.bindings.get(name, ()):
            yield module, binding
        for klass in module.fact(_registered).classes:
            method = klass.find_method(name)
            if method is not None:
                yield module, method.node


def registers_unseen_plugin(conftest: Module) -> bool:
    """Whether a conftest registers a plugin that cannot be seen from it."""
    return not conftest.fact(_registered).complete


# By which a manager of plugins takes a module for one, or those that packages name.
_IMPORTING = ("import_plugin", "load_setuptools_entrypoints")


@record
class _Registered:
    """The plugins that a file registers by itself: their classes, and whether these are all."""

    classes: tuple[Class, ...]
    complete: bool


def _registered(module: Module) -> _Registered:
    """What `config.pluginmanager.register(Runner())`, `pluginmanager.import_plugin("runner")` and the like say."""
    plugins = [
        _class_of_plugin(call) if call.node.func.attr == "register" else None
        for call in module.method_calls("register", *_IMPORTING)
        if isinstance(call.node.func, ast.Attribute) and word_of(receiver_of(call.node)) == "pluginmanager"
    ]
    classes = tuple(klass for klass in plugins if klass is not None and klass.kind is ClassKind.PLAIN)
    return _Registered(classes, len(classes) == len(plugins))


def _class_of_plugin(call: Call) -> Class | None:
    """The class of this file that an instance of is registered, or that is registered itself."""
    plugin = call.argument(0, "plugin")
    value = call.module.value_of(plugin, call.scope) if plugin is not None else None
    made = value.func if isinstance(value, ast.Call) else value
    definition = call.module.names.definition(made, call.scope) if made is not None else None
    return call.module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None


def _changes_tests(module: Module) -> bool:
    """Whether a file gives tests something else to call, or marks them with what may run them.

    Wherever it does: a hook may have helpers.
    """
    for node, _ in module.index.settings:
        if any(isinstance(target, ast.Attribute) and target.attr in _CALLED_OF_ITEM for target in node.targets):
            return True
    for call in module.calls("builtins.setattr"):
        name = call.argument(1, "name")
        if isinstance(name, ast.Constant) and name.value in _CALLED_OF_ITEM:
            return True
    return not all(map(_adds_harmless_mark, module.method_calls("add_marker"))) or _generates_marks(module)


def _replaces_runtest(module: Module) -> bool:
    """Whether a file gives all tests another `runtest`: `pytest.Function.runtest = run`, wherever it does."""
    if "runtest" not in module.text:
        return False
    owners = [
        (target.value, scope)
        for node, scope in module.index.settings
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == "runtest"
    ]
    for call in module.calls("builtins.setattr"):
        owner, name = call.argument(0, "obj"), call.argument(1, "name")
        if owner is not None and isinstance(name, ast.Constant) and name.value == "runtest":
            owners.append((owner, call.scope))
    return any(module.qualified(owner, scope) in _CLASSES_OF_TESTS for owner, scope in owners)


def _touches_asyncio_mode(module: Module, hook: ast.AST) -> bool:
    """Whether a hook speaks of the mode, or a function of the project does that it calls."""
    todo: list[tuple[Module, ast.AST]] = [(module, hook)]
    for there, function in todo:
        for node in ast.walk(function):
            word = (
                node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else ""
            )
            if isinstance(word, str) and ("asyncio_mode" in word or "asyncio-mode" in word):
                return True
            helper = _helper_called(there, node, function) if isinstance(node, ast.Call) else None
            if helper is not None and helper not in todo:
                todo.append(helper)
    return False


def _helper_called(module: Module, call: ast.Call, function: ast.AST) -> tuple[Module, ast.AST] | None:
    """What a hook or a helper of one calls, and where it stands: in another file only if the mode is spoken of there.

    Of what is neither of this file nor a function it is all of the other file.
    """
    definition = module.names.definition(call.func, module.scope)
    if definition is not None:
        return module, definition
    within = module.function_of_node(function)
    scope = within.scope if within is not None else module.scope
    located = module.project.outlines.end_of_imports(module.qualified(call.func, scope), module.directory)
    if located is None or not module.project.said_in(located[0], _speaks_of_asyncio_mode):
        return None
    helper = function_meant(module, call.func, scope)
    if helper is not None:
        return helper.module, helper.node
    other = module.project.module_at(located[0])
    return (other, other.tree) if other is not None else (module, _WHAT_CANNOT_BE_READ)


def _speaks_of_asyncio_mode(content: bytes) -> bool:
    return b"asyncio_mode" in content or b"asyncio-mode" in content


# -- a hook that runs nothing ------------------------------------------------------------------------------------------


def only_sorts_out(module: Module, binding: ast.AST) -> bool:
    """Whether all that the hook does is to skip tests, to leave some out, or to mark them with what runs nothing."""
    function = module.function_of_node(binding)
    if function is None or function.is_generator:
        return False
    if any(_defines_or_reaches_into(node) for node in ast.walk(function.node) if node is not function.node):
        return False
    calls = [
        module.call_at(node, scope)
        for scope in module.scopes_within(function.scope)
        for node in scope.of(ast.Call)
        if isinstance(node, ast.Call)
    ]
    # Only of a hook that marks tests with something else it can be told what it is for.
    return any(map(_adds_harmless_mark, calls)) and all(map(_is_harmless, calls))


def _defines_or_reaches_into(node: ast.AST) -> bool:
    """Whether a node is a definition, or gives a part of something else than a list another value."""
    if isinstance(node, ast.Attribute):
        return not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Subscript):
        return not isinstance(node.ctx, ast.Load) and not isinstance(node.value, ast.Name)
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _is_harmless(call: Call) -> bool:
    function = call.node.func
    if call.name:
        library = call.name.startswith((MARK, *_HARMLESS_LIBRARIES)) or call.name in _HARMLESS_FUNCTIONS
        name = call.name.removeprefix("builtins.")
        return library or (name != call.name and name not in _HARMFUL_BUILTINS)
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in _HARMLESS_ON_LISTS:
        return not isinstance(call.module.value_of(function.value, call.scope), _PARTS)
    return function.attr in _HARMLESS_METHODS or _adds_harmless_mark(call)


def _adds_harmless_mark(call: Call) -> bool:
    argument = call.argument(0, "marker")
    if argument is None or not isinstance(call.node.func, ast.Attribute) or call.node.func.attr != "add_marker":
        return False
    mark = mark_of(call.module, argument, call.scope)
    value = call.module.value_of(argument, call.scope)
    name = mark.name if mark is not None else value.value if isinstance(value, ast.Constant) else None
    return isinstance(name, str) and name not in running_marks(call.module)


def _generates_marks(module: Module) -> bool:
    """Whether the hook that generates tests has parameters for them with a mark that may run what gets them."""
    given = [
        (marks, param.scope)
        for param in module.calls("pytest.param")
        if (marks := keyword_value(param.node, "marks")) is not None
        and param.function is not None
        and param.function.name == _GENERATING_HOOK
    ]
    return any(may_run(module, marks_in_values(module, [marks], scope)) for marks, scope in given)


def may_run(module: Module, marks: Marks) -> bool:
    """Whether there is a mark among some that may run what gets it."""
    return not marks.complete or marks.has(*running_marks(module))
