"""Curvature and sign against CVXPY: the tables of `docs/curvature.md`, and random compositions."""

import re
from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlang.analysis.bounds import sign_of
from ebmlang.lang.facts import Curvature
from tests.analysis.node_values import facts_of, node_of

PAGE = (Path(__file__).parents[2] / "docs" / "curvature.md").read_text(encoding="utf-8")

MATRIX = np.array([[2.0, -1.0, 0.5], [0.0, 1.0, -3.0], [1.0, 1.0, 4.0]])

SIGNS = {1: "nonnegative", -1: "nonpositive", 0: "zero", None: "unknown"}


def read_tables():
    """Return the rows of every table of the page, cells without their quotes."""
    tables = []
    for block in re.findall(r"(?m)(?:^\|.*\n)+", PAGE):
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in block.splitlines()]
        tables.append([tuple(cell.strip("`") for cell in row) for row in rows[2:]])
    return tables


SAME, MORE, ALONE, LESS = read_tables()


def facts_here(formula, domain="real"):
    text = f"""
    const A = {MATRIX.tolist()}
    var x: {domain}
    var p: positive
    var v: real[3]
    var q: positive[3]
    report r = {formula}
    minimize t: x + p + sum(v) + sum(q)
    """
    facts = facts_of(text)
    number = node_of(facts, "r")
    return facts.curvature[number].value.value, SIGNS[sign_of(facts.bounds[number].value)]


def expression_there(text, domain="real"):
    ends = re.findall(r"-?[0-9.]+", domain)
    sign = {
        "nonneg": bool(ends) and float(ends[0]) >= 0,
        "nonpos": bool(ends) and float(ends[1]) <= 0,
    }
    names = {
        "x": cp.Variable(**sign),
        "p": cp.Variable(pos=True),
        "v": cp.Variable(3),
        "q": cp.Variable(3, pos=True),
        "A": MATRIX,
        "cp": cp,
    }
    return eval(text, names)


def curvature_of(expression):
    """Return CVXPY's verdict; what is only quasiconvex is none of ours."""
    verdict = expression.curvature.lower()
    return "unknown" if verdict.startswith("quasi") else verdict


def test_the_page_has_all_its_tables():
    assert len(SAME) >= 40
    assert len(MORE) >= 5
    assert len(ALONE) >= 10
    assert len(LESS) >= 8


@pytest.mark.parametrize(("ours", "theirs", "curvature", "sign"), SAME)
def test_both_say_the_same(ours, theirs, curvature, sign):
    there = expression_there(theirs)

    assert facts_here(ours) == (curvature, sign)
    assert (curvature_of(there), there.sign.lower()) == (curvature, sign)


@pytest.mark.parametrize(("domain", "ours", "theirs", "here", "there"), MORE)
def test_domains_of_numbers_tell_more(domain, ours, theirs, here, there):
    assert facts_here(ours, domain)[0] == here
    assert curvature_of(expression_there(theirs, domain)) == there


@pytest.mark.parametrize(("domain", "ours", "curvature"), ALONE)
def test_functions_that_only_we_have_bend_as_the_page_says(domain, ours, curvature):
    assert facts_here(ours, domain)[0] == curvature


@pytest.mark.parametrize(("ours", "theirs", "there"), LESS)
def test_where_cvxpy_knows_more_we_say_unknown(ours, theirs, there):
    assert facts_here(ours)[0] == "unknown"
    assert curvature_of(expression_there(theirs)) == there


# --- random compositions -------------------------------------------------------------

LEAVES = [("x", "x"), ("p", "p"), ("1.5", "1.5"), ("(x - 1)", "(x - 1)"), ("(-p)", "(-p)")]

ONE = [
    ("({0})^2", "cp.square({0})"),
    ("abs({0})", "cp.abs({0})"),
    ("exp({0})", "cp.exp({0})"),
    ("log({0})", "cp.log({0})"),
    ("sqrt({0})", "cp.sqrt({0})"),
    ("relu({0})", "cp.pos({0})"),
    ("softplus({0})", "cp.logistic({0})"),
    ("log1p({0})", "cp.log1p({0})"),
    ("(-({0}))", "(-({0}))"),
    ("(2 * ({0}))", "(2 * ({0}))"),
    ("(({0}) - 0.5)", "(({0}) - 0.5)"),
]

TWO = [
    ("(({0}) + ({1}))", "(({0}) + ({1}))"),
    ("(({0}) - ({1}))", "(({0}) - ({1}))"),
    ("max([{0}, {1}])", "cp.maximum({0}, {1})"),
    ("min([{0}, {1}])", "cp.minimum({0}, {1})"),
    ("norm([{0}, {1}])", "cp.norm2(cp.hstack([{0}, {1}]))"),
]


def is_number(both):
    """Whether an expression is one, if it is constant: the root of a negative one has no sign."""
    there = cp.Constant(0) + expression_there(both[1])
    with np.errstate(all="ignore"):
        return not there.is_constant() or not np.isnan(there.value).any()


def compositions(depth=3):
    """Return the same expression in both languages, all parts of it defined."""
    return _compositions(depth).filter(is_number)


@st.composite
def _compositions(draw, depth):
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(LEAVES))
    if draw(st.booleans()):
        outer = draw(st.sampled_from(ONE))
        inner = draw(compositions(depth - 1))
        return tuple(form.format(part) for form, part in zip(outer, inner, strict=True))
    outer = draw(st.sampled_from(TWO))
    first, second = draw(compositions(depth - 1)), draw(compositions(depth - 1))
    return tuple(form.format(a, b) for form, a, b in zip(outer, first, second, strict=True))


IMPLIED = {
    "constant": {"constant"},
    "affine": {"constant", "affine"},
    "convex": {"constant", "affine", "convex"},
    "concave": {"constant", "affine", "concave"},
    "unknown": {kind.value for kind in Curvature},
}
"""What we may say where CVXPY says this: as much, or more."""

IMPLIED_SIGNS = {
    "nonnegative": {"nonnegative", "zero"},
    "nonpositive": {"nonpositive", "zero"},
    "zero": {"zero"},
    "unknown": set(SIGNS.values()),
}


@pytest.mark.slow
@settings(max_examples=300)
@given(compositions())
def test_of_random_compositions_we_know_at_least_as_much(both):
    ours, theirs = both
    there = cp.Constant(0) + expression_there(theirs)

    curvature, sign = facts_here(ours)

    assert curvature in IMPLIED[curvature_of(there)]
    assert sign in IMPLIED_SIGNS[there.sign.lower()]
