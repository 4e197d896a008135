"""The laws of logic put to the test: random formulas for their letters, in small specs.

The laws and their verdicts are the table `ebmlang.lang.laws`. A trial gives every letter of a law a
formula, and every variable a number; the two sides of the law are then terms of a spec like any
other, and the oracle evaluates them.

    found = find_counterexample(law, Subject.PRODUCT)
    print(write_spec(law, found))
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from ebmlang.api import Model, loads
from ebmlang.lang.laws import LETTERS, Claim, Law, Subject, Verdict
from ebmlang.lower.reference import Evaluation, evaluate

ROUNDING = 1e-12
"""What a few operations in float64 may differ by, relative to 1 or to the larger side."""

GAP = 0.01
"""How far two sides must be apart for a counterexample that people read [nats, or of margin]."""

SEARCH = settings(
    max_examples=1_000,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
"""How counterexamples are looked for: always the same way, so that always the same is found."""

VARIABLES = ("x", "y", "z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Formulas for the letters of a law, and a point.

    Attributes:
        logic: The logic of the spec.
        letters: The text of each letter's formula.
        point: A value for each variable that they speak of.
    """

    logic: str
    letters: Mapping[str, str]
    point: Mapping[str, float]


class Terms(Protocol):
    """What terms are at one point, by path: an evaluation of the oracle, or compiled values."""

    @property
    def energies(self) -> Mapping[str, Any]:
        """Energies. Any: what `float` takes; so below."""

    @property
    def margins(self) -> Mapping[str, Any]:
        """Margins of what is a constraint."""

    @property
    def satisfied(self) -> Mapping[str, Any]:
        """Whether it holds."""


# --- drawing -------------------------------------------------------------------------


def trials(law: Law, subject: Subject) -> st.SearchStrategy[Trial]:
    """Return a strategy of trials of a law, for what the subject says its letters stand for."""
    letters = letters_of(law)
    return st.builds(
        _trial,
        _logics(subject),
        st.fixed_dictionaries({letter: _formulas(subject, letter) for letter in letters}),
        st.fixed_dictionaries(dict.fromkeys(VARIABLES, _NUMBERS)),
    )


def letters_of(law: Law) -> tuple[str, ...]:
    """Return the letters that a law speaks of, in order."""
    texts = (law.left, law.right, *(law.premise or ()))
    return tuple(letter for letter in LETTERS if any(_speaks_of(text, letter) for text in texts))


def _trial(logic: str, letters: Mapping[str, str], point: Mapping[str, float]) -> Trial:
    used = {
        name: value
        for name, value in point.items()
        if any(_speaks_of(text, name) for text in letters.values())
    }
    return Trial(logic=logic, letters=letters, point=used)


