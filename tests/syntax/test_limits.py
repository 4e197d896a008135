"""Size and depth: no text exhausts the stack, the digits of an int, or the patience."""

import sys
import time

import pytest

from ebmlang.source import Report, SourceText
from ebmlang.source.limits import NESTING
from ebmlang.syntax import format_file, parse_domain, parse_expression, show_tree
from tests.syntax.reading import complaints, parse, parse_well

DEEP = 10_000


@pytest.mark.parametrize(
    "expression",
    [
        "(" * DEEP + "a" + ")" * DEEP,
        "[" * DEEP + "a" + "]" * DEEP,
        "f(" * DEEP + "a" + ")" * DEEP,
        "(" * DEEP,
        "not " * DEEP + "a",
        "- " * DEEP + "a",
        "a^" * DEEP + "a",
        "a implies " * DEEP + "a",
        "a iff " * DEEP + "a",
        "a + " * DEEP + "a",
        "a * " * DEEP + "a",
        "a" + "[0]" * DEEP,
        "a" + ".b" * DEEP,
        "sum i in s: " * DEEP + "a",
        "if a then b else " * DEEP + "a",
        "if " * DEEP + "a",
        "scan s = " * DEEP + "a",
        "a + -(" * DEEP + "a",
    ],
    ids=lambda text: text[:12].strip(),
)
def test_nesting_too_deep_is_one_clear_error(expression):
    file, (said,) = parse(f"let a = {expression}\nlet b = 1")

    assert said.code == "E0105"
    assert said.headline == f"nested more than {NESTING} levels deep"
    assert [statement.name.name for statement in file.statements] == ["b"]


def test_specs_nested_too_deep_are_one_clear_error():
    text = "spec s() {\n" * DEEP + "}\n" * DEEP + "let b = 1"

    ((code, _, _, _),) = complaints(text)

    assert code == "E0105"


def test_flat_chains_may_be_long():
    many = 2000
    text = f"let a = {' and '.join(['x <= 1'] * many)}\nlet b = [{', '.join(['1'] * many)}]"

    assert len(parse_well(text).statements) == 2


def test_what_is_within_the_limit_can_be_walked_under_the_usual_recursion_limit():
    deep = NESTING - 2
    texts = [
        f"let a = {'[' * deep}1{']' * deep}",
        f"let a = {'not ' * deep}x",
        f"let a = {' + '.join(['x'] * deep)}",
        f"let a = {'sum i in s: ' * deep}x",
        "spec s() {" * deep + "}" * deep,
    ]

    assert sys.getrecursionlimit() <= 1000
    for text in texts:
        file = parse_well(text)
        assert parse_well(format_file(file)) == file
        assert show_tree(file)


def test_numbers_of_any_length_are_read_or_refused():
    assert parse_well(f"let a = {'0' * 100_000}1").statements[0].value.value == 1
    assert parse_well(f"let a = 0.{'1' * 100_000}").statements[0].value.value == pytest.approx(
        1 / 9
    )
    assert complaints(f"let a = {'9' * 100_000}")[0][0] == "E0110"


@pytest.mark.parametrize("parse_one", [parse_expression, parse_domain])
@pytest.mark.parametrize(
    "text", ["", "#", "(", ")", "a b", "let a = 1", "real real", "\ud800", "1e999", "- " * DEEP]
)
def test_what_is_no_single_thing_gives_none_and_a_reason(parse_one, text):
    report = Report()

    assert parse_one(SourceText("case", text), report) is None
    assert len(report.diagnostics) == 1


def _seconds(text):
    begin = time.process_time()
    parse(text)
    return time.process_time() - begin


@pytest.mark.slow
def test_two_thousand_statements_take_about_a_second():
    line = "require c{}: norm(x[{}, 0..3] - y) * 2.5 <= 3 + (sum i in 0..3: x[i]) within 0.1\n"

    # Ten times what it takes on a small machine: the work must be linear, not fast.
    assert _seconds("".join(line.format(i, i) for i in range(2000))) < 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["é\n", "$ ", "(", ")", "{", "}", "let ", "let a = ( ", "a ", '"', "spec s() {", "not ", "9"],
)
def test_garbage_is_read_in_bounded_time(piece):
    assert _seconds(piece * (100_000 // len(piece))) < 10
