"""How starts agree: what is counted, and when a search ends for it."""

import pytest
import torch

from ebmlang.lang import DomainKind
from ebmlang.runs.certainty import Sureness, weigh
from ebmlang.solve.answers.agreement import Agreement, Merit, count_agreement
from ebmlang.solve.effort import EFFORTS
from ebmlang.solve.local import Local
from ebmlang.solve.run import search
from ebmlang.solve.search.multistart import Multistart
from tests.runtime.function_target import FunctionTarget, layout_of

EPS = torch.finfo(torch.float64).eps


def merit(*energies: float, violation: float = 0.0) -> Merit:
    values = torch.tensor(energies, dtype=torch.float64)
    return Merit(energy=values, violation=torch.full_like(values, violation))


def counted(*rounds: Merit) -> Agreement:
    return count_agreement(rounds, EPS)


def test_starts_at_the_best_energy_are_counted() -> None:
    found = counted(merit(1.0, 1.0 + 1e-7, 2.0, torch.inf))

    assert (found.reached, found.starts, found.confirming) == (2, 4, 1)


def test_a_round_with_one_start_at_the_best_does_not_confirm_it() -> None:
    assert counted(merit(1.0, 2.0, 2.0)).confirming == 0


def test_a_better_energy_in_a_later_round_takes_back_what_was_confirmed() -> None:
    found = counted(merit(1.0, 1.0), merit(0.5, 1.0))

    assert (found.reached, found.confirming) == (1, 0)


def test_only_rounds_at_the_end_are_in_a_row() -> None:
    best, other = merit(1.0, 1.0), merit(2.0, 2.0)

    assert counted(best, other, best, best).confirming == 2
    assert counted(best, best, other).confirming == 0


def test_where_nothing_is_feasible_starts_agree_on_the_least_violation() -> None:
    found = counted(merit(5.0, 7.0, violation=2.0), merit(1.0, violation=3.0))

    assert (found.reached, found.starts, found.confirming) == (2, 3, 0)


def test_a_feasible_start_is_worth_more_than_a_low_energy() -> None:
    found = counted(merit(-9.0, -9.0, violation=1.0), merit(4.0))

    assert found.reached == 1


def test_one_start_alone_is_said_to_be_alone() -> None:
    alone = weigh(Agreement(reached=1, starts=128, rounds=1, confirming=0))
    several = weigh(Agreement(reached=14, starts=128, rounds=1, confirming=1))

    assert alone.sureness is Sureness.ALONE
    assert several.sureness is Sureness.LIKELY
    assert several.words == "the best energy was reached by 14 of 128 starts"


def rounds_of(effort: str, starts: int) -> int:
    """Return how many rounds a bowl takes, where every start ends at the one minimum."""
    target = FunctionTarget(dim=1, energy=lambda x: x[:, 0] ** 2)
    chosen = EFFORTS[effort]
    found = search(
        target,
        layout_of(DomainKind.REAL, 1, lower=-1, upper=1),
        Multistart(starts=starts, local=Local()),
        rounds=chosen.rounds,
        confirming=chosen.confirming,
    )
    return found.agreement.rounds


@pytest.mark.slow
def test_a_search_goes_on_until_as_many_rounds_confirm_the_best_as_the_effort_asks_for() -> None:
    assert rounds_of("quick", 4) == 1
    assert rounds_of("normal", 4) == 1
    assert rounds_of("thorough", 4) == 3


@pytest.mark.slow
def test_a_search_that_is_never_confirmed_ends_after_the_most_rounds() -> None:
    """A round of one start cannot confirm anything."""
    assert rounds_of("normal", 1) == EFFORTS["normal"].rounds
