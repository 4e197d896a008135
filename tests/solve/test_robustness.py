"""Energies that misbehave in part of their domain, units far apart, and functions that fail."""

from pathlib import Path

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.lang import DomainKind
from ebmlang.runs import Status
from ebmlang.runtime import SilentProgress, watch_interrupts
from ebmlang.runtime.budget import UNLIMITED
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.loop import Watch
from ebmlang.solve.problem import build_problem
from ebmlang.source import EbmError
from tests.cli.run import ebm
from tests.runtime.function_target import FunctionTarget, layout_of


def load(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "spec.ebm"
    file.write_text(text)
    return file


# --- values that are not finite --------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "best"),
    [
        ("log(x)^2", 1.0),  # not a number below 0
        ("(sqrt(x) - 1)^2", 1.0),  # likewise, and its slope is infinite at 0
        ("x + 1 / x^2 + exp(-1000 * x)", 2 ** (1 / 3)),  # beyond the largest number below -1
        ("(1 / x - 1)^2", 1.0),  # a pole inside of the domain
    ],
)
def test_where_a_term_is_not_finite_no_other_start_is_hurt(term: str, best: float) -> None:
    model = ebmlang.loads(f"var x: real in [-3, 3]\nvar y: real in [-3, 3]\n"
                          f"minimize bad: {term}\nminimize good: (y - 1)^2\n")  # fmt: skip

    found = model.solve(seed=0, starts=32)

    assert any(
        float(design.variables["x"]) == pytest.approx(best, abs=1e-5) and design.converged
        for design in found
    )
    assert all(np.isfinite(design.energy) for design in found)


def test_a_start_that_is_lost_leaves_the_others_bit_for_bit_as_they_were() -> None:
    """The energy is not a number for x < 0; two of the starts stand there."""

    def energy(x: torch.Tensor) -> torch.Tensor:
        return x[:, 0].sqrt() + (x[:, 0] - 2).square() + x[:, 1].cosh()

    def ends(y: torch.Tensor) -> torch.Tensor:
        with watch_interrupts() as interrupt:
            watch = Watch(SilentProgress(), UNLIMITED.start(), interrupt)
            target = FunctionTarget(dim=2, energy=energy)
            layout = layout_of(DomainKind.REAL, 2, lower=-3.0, upper=3.0)
            problem = build_problem(target, layout, seed=0, watch=watch)
            return bring_down(problem, y, Local()).position

    good = torch.tensor([[0.2, 0.3], [0.9, -0.8], [0.5, 0.1]], dtype=torch.float64)
    lost = torch.tensor([[-0.5, 0.3], [-0.1, -0.8]], dtype=torch.float64)

    together = ends(torch.cat([lost[:1], good, lost[1:]]))

    assert torch.equal(together[1:4], ends(good))


def test_a_requirement_that_is_not_a_number_in_places_is_met_elsewhere() -> None:
    model = ebmlang.loads("""
var x: real in [-5, 5]
require deep: log(x) >= 1
minimize low: x
""")

    found = model.solve(seed=0, starts=32)

    assert found[0].energy == pytest.approx(np.e, abs=1e-6)


@pytest.mark.parametrize("term", ["log(x - 5)", "sqrt(x) / (x - x)"])
def test_an_energy_that_is_finite_nowhere_names_the_term_and_its_line(
    capsys, tmp_path, term: str
) -> None:
    file = load(tmp_path, f"var x: real in [1, 2]\nminimize fine: x^2\nminimize bad: {term}\n")

    outcome = ebm(capsys, "solve", file, "--starts", 8)

    assert outcome.code == 3
    assert "error[E0707" in outcome.err
    assert "`bad`" in outcome.err
    assert "spec.ebm:3:" in outcome.err


# --- kinks, flats and floors that are not there ------------------------------------------


@pytest.mark.parametrize(
    "energy",
    [
        lambda x: x.abs().sum(1) + (x - 1).square().sum(1),
        lambda x: x.norm(dim=1) + (x - 1).square().sum(1),
        lambda x: torch.relu(-x).sum(1) + (x - 0.5).square().sum(1),
        lambda x: torch.maximum(x[:, 0], -x[:, 0]) + (x - 0.5).square().sum(1),
    ],
)
def test_starts_that_stand_on_a_kink_get_off_it(energy) -> None:
    target = FunctionTarget(dim=2, energy=energy)
    layout = layout_of(DomainKind.REAL, 2, lower=-3.0, upper=3.0)
    y = torch.zeros(4, 2, dtype=torch.float64)
    with watch_interrupts() as interrupt:
        watch = Watch(SilentProgress(), UNLIMITED.start(), interrupt)
        problem = build_problem(target, layout, seed=0, watch=watch)
        end = bring_down(problem, y, Local())
        elsewhere = bring_down(problem, y + 0.3, Local())

    torch.testing.assert_close(end.value, elsewhere.value, atol=1e-6, rtol=0)


