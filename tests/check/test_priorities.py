"""The order of terms: what it may name, and the tiers that become of it."""

import pytest

from ebmlang.check import show_program
from ebmlang.source import Report, SourceText
from ebmlang.syntax import format_file, parse_file
from ebmlang.syntax.outline import show_tree
from tests.check.road import accept, refusals

LEGS = """
spec leg(goal: real) {
  var foot: real ~ normal(0, 1)
  require ahead: foot >= 0
  prefer near: foot == goal within 0.1
  minimize effort: foot^2
}
part left = leg(1)
part right = leg(2)
minimize total: left.foot + right.foot
"""


def test_a_part_stands_for_its_soft_terms_and_what_is_not_named_comes_last():
    program = accept(LEGS + "priority left > total, right.near\n")

    # A prior is a soft term with the path of its variable.
    assert set(program.priority[0]) == {"left.foot", "left.near", "left.effort"}
    assert set(program.priority[1]) == {"total", "right.near", "right.foot", "right.effort"}
    assert program.priority[1][:2] == ("total", "right.near")


def test_a_file_without_an_order_has_no_tiers():
    assert accept(LEGS).priority == ()


def test_its_tiers_are_shown():
    program = accept(LEGS + "priority left > right > total\n")

    last = show_program(program).splitlines()[-1]
    assert last.startswith("priority left.")
    assert last.endswith(" > total")


def test_more_than_may_still_be_a_relation():
    """`>` orders tiers in a `priority`, and numbers anywhere else, also in a chain."""
    program = accept("var x: real in [0, 1]\nprefer p: 1 >= x > 0.5\nprefer q: x > 0.2\n")

    assert [term.name for term in program.body.terms] == ["p", "q"]


@pytest.mark.parametrize(
    ("statement", "code", "guilty"),
    [
        ("priority lfet > total", "E0201", "lfet"),
        ("priority left.ahead > total", "E0213", "left.ahead"),
        ("priority total > left > total", "E0213", "total"),
        ("priority left, left.near > total", "E0213", "left.near"),
        ("priority left > right priority right > left", "E0210", "priority right > left"),
    ],
)
def test_what_is_wrong_with_an_order_is_said_at_its_place(statement, code, guilty):
    assert list(refusals(LEGS + statement + "\n")) == [(code, guilty)]


def test_it_is_laid_out_on_one_line_or_tier_by_tier():
    terms = [f"a_rather_long_name_of_a_term_{i}" for i in range(6)]
    report = Report()
    text = f"priority a>b,c >d\npriority {' > '.join(terms)}\n"
    file = parse_file(SourceText("order.ebm", text), report)

    assert format_file(file) == (
        "priority a > b, c > d\n"
        + f"priority {terms[0]}\n"
        + "".join(f"  > {term}\n" for term in terms[1:])
    )
    assert show_tree(file).splitlines()[:5] == [
        "priority",
        "  a",
        "  then: b",
        "  and: c",
        "  then: d",
    ]
