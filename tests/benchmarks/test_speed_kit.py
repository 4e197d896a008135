"""The kit itself: what it says of samples, and that candidates take turns."""

import sys

import pytest

from benchmarks.speed.report import Cell, show_race
from benchmarks.speed.rounds import (
    Entrant,
    Timing,
    open_workers,
    time_in_turns,
    torch_entrants,
)
from benchmarks.speed.worker import Call, Candidate, time_calls


def _cell(*timings, size=4):
    return Cell(measure="energies", target="ring", size=size, timings=timings)


def test_the_spread_is_half_the_distance_of_the_quartiles():
    timing = Timing(name="a", samples=(1.0, 2.0, 3.0, 4.0, 5.0))

    # Quartiles 1.5 and 4.5, median 3.
    assert timing.median == 3.0
    assert timing.spread == pytest.approx(0.5)


def test_others_are_shown_as_multiples_of_our_best_tier():
    table = show_race(
        [
            _cell(
                Timing(name="ebmlang straight", samples=(4e-6,) * 3),
                Timing(name="ebmlang native", samples=(2e-6,) * 3),
                Timing(name="torch by hand", samples=(3e-6,) * 3),
            )
        ]
    )

    assert "| torch by hand | 3 (1.5x) |" in table
    assert "| ebmlang native | **2** |" in table


def test_what_cannot_run_says_why():
    table = show_race([_cell(Timing(name="jax", error="ModuleNotFoundError: no jax"))])

    assert "| jax | ModuleNotFoundError: no jax |" in table


def test_a_sample_takes_as_many_calls_as_fill_its_seconds():
    calls = []

    def work():
        calls.append(sum(range(2000)))

    found = time_calls(Call(work, gradients=2.0), 0.01)

    assert found["calls"] > 1
    # Two gradients a call; the calls of the rounds that were too short are not in it.
    assert found["cpu"] * 2.0 * found["calls"] >= 0.01
    assert len(calls) >= found["calls"]


@pytest.mark.slow
def test_candidates_in_another_process_take_turns():
    entrants = [
        *torch_entrants("energies", "banana", 4, ("torch autograd", "torch by hand")),
        Entrant(
            name="nobody",
            python=sys.executable,
            candidate=Candidate(form="none", kind="energies", target="banana", size=4),
        ),
    ]

    with open_workers(None) as workers:
        autograd, by_hand, nobody = time_in_turns(workers, entrants, rounds=2, seconds=1e-4)

    assert len(autograd.samples) == len(by_hand.samples) == 2
    assert min(*autograd.samples, *by_hand.samples) > 0
    assert nobody.error == "ValueError: no form none"
