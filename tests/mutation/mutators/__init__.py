"""The mutators, by family of rules."""

from __future__ import annotations

from tests.mutation.mutators import (  # noqa: F401  # each adds its mutators to the registry
    awaits,
    clients,
    clocks,
    configuration,
    fixtures,
    mocks,
    opinions,
    tasks,
    tests,
)
from tests.mutation.mutators.registry import MUTATORS, Mutator

__all__ = ["MUTATORS", "Mutator"]
