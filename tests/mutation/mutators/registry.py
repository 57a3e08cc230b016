"""What a mutator is: the places where it can plant its pitfall, and how it does it at one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tests.mutation.draft import Draft, ImpossibleError, Mutant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.mutation.reading import Reading

_Site = TypeVar("_Site")


@dataclass(frozen=True, slots=True)
class Mutator:
    """Plants the pitfall of one rule in one way."""

    name: str
    code: str
    says: str
    """What it does, in words."""
    # Any: what a site is, only the mutator's own two functions know.
    sites: Callable[[Reading], Iterable[Any]]
    plant: Callable[[Draft, Any], None]

    def mutant(self, reading: Reading, site: object) -> Mutant | None:
        """The file with the pitfall at one site; None where its text does not allow it."""
        draft = Draft(reading, self.code)
        try:
            self.plant(draft, site)
            mutant = draft.compose()
        except ImpossibleError:
            return None
        return replace(mutant, mutator=self.name) if mutant is not None else None


MUTATORS: dict[str, Mutator] = {}


def mutator(
    code: str, sites: Callable[[Reading], Iterable[_Site]]
) -> Callable[[Callable[[Draft, _Site], None]], Mutator]:
    """Make a mutator of a function that plants a pitfall at a site; its docstring says what it does."""

    def decorate(plant: Callable[[Draft, _Site], None]) -> Mutator:
        assert plant.__doc__
        made = Mutator(plant.__name__, code, plant.__doc__.strip().partition("\n")[0].removesuffix("."), sites, plant)
        assert made.name not in MUTATORS
        MUTATORS[made.name] = made
        return made

    return decorate
