"""A compiled energy as a torch module."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from beartype import beartype
from jaxtyping import Float, jaxtyped
from torch import Tensor

from ebmlang.graph import Kind, RootKind
from ebmlang.lower.module import COMPILATIONS, compile_graph
from ebmlang.runtime.target import Target
from ebmlang.source import EbmError, InternalError
from tests.lower.sketch import Sketch


def make():
    """Two points in the plane: E = |a - b| / 2, at least `gap` apart, each in a box."""
    s = Sketch()
    a, b = s.variable("a", (2,)), s.variable("b", (2,))
    gap = s.given("gap", (), default=1.0)
    reach = s("norm", s("sub", a, b), axes=(-1,))
    half = s("mul", reach, s.constant(0.5))
    s.root(RootKind.ENERGY, half, "reach")
    margin = s("sub", reach, gap)
    s.root(RootKind.MARGIN, margin, "apart")
    s.root(RootKind.HARD, s("reshape", margin, rank=0, shape=(1,)), "apart")
    s.root(RootKind.LOWER, s.constant([0.1, 0.1]), "a")
    s.root(RootKind.UPPER, s("mul", gap, s.constant(0.1)), "a")
    s.root(RootKind.REPORT, s("stack", a, b, axis=-2), "both")
    s.root(RootKind.REPORT, s("mul", gap, gap), "squared")
    return s.graph(half)


POINT = {
    "a": torch.tensor([[0.0, 0.0], [0.0, 0.0]]),
    "b": torch.tensor([[3.0, 4.0], [0.3, 0.4]]),
}


def test_the_energy_is_infinite_where_something_required_does_not_hold():
    energy = compile_graph(make())

    assert energy(POINT).tolist() == [2.5, np.inf]


def test_terms_are_told_apart_by_path():
    values = compile_graph(make()).terms(POINT)

    assert {k: v.tolist() for k, v in values.energies.items()} == {"reach": [2.5, 0.25]}
    assert {k: v.tolist() for k, v in values.margins.items()} == {"apart": [4.0, -0.5]}
    assert {k: v.tolist() for k, v in values.satisfied.items()} == {"apart": [True, False]}


def test_reports_have_a_chain_axis_even_if_they_are_the_same_in_all():
    energy = compile_graph(make())
    energy.bind({"gap": 3.0})

    reports = energy.reports(POINT)

    assert reports["both"].shape == (2, 2, 2)
    assert reports["squared"].tolist() == [9.0, 9.0]


def test_bounds_are_in_full_precision_and_follow_the_data():
    energy = compile_graph(make(), dtype=torch.float32)
    energy.bind({"gap": 3.0})

    bounds = energy.bounds()

    assert bounds["b"] == (None, None)
    lower, upper = bounds["a"]
    assert lower.dtype == upper.dtype == np.float64
    assert (lower.tolist(), upper.tolist()) == ([0.1, 0.1], 3.0 * 0.1)


def test_packing_and_unpacking_are_each_others_inverse():
    energy = compile_graph(make())
    x = torch.randn((5, energy.dim))

    torch.testing.assert_close(energy.pack(energy.unpack(x)), x)
    assert list(energy.unpack(x)) == ["a", "b"]


def test_the_packed_energy_is_a_target_without_the_requirements_in_its_energy():
    target: Target = compile_graph(make(), dtype=torch.float64).packed()
    x = torch.tensor([[0.0, 0.0, 3.0, 4.0], [0.0, 0.0, 0.3, 0.4]], dtype=torch.float64)

    assert (target.dim, target.dtype, target.device.type) == (4, torch.float64, "cpu")
    torch.testing.assert_close(target.energy(x), torch.tensor([2.5, 0.25], dtype=torch.float64))
    expected = torch.tensor([[4.0], [-0.5]], dtype=torch.float64)
    torch.testing.assert_close(target.requirements(x), expected)


def test_shapes_are_as_annotated():
    """The annotations, checked for real: a chain axis in, one value per chain out."""
    target = compile_graph(make()).packed()
    checked = jaxtyped(typechecker=beartype)

    @checked
    def energy(x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        return target.energy(x)

    @checked
    def required(x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        return target.requirements(x)

    for chains in (0, 1, 7):
        energy(torch.zeros((chains, 4)))
        required(torch.zeros((chains, 4)))


def test_where_nothing_is_required_the_requirements_have_width_0():
    s = Sketch()
    target = compile_graph(s.graph(s("square", s.variable("x")))).packed()

    assert target.requirements(torch.zeros((3, 1))).shape == (3, 0)


def test_a_chain_does_not_depend_on_the_others():
    energy = compile_graph(make(), dtype=torch.float64).packed()
    x = torch.randn((6, 4), dtype=torch.float64)

    apart = torch.cat([energy.energy(x[:1]), energy.energy(x[1:4]), energy.energy(x[4:])])

    assert torch.equal(energy.energy(x), apart)


def test_a_change_of_dtype_starts_again_from_the_exact_numbers():
    s = Sketch()
    x = s.variable("x", (2,))
    near = s("sub", x, s.constant([0.1, 0.2]))
    total = s("sum", s("mul", near, s.given("k", (2,))), axes=(-1,))
    energy = compile_graph(s.graph(total), dtype=torch.float32)
    energy.bind({"k": [0.1, 0.3]})
    point = {"x": torch.tensor([[1.0, 2.0]], dtype=torch.float64)}
    rough = energy(point)
    before = dict(COMPILATIONS)

    exact = energy.double()(point)

    assert rough.dtype == torch.float32
    assert exact.item() == (1.0 - 0.1) * 0.1 + (2.0 - 0.2) * 0.3
    assert dict(COMPILATIONS) == before


def test_gradients_flow_to_the_points_that_came_in():
    energy = compile_graph(make())
    a = POINT["a"].clone().requires_grad_()

    energy({"a": a, "b": POINT["b"]})[0].backward()

    torch.testing.assert_close(a.grad[0], torch.tensor([-0.3, -0.4]))


WRONG_POINTS = [
    ({"a": POINT["a"]}, "no value for `b`"),
    ({**POINT, "c": POINT["a"]}, "the point has `c`"),
    ({**POINT, "b": torch.zeros((2, 3))}, "`b` of the point has shape [2, 3], not [chain, 2]"),
    ({**POINT, "b": torch.tensor(1.0)}, "`b` of the point has shape [], not [chain, 2]"),
    ({**POINT, "b": torch.zeros((5, 2))}, "differ in their number of chains: 2, 5"),
]


@pytest.mark.parametrize(("point", "words"), WRONG_POINTS)
def test_a_point_of_another_form_is_refused(point, words):
    with pytest.raises(EbmError) as error:
        compile_graph(make())(point)

    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0710"
    assert words in diagnostic.headline


def test_scalar_variables_lie_in_columns():
    s = Sketch()
    x, y, z = s.variable("x"), s.variable("y"), s.variable("z")
    total = s("sub", s("mul", x, s.constant(10.0)), z)
    energy = compile_graph(s.graph(total)).packed()

    assert energy.energy(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [7.0]
    assert y == 1


def test_a_model_without_variables_has_one_chain():
    s = Sketch()
    energy = compile_graph(s.graph(s.constant(2.0)))

    assert energy({}).tolist() == [2.0]


# --- functions from Python -----------------------------------------------------------


def extern_graph():
    s = Sketch()
    x, y = s.variable("x", (3,)), s.given("y", (3,))
    out = s.node("extern", (x, y), name="mine")
    return s.graph(out)


def test_functions_from_python_get_arrays_with_all_leading_axes():
    seen = []

    def mine(x, y):
        seen.append((x.shape, y.shape))
        return (x * y).sum(-1)

    energy = compile_graph(extern_graph(), externs={"mine": mine})
    energy.bind({"y": [1.0, 2.0, 3.0]})

    assert energy({"x": torch.ones((2, 3))}).tolist() == [6.0, 6.0]
    assert seen == [((2, 3), (2, 3))]


def test_a_network_moves_with_the_module_and_is_trained_with_it():
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(6, 1)

        def forward(self, x, y):
            return self.linear(torch.cat((x, y), -1)).squeeze(-1)

    energy = compile_graph(extern_graph(), dtype=torch.float64, externs={"mine": Network()})
    energy.bind({"y": [1.0, 2.0, 3.0]})

    energy({"x": torch.ones((2, 3))}).sum().backward()

    (weight, bias) = energy.parameters()
    assert weight.dtype == torch.float64
    assert bias.grad.item() == 2.0


def test_a_function_that_was_not_handed_over_is_a_bug_of_the_caller():
    with pytest.raises(InternalError, match="mine"):
        compile_graph(extern_graph())


# --- other ways to run it ------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch's own compiler
def test_the_emitted_code_can_be_compiled_as_one_graph():
    s = Sketch()
    x = s.variable("x", (3, 2))
    energies = s("square", s("sub", x, s.constant(np.arange(6.0).reshape(3, 2))))
    either = s("noisy_or", energies, axes=(-2, -1))
    reach = s("sum", s("norm", x, axes=(-1,)), axes=(-1,))
    target = compile_graph(s.graph(s("add", either, reach))).packed()
    compiled = torch.compile(target.energy, fullgraph=True, backend="aot_eager")

    def with_gradient(function):
        points = torch.linspace(-1.0, 2.0, 24).reshape(4, 6).requires_grad_()
        value = function(points)
        return value, *torch.autograd.grad(value.sum(), points)

    for found, expected in zip(with_gradient(compiled), with_gradient(target.energy), strict=True):
        torch.testing.assert_close(found, expected)


def test_emitting_code_imports_no_torch():
    code = (
        "import sys; import ebmlang.lower; from ebmlang.lower import emit_source; "
        "sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_whole_numbers_may_be_reported_and_added_up():
    s = Sketch()
    n = s.given("n", (), Kind.INT)
    s.root(RootKind.REPORT, n, "n")
    s.root(RootKind.ENERGY, n, "m")
    energy = compile_graph(s.graph(n))
    energy.bind({"n": 3})

    assert energy({}).tolist() == [3.0]
    assert energy.terms({}).energies["m"].dtype == torch.float32
    assert energy.reports({})["n"].dtype == torch.int64
