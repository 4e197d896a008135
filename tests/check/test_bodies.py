import pytest

from ebmlang.check.program import Role
from ebmlang.lang import Sort
from tests.check.road import accept, refusals, term, warnings


def test_each_kind_of_term_has_its_role_and_sort():
    program = accept(
        """
        var x: real
        require a: x >= 0
        prefer b: x <= 1 weight 2
        prefer c: x ~ normal(0, 1)
        prefer d: energy(x)
        minimize e: 3 * x
        maximize f: x weight 0.5
        report g = [x, 2 * x]
        """
    )

    kinds = [(t.role, t.value.type.sort, t.weight) for t in program.body.terms]
    assert kinds == [
        (Role.REQUIRE, Sort.CONSTRAINT, 1.0),
        (Role.PREFER, Sort.CONSTRAINT, 2.0),
        (Role.PREFER, Sort.DENSITY, 1.0),
        (Role.PREFER, Sort.ENERGY, 1.0),
        (Role.MINIMIZE, Sort.REAL, 1.0),
        (Role.MAXIMIZE, Sort.REAL, 0.5),
    ]
    assert str(program.body.reports[0].value.type) == "real[2]"


def test_an_objective_of_whole_numbers_is_converted():
    program = accept("given k: int\nminimize t: k")

    assert term(program, "t").value.type.sort is Sort.REAL


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("require t: x", "E0314", "x"),
        ("require t: energy(x)", "E0314", "energy(x)"),
        ("require t: x ~ normal(0, 1)", "E0314", "x ~ normal(0, 1)"),
        ("require t: x >= 0 weight 2", "E0303", "2"),
        ("require t: flags", "E0310", "flags"),
        ("prefer t: x", "E0301", "x"),
        ("prefer t: v", "E0301", "v"),
        ("prefer t: x >= 0 weight 0", "E0311", "0"),
        ("prefer t: x >= 0 weight k", "E0304", "k"),
        ("prefer t: x >= 0 weight [1]", "E0301", "[1]"),
        ("minimize t: v", "E0310", "v"),
        ("minimize t: x >= 0", "E0301", "x >= 0"),
        ("maximize t: energy(x)", "E0301", "energy(x)"),
        ("report t = x >= 0", "E0301", "x >= 0"),
        ("require t: 1 >= 2", "E0315", "1 >= 2"),
        ("require t: 1 == 1.5 within 0.1", "E0315", "1 == 1.5 within 0.1"),
        ("require t: not (1 < 2 or 2 < 1)", "E0315", "not (1 < 2 or 2 < 1)"),
        ("require t: exists i in 1..0: i == i", "E0315", "exists i in 1..0: i == i"),
    ],
)
def test_a_wrong_term_is_reported(text, code, guilty):
    declarations = "var x: real var v: real[3] given k: real given flags: bool[2]"

    assert refusals(f"{declarations} {text}") == [(code, guilty)]


def test_a_contradiction_inside_a_part_shows_the_part():
    text = """
        spec shelf(width, depth) { var y: real require fits: depth <= width minimize t: y }
        part good = shelf(8, 5)
        part bad = shelf(5, 8)
    """

    assert refusals(text) == [("E0315", "depth <= width")]


def test_terms_that_depend_on_nothing_are_mentioned():
    found = warnings(
        "var x: real\nminimize s: x\nminimize t: 3\nrequire u: 1 <= 2\nprefer v: 1 > 2"
    )

    assert found == [("W0331", "3"), ("W0331", "1 <= 2"), ("W0331", "1 > 2")]


def test_an_equality_at_the_edge_of_its_tolerance_holds_and_so_does_its_negation():
    assert [
        code
        for code, _ in warnings("require a: 1.0 == 2.0 within 1\nrequire b: 1.0 != 2.0 within 1")
    ] == [
        "W0331",
        "W0331",
    ]