def _speaks_of(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


_NUMBERS = st.sampled_from(
    sorted((n / 4 for n in range(-16, 17)), key=lambda x: (x != round(x), x < 0, abs(x)))
)
"""Simple ones first: a search ends with the first that will do."""


def _logics(subject: Subject) -> st.SearchStrategy[str]:
    match subject:
        case Subject.GODEL:
            return st.just("godel")
        case Subject.MARGIN | Subject.HOLDS:
            return st.sampled_from(["product", "godel"])
        case _:
            return st.just("product")


_RELATIONS = st.builds(
    "{} {} {} within {}".format,
    st.sampled_from(["x", "y", "z", "x + y"]),
    st.sampled_from(["<=", ">=", "==", "!="]),
    st.sampled_from(["0", "1", "2"]),
    st.sampled_from(["1", "2", "0.5"]),
)

_CONSTRAINTS = _RELATIONS | st.builds(
    "({}) {} ({})".format, _RELATIONS, st.sampled_from(["and", "or"]), _RELATIONS
)

_SPREADS = st.builds(
    "{}{}, {})".format,
    st.sampled_from(["normal(", "laplace(", "cauchy(", "student_t(3, "]),
    st.sampled_from(["0", "1", "2"]),
    st.sampled_from(["1", "2", "0.25"]),
)

_NUMBERS_OF_ENERGIES = ["x", "-x", "2 * x", "y", "x^2", "abs(x - y)"]

_ENERGIES = st.sampled_from(_NUMBERS_OF_ENERGIES).map("energy({})".format) | _SPREADS.map(
    "x ~ {}".format
)


def _formulas(subject: Subject, letter: str) -> st.SearchStrategy[str]:
    match subject:
        case Subject.DENSITY:
            return _SPREADS.map(("y ~ {}" if letter == "d" else "x ~ {}").format)
        case Subject.ENERGY:
            return _ENERGIES
        case _:
            return _CONSTRAINTS


# --- evaluating ----------------------------------------------------------------------


def write_spec(law: Law, trial: Trial) -> str:
    """Return the spec of a trial: its terms `left` and `right` are the sides of the law."""
    lines = [f"logic {trial.logic}"] if trial.logic != "product" else []
    lines += [f"var {name}: real" for name in trial.point]
    lines += [f"let {letter} = {text}" for letter, text in trial.letters.items()]
    return "\n".join([*lines, *write_sides(law)]) + "\n"


def write_sides(
    law: Law, suffix: str = "", names: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Return the terms that hold the sides of a law, and those of its premise.

    Args:
        law: The law.
        suffix: What the names of the terms end with.
        names: What the letters are called in the spec, where that is not their own name.
    """
    texts = {"left": law.left, "right": law.right}
    if law.premise is not None:
        texts |= dict(zip(("low", "high"), law.premise, strict=True))
    for letter, name in names.items():
        texts = {side: re.sub(rf"\b{letter}\b", name, text) for side, text in texts.items()}
    return [f"prefer {side}{suffix}: {text}" for side, text in texts.items() if text]


def evaluate_trial(law: Law, trial: Trial) -> Evaluation:
    """Return what the oracle says of the spec of a trial, at its point."""
    point = {name: np.asarray(value, dtype=np.float64) for name, value in trial.point.items()}
    return evaluate(_load(write_spec(law, trial)).program, point=point)


@lru_cache(maxsize=512)
def _load(text: str) -> Model:
    return loads(text, name="law.ebm")


def value_of(terms: Terms, subject: Subject, path: str) -> float:
    """Return the number that a subject reads off a term; of HOLDS 1 or 0."""
    match subject:
        case Subject.MARGIN:
            return float(terms.margins[path])
        case Subject.HOLDS:
            return float(terms.satisfied[path])
        case _:
            return float(terms.energies[path])


def is_broken(law: Law, subject: Subject, terms: Terms, suffix: str = "") -> bool:
    """Return whether the terms of a trial are a counterexample to a law.

    What counts as one depends on the verdict: any difference where the law is said to hold
    exactly, one beyond rounding where it is said to hold, one that people can see where it is not.
    """

    def cost(name: str) -> float:
        value = value_of(terms, subject, f"{name}{suffix}")
        return -value if subject in (Subject.MARGIN, Subject.HOLDS) else value

    if law.premise is not None and cost("low") > cost("high"):
        return False
    if law.claim is Claim.ZERO_IFF:
        path = f"left{suffix}"
        return (float(terms.energies[path]) == 0) != bool(terms.satisfied[path])
    left, right = cost("left"), cost("right")
    if left == right or (law.claim is Claim.AT_MOST and left < right):
        return False
    if not (math.isfinite(left) and math.isfinite(right)):
        return True
    return abs(left - right) > _slack(law.cells[subject], max(1.0, abs(left), abs(right)))


def _slack(verdict: Verdict, size: float) -> float:
    match verdict:
        case Verdict.EXACT:
            return 0.0
        case Verdict.ROUNDED:
            return ROUNDING * size
        case Verdict.NO:
            return GAP


def find_counterexample(law: Law, subject: Subject) -> Trial | None:
    """Return the simplest counterexample that a search finds; None where it finds none."""
    try:
        return find(
            trials(law, subject),
            lambda trial: is_broken(law, subject, evaluate_trial(law, trial)),
            settings=SEARCH,
        )
    except NoSuchExample:
        return None
