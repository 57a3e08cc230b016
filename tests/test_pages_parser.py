"""The reader of pages says what is wrong with a page, and the runner of proofs what is wrong with a proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages import Ending, Outcome, Page, PageError, ProofRun, load_page, page_paths, parse_counts, parse_page
from tests.proofs import Seen, differences, read_outcome, run_proof, run_pytest, write_project

GOOD = '''# AT101: unmarked-async-test

## What it does

Reports something.

## Why is this bad?

The example also shows AT103 and AT104.

## Example

```python
def test_bad():
    """
## Not a heading
    """
    assert False
```

```ini pytest.ini
[pytest]
```

## Use instead

```python app/service.py
VALUE = 1
```

## When it stays silent

- Never.

## Proof

Some prose.

```proof
Example: 1 failed, 2 warnings
  AssertionError
  not: Traceback: most recent

Example, old, with -W "error::RuntimeWarning" -k 'a or b': exit 4
Example, with --hang: hangs
Use instead: no tests
```

## References

- <https://docs.pytest.org/>
'''

PATH = Path("AT101.md")


def parse(text: str) -> Page:
    return parse_page(text, PATH)


def a_run(outcome: Outcome, shown: tuple[str, ...] = (), not_shown: tuple[str, ...] = ()) -> ProofRun:
    return ProofRun("Example", "Example", False, (), outcome, shown, not_shown)


def counts(**numbers: int) -> Outcome:
    return Outcome(Ending.COUNTS, numbers)


def test_a_page_is_read_whole() -> None:
    page = parse(GOOD)
    assert (page.code, page.name) == ("AT101", "unmarked-async-test")
    assert list(page.sections)[:3] == ["What it does", "Why is this bad?", "Example"]
    assert page.sections["When it stays silent"].text == "- Never."
    assert list(page.example) == ["test_example.py", "pytest.ini"]
    assert page.example["test_example.py"].endswith("    assert False\n")
    assert "## Not a heading" in page.example["test_example.py"]
    assert page.files("Use instead") == {"app/service.py": "VALUE = 1\n"}
    assert page.files("Example") is page.example
    assert page.also_shown == {"AT103", "AT104"}


def test_a_proof_is_read_line_by_line() -> None:
    first, second, third, fourth = parse(GOOD).proof
    assert first.outcome == counts(failed=1, warning=2)
    assert first.shown == ("AssertionError",)
    assert first.not_shown == ("Traceback: most recent",)
    assert not first.old
    assert second.old
    assert second.arguments == ("-W", "error::RuntimeWarning", "-k", "a or b")
    assert second.outcome == Outcome(Ending.EXIT, {}, 4)
    assert third.outcome.ending is Ending.HANGS
    assert (fourth.project, fourth.outcome.ending) == ("Use instead", Ending.NO_TESTS)


def test_pages_are_found_by_code(tmp_path: Path) -> None:
    for code in ("AT201", "AT101"):
        (tmp_path / f"{code}.md").write_text(GOOD.replace("AT101:", f"{code}:"), encoding="utf-8")
    (tmp_path / "notes.txt").touch()
    assert [load_page(path).code for path in page_paths(tmp_path)] == ["AT101", "AT201"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (GOOD, "", "AT101.md:1: the first line must be like"),
        ("# AT101: unmarked", "# AT101 unmarked", "AT101.md:1: the first line must be like"),
        ("# AT101:", "# AT102:", "AT101.md:1: the title says AT102, the file's name AT101"),
        ("## Proof", "## Proofs", "no section is called 'Proofs'"),
        ("## What it does", "## Example", "a second section 'Example'"),
        ("\nReports something.\n", "", "AT101.md:3: the section 'What it does' is empty"),
        ("## What it does\n\nReports something.\n\n", "", "the section 'What it does' is missing"),
        ("## What it does", "## Options\n\nNone.\n\n## What it does", "'What it does' belongs before 'Options'"),
        ("```python\n", "```\n", "must name its file"),
        ("```ini pytest.ini", "```ini", "the block 'ini' must name its file, like 'ini pytest.ini'"),
        ("```ini pytest.ini", "```ini ../pytest.ini", "'../pytest.ini' is no plain relative path"),
        ("```ini pytest.ini", "```ini /pytest.ini", "'/pytest.ini' is no plain relative path"),
        ("```ini pytest.ini", "```ini ./pytest.ini", "'./pytest.ini' is no plain relative path"),
        ("```ini pytest.ini", "```ini pytest.ini too", "'pytest.ini too' is no plain relative path"),
        ("```ini pytest.ini", "```python", "a second test_example.py in 'Example'"),
        ("```python app/service.py\nVALUE = 1\n```\n", "Nothing.\n", "'Use instead' shows no file"),
        ("Use instead: no tests\n```\n", "Use instead: no tests\n", "a fenced block that never ends"),
        ("```proof", "```text", "holds 0 blocks 'proof' instead of one"),
        ("Some prose.", "```proof\nExample: hangs\n```", "holds 2 blocks 'proof' instead of one"),
        ("Use instead: no tests", "Use instead", "'Use instead' is not like 'Example[, old]"),
        ("Use instead: no tests", "Used instead: no tests", "'Used instead: no tests' is not like"),
        ("Use instead: no tests", "Use instead, old with -x: no tests", "is not like"),
        ("Use instead: no tests", "Use instead: some passed", "'some passed' is no outcome"),
        ("Use instead: no tests", "Use instead: 1 passed,1 failed", "'1 passed,1 failed' is no outcome"),
        ("Use instead: no tests", "Example, with --hang: no tests", "says twice what comes of 'Example, with --hang'"),
        ("with --hang", "with '--hang", "cannot be read"),
        ("Example: 1 failed", "  Example: 1 failed", "an indented line with no run above it"),
    ],
)
def test_what_is_wrong_with_a_page_is_said(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(PageError) as caught:
        parse(GOOD.replace(old, new, 1))
    assert message in str(caught.value)


def test_a_proof_needs_a_run_with_the_current_packages() -> None:
    head, _, tail = GOOD.partition("```proof\n")
    with pytest.raises(PageError, match="no run with the current packages"):
        parse(f"{head}```proof\nExample, old: 1 skipped\n```\n{tail.partition('```')[2]}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 passed", {"passed": 1}),
        ("2 errors, 1 warning", {"error": 2, "warning": 1}),
        ("1 passed, 2 subtests passed", {"passed": 1, "subtests passed": 2}),
        ("no tests ran", None),
        ("", None),
    ],
)
def test_counts_are_read_as_pytest_prints_them(text: str, expected: dict[str, int] | None) -> None:
    assert parse_counts(text) == expected


@pytest.mark.parametrize(
    ("text", "exit_code", "expected"),
    [
        ("...\n===== 1 failed, 1 warning in 0.03s =====\nTask was destroyed\n", 1, counts(failed=1, warning=1)),
        ("1 passed in 0.01s\n", 0, counts(passed=1)),
        ("== 1 passed in 3.00s ==\nlater\n== 1 failed in 64.20s (0:01:04) ==", 1, counts(failed=1)),
        ("===== no tests ran in 0.00s =====", 5, Outcome(Ending.NO_TESTS, {}, 5)),
        ("===== 1 deselected in 0.00s =====", 5, Outcome(Ending.NO_TESTS, {}, 5)),
        ("ERROR: usage", 4, Outcome(Ending.EXIT, {}, 4)),
    ],
)
def test_an_outcome_is_read_from_the_closing_line(text: str, exit_code: int, expected: Outcome) -> None:
    seen = read_outcome(text, exit_code)
    assert (seen.ending, seen.counts) == (expected.ending, expected.counts)


@pytest.mark.parametrize(
    ("said", "text", "exit_code", "wrong"),
    [
        (counts(passed=1), "1 passed, 3 warnings in 0.01s", 0, []),
        (counts(passed=1, warning=3), "3 warnings, 1 passed in 0.01s", 0, []),
        (
            counts(passed=1, warning=2),
            "1 passed, 3 warnings in 0.01s",
            0,
            ["the page says 1 passed, 2 warning, pytest ended 1 passed, 3 warning"],
        ),
        (
            counts(passed=1),
            "1 passed, 1 failed in 0.01s",
            1,
            ["the page says 1 passed, pytest ended 1 passed, 1 failed"],
        ),
        (counts(passed=1), "ERROR: usage", 4, ["the page says 1 passed, pytest ended exit 4"]),
        (Outcome(Ending.EXIT, {}, 2), "1 error in 0.10s", 2, []),
        (Outcome(Ending.EXIT, {}, 4), "1 error in 0.10s", 2, ["the page says exit 4, pytest ended 1 error"]),
        (Outcome(Ending.NO_TESTS, {}), "no tests ran in 0.01s", 5, []),
        (Outcome(Ending.HANGS, {}), "1 passed in 0.01s", 0, ["the page says not at all, pytest ended 1 passed"]),
    ],
)
def test_a_run_is_compared_with_what_the_page_says(said: Outcome, text: str, exit_code: int, wrong: list[str]) -> None:
    assert differences(a_run(said), Seen(text, read_outcome(text, exit_code), exit_code)) == wrong


def test_what_a_run_shows_is_compared_line_by_line() -> None:
    text = "first line\n1 passed in 0.01s"
    run = a_run(counts(passed=1), shown=("first line", "missing"), not_shown=("absent", "passed"))
    assert differences(run, Seen(text, read_outcome(text, 0), 0)) == [
        "not in the output: missing",
        "in the output, against the page: passed",
    ]


def test_a_project_without_configuration_becomes_a_root(tmp_path: Path) -> None:
    write_project({"test_a.py": "", "app/service.py": "x = 1\n"}, tmp_path)
    assert (tmp_path / "pytest.ini").read_text() == ""
    assert (tmp_path / "app" / "service.py").read_text() == "x = 1\n"


def test_a_project_with_configuration_is_left_alone(tmp_path: Path) -> None:
    write_project({"pyproject.toml": ""}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_a_run_inherits_nothing_that_changes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_ADDOPTS", "PYTHONPATH", "COVERAGE_PROCESS_START", "COV_CORE_SOURCE", "CI", "FORCE_COLOR"):
        monkeypatch.setenv(name, "--no-such-option")
    files = {
        "test_environment.py": "import os\n\ndef test_clean():\n    "
        "assert not [v for v in os.environ.values() if v == '--no-such-option']\n"
    }
    run = a_run(counts(passed=1), shown=("configfile: pytest.ini", f"rootdir: {tmp_path}"))
    assert differences(run, run_proof(run, files, tmp_path)) == []


def test_a_run_that_hangs_is_ended_and_still_heard(tmp_path: Path) -> None:
    (tmp_path / "test_hang.py").write_text("import time\nprint('so far')\ntime.sleep(60)\n", encoding="utf-8")
    seen = run_pytest(["-s"], tmp_path, limit=10)
    assert seen.outcome.ending is Ending.HANGS
    assert "so far" in seen.text
