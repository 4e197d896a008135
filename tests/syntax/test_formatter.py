"""The laws of the one layout: it means the same, it is a fixed point, and no comment is lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmlang.source import Report, SourceText
from ebmlang.source.limits import NESTING
from ebmlang.syntax import (
    format_expression,
    format_file,
    format_statement,
    parse_expression,
    parse_file,
)
from ebmlang.syntax.formatter import WIDTH
from ebmlang.syntax.grammar import load_grammar
from ebmlang.syntax.lexemes import END, cut_text
from tests.syntax.reading import DESK, EVERYTHING, expression, parse_well
from tests.syntax.trees import expressions, files, patient, statements

GOLDEN = Path(__file__).parents[1] / "golden" / "fmt"


def _words(text):
    lexemes, _ = cut_text(SourceText("case", text), load_grammar().pattern)
    return [lexeme.text for lexeme in lexemes if lexeme.type != END]


def _comments(file):
    return sorted(comment.text for comment in file.comments)


# --- laws ----------------------------------------------------------------------------


@patient
@given(expressions)
def test_a_formatted_expression_has_the_same_tree(node):
    report = Report()
    text = format_expression(node)

    assert parse_expression(SourceText("case", text), report) == node
    assert report.diagnostics == ()


@pytest.mark.slow
@patient
@given(files)
def test_a_formatted_file_has_the_same_tree_and_is_a_fixed_point(file):
    text = format_file(file)
    again = parse_well(text)

    assert again == file
    assert format_file(again) == text


@pytest.mark.slow
@patient
@given(statements)
def test_a_formatted_statement_is_the_file_of_it_alone(statement):
    (again,) = parse_well(format_statement(statement)).statements

    assert again == statement


@pytest.mark.slow
@patient
@given(files, st.data())
def test_comments_anywhere_are_kept_and_the_layout_is_stable(file, data):
    separators = st.sampled_from(
        (" ", " ", " ", "\n", "\n\n\n", " # c\n", "\n  # own\n", "\n\n## doc \n# d\n\n", "#x\n")
    )
    words = _words(format_file(file))
    text = "".join(data.draw(separators) + word for word in words) + data.draw(separators)

    written = parse_well(text)
    once = format_file(written)
    again = parse_well(once)

    assert written == file
    assert again == file
    assert _comments(again) == _comments(written)
    assert format_file(again) == once


@patient
@given(expressions)
def test_no_parentheses_can_be_left_out(node):
    """Leaving any one pair out changes the tree or is no expression."""
    lexemes, _ = cut_text(SourceText("case", format_expression(node)), load_grammar().pattern)
    words = [lexeme.text for lexeme in lexemes]
    opened = []
    for place, lexeme in enumerate(lexemes):
        if lexeme.type == "LPAR":
            is_call = place and lexemes[place - 1].type in ("NAME", "AGGREGATE", "MIX")
            opened.append(None if is_call else place)
        elif lexeme.type == "RPAR" and (start := opened.pop()) is not None:
            fewer = [word for at, word in enumerate(words) if at not in (start, place)]
            text = " ".join(fewer)
            assert parse_expression(SourceText("case", text), Report()) != node


# --- single decisions ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("((a))", "a"),
        ("(a*b)+(c)", "a * b + c"),
        ("a AND (b OR NOT c)", "a and (b or not c)"),
        ("(a^b)^c", "(a^b)^c"),
        ("a^(-b)", "a^-b"),
        ("-(a)", "-a"),
        ("(sum i in 0 .. 3 : x[ i ])+1", "(sum i in 0..3: x[i]) + 1"),
        ("1 + (sum i in 0..3: x[i])", "1 + sum i in 0..3: x[i]"),
        ("(pi)[0]", "(pi)[0]"),
        ("f ( a , b = 1 , )", "f(a, b=1)"),
        ("[a  for x in y]", "[a for x in y]"),
        ("1.50e-3", "1.50e-3"),
        ('"a  b"', '"a  b"'),
        ("if a then(b)else(c)", "if a then b else c"),
    ],
)
def test_an_expression_is_written_in_one_way(written, wanted):
    assert format_expression(expression(written)) == wanted


def test_blank_lines_are_kept_but_only_one():
    text = "\n\nlet a = 1\n\n\n\nlet b = 2\nlet c = 3\n\n\n"

    assert format_file(parse_well(text)) == "let a = 1\n\nlet b = 2\nlet c = 3\n"


def test_a_comment_inside_a_statement_moves_before_it():
    text = "let a = [1, # one\n  2] # two\n"

    assert format_file(parse_well(text)) == "# one\nlet a = [1, 2]  # two\n"


def test_comments_stay_where_they_belong_in_a_spec():
    text = "spec s() { # head\n\n# own\nlet a = 1 # a\n\n# last\n} # close\n# after\n"

    assert format_file(parse_well(text)) == (
        "spec s() {  # head\n  # own\n  let a = 1  # a\n\n  # last\n}  # close\n# after\n"
    )


def test_an_empty_file_stays_empty():
    assert format_file(parse_well("")) == ""


def test_lines_break_at_the_width_where_they_can():
    operands = " or ".join(f"near(lamp_{i}, [{i}, 30])" for i in range(12))
    numbers = ", ".join(str(i) for i in range(100))
    text = format_file(parse_well(f"prefer side: {operands} weight 2\nlet a = [{numbers}]"))

    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert len(text.splitlines()) < 30


def test_a_chain_as_deep_as_the_limit_is_formatted():
    text = "let a = " + " + ".join(["a"] * (NESTING - 1))

    assert parse_well(format_file(parse_well(text))) == parse_well(text)


def test_line_ends_of_windows_are_read_and_not_written():
    unix = DESK + EVERYTHING

    written = format_file(parse_well(unix.replace("\n", "\r\n")))

    assert written == format_file(parse_well(unix))
    assert "\r" not in written


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("*.ebm")), ids=lambda path: path.stem)
def test_golden_layouts(case):
    text = case.read_text(encoding="utf-8")
    wanted = case.with_suffix(".formatted").read_text(encoding="utf-8")
    report = Report()

    assert format_file(parse_file(SourceText(case.name, text), report)) == wanted
    assert report.diagnostics == ()
