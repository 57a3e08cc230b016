"""Suites of several packages, each with a conftest of its own: the findings, and what real pytest makes of them.

A suite stands in a file of the cases' format under ``suites/loops``. Its findings are those that the comments name,
of all rules and no others. The outcomes stand here, test by test: what the rules say would fail does fail.

The outcomes are checked under ``--proof-environment old`` as well, in an environment without the plugin.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cases import Case, load_cases
from tests.proofs import FOREIGN_PLUGINS, PATIENCE, UNSET_LOOP_SCOPE, run_pytest, write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITES = {
    case.title: case
    for path in sorted((Path(__file__).parent / "suites" / "loops").glob("*.md"))
    for case in load_cases(path)
}

OUTCOMES = ("FAILED", "ERROR", "PASSED")
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR) (\S+)", re.MULTILINE)

NEW = {
    "Strict mode": {
        "FAILED": {
            "legacy/test_legacy.py::test_same_loop",
            "orders/test_future.py::test_on_the_session_loop",
            "orders/test_class_loop.py::TestOnItsOwnLoop::test_double",
            "orders/test_orders.py::test_double",
            "users/test_users.py::test_another_parcel",
            "users/test_users.py::test_api",
            "users/test_users.py::test_late",
        },
        "ERROR": {
            "users/test_users.py::test_visitor",
            "users/test_users.py::test_visits",
            "without/test_event_loop.py::test_event_loop",
        },
        "PASSED": {
            "legacy/test_legacy.py::test_loop",
            "legacy/test_scope.py::test_module",
            "orders/test_future.py::test_future",
            "orders/test_class_loop.py::TestOnItsOwnLoop::test_settings",
            "orders/test_all_on_one_loop.py::TestOnTheSameLoop::test_double",
            "orders/test_all_on_one_loop.py::test_double",
            "orders/test_orders.py::test_another_greeting",
            "orders/test_orders.py::test_another_parcel",
            "orders/test_orders.py::test_greeting",
            "orders/test_orders.py::test_parcel",
            "orders/test_orders.py::test_settings",
            "users/test_users.py::TestWithAnotherClient::test_api",
            "users/test_users.py::test_absent",
            "users/test_users.py::test_greetings",
            # Of those that share a queue the first one binds it to its loop, and passes.
            "users/test_users.py::test_parcel",
        },
    },
    "Auto mode, and half of a configuration": {
        "FAILED": {
            "orders/test_orders.py::test_future",
            "users/test_users.py::test_echo",
        },
        "ERROR": set(),
        "PASSED": {
            "orders/test_orders.py::test_another_lock",
            "orders/test_orders.py::test_another_parcel",
            "orders/test_orders.py::test_lock",
            "orders/test_orders.py::test_parcel",
            "orders/test_orders.py::test_settings",
            # Nobody has waited for this queue.
            "users/test_users.py::TestOnTheModulesLoop::test_parcels",
            "users/test_users.py::test_echo_on_the_session_loop",
            "users/test_users.py::test_sync",
            "users/test_users.py::test_visitor",
        },
    },
    "Auto mode, and all of it": {
        "FAILED": {
            "orders/test_orders.py::test_on_its_own_loop",
            "orders/test_orders.py::test_parcel_on_its_own_loop",
        },
        "ERROR": {
            "users/test_users.py::test_visits",
        },
        "PASSED": {
            "orders/test_orders.py::test_another_parcel",
            "orders/test_orders.py::test_future",
            "orders/test_orders.py::test_parcel",
        },
    },
}
"""What comes of each test, by suite."""

OLD = {
    "Strict mode": {
        "FAILED": {
            "orders/test_class_loop.py::TestOnItsOwnLoop::test_double",
            "orders/test_orders.py::test_double",
            "users/test_users.py::test_another_parcel",
            "users/test_users.py::test_late",
            "users/test_users.py::test_visitor",
        },
        "ERROR": {
            "users/test_users.py::test_visits",
        },
        "PASSED": {
            "legacy/test_legacy.py::test_loop",
            "legacy/test_legacy.py::test_same_loop",
            "legacy/test_scope.py::test_module",
            "orders/test_class_loop.py::TestOnItsOwnLoop::test_settings",
            "orders/test_all_on_one_loop.py::TestOnTheSameLoop::test_double",
            "orders/test_all_on_one_loop.py::test_double",
            "orders/test_orders.py::test_another_parcel",
            "orders/test_orders.py::test_parcel",
            "orders/test_orders.py::test_settings",
            "users/test_users.py::test_absent",
            "users/test_users.py::test_parcel",
            "without/test_event_loop.py::test_event_loop",
        },
    },
}

OLD_ARGUMENTS = [
    # It refuses to collect a test that uses two loops, and has no aiohttp.
    "--ignore=orders/test_future.py",
    "-k",
    "not greeting and not api",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "suite_with_outcomes" in metafunc.fixturenames:
        old = metafunc.config.getoption("--proof-environment") == "old"
        metafunc.parametrize("suite_with_outcomes", OLD if old else NEW)


@pytest.mark.parametrize("suite", SUITES)
def test_the_findings_are_the_named_ones_and_no_others(suite: str, tmp_path: Path) -> None:
    # The environment with the old packages has no plugin.
    linting = pytest.importorskip("tests.linting", exc_type=ImportError)
    case = SUITES[suite]
    reported = linting.lint_project(case.files, tmp_path)
    found = sorted(
        (name, each.line, each.column, each.code) for name, all_of_it in reported.items() for each in all_of_it
    )
    assert found == sorted((each.path, each.line, each.column, each.code) for each in case.expected)
    messages = {
        (name, each.line, each.column, each.code): each.message
        for name, all_of_it in reported.items()
        for each in all_of_it
    }
    for each in case.expected:
        assert each.words in messages[each.path, each.line, each.column, each.code]


def test_pytest_does_what_the_findings_say(
    suite_with_outcomes: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    old = pytestconfig.getoption("--proof-environment") == "old"
    case = SUITES[suite_with_outcomes]
    write_project(case.files, tmp_path)
    blocked = [argument for name in (*FOREIGN_PLUGINS, "hypothesispytest") for argument in ("-p", f"no:{name}")]
    arguments = [*blocked, "-rA", "--tb=no", "-W", UNSET_LOOP_SCOPE, *(OLD_ARGUMENTS if old else [])]
    seen = run_pytest(arguments, tmp_path, PATIENCE)
    outcomes = {outcome: {test for what, test in OUTCOME.findall(seen.text) if what == outcome} for outcome in OUTCOMES}
    assert outcomes == (OLD if old else NEW)[suite_with_outcomes], seen.text


def test_every_suite_has_outcomes() -> None:
    assert set(NEW) == set(SUITES)


@pytest.mark.parametrize("suite", SUITES)
def test_each_test_that_fails_has_a_finding(suite: str) -> None:
    """On its own line or in the fixture that it asks for: no failure of the suite is beside the point."""
    case = SUITES[suite]
    files_with_findings = {each.path for each in case.expected}
    for test in NEW[suite]["FAILED"] | NEW[suite]["ERROR"]:
        path = test.partition("::")[0]
        assert path in files_with_findings or any(each in files_with_findings for each in _conftests(path, case))


def _conftests(path: str, case: Case) -> Iterator[str]:
    for parent in Path(path).parents:
        conftest = (parent / "conftest.py").as_posix()
        if conftest in case.files:
            yield conftest
