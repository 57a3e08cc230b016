"""The suites under ``examples/``: what the plugin finds in them, and what real pytest makes of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.linting import configure, lint_text
from tests.proofs import FOREIGN_PLUGINS, run_pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PATIENCE = 60.0

PITFALLS = """
tests/api/test_api.py:17 AT701
tests/api/test_api.py:23 AT703
tests/api/test_api.py:24 AT708
tests/api/test_api.py:30 AT304
tests/api/test_api.py:34 AT702
tests/api/test_api.py:39 AT705
tests/api/test_api.py:45 AT705
tests/conftest.py:1 AT801
tests/conftest.py:18 AT804
tests/conftest.py:19 AT113
tests/conftest.py:23 AT203
tests/conftest.py:31 AT704
tests/conftest.py:40 AT706
tests/conftest.py:50 AT201
tests/conftest.py:66 AT508
tests/conftest.py:84 AT705
tests/conftest.py:85 AT705
tests/services/test_orders.py:39 AT202
tests/services/test_orders.py:45 AT302
tests/services/test_orders.py:49 AT501
tests/services/test_orders.py:54 AT704
tests/services/test_orders.py:54 AT707
tests/unit/test_receipts.py:12 AT709
tests/unit/test_receipts.py:17 AT301
tests/unit/test_receipts.py:23 AT302
tests/unit/test_receipts.py:28 AT504
tests/unit/test_receipts.py:29 AT601
tests/unit/test_receipts.py:36 AT602
tests/unit/test_receipts.py:45 AT603
tests/unit/test_receipts.py:51 AT507
tests/unit/test_receipts.py:55 AT505
tests/unit/test_receipts.py:60 AT510
tests/unit/test_receipts.py:65 AT510
tests/unit/test_receipts.py:73 AT604
tests/unit/test_receipts.py:78 AT605
tests/unit/test_receipts.py:82 AT207
tests/unit/test_receipts.py:87 AT207
tests/unit/test_service.py:24 AT101
tests/unit/test_service.py:34 AT408
tests/unit/test_service.py:41 AT303
tests/unit/test_service.py:48 AT401
tests/unit/test_service.py:55 AT403
tests/unit/test_service.py:64 AT404
tests/unit/test_service.py:71 AT407
tests/unit/test_service.py:80 AT103
tests/unit/test_service.py:83 AT107
tests/unit/test_service.py:90 AT513
tests/unit/test_service.py:92 AT111
tests/unit/test_service.py:93 AT513
tests/unit/test_service.py:97 AT105
tests/unit/test_service.py:100 AT102
tests/unit/test_service.py:105 AT710
tests/unit/test_service.py:107 AT104
tests/unit/test_service.py:122 AT710
"""

OUTCOMES = {
    "shop": {"passed": 19},
    "shop_pitfalls": {"failed": 13, "passed": 26, "xfailed": 1, "error": 1},
}


def found_in(project: str) -> list[str]:
    """Every finding in an example, as `path:line CODE`."""
    configure()
    root = EXAMPLES / project
    return [
        f"{path.relative_to(root).as_posix()}:{finding.line} {finding.code}"
        for path in sorted(root.rglob("*.py"))
        for finding in lint_text(path, path.read_text(encoding="utf-8"))
    ]


def test_nothing_is_found_in_the_right_suite() -> None:
    assert found_in("shop") == []


def test_every_pitfall_is_found() -> None:
    assert found_in("shop_pitfalls") == PITFALLS.split("\n")[1:-1]


@pytest.mark.parametrize("project", OUTCOMES)
def test_real_pytest_runs_it(project: str, tmp_path: Path) -> None:
    directory = tmp_path / project
    shutil.copytree(EXAMPLES / project, directory, ignore=shutil.ignore_patterns("__pycache__", ".*", "*.db"))
    arguments = [argument for plugin in FOREIGN_PLUGINS for argument in ("-p", f"no:{plugin}")]
    seen = run_pytest(arguments, directory, PATIENCE)
    counts = {what: number for what, number in seen.outcome.counts.items() if what != "warning"}
    assert counts == OUTCOMES[project], seen.text


def test_both_suites_test_the_same_application() -> None:
    right, wrong = (
        {path.name: path.read_text(encoding="utf-8") for path in (EXAMPLES / project / "app").glob("*.py")}
        for project in OUTCOMES
    )
    assert right == wrong
