"""What the rules' pages say that pytest does is what pytest does.

Each line of each page's proof is one test. The lines about old packages run only under
``--proof-environment old``, in an environment that has those packages (``tox -e proof-old``).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.migration import GUIDE, SUITES, load_steps
from tests.pages import Page, PageError, ProofRun, load_page, page_paths
from tests.proofs import differences, run_proof

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES: dict[str, dict[str, tuple[int, ...]]] = {
    "new": {"pytest": (9,), "pytest-asyncio": (1, 5)},
    "old": {"pytest": (8, 3), "pytest-asyncio": (0, 24)},
}
"""The versions that the pages mean by their words: at least these for the new ones, exactly these for the old."""

Claim = tuple[Page, ProofRun] | PageError


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "claim" in metafunc.fixturenames:
        old = metafunc.config.getoption("--proof-environment") == "old"
        metafunc.parametrize("claim", list(claims(old)))


def claims(old: bool) -> Iterator[object]:
    """Everything the pages say about one of the environments; a page that cannot be read fails as a test."""
    for path in page_paths():
        try:
            page = load_page(path)
        except PageError as error:
            yield pytest.param(error, id=path.stem)
            continue
        for run in page.proof:
            if run.old == old:
                yield pytest.param((page, run), id=f"{page.code}: {run.claim}")
    for path in (GUIDE, *SUITES):
        for step in load_steps(path):
            for run in step.page.proof:
                if run.old == old:
                    yield pytest.param((step.page, run), id=f"{step.title}: {run.claim}")


@pytest.fixture(scope="module")
def right_packages(pytestconfig: pytest.Config) -> None:
    """An ``old`` run on new packages, or the other way round, must not look like a proof."""
    environment = pytestconfig.getoption("--proof-environment")
    for package, wanted in PACKAGES[environment].items():
        installed = tuple(int(part) for part in version(package).split(".")[: len(wanted)])
        right = installed == wanted if environment == "old" else installed >= wanted
        if not right:
            pytest.fail(f"the {environment} proofs are not about {package} {version(package)}", pytrace=False)


@pytest.mark.usefixtures("right_packages")
def test_pytest_does_what_the_page_says(claim: Claim, tmp_path: Path) -> None:
    if isinstance(claim, PageError):
        raise claim
    page, run = claim
    seen = run_proof(run, page.files(run.project), tmp_path)
    wrong = differences(run, seen)
    if wrong:
        told = "\n".join(wrong)
        pytest.fail(f"{page.path}: {run.claim}\n{told}\n\n{seen.text}", pytrace=False)


@pytest.mark.usefixtures("right_packages")
@pytest.mark.parametrize("package", ["anyio", "trio"])
def test_the_other_async_frameworks_are_there(package: str) -> None:
    assert version(package)
