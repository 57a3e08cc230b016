"""The fixes of all rules together, applied to every case of every rule, written in every way.

Whatever comes out is Python, shows nothing of what was fixed, and is left alone by a second run. Each run of the tests
tries the same hundred examples; `tox -e fuzz` tries thousands of others.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from tests.cases import load_cases
from tests.fixing import fix_files, fix_project
from tests.variations import VARIATIONS

if TYPE_CHECKING:
    from tests.cases import Case

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
CASES = [
    case
    for folder in ("cases", "fixes")
    for path in sorted((Path(__file__).parent / folder).glob("AT*.md"))
    for case in load_cases(path)
]


@settings(
    max_examples=EXAMPLES or 100,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.sampled_from(CASES), st.sampled_from(sorted(VARIATIONS)), st.integers(0, 2**16))
def test_all_fixes_of_a_case_in_some_way(case: Case, variation: str, seed: int) -> None:
    files = {name: varied(text, variation, seed) if name.endswith(".py") else text for name, text in case.files.items()}
    with TemporaryDirectory() as name:
        directory = Path(name)
        results = fix_project(files, directory, [*case.options, "--extend-select=AT9"], {"AT"})
        for path, result in results.items():
            # That it is no longer there, and nothing fixable is: else there is trouble.
            assert result.trouble == ""
            assert not any(reported.finding.fix for reported in result.left)
            if is_python(result.document.content):
                assert is_python(result.content)
            (directory / path).write_bytes(result.content)
        again = fix_files(directory, results, {"AT"})
        assert {path: result.text for path, result in again.items() if result.has_changed} == {}


def varied(text: str, variation: str, seed: int) -> str:
    """The text written in another way; as it is where it is no Python to begin with."""
    if not is_python(text.encode()):
        return text
    new = VARIATIONS[variation](text, Random(seed))
    return new if is_python(new.encode()) else reject()


def is_python(content: bytes) -> bool:
    try:
        ast.parse(content)
    except (SyntaxError, ValueError):
        return False
    return True
