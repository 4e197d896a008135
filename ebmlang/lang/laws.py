"""Which laws of logic hold, of what, and how exactly: one table.

A law is two formulas as text, over the letters `a`, `b`, `c` that stand for any formulas, and a
claim about their values. Whether it holds depends on what the letters stand for and on what is
read off: that is the `Subject`, the column of the table. Every cell, yes or no, is tested: a yes by
looking for a counterexample and finding none, a no by finding one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Subject(Enum):
    """What a law speaks of: a sort of formula, and the number that is read off it."""

    PRODUCT = "C in `product`"
    """The energy C of constraints, in the logic `product`."""
    GODEL = "C in `godel`"
    MARGIN = "margin"
    """The margin r of constraints, the same in every logic."""
    HOLDS = "holds"
    """Whether constraints hold, the same in every logic."""
    DENSITY = "densities"
    """The energy -log p of densities of the same left sides."""
    ENERGY = "energies"
    """The value of plain energies."""


class Claim(Enum):
    """What a law says of the values of its two sides."""

    SAME = "is the same as"
    AT_MOST = "costs at most as much as"
    """The energy is not higher; the margin is not lower; it holds where the other does."""
    ZERO_IFF = "has C = 0 exactly where it holds"
    """Of the left side alone."""


class Verdict(Enum):
    """Whether a law holds of a subject."""

    EXACT = "exactly"
    """To the last digit, in the oracle and compiled."""
    ROUNDED = "yes"
    """Up to the rounding of a few operations."""
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One row of the table.

    Attributes:
        name: What it is called.
        left, right: The two sides, over the letters.
        cells: The verdict for each subject of which it can be said; formulas that the language
            does not allow (`or` of energies) have none.
        claim: What is said of the two sides.
        premise: Two letters of which the first costs at most as much as the second: only then
            is the claim made.
    """

    name: str
    left: str
    right: str
    cells: Mapping[Subject, Verdict]
    claim: Claim = Claim.SAME
    premise: tuple[str, str] | None = None


LETTERS = ("a", "b", "c", "d")
"""What laws are written over. Of densities, `d` has another left side than the other three."""

_MARKS = {"=": Verdict.EXACT, "~": Verdict.ROUNDED, "x": Verdict.NO}


def _cells(marks: str) -> Mapping[Subject, Verdict]:
    """Read the verdicts of one row, in the order of the subjects; `.` where there is none."""
    pairs = zip(Subject, marks, strict=True)
    return MappingProxyType({s: _MARKS[mark] for s, mark in pairs if mark != "."})


def _same(name: str, left: str, right: str, marks: str) -> Law:
    return Law(name=name, left=left, right=right, cells=_cells(marks))


def _at_most(
    name: str, left: str, right: str, marks: str, premise: tuple[str, str] | None = None
) -> Law:
    return Law(
        name=name,
        left=left,
        right=right,
        cells=_cells(marks),
        claim=Claim.AT_MOST,
        premise=premise,
    )


# In the marks: product, godel, margin, holds, densities, energies.
CONNECTIVES: tuple[Law, ...] = (
    _same("associative and", "(a and b) and c", "a and (b and c)", "~===~~"),
    _same("associative or", "(a or b) or c", "a or (b or c)", "~===x."),
    _same("flat and", "(a and b) and c", "a and b and c", "~===~~"),
    _same("flat or", "(a or b) or c", "a or b or c", "~===x."),
    _same("commutative and", "a and b", "b and a", "======"),
    _same("commutative or", "a or b", "b or a", "~===~."),
    _same("idempotent and", "a and a", "a", "x===xx"),
    _same("idempotent or", "a or a", "a", "x===~."),
    _same("absorptive and", "a and (a or b)", "a", "x===x."),
    _same("absorptive or", "a or (a and b)", "a", "x===.."),
    _same("distributive and", "a and (b or c)", "(a and b) or (a and c)", "x===.."),
    _same("distributive or", "a or (b and c)", "(a or b) and (a or c)", "x===.."),
    _same("De Morgan, and", "not (a and b)", "not a or not b", "====.."),
    _same("De Morgan, or", "not (a or b)", "not a and not b", "====.."),
    _same("involutive", "not not a", "a", "====.."),
    _same("implication", "a implies b", "not a or b", "====.."),
    _same("contraposition", "a implies b", "not b implies not a", "~===.."),
    _same("equivalence", "a iff b", "(a implies b) and (b implies a)", "====.."),
    _at_most("monotone and", "a and b", "c and b", "======", premise=("a", "c")),
    _at_most("monotone or", "a or b", "c or b", "~===~.", premise=("a", "c")),
    _at_most("and asks for more", "a", "a and b", "====xx"),
    _at_most("or asks for less", "a or b", "a", "~===x."),
    Law(
        name="sound",
        left="(a and not b) or c",
        right="",
        cells=_cells("==...."),
        claim=Claim.ZERO_IFF,
    ),
    _same("excluded middle", "a or not a", "true", "==x=.."),
    _same("contradiction", "a and not a", "false", "xxxx.."),
    _same("neutral and", "a and true", "a", "==x==="),
    _same("neutral or", "a or false", "a", "xxx=.."),
)  # fmt: skip
"""Laws of `and`, `or`, `not`, `implies` and `iff`."""

