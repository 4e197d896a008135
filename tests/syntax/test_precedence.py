"""What binds how tightly: each line of the language reference as an equation of trees."""

import pytest
from hypothesis import given

from ebmlang.lang.words import DOMAIN_WORDS
from ebmlang.source import Report, SourceText
from ebmlang.syntax import parse_domain, tree
from tests.syntax.reading import expression, parse
from tests.syntax.trees import expressions, patient


@pytest.mark.parametrize(
    ("bare", "grouped"),
    [
        # iff, implies, or, and, not, relations: from loose to tight
        ("a iff b implies c", "a iff (b implies c)"),
        ("a implies b iff c", "(a implies b) iff c"),
        ("a iff b iff c", "(a iff b) iff c"),
        ("a implies b implies c", "a implies (b implies c)"),
        ("a implies b or c", "a implies (b or c)"),
        ("a or b and c", "a or (b and c)"),
        ("not a and b", "(not a) and b"),
        ("not a <= b", "not (a <= b)"),
        ("not not a", "not (not a)"),
        ("a ~ normal(0, 1) and b", "(a ~ normal(0, 1)) and b"),
        ("a + b <= c within d + e", "(a + b) <= c within (d + e)"),
        ("a <= b within c and d", "(a <= b within c) and d"),
        # arithmetic
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c % d @ e", "(((a / b) * c) % d) @ e"),
        ("-a * b", "(-a) * b"),
        ("a * -b", "a * (-b)"),
        ("-x^2", "-(x^2)"),
        ("x^-2", "x^(-2)"),
        ("x^-y^2", "x^(-(y^2))"),
        ("a^b^c", "a^(b^c)"),
        ("norm(a - b)^-12", "(norm(a - b))^(-12)"),
        ("- - a", "-(-a)"),
        ("a[1].b", "(a[1]).b"),
        ("-a.b[1]^2", "-((a.b[1])^2)"),
        # the body of an open form reaches as far as it can
        ("sum i in 0..3: a or b iff c", "sum i in 0..3: (a or b iff c)"),
        ("a + sum i in 0..3: b + c", "a + (sum i in 0..3: (b + c))"),
        ("a ^ sum i in 0..3: b + c", "a ^ (sum i in 0..3: (b + c))"),
        ("not exists p in path: p <= 1 or q", "not (exists p in path: (p <= 1 or q))"),
        ("x and forall p in q: a and b", "x and (forall p in q: (a and b))"),
        ("x implies exists p in q: a iff b", "x implies (exists p in q: (a iff b))"),
        ("a <= min i in s: b <= c", "a <= (min i in s: (b <= c))"),
        ("a <= b within max i in s: c + d", "a <= b within (max i in s: (c + d))"),
        ("if a then b else c or d", "if a then b else (c or d)"),
        ("if a then if b then c else d else e", "if a then (if b then c else d) else e"),
        ("-if a then b else c + d", "-(if a then b else (c + d))"),
        ("scan s = a over b in c: d or e", "scan s = a over b in c: (d or e)"),
        ("forall i in a + b where c or d: e", "forall i in (a + b) where (c or d): e"),
        ("sum i in a + 1..b - 1: c", "sum i in (a + 1)..(b - 1): c"),
        # a condition or a range ends before an open form needs brackets
        ("x[a + 1..b]", "x[(a + 1)..(b)]"),
    ],
)
def test_bare_text_means_the_grouped_one(bare, grouped):
    assert expression(bare) == expression(grouped)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a or b or c", "(a or b) or c"),
        ("a and b and c", "a and (b and c)"),
        ("a <= b <= c", "(a <= b) <= c"),
        ("a - b - c", "a - (b - c)"),
        ("(-x)^2", "-x^2"),
        ("a + (sum i in s: b) + c", "a + sum i in s: b + c"),
    ],
)
def test_parentheses_that_matter_make_another_tree(one, other):
    assert expression(one) != expression(other)


def test_a_relation_chain_has_one_tolerance():
    node = expression("0 <= x < y within 0.1")

    assert isinstance(node, tree.Relation)
    assert node.operators == ("<=", "<")
    assert [getattr(part, "text", None) or part.name for part in node.operands] == ["0", "x", "y"]
    assert node.tolerance == expression("0.1")


@pytest.mark.parametrize("word", ["sum", "prod", "min", "max", "mean"])
def test_an_aggregate_word_before_a_bracket_is_a_call(word):
    call = expression(f"{word}(x, axis=0)")
    quantifier = expression(f"{word} i in 0..3: (x)")

    assert isinstance(call, tree.Call)
    assert call.function == tree.Name(name=word, span=call.span)
    assert isinstance(quantifier, tree.Quantifier)


def test_numbers_leave_the_dots_to_ranges():
    node = expression("x[0..9, 1.5, 2e-3]")

    assert isinstance(node, tree.Index)
    assert isinstance(node.items[0], tree.Range)
    assert [item.value for item in node.items[1:]] == [1.5, 0.002]


def test_whole_numbers_are_ints_and_others_are_floats():
    values = [expression(text).value for text in ("007", "10", "1.0", "1e3", "0.0")]

    assert values == [7, 10, 1.0, 1000.0, 0.0]
    assert [type(value) for value in values] == [int, int, float, float, float]


def test_line_breaks_mean_no_more_than_blanks():
    assert parse("let a =\n b\n+ c let\nd\n= e")[0] == parse("let a = b + c\nlet d = e")[0]


def test_trailing_commas_are_allowed_in_lists():
    plain = "let a = f([1, 2], mix(1: a), x[1, 2]) fn g(a, b: real[2, 3]) = 1 var l: label {A, B}"
    trailing = (
        "let a = f([1, 2,], mix(1: a,), x[1, 2,],) fn g(a, b: real[2, 3,],) = 1"
        " var l: label {A, B,}"
    )

    assert parse(trailing) == parse(plain)


def test_a_span_covers_the_parentheses_around_an_expression():
    node = expression("(a + b) * c")

    assert isinstance(node, tree.Arithmetic)
    assert node.left.span.text == "(a + b)"
    assert node.span.text == "(a + b) * c"


def test_dots_before_a_path_are_counted():
    file, said = parse("from ...lib.parts import leg, arm\nimport std.geometry")

    assert said == ()
    assert [statement.dots for statement in file.statements] == [3, 0]
    assert [name.name for name in file.statements[0].path] == ["lib", "parts"]


@pytest.mark.parametrize("word", [w for w in DOMAIN_WORDS if w not in ("real", "int", "label")])
def test_only_reals_and_ints_have_bounds(word):
    report = Report()

    assert parse_domain(SourceText("case", f"{word}[3] in [0, 1]"), report) is None
    assert report.has_errors


def test_a_domain_has_all_its_parts():
    report = Report()
    domain = parse_domain(SourceText("case", "array[12] of real[2, 3] in [lo, inf]"), report)

    assert report.diagnostics == ()
    assert domain is not None
    assert (domain.word, len(domain.shape), len(domain.array)) == ("real", 2, 1)
    assert (domain.lower, domain.upper) == (expression("lo"), expression("inf"))


@patient
@given(expressions)
def test_a_span_holds_the_spans_of_its_parts(node):
    from ebmlang.syntax import format_expression
    from ebmlang.syntax.outline import outline

    waiting = [expression(format_expression(node))]
    while waiting:
        parent = waiting.pop()
        for _, child in outline(parent).branches:
            assert parent.span.start <= child.span.start <= child.span.end <= parent.span.end
            waiting.append(child)
