"""What a chain does does not depend on how many blocks move side by side."""

from dataclasses import fields, is_dataclass, replace

import pytest
import torch

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.lower.native.build import find_compiler
from ebmlang.runtime import EnergyText
from ebmlang.sample import build_setting
from ebmlang.sample.collector import new_record
from ebmlang.sample.native import machine
from ebmlang.sample.native.loops import LANES, HostLoops, LoopShape
from ebmlang.sample.native.machine import ABREAST, NARROW, SHORT, build_machine, count_abreast
from ebmlang.sample.state import begin
from tests.sample.native.test_machine import kernels
from tests.sample.native.test_models import SPECS

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

ENERGIES = {
    **SPECS,
    "mixture": """
        const corners = [[2, 0], [0, 2], [-2, 0], [0, -2]]
        var x: real[2]
        prefer ring: exists corner in corners: x ~ normal(corner, 0.5)
    """,
    "loops and matrices": """
        const near = [[cos(i), sin(i), cos(2 * i)] for i in 0..49]
        var x: real[3]
        let path = scan angle = 0 over turn in x: angle + turn
        prefer far: forall i in 0..49: dot(near[i], x) <= 1 within 0.5
        let bent = inv([[2, 0.5, 0], [0.5, 1, 0.2], [0, 0.2, 1.5 + x[0]^2]])
        minimize bowl: dot(x, bent @ x) + sum(path^2)
        require low: sum(x) <= 2
    """,
}
"""The last sums in a loop, steps through a recurrence and calls a function on whole matrices."""

MANY, FEW = 2 * LANES[torch.float32] + 5, 3
"""Chains of three blocks in float32 and five in float64, one not full; and of a part of one."""


def build(text, dtype, chains):
    module = compile_model(ebmlang.loads(text), dtype=dtype, device="cpu")
    setting = build_setting(module.packed(), lay_out(module), seed=2, chains=MANY)
    built = build_machine(setting.density.target, setting.density.chart, chains=chains)
    assert isinstance(built, machine.Machine)
    return setting, built


def fly(built, kernel, setting, state, threads=1):
    record = new_record(state, 6)
    moved, noted = built.fly(
        kernel.move(),
        state,
        setting.streams.at(1),
        record,
        0,
        draws=6,
        thin=2,
        most_noted=6,
        threads=threads,
    )
    return moved, record, noted


def is_same(one, other):
    """Whether all numbers are the same to the last bit."""
    if one is None or isinstance(one, torch.Tensor):
        return one is other or torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))
    return all(is_same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


CHOSEN = (
    "hmc, diagonal",
    "hmc, dense",
    "diagonal warped",
    "no-U-turn, diagonal",
    "adjusted",
    "unadjusted",
    "generalized",
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", list(ENERGIES))
def test_chains_are_the_same_to_the_last_bit(name, dtype, monkeypatch):
    monkeypatch.setattr("ebmlang.sample.native.machine.thread_count", lambda _, threads: threads)
    setting, alone = build(ENERGIES[name], dtype, FEW)
    _, abreast = build(ENERGIES[name], dtype, MANY)
    assert isinstance(alone.loops, HostLoops)
    assert isinstance(abreast.loops, HostLoops)
    assert (alone.loops.abreast, abreast.loops.abreast) == (1, ABREAST)
    dim = setting.density.chart.dim
    start = 0.5 * setting.streams.at(0).normal("start", dim)
    state = begin(setting.density, start, setting.streams.at(0))

    moves = 0.0
    for kernel in (in_dtype(kernels(dim, MANY)[chosen], dtype) for chosen in CHOSEN):
        expected = fly(alone, kernel, setting, state)
        for threads in (1, 2, 3):
            found = fly(abreast, kernel, setting, state, threads)
            assert all(is_same(*pair) for pair in zip(found, expected, strict=True))
        moves += float(expected[1].moved.mean())
    assert moves > 0


def in_dtype(thing, dtype):
    """Return a kernel whose numbers are of a dtype."""
    if isinstance(thing, torch.Tensor):
        return thing.to(dtype) if thing.is_floating_point() else thing
    if is_dataclass(thing):
        return replace(
            thing, **{f.name: in_dtype(getattr(thing, f.name), dtype) for f in fields(thing)}
        )
    return thing


def test_blocks_share_their_loops():
    model = ebmlang.loads("var x: real[100]\nminimize bowl: sum(sqrt(1 + x^2))")
    target = compile_model(model, dtype=torch.float32, device="cpu").packed()

    one, two = target.write_text(), target.write_text(2)

    assert one.text.count("for (") == two.text.count("for (") > 0
    assert one.text.count("root(") * 2 == two.text.count("root(") > 0


@pytest.mark.parametrize(
    ("text", "chains", "abreast"),
    [
        ("var x: real[2]\nminimize bowl: sum(x^2)", LANES[torch.float32], 1),
        ("var x: real[2]\nminimize bowl: sum(x^2)", LANES[torch.float32] + 1, ABREAST),
        (f"var x: real[{NARROW + 1}]\nminimize bowl: sum(x^2)", 1000, 1),
    ],
)
def test_blocks_move_side_by_side_where_it_pays(text, chains, abreast):
    _, built = build(text, torch.float32, chains)

    assert isinstance(built.loops, HostLoops)
    assert built.loops.abreast == abreast


def test_blocks_of_a_long_energy_move_one_after_the_other():
    shape = LoopShape(dim=2, packed=2, plain=True)
    target = compile_model(
        ebmlang.loads("var x: real[2]\nminimize bowl: sum(x^2)"), dtype=torch.float32, device="cpu"
    ).packed()
    short, long = (EnergyText(text="\n" * lines, energy="e") for lines in (SHORT, SHORT + 1))

    assert count_abreast(short, shape, 1000, target) == ABREAST
    assert count_abreast(long, shape, 1000, target) == 1