FORMS: tuple[Law, ...] = (
    _same("softmin is associative", "softmin(softmin(a, b), c)", "softmin(a, softmin(b, c))",
          "....~~"),
    _same("softmin is commutative", "softmin(a, b)", "softmin(b, a)", "....~~"),
    _same("softmin is idempotent", "softmin(a, a)", "a", "....xx"),
    _same("and distributes over softmin", "a and softmin(b, c)", "softmin(a and b, a and c)",
          "....~~"),
    _same("softmin distributes over and", "softmin(a, b and c)", "softmin(a, b) and softmin(a, c)",
          "....xx"),
    _at_most("softmin is monotone", "softmin(a, b)", "softmin(c, b)", "....~~",
             premise=("a", "c")),
    _at_most("softmin asks for less", "softmin(a, b)", "a", "....~~"),
    _same("an even mix is or", "mix(1: a, 1: b)", "a or b", "....~."),
    _same("mix is commutative", "mix(0.3: a, 0.7: b)", "mix(0.7: b, 0.3: a)", "....~."),
    _same("mixes nest by their weights", "mix(0.5: mix(0.5: a, 0.5: b), 0.5: c)",
          "mix(0.25: a, 0.25: b, 0.5: c)", "....~."),
    _same("and distributes over or, of another left side", "d and (a or b)",
          "(d and a) or (d and b)", "....~."),
    _same("unlike is commutative", "unlike(a, b)", "unlike(b, a)", "....x."),
    _at_most("unlike asks for more", "a", "unlike(a, b)", "....=."),
    _at_most("unlike is monotone", "unlike(a, b)", "unlike(c, b)", "....~.", premise=("a", "c")),
    _at_most("unlike turns its second round", "unlike(a, c)", "unlike(a, b)", "....~.",
             premise=("b", "c")),
    _same("temperatures multiply", "tempered(tempered(a, 2), 3)", "tempered(a, 6)", "....~~"),
    _same("tempered distributes over and", "tempered(a and b, 3)",
          "tempered(a, 3) and tempered(b, 3)", "....~~"),
    _same("tempered distributes over softmin", "tempered(softmin(a, b), 2)",
          "softmin(tempered(a, 2), tempered(b, 2))", "....xx"),
    _at_most("tempered is monotone", "tempered(a, 3)", "tempered(b, 3)", "....==",
             premise=("a", "b")),
    _same("repel undoes itself", "repel(repel(a, 2), 0.5)", "a", "....=="),
    _same("repel cancels", "a and repel(a, 1)", "energy(0)", "....=="),
    _same("repel distributes over and", "repel(a and b, 3)", "repel(a, 3) and repel(b, 3)",
          "....~~"),
    _same("repel distributes over softmin", "repel(softmin(a, b), 1)",
          "softmin(repel(a, 1), repel(b, 1))", "....xx"),
    _at_most("repel turns the order round", "repel(b, 3)", "repel(a, 3)", "....==",
             premise=("a", "b")),
)  # fmt: skip
"""Laws of the forms that only densities and energies have; a constraint counts as its C there."""

LAWS: tuple[Law, ...] = (*CONNECTIVES, *FORMS)
"""All of them, in the order of the page `docs/logic-laws.md`."""
