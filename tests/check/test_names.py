import pytest

from ebmlang.check.formulas import Member
from ebmlang.check.program import Let, Part
from tests.check.road import accept, refusals, refuse, term, warnings


def test_statements_may_stand_in_any_order():
    program = accept("minimize a: b\nlet b = c + x\nlet c = 2 * x\nvar x: real")

    names = [d.symbol.name for d in program.body.definitions]
    assert names.index("c") < names.index("b")


def test_values_and_functions_do_not_meet():
    accept("var beta: real\nlet norm = beta\nfn f(f) = f\nprefer t: f(norm) ~ beta(1, 2)")


def test_a_binder_may_hide_an_outer_name():
    accept("var x: real[3]\nprefer t: forall x in x: x >= 0")


@pytest.mark.parametrize(
    ("text", "code", "guilty"),
    [
        ("var x: real\nlet x = 1", "E0202", "x"),
        ("fn f(a) = a\nspec f() {}", "E0202", "f"),
        ("fn f(a, a) = a", "E0202", "a"),
        ("var x: real\nrequire t: x >= 0\nprefer t: x >= 1", "E0202", "t"),
        ("var x: real ~ normal(0, 1)\nrequire x: x >= 0", "E0202", "x"),
        ("spec s() { var y: real prefer t: y >= 0 }\npart p = s()\nvar x: real\nprefer p: x >= 0",
         "E0202", "p"),
        ("var x: real\nreport a = x\nreport a = x", "E0202", "a"),
        ("fn norm(a) = a", "E0203", "norm"),
        ("fn normal(a) = a", "E0203", "normal"),
        ("spec pairs(a) {}", "E0203", "pairs"),
        ("let a = b\nlet b = a", "E0205", "a"),
        ("const N = N", "E0205", "N"),
        ("fn f(a) = g(a)\nfn g(a) = f(a)", "E0205", "f"),
        ("spec s() { part p = s() }", "E0205", "s"),
        ("let a = f(1)\nfn f(b) = a + b", "E0205", "a"),
        ("given k: real = k", "E0205", "k"),
        ("default within 0.1 + a\nvar x: real\nlet a = if x0 then 1 else 2\ngiven x0: bool\n"
         "prefer t: x == b\nlet b = 1 + b", "E0205", "b"),
        ("spec s() { var y: real prefer t: y >= 0 }\npart p = s()\nminimize t: p.z", "E0209", "z"),
        ("spec s() { var y: real prefer t: y >= 0 }\npart p = s()\nminimize t: p", "E0301", "p"),
        ("spec s() { var y: real prefer t: y >= 0 }\npart p = s()\nminimize t: p.f(1)",
         "E0204", "p.f"),
        ("fn f(a) = a\npart p = f(1)", "E0301", "f"),
        ("part p = nothing()", "E0204", "nothing"),
        ("fn f(a) = a\nlet b = f", "E0201", "f"),
        ("var x: real[M]", "E0201", "M"),
        ("fn never(a) = a + missing", "E0201", "missing"),
        ("fn never(a) = missing(a)", "E0204", "missing"),
        ("spec never(a) { require t: a >= missing }", "E0201", "missing"),
        ("spec never() { var x: real minimize t: missing(x) }", "E0204", "missing"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_reported(text, code, guilty):
    assert refusals(text) == [(code, guilty)]


def test_a_circle_is_shown_link_by_link():
    (found,) = refuse("let a = b\nlet b = c\nlet c = a")

    assert found.primary.text == "`a` needs `b`"
    assert [label.text for label in found.secondary] == ["`b` needs `c`", "`c` needs `a`"]


def test_a_misspelled_name_suggests_the_one_meant():
    (found,) = refuse("var lamp: real[2]\nminimize t: norm(lanp)")

    assert found.primary.text == "did you mean `lamp`?"


def test_a_name_declared_nowhere_is_reported_once():
    assert refusals("let a = quux\nlet b = quux\nminimize t: quux") == [("E0201", "quux")]


def test_a_misspelled_name_is_reported_at_each_place():
    text = "var lamp: real\nlet a = lanp\nlet b = lanp"

    assert refusals(text) == [("E0201", "lanp"), ("E0201", "lanp")]


def test_names_inside_unreadable_text_are_not_reported_again():
    found = refusals("var speed real\nminimize t: speed * nothing")

    assert [code for code, _ in found] == ["E0102", "E0201"]
    assert found[1] == ("E0201", "nothing")


def test_a_member_leads_through_parts():
    program = accept(
        """
        spec inner() { var x: real  prefer t: x >= 0 }
        spec outer(a) { part deep = inner()  let d = 2 * a }
        part top = outer(3)
        minimize t: top.deep.x + top.d + top.a
        """
    )

    total = term(program, "t").value.arguments[0]
    deep = total.arguments[0]
    assert isinstance(deep, Member)
    assert [symbol.name for symbol in deep.path] == ["top", "deep", "x"]
    assert isinstance(program.body.definitions[-1], Part)


def test_definitions_are_listed_after_what_they_depend_on():
    program = accept("let e = d * d\nconst a = 2\nlet d = x - a\nvar x: real\nminimize t: e")

    names = [d.symbol.name for d in program.body.definitions if isinstance(d, Let)]
    assert names == ["a", "d", "e"]


def test_unused_variables_and_lets_are_mentioned():
    found = warnings("var x: real\nvar y: real\nlet a = y\ngiven k: real\nminimize t: x")

    assert found == [("W0211", "y"), ("W0212", "a"), ("W0212", "k")]


def test_a_variable_is_used_through_lets_functions_and_parts():
    found = warnings(
        """
        var a: real var b: real var c: real var d: real
        let twice = 2 * a
        fn f(z) = z + b
        spec s(w) { var e: real  prefer t: w + e >= d }
        part p = s(c)
        minimize t: f(twice)
        """
    )

    assert found == []


def test_a_variable_of_a_part_that_only_the_outside_uses_is_used():
    assert warnings("spec s() { var y: real }\npart p = s()\nminimize t: p.y") == []


def test_a_variable_of_a_part_that_nothing_uses_is_mentioned_once():
    found = warnings(
        "spec s() { var y: real var z: real prefer t: z >= 0 }\npart p = s()\npart q = s()"
    )

    assert found == [("W0211", "y")]
