"""All errors of a file in one run, each once, in a user's words."""

import pytest

from ebmlang.syntax.parser import MOST_ERRORS
from tests.syntax.reading import complaints, parse


def _names(text):
    return [statement.name.name for statement in parse(text)[0].statements]


def _help(text):
    (said,) = parse(text)[1]
    return said.helps


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("let a =", ("E0102", "1:7", "unfinished `let` statement", "an expression")),
        ("let a = b +\nlet c = 1", ("E0102", "1:11", "unfinished `let` statement", "expression")),
        ("let a = b c", ("E0102", "1:11", "unexpected `c`", "an operator or the next statement")),
        ("let = 3", ("E0102", "1:5", "unexpected `=`", "a name")),
        ("let a 3", ("E0102", "1:7", "unexpected `3`", "`=`")),
        ("prefer a: b c", ("E0102", "1:13", "unexpected `c`", "`weight` or the next statement")),
        ("let a = f(b c)", ("E0102", "1:13", "unexpected `c`", "operator, `=`, `,` or `)`")),
        ("let a = )", ("E0102", "1:9", "unexpected `)`", "no `(` is open here")),
        ("}", ("E0102", "1:1", "unexpected `}`", "no `{` is open here")),
        ("let a = []", ("E0102", "1:10", "nothing between `[` and `]`", "an expression")),
        ("let a = x[]", ("E0102", "1:11", "nothing between `[` and `]`", "an expression")),
        ("let a = b and or c", ("E0102", "1:15", "unexpected `or`", "an expression")),
        ("var x: thing", ("E0102", "1:8", "unexpected `thing`", "a domain")),
        ("let a = if b then c\n", ("E0102", "1:19", "unfinished `let` statement", "`else`")),
        ("fn f(a b) = 1", ("E0102", "1:8", "unexpected `b`", "`:`, `,` or `)`")),
        ("spec s() {\nlet a =\n}", ("E0102", "2:7", "unfinished `let` statement", "expression")),
        ("let a = (b", ("E0103", "1:10", "`(` is never closed", "expected `)` after this")),
        ("let a = [b\nlet c = 1", ("E0103", "1:10", "`[` is never closed", "expected `]`")),
        ("let a = (b]", ("E0103", "1:11", "`]` does not close `(`", "expected `)` before")),
        ("spec s() {\nlet a = 1", ("E0103", "2:9", "`{` is never closed", "expected `}`")),
        ("let a = $", ("E0101", "1:9", "unexpected character `$`", "no meaning")),
        ("let a = b && c", ("E0101", "1:11", "unexpected characters `&&`", "no meaning")),
        ("let a = \x00", ("E0101", "1:9", "unexpected character `U+0000`", "no meaning")),
        ('let a = "b', ("E0104", "1:9", "text in quotes has no end on its line", "")),
        ("let type = 1", ("E0106", "1:5", "`type` is a reserved word", "cannot be a name")),
        ("let pi = 1", ("E0106", "1:5", "`pi` is a reserved word", "cannot be a name")),
        ("let a = b.sum", ("E0106", "1:11", "`sum` is a reserved word", "cannot be a name")),
        ("fn f(over) = 1", ("E0106", "1:6", "`over` is a reserved word", "cannot be a name")),
        ("let a = f(real)", ("E0106", "1:11", "`real` is a reserved word", "cannot be a name")),
        ("a = 1", ("E0107", "1:1", "`a` does not begin a statement", "`var`, `let` or `require`")),
        ("let a = b\n(c)d", ("E0102", "2:4", "unexpected `d`", "an operator")),
        ("latent z: real", ("E0108", "1:1", "`latent` is not yet supported", "eliminated")),
        ("let a = 1e999", ("E0110", "1:9", "`1e999` is too large for a number", "float64")),
        ("let a = 1e-999", ("E0110", "1:9", "`1e-999` is too small for a number", "float64")),
    ],
)
def test_one_error_has_one_message(text, wanted):
    ((code, place, headline, label),) = complaints(text)

    assert (code, place, headline) == wanted[:3]
    assert wanted[3] in label


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("reqiure a: b", "did you mean `require`?"),
        ("constraint a: b", "did you mean `require`?"),
        ("minimise a: b", "did you mean `minimize`?"),
        ("x = 1", "`let x = 1`"),
        ("x ~ normal(0, 1)", "`prefer close: x ~ normal(0, 1)`"),
        ("require a = b", "`require close: a <= b`"),
        ("require norm(a) <= b", "`require close: a <= b`"),
        ("require a: b = c", "`a == b within 0.1`"),
        ("let a = b ** 2", "`x^2`"),
        ("let a = b // c", "begins with `#`"),
        ("let a = 2x", "`2 * x`"),
        ("let a = 1. + b", "`0.5`, `1.0`"),
        ("let a = .5", "`0.5`, `1.0`"),
        ("let a = 0..3", "`sum i in 0..3: x[i]`"),
        ("let a = b within 1", "`a <= b within 0.1`"),
        ("let a = b[0](c)", "`f(x)`"),
        ("let a = b || c", "write `or`"),
        ("let a = !b", "write `not`"),
        ("require a: b ≤ c", "write `<=`"),
        ("let a = 1;", "leave out `;`"),
        ("let größe = 1", "A to Z"),
        ("spec s { }", "`spec s() { }`"),
        ("var x: float", "did you mean `real`?"),
        ("var x: simplx[3]", "did you mean `simplex`?"),
        ("var x: real in 0..1", "`in [lo, hi]`"),
        ("var x: int in [0, 1]", "`in 0..9`"),
        ("let type = 1", "`type_1`"),
        ("let a = 1e999", "`inf`"),
    ],
)
def test_a_habit_from_elsewhere_gets_a_way_out(text, wanted):
    assert any(wanted in said for said in _help(text))


