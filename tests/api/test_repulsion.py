"""A spec with `repel` runs only where a proof allows it; its energy can be looked at even so."""

import math

import numpy as np
import pytest

from ebmlang import EbmError, loads

TOO_STRONG = loads("var x: real\nprefer home: x ~ normal(0, 1)\nprefer away: repel(energy(x^4), 1)")
TWO_WELLS = loads("var x: real\nminimize wall: x^4\nprefer away: repel(energy(x^2), 3)")


@pytest.mark.parametrize("verb", ["solve", "sample"])
def test_nothing_runs_on_a_repel_that_is_too_strong(verb):
    with pytest.raises(EbmError) as refusal:
        getattr(TOO_STRONG, verb)()

    assert [d.code for d in refusal.value.diagnostics] == ["E0414"]
    assert refusal.value.exit_code == 1


def test_the_energy_of_a_point_is_computed_even_so():
    found = TOO_STRONG.terms({"x": np.array(2.0)})

    assert found.energies["away"].item() == -16.0


def test_solving_finds_the_wells_beside_what_is_repelled():
    # x^4 - 3 x^2 is least where x^2 = 3/2.
    found = TWO_WELLS.solve(starts=16, seed=1)

    assert found[0].energy == pytest.approx(-2.25, abs=1e-6)
    wells = sorted(design.variables["x"].item() for design in found)
    assert wells[:1] + wells[-1:] == pytest.approx([-math.sqrt(1.5), math.sqrt(1.5)], abs=1e-3)
