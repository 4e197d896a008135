"""A refutation is a proof: what a point satisfies is never refuted; and each rule has its case."""

import numpy as np
import pytest
import torch

from ebmlang import loads
from ebmlang.api.conflict import question_model
from ebmlang.solve.contradiction.proof import Found, Outcome, Refuted, Rule

torch.set_num_threads(1)

PIECES = (
    "x",
    "y",
    "x - y",
    "abs(x)",
    "abs(x - y)",
    "-abs(y)",
    "max([x, y])",
    "min([x, 2 * y])",
    "relu(x) - relu(-y)",
    "norm([x, y])",
    "-norm([x - 1, y])",
    "x^2",
    "-(y^2)",
    "x * y",
    "sqrt(x + 4)",
    "-sqrt(y + 4)",
    "exp(x / 2)",
    "log(x + 5)",
    "sin(y)",
    "abs(abs(x) - 1)",
)

BOXES = ((-2, 2), (0, 2), (-2, 0), (-1, 1), (0, 1))


def outcome_of(text: str) -> Outcome:
    asked = question_model(loads(text), seed=0, starts=8)
    return asked.oracle.prover.decide([unit.formula for unit in asked.requirements.units])


def random_case(rng: np.random.Generator) -> str:
    """Return a spec whose requirements hold at a point of the box, often at its very rim."""
    boxes = [BOXES[i] for i in rng.integers(0, len(BOXES), 2)]
    point = [float(rng.choice([low, high, (low + high) / 2])) for low, high in boxes]
    picked = [str(piece) for piece in rng.choice(PIECES, 4, replace=False)]
    declared = "\n".join(
        f"var {name}: real in [{low}, {high}]"
        for name, (low, high) in zip("xy", boxes, strict=True)
    )
    reports = "\n".join(f"report r{i} = {piece}" for i, piece in enumerate(picked))
    model = loads(f"{declared}\nminimize z: x\n{reports}")
    values = model.explain({"x": point[0], "y": point[1]}).reports
    lines = [declared]
    for i, piece in enumerate(picked):
        slack = float(rng.choice([0.0, 0.0, 1e-3, 0.5]))
        value = float(values[f"r{i}"])
        low, high = f"{value - slack:.17g}", f"{value + slack:.17g}"
        relation = rng.choice([f"{piece} <= {high}", f"{piece} >= {low}"])
        other = rng.choice(["", f" or {picked[i - 1]} >= 100", f" or {picked[i - 1]} <= 1"])
        lines.append(f"require t{i}: {relation}{other}")
    return "\n".join(lines)


@pytest.mark.slow
def test_what_a_point_of_the_box_satisfies_is_never_refuted():
    rng = np.random.default_rng(0)

    for _ in range(60):
        text = random_case(rng)
        assert not isinstance(outcome_of(text), Refuted), text


def test_a_derivative_at_the_rim_of_the_box_is_not_trusted():
    """`abs(x)` is affine over [0, 1], but at 0 its derivative is taken to be 0."""
    assert not isinstance(outcome_of("var x: real in [0, 1]\nrequire a: abs(x) >= 1"), Refuted)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("var x: real in [0, 1]\nrequire a: x >= 2", Rule.BOUNDS),
        ("var x: real\nrequire a: x >= 2\nrequire b: x <= 1", Rule.TANGENTS),
        (
            "var x: real[2]\nrequire a: norm(x) <= 1\nrequire b: norm(x - [3, 0]) <= 1",
            Rule.TANGENTS,
        ),
        ("var x: real[2]\nrequire a: norm(x) <= 1\nrequire b: norm(x) >= 2", Rule.NARROWED),
        ("var x: real in [0, 1]\nrequire a: x >= 2 or x <= -1", Rule.BOUNDS),
        (
            "var x: real\nrequire a: x >= 2 or x <= -1\nrequire b: abs(x) <= 0.5",
            Rule.TANGENTS,
        ),
    ],
)
def test_each_rule_refutes_what_it_is_for(text, rule):
    assert outcome_of(text) == Refuted(rule)


def test_a_point_is_returned_where_the_programs_find_one():
    text = "var x: real[2] in [0, 4]\nrequire a: sum(x) >= 7\nrequire b: norm(x) <= 5.5"

    found = outcome_of(text)

    assert isinstance(found, Found)
    assert all(loads(text).explain({"x": found.x}).satisfied.values())


def test_a_point_of_another_domain_is_not_claimed():
    """The box around a circle is not the circle."""
    text = "var u: unit[2]\nrequire a: u[0] <= 0.1\nrequire b: u[1] <= 0.1\nrequire c: sum(u) >= -1"

    assert outcome_of(text) is None


def test_what_is_neither_convex_nor_concave_is_left_open():
    text = "var x: real in [0.1, 4]\nvar y: real in [0.1, 4]\nrequire a: x * y >= 4"

    assert outcome_of(f"{text}\nrequire b: x + y <= 3.5") is None