def test_an_unclosed_bracket_points_to_where_it_was_opened():
    (said,) = parse("let a = f(b,\n  c\nlet d = 1")[1]

    assert [label.span.start for label in said.secondary] == [9]


def test_every_error_of_a_file_comes_in_one_run_and_the_rest_is_kept():
    text = """\
let a = 1 +
let b = 2
let c = (3
let d = 4
foo e = 5
bar f: 6
let g = 7 $ 8
let h = 9
latent i: real
net j: real -> real = mlp(1) from python "x.py"
mode k { weight l = 2; drop m; set n = 0.9 }
let o = p q r s
let t = 10
"""

    places = [(code, place) for code, place, _, _ in complaints(text)]

    assert places == [
        ("E0102", "1:11"),
        ("E0103", "3:10"),
        ("E0107", "5:1"),
        ("E0107", "6:1"),
        ("E0101", "7:11"),
        ("E0108", "9:1"),
        ("E0108", "10:1"),
        ("E0108", "11:1"),
        ("E0102", "12:11"),
    ]
    # Half of what `g` and `o` were meant to be would only be blamed for being half.
    assert _names(text) == ["b", "d", "h", "t"]


def test_a_statement_with_too_much_behind_it_is_kept_where_that_adds_nothing():
    assert _names("let a = 1;\nlet b = (2))\nlet c = 3") == ["a", "b", "c"]


def test_a_reserved_word_that_is_named_and_used_is_blamed_once():
    assert len(complaints("let weight = 1\nlet a = weight\nlet set = 2")) == 2


def test_an_error_in_a_body_leaves_the_rest_of_the_body():
    text = """\
spec outer() {
  let a = )
  spec inner() {
    let b =
    let c = 1
  }
  let d = 2
}
let e = 3
"""

    file, _ = parse(text)
    outer, last = file.statements
    inner, d = outer.body

    assert [place for _, place, _, _ in complaints(text)] == ["2:11", "4:11"]
    assert (inner.name.name, d.name.name, last.name.name) == ("inner", "d", "e")
    assert [statement.name.name for statement in inner.body] == ["c"]


def test_a_wrong_head_of_a_spec_does_not_spoil_its_body():
    text = "spec s(1) {\n  let a = 1\n  let b = label\n}\nlet c = 2\nlet d = }\n"

    assert [(code, place) for code, place, _, _ in complaints(text)] == [
        ("E0102", "1:8"),
        ("E0106", "3:11"),
        ("E0102", "6:9"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "spec s( {\nlet a = 1\n}\nlet b = 1",
        "spec {\nvar x: label {A, B}\n}\nlet b = 1",
        "var x: label {A, 1}\nlet b = 1",
        "spec s() {\nvar x: label {A, 1}\nlet a = 1\n}\nlet b = 1",
        "mode m { example { drop a } }\nlet b = 1",
    ],
)
def test_braces_around_an_error_cause_no_second_one(text):
    assert len(complaints(text)) == 1
    assert _names(text)[-1] == "b"


def test_what_stands_behind_the_brace_of_a_spec_does_not_open_its_body_again():
    text = "spec a() {\nlet c = 1\n}x[2]\nlet b = 1\n}"

    assert [(code, place) for code, place, _, _ in complaints(text)] == [
        ("E0107", "3:2"),
        ("E0102", "5:1"),
    ]
    assert _names(text) == ["a", "b"]


def test_a_missing_brace_is_told_once():
    text = "spec a() {\nspec b() {\nlet c = 1\n"

    ((code, place, _, _),) = complaints(text)

    assert (code, place) == ("E0103", "3:9")


def test_a_spec_without_an_end_is_left_out_with_what_it_swallowed():
    assert _names("let a = 1\nspec b() {\nlet c = 1\nlet d = 2\n") == ["a"]


def test_no_file_gets_more_messages_than_help():
    text = "let a = )\n" * (3 * MOST_ERRORS)

    assert len(complaints(text)) == MOST_ERRORS
