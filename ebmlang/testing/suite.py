"""All tests that a spec states of itself: its properties and examples."""

from collections.abc import Iterator
from typing import assert_never

from ebmlang.api.model import Model
from ebmlang.check.claims import Claim, Example, Property
from ebmlang.testing.outcome import Outcome

POINTS = 100
"""How many points a property is looked at where nobody says."""


def run_tests(model: Model, *, points: int = POINTS, seed: int = 0) -> Iterator[Outcome]:
    r"""Test the properties and examples of a model, in the order of the file.

    Args:
        model: The model, with data bound.
        points: How many points each property is looked at.
        seed: Of all random numbers.

    Raises:
        EbmError: Data is missing or wrong, E0701-E0705.

    >>> import ebmlang
    >>> model = ebmlang.loads("property small: forall t: real in [0, 2]: t^2 <= 2")
    >>> print(next(run_tests(model)).counterexample)
    example small_fails { t = 2 } violates small
    """
    for claim in model.program.claims:
        yield run_test(model, claim, points=points, seed=seed)


def run_test(model: Model, claim: Claim, *, points: int = POINTS, seed: int = 0) -> Outcome:
    """Test one property or example of a model; see `run_tests`."""
    # Torch and hypothesis take seconds to import: a file without tests does not need them.
    match claim:
        case Property():
            from ebmlang.testing.properties import check_property

            return check_property(model, claim, points=points, seed=seed)
        case Example():
            from ebmlang.testing.examples import check_example

            return check_example(model, claim)
        case _:
            assert_never(claim)
