"""Specs in machine code: energy, gradient, requirements and domains together."""

import pytest
import torch

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.lower.native.build import find_compiler
from ebmlang.sample import build_setting
from ebmlang.sample.advance import advance, find_flight
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.kernels import Hmc
from ebmlang.sample.metric import identity
from ebmlang.sample.native import compile_density
from ebmlang.sample.state import begin
from tests.sample.native.test_machine import same

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

SPECS = {
    "schools": """
        given y: real[3] = [28, 8, -3]
        given sigma: real[3] = [15, 10, 16]
        var mu: real ~ normal(0, 5)
        var tau: positive ~ half_cauchy(5)
        var raw: real[3] ~ normal(0, 1)
        prefer effects: y ~ normal(mu + tau * raw, sigma)
    """,
    "domains": """
        var share: simplex[3]
        var cut: ordered[3]
        var angle: real in [0, 2]
        minimize spread: sum((cut - [1, 2, 3])^2) + norm(share - [0.2, 0.3, 0.5])^2 * 20 + angle^2
        require apart: cut[2] >= cut[0] + 1.5
        require few: share[0] <= 0.4
    """,
    "scattered": """
        var a: real[2]
        var b: real in [-1, 1]
        var c: real
        minimize pull: sum(a^2) + (c - b)^2 + exp(b) + a[0] * c
    """,
}
"""The last has its columns out of order: bounded ones between free ones."""

CHAINS = 11


def density_of(text, dtype=torch.float64):
    model = ebmlang.loads(text)
    module = compile_model(model, dtype=dtype, device="cpu")
    return build_setting(module.packed(), lay_out(module), seed=2, chains=CHAINS)


@pytest.mark.parametrize("name", list(SPECS))
def test_steps_of_a_spec_are_those_of_torch(name):
    setting = density_of(SPECS[name])
    density, streams = setting.density, setting.streams
    compiled = compile_density(density)
    assert isinstance(compiled, TargetDensity)
    assert compiled.machine is not None
    state = begin(density, 0.3 * streams.at(0).normal("start", density.chart.dim), streams.at(0))
    kernel = Hmc(
        step_size=torch.tensor(0.2).double(), metric=identity(state.position), most_steps=5
    )

    for iteration in range(1, 11):
        expected, said = kernel.step(density, state, streams.at(iteration))
        state, info = advance(kernel, compiled, state, streams.at(iteration))
        # One trajectory's round-off, of numbers up to some hundred.
        same(state, expected, 1e-10)
        same(info, said, 1e-10)


def test_what_has_no_form_in_c_moves_in_torch():
    density = density_of("var u: unit[3]\nminimize lean: u[0]").density

    compiled = compile_density(density)

    assert compiled is density
    metric = identity(torch.zeros(1, 3))
    assert find_flight(Hmc(step_size=torch.ones(()), metric=metric, most_steps=1), density) is None
