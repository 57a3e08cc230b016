"""What pytest's configuration makes of a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.config import PytestConfig

# By these names an entry can mean a thread's exception, by which pytest warns of it.
_THREAD_EXCEPTION = frozenset(
    {
        "",
        "Warning",
        "UserWarning",
        "pytest.PytestWarning",
        "pytest.PytestUnhandledThreadExceptionWarning",
    }
)


def thread_exceptions_fail(config: PytestConfig) -> bool:
    """Whether an exception in a thread fails the test that runs meanwhile, since the warning of it is an error."""
    fails = False
    # The last entry that fits decides, and those of the command line come after those of the option.
    for action, message, category in _entries(config):
        if category in _THREAD_EXCEPTION and not message:
            fails = action == "error"
    return fails


def _entries(config: PytestConfig) -> Iterator[tuple[str, str, str]]:
    """The action, the message and the category of each warning filter."""
    option = config.get("filterwarnings")
    for entry in (*(option.values if option is not None else ()), *_given_in_addopts(config)):
        action, message, category, *_ = (*(part.strip() for part in entry.split(":")), "", "", "")
        yield action, message, category


def _given_in_addopts(config: PytestConfig) -> Iterator[str]:
    addopts = config.get("addopts")
    words = iter(addopts.values if addopts is not None else ())
    for word in words:
        if word == "-W":
            yield next(words, "")
        elif word.startswith("-W"):
            yield word.removeprefix("-W")
