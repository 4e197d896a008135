"""Data, weights and seeds are run-time inputs: changing one compiles nothing."""

import numpy as np
import pytest

import ebmlang
from ebmlang.lower.module import COMPILATIONS

SPEC = """
given y: real[N]
given gain: real = 2.0
spec pull() { var x: real in [-5, 5]  prefer low: x <= 0 within 0.5 weight 3 }
part left = pull()
minimize fit: sum v in y: (left.x * gain - v)^2 weight 0.1
"""


@pytest.fixture
def compiled():
    """How often this process has compiled since the test began."""
    before = COMPILATIONS["graph"]
    return lambda: COMPILATIONS["graph"] - before


def test_a_model_is_compiled_once_for_all_data_weights_and_seeds(compiled):
    model = ebmlang.loads(SPEC)

    for seed in range(3):
        data = {"y": np.arange(4.0) + seed, "gain": 1.0 + seed}
        model.solve(data, {"left.low": 2.0, "left": 1.0 + seed}, seed=seed, starts=4)
        model.sample(data, chains=4, draws=5, warmup=5, seed=seed)
        model.energy({"left.x": 1.0}, data)
        model.terms({"left.x": 1.0}, data, {"fit": 0.5})

    assert compiled() == 1


def test_another_size_of_the_data_is_another_program(compiled):
    model = ebmlang.loads(SPEC)

    model.energy({"left.x": 1.0}, {"y": np.zeros(4)})
    model.energy({"left.x": 1.0}, {"y": np.zeros(5)})
    model.energy({"left.x": 1.0}, {"y": np.ones(4)})

    assert compiled() == 2


def test_what_is_not_compiled_again_still_changes_the_energy():
    model = ebmlang.loads(SPEC)
    data = {"y": np.array([1.0, 2.0])}

    # C = (x / 0.5)^2 / 2 = 2 at x = 1; the fit is (2 - 1)^2 + (2 - 2)^2 = 1.
    assert float(model.energy({"left.x": 1.0}, data)) == pytest.approx(3 * 2 + 0.1)
    heavier = model.energy({"left.x": 1.0}, data, {"left.low": 1.0, "left": 10.0, "fit": 1.0})
    assert float(heavier) == pytest.approx(10 * 2 + 1)
    other = model.energy({"left.x": 1.0}, {**data, "gain": 3.0})
    assert float(other) == pytest.approx(3 * 2 + 0.1 * (4 + 1))