def test_a_flat_energy_is_solved_anywhere_feasible() -> None:
    model = ebmlang.loads("""
var x: real[2] in [-1, 1]
require inside: norm(x) <= 0.1
minimize flat: 3
""")

    found = model.solve(seed=0, starts=16)

    assert found[0].energy == 3
    assert np.linalg.norm(found[0].variables["x"]) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("term", ["x[0] + x[1]", "x[0]^3", "-exp(x[0])", "x[0] * x[1]"])
def test_an_energy_without_lower_bound_is_never_called_converged(term: str) -> None:
    def energy(x: torch.Tensor) -> torch.Tensor:
        return {
            "x[0] + x[1]": x.sum(1),
            "x[0]^3": x[:, 0] ** 3,
            "-exp(x[0])": -x[:, 0].exp(),
            "x[0] * x[1]": x.prod(1),
        }[term]

    found = ebmlang.solve.solve(
        FunctionTarget(dim=2, energy=energy), layout_of(DomainKind.REAL, 2), starts=16
    )

    assert not bool(found.converged[0])


# --- units ---------------------------------------------------------------------------------


def test_variables_from_a_billionth_to_a_billion_are_found_together() -> None:
    model = ebmlang.loads("""
var small: real in [0, 1e-9]
var one: real in [0, 1]
var large: real in [0, 1e9]
require tie: small * large >= 0.1 within 0.01
minimize low: (small / 1e-9 - 0.2)^2 + (one - 0.3)^2 + (large / 1e9 - 0.4)^2
""")

    found = model.solve(seed=0, starts=16)

    # With a = small / 1e-9 and b = large / 1e9: a b = 0.1 at the least of the rest.
    a = np.linspace(0.15, 0.5, 400001)
    assert found[0].energy == pytest.approx(
        float(((a - 0.2) ** 2 + (0.1 / a - 0.4) ** 2).min()), abs=1e-9
    )
    assert float(found[0].variables["one"]) == pytest.approx(0.3, abs=1e-6)
    assert found[0].converged


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e3, 1e9])
def test_the_unit_of_a_requirement_does_not_matter(unit: float) -> None:
    """The nearest point of the unit circle to (3, 4), with lengths in other units."""
    model = ebmlang.loads(f"""
var x: real[2] in [-{5 * unit}, {5 * unit}]
require circle: norm(x) == {unit} within {1e-8 * unit}
minimize near: norm(x / {unit} - [3, 4])
""")

    found = model.solve(seed=0, starts=16)

    assert found[0].energy == pytest.approx(4, abs=1e-6)
    np.testing.assert_allclose(found[0].variables["x"] / unit, [0.6, 0.8], atol=1e-6)


# --- functions from Python ---------------------------------------------------------------------


def raises(x: torch.Tensor) -> torch.Tensor:
    raise ValueError("no such table")


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (raises, "it raised ValueError: no such table"),
        (lambda x: 1.0, "it returned float, and no tensor"),
        (lambda x: (x[:, 0] > 0).int(), "it returned int32 numbers, and no real ones"),
        (lambda x: x.sum(), "their axis is missing"),
    ],
)
def test_a_function_that_fails_is_a_diagnostic_with_its_term_and_line(function, why) -> None:
    bad = ebmlang.term(function, "x", sort="energy", name="table")
    model = ebmlang.compose(
        {"x": "real[2] in [-2, 2]"}, minimize={"fine": "x[1]^2", "worse": bad}, name="here"
    )

    with pytest.raises(EbmError) as caught:
        model.solve(starts=4)

    (found,) = caught.value.diagnostics
    assert found.code == "E0725"
    assert found.primary is not None
    assert why in found.primary.text
    assert str(found.primary.span).startswith("here:4")
    assert "`worse`" in found.notes[0]


def test_the_nearest_point_is_one_where_the_energy_is_finite() -> None:
    """What is required holds only where the logarithm has no value."""
    found = ebmlang.loads(
        "var x: real in [-5, 5]\nminimize low: log(x) * x\nrequire far: x^2 * (x + 3) <= -1\n"
    ).solve(starts=16)

    assert found.status is Status.INFEASIBLE
    assert found.nearest is not None
    assert np.isfinite(found.nearest.energy)
