"""Data by row: emitted code gives each point the energy that its row alone would give it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ebmlang.api.compile import compile_model
from ebmlang.api.load import loads
from ebmlang.api.rows import bind_rows
from ebmlang.runtime import differentiate_value
from ebmlang.solve.rows.boxes import build_boxes

ROWS = 5

SPECS = {
    "scalars": (
        "given a: real\nvar x: real[3]\nminimize f: sum((x - a)^2) * a\nreport r = a * x[0]",
        {"a": ()},
    ),
    "an array beside a shared one": (
        "given y: real[3]\ngiven z: real[3]\nvar x: real[3]\nminimize f: dot(x, y) + dot(y, z)",
        {"y": (3,)},
    ),
    "a matrix by row": (
        "given m: real[2, 3]\nvar x: real[3]\nminimize f: sum((m @ x)^2) + sum(m)\n"
        "report r = m @ x",
        {"m": (2, 3)},
    ),
    "a matrix that is solved with": (
        "given m: real[2, 2]\nvar x: real[2]\nminimize f: sum(solve(m, x))",
        {"m": (2, 2)},
    ),
    "a tolerance and a bound of a relation": (
        "given s: real\ngiven b: real\nvar x: real[2]\nprefer f: x <= b within exp(s)\n"
        "require g: sum(x) >= b",
        {"s": (), "b": ()},
    ),
    "an exponent and a truth value": (
        "given n: int\ngiven flag: bool\nvar x: real[2]\n"
        "minimize f: sum((x^2 + 1)^n)\nminimize g: if flag then x[0] else x[1]^2",
        {"n": "int", "flag": "bool"},
    ),
    "a mask of a quantifier": (
        "given n: int\nvar x: real[4]\n"
        "prefer f: forall i in 0..3 where i < n: x[i] >= 1 within 0.1\n"
        "require g: exists i in 0..3 where i >= n: x[i] <= 2",
        {"n": "int"},
    ),
    "logic": (
        "given a: real\ngiven b: real\nvar x: real\n"
        "prefer f: x == a within 0.1 or x == b within 0.2\nprefer g: not (x <= a within 1)",
        {"a": (), "b": ()},
    ),
    "a recurrence whose start and captures are by row": (
        "given a: real\ngiven u: real[4]\nvar x: real[4]\n"
        "let path = scan s = a over w in x: s * a + w\n"
        "let other = scan s = x[0] over w in u: s * 0.5 + w * a\n"
        "minimize f: sum(path^2) + sum(other)\nreport r = path",
        {"a": (), "u": (4,)},
    ),
    "a recurrence over rows alone": (
        "given u: real[4]\nvar x: real\nlet path = scan s = 1 over w in u: s * 0.5 + w\n"
        "minimize f: (x - sum(path))^2\nreport r = path",
        {"u": (4,)},
    ),
    "densities": (
        "given y: real[3]\ngiven sd: real\nvar mu: real\nprefer f: y ~ normal(mu, exp(sd))\n"
        "prefer g: mix(0.3: mu ~ normal(0, exp(sd)), 0.7: mu ~ normal(sd, 1))",
        {"y": (3,), "sd": ()},
    ),
    "a part with givens of its own": (
        "spec leg(at: real) {\n  given k: real\n  var z: real\n"
        "  prefer f: z == at * k within 0.1\n}\n"
        "part left = leg(2)\npart right = leg(3)\nminimize m: left.z * right.z",
        {"left.k": (), "right.k": ()},
    ),
    "a shared index into a row": (
        "given y: real[4]\ngiven place: int[2]\nvar x: real[2]\n"
        "minimize f: sum((x - y[place[0]])^2)\nminimize g: sum p in place: y[p] * x[1]",
        {"y": (4,)},
    ),
    "what no unknown touches": (
        "given a: real[2]\nvar x: real\nminimize f: sum(a^2)\nminimize g: x^2\nreport r = a",
        {"a": (2,)},
    ),
}

SHARED = {"z": [0.5, -1.0, 2.0], "place": [3, 1]}


def draw(kind: object, rng: np.random.Generator) -> np.ndarray:
    if kind == "int":
        return rng.integers(0, 4, ROWS)
    if kind == "bool":
        return rng.integers(0, 2, ROWS).astype(bool)
    return rng.normal(size=(ROWS, *kind))


@pytest.mark.parametrize(("text", "kinds"), SPECS.values(), ids=SPECS)
def test_each_point_has_the_energy_margins_and_reports_of_its_own_row(text, kinds):
    rng = np.random.default_rng(3)
    model = loads(text)
    rows = {path: draw(kind, rng) for path, kind in kinds.items()}
    shared = {path: v for path, v in SHARED.items() if f"given {path}:" in text}
    table = bind_rows(model.bind({**shared, **rows}))
    module = compile_model(table.model)
    x = torch.tensor(rng.normal(size=(ROWS, module.dim)))

    columns = tuple(torch.tensor(c) for c in table.columns(np.arange(ROWS)))
    together = module.over_rows(columns)

    for row in range(ROWS):
        alone = compile_model(model.bind({**shared, **{p: v[row] for p, v in rows.items()}}))
        here, point = alone.packed(), x[row : row + 1]
        torch.testing.assert_close(together.energy(x)[row], here.energy(point)[0])
        torch.testing.assert_close(together.requirements(x)[row], here.requirements(point)[0])
        reports = alone.reports(alone.unpack(point)).values()
        for one, several in zip(reports, together.reports(x), strict=True):
            torch.testing.assert_close(several[row], one[0])


@pytest.mark.parametrize(("text", "kinds"), SPECS.values(), ids=SPECS)
def test_each_point_has_the_gradient_of_its_own_row(text, kinds):
    rng = np.random.default_rng(3)
    rows = {path: draw(kind, rng) for path, kind in kinds.items()}
    shared = {path: v for path, v in SHARED.items() if f"given {path}:" in text}
    table = bind_rows(loads(text).bind({**shared, **rows}))
    module = compile_model(table.model)
    x = torch.tensor(rng.normal(size=(ROWS, module.dim)))
    columns = tuple(torch.tensor(c) for c in table.columns(np.arange(ROWS)))
    together = module.over_rows(columns)
    # In coordinates of which 0 to 1 is the box of the row.
    boxes = build_boxes(together, x - 1.0, x + 3.0)
    u = torch.full_like(x, 0.25)

    for target, at in ((together, x), (boxes, u)):
        value, gradient = target.energy_and_gradient(at)

        expected, slopes = differentiate_value(target.energy, at)
        torch.testing.assert_close(value, expected.expand(ROWS))
        torch.testing.assert_close(gradient, slopes)


def test_points_that_are_taken_keep_their_rows():
    table = bind_rows(
        loads("given a: real\nvar x: real\nminimize f: (x - a)^2").bind({"a": [1, 2, 4]})
    )
    module = compile_model(table.model)
    columns = tuple(torch.tensor(c) for c in table.columns(np.arange(3)))

    taken = module.over_rows(columns).take(torch.tensor([2, 0, 2]))

    assert taken.energy(torch.zeros(3, 1, dtype=torch.float64)).tolist() == [16, 1, 16]


def test_a_row_s_number_keeps_its_precision_when_points_are_float32():
    """Whole numbers above 2^24 would change if they were packed beside the unknowns."""
    table = bind_rows(
        loads("given n: int\nvar x: real\nminimize f: x^2\nreport r = n % 2").bind(
            {"n": [2**24 + 1, 3]}
        )
    )
    module = compile_model(replace(table.model), dtype=torch.float32)
    columns = tuple(torch.tensor(c) for c in table.columns(np.arange(2)))

    (remainder,) = module.over_rows(columns).reports(torch.zeros(2, 1))

    assert remainder.tolist() == [1, 1]
