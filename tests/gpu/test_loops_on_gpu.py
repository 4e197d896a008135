"""Loops compiled for a CUDA device move chains as the kernels do in torch."""

import pytest
import torch

import ebmlang
from ebmlang.api.compile import lay_out
from ebmlang.sample.collector import new_record
from ebmlang.sample.kernels import Hmc
from ebmlang.sample.loop import build_density
from ebmlang.sample.metric import identity
from ebmlang.sample.native import Machine, build_machine
from ebmlang.sample.state import begin
from ebmlang.sample.streams import Streams

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
]

SPECS = {
    "mixture": "var x: real[2]\nprefer m: exists c in [[-1.0, 0], [1, 0.5]]: x ~ normal(c, 0.7)",
    "bounded": "var x: real[3] in [-1, 2]\nvar s: positive\nminimize e: sum(x^2) / s + s",
    "required": "var x: real[2]\nminimize e: sum(x^2) / 2\nrequire r: x[0] + x[1] >= -0.5",
}

ROUND_OFF = 1e-9
"""Of some hundred operations in float64, twenty trajectories long."""


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_iterations_are_those_of_the_kernel(text: str) -> None:
    module = ebmlang.loads(text).compile(dtype=torch.float64, device="cuda")
    density = build_density(module.packed(), lay_out(module), None)
    machine = build_machine(density.target, density.chart)
    assert isinstance(machine, Machine), machine
    streams = Streams(seed=1, chains=torch.arange(1000, device="cuda"), dtype=torch.float64)
    state = begin(density, 0.3 * streams.at(0).normal("start", density.chart.dim), streams.at(0))
    step_size = torch.tensor(0.1, dtype=torch.float64, device="cuda")
    kernel = Hmc(step_size=step_size, metric=identity(state.position), most_steps=4)
    record = new_record(state, 20)

    moved, _ = machine.fly(kernel.move(), state, streams.at(1), record, 0, draws=20)

    for iteration in range(1, 21):
        state, info = kernel.step(density, state, streams.at(iteration))
        assert torch.equal(record.moved[:, iteration - 1] > 0, info.accepted)
    torch.testing.assert_close(moved.position, state.position, rtol=ROUND_OFF, atol=ROUND_OFF)
    assert moved.position.is_cuda


def test_a_run_takes_the_loops() -> None:
    model = ebmlang.loads(SPECS["mixture"])

    samples = model.sample(chains=4096, draws=20, warmup=100, device="cuda", precision="float32")

    assert samples.values.quantities["x"].shape[:2] == (4096, 20)
