"""Well-typed specs as texts, with data and points, as hypothesis strategies.

Texts, so that the parser and the checker are exercised on the way. Two kinds of arithmetic:

- EXACT: sums, halves, minima and the like, of numbers on a coarse grid. No operation rounds, in
  float32 neither, so that a margin is 0 exactly where it should be.
- SMOOTH: also products, sines, exponentials of bounded things; no value overflows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ebmlang.testing.formula_writer import FormulaWriter, Names

GRID = 1 / 8
"""Points and givens of exact specs are multiples of it."""

POINTS = 3
"""How many points a case is evaluated at; they are the chains of one batch."""


class Arithmetic(Enum):
    """Which numbers and operators a spec is made of."""

    EXACT = "exact"
    SMOOTH = "smooth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A spec, and what it is evaluated on.

    Attributes:
        text: The spec.
        sizes: The number behind each size that only the data binds.
        data: Values of its givens. Any: arrays of any sort.
        points: Values of its variables, by path, at each of a few points.
    """

    text: str
    sizes: Mapping[str, int]
    data: Mapping[str, Any]
    points: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        # Hypothesis shows this: the text as it is, to be pasted.
        return f"\n{self.text}\nsizes {dict(self.sizes)}\ndata {self.data}\npoints {self.points}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def rounded(self) -> "Case":
        """Return the case with its numbers rounded to float32."""

        def single(values: Mapping[str, Any]) -> dict[str, Any]:
            return {
                path: np.float64(np.float32(value))
                if np.asarray(value).dtype.kind == "f"
                else value
                for path, value in values.items()
            }

        return replace(
            self, data=single(self.data), points=tuple(single(point) for point in self.points)
        )


INPUTS = """
given g: real[3]
given y: real[N]
given k: int[3]
given n: int
given f: bool[3]
given c: real = 0.5
var u: real
var x: real[3]
var p: real[3, 2]
"""

NAMES = Names(
    reals=("u", "c", "u", "x[0]", "x[n]", "p[1, 0]", "g[2]", "n"),
    known=("c", "g[1]", "n", "0.5"),
    lefts=("u", "x", "x[0]", "(u - x[1])", "p[0..2, 1]"),
    vectors=("x", "x", "g", "p[0..2, 1]", "k", "transpose(p)[0]"),
    tables=("p",),
    open_vectors=("y",),
    ints=("n", "k[0]", "k[2] % 2", "(2 * n - 1)", "n^2", "(-k[1])", "sum(k)"),
    flags=("f[0]", "f[2]", "true"),
)
"""What `INPUTS` declares; `n` is from 0 to 2, so that it is a place in `x` too."""

SHAPES = {"u": (), "x": (3,), "p": (3, 2)}


@st.composite
def specs(
    draw: st.DrawFn,
    arithmetic: Arithmetic = Arithmetic.SMOOTH,
    *,
    depth: int = 3,
    energies: bool = True,
) -> Case:
    """Draw a whole spec: functions, parts, terms of every role, reports.

    Args:
        draw: Hypothesis's.
        arithmetic: Which numbers and operators.
        depth: How deep formulas are nested.
        energies: Whether terms may be densities and energies too.

    >>> import ebmlang
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=3, database=None)
    ... @given(specs(depth=1))
    ... def every_spec_is_accepted(case):
    ...     ebmlang.loads(case.text)
    >>> every_spec_is_accepted()
    """
    exact = arithmetic is Arithmetic.EXACT
    write = FormulaWriter(draw, exact)
    lines = [draw(st.sampled_from(["logic product", "logic godel"])), INPUTS]
    names, shapes = NAMES, dict(SHAPES)
    if draw(st.booleans()):
        lines.append(f"fn blend(a, b) = {write.real(Names(reals=('a', 'b')), 2)}")
        names = names.adding(functions=("blend",))
    if draw(st.booleans()):
        lines.append(f"fn near(a, b) = {write.constraint(Names(reals=('a', 'b')), 1)}")
        names = names.adding(predicates=("near",))
    if draw(st.booleans()):
        lines.append(_plain_spec(write))
        names = names.adding(predicates=("calm",))
    if draw(st.booleans()):
        lines.append(f"let d = {write.real(names, 2)}")
        lines.append(f"let w = {write.vector(names, 1)}")
        names = names.adding(reals=("d",), vectors=("w",))
    if draw(st.booleans()):
        more, names, own = _parts(write, names)
        lines += more
        shapes |= own
    lines += _terms(write, names, depth, energies)
    lines.append(f"report first = {write.real(names, 2)}")
    lines.append(f"report second = {write.vector(names, 2)}")
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    size = draw(st.integers(0, 3))
    return Case(
        text="\n".join(lines),
        sizes={"N": size},
        data=_data(rng, size, exact),
        points=tuple(_point(rng, shapes, exact) for _ in range(POINTS)),
    )


def _plain_spec(write: FormulaWriter) -> str:
    inner = Names(reals=("a", "b"))
    return f"""spec calm(a: real, b: real) {{
  let gap = a - b
  prefer low: {write.constraint(inner, 1)} weight 2
  prefer high: {write.constraint(inner.adding(reals=("gap",)), 1)}
}}"""


def _parts(
    write: FormulaWriter, names: Names
) -> tuple[list[str], Names, dict[str, tuple[int, ...]]]:
    """Return a spec of two levels, two instances of it, and what they declare."""
    knee = Names(reals=("h", "s"), vectors=("q",), known=("0.5",))
    lines = [
        f"""spec joint(h: real) {{
  var s: real
  prefer bend: {write.constraint(Names(reals=("h", "s")), 1)} weight 0.5
  require limit: {write.constraint(Names(reals=("h", "s")), 1)} or s >= 20
}}
spec limb(h: real) {{
  var q: real[2]
  part ankle = joint(h + q[0]) weight 2
  let s = ankle.s
  prefer straight: {write.constraint(knee, 1)}
  report angle = q[1] - h
}}""",
        f"part left = limb({write.real(names, 1)}) weight 0.5",
        "part right = limb(left.q[1])",
    ]
    shapes = {
        "left.q": (2,),
        "left.ankle.s": (),
        "right.q": (2,),
        "right.ankle.s": (),
    }
    more = names.adding(reals=("left.q[0]", "right.ankle.s"), vectors=("left.q",))
    return lines, more, shapes


def _terms(write: FormulaWriter, names: Names, depth: int, energies: bool) -> list[str]:
    lines = []
    for i in range(write.draw(st.integers(1, 3))):
        weight = write.pick("", " weight 2", " weight 0.25")
        words = ["require", "prefer", "prefer"]
        if energies:
            words += ["minimize", "maximize", "energy"]
        match write.pick(*words):
            case "require":
                # What is constant and can never hold would be an error.
                lines.append(f"require t{i}: {write.constraint(names, depth)} or u >= 20")
            case "prefer":
                # Without the brackets an open body would take the weight for its own.
                lines.append(f"prefer t{i}: ({write.constraint(names, depth)}){weight}")
            case "energy":
                lines.append(f"prefer t{i}: ({write.energy(names, depth - 1)}){weight}")
            case word:
                lines.append(f"{word} t{i}: ({write.real(names, depth)}){weight}")
    return lines


def _data(rng: np.random.Generator, size: int, exact: bool) -> dict[str, Any]:
    return {
        "g": _numbers(rng, (3,), exact),
        "y": _numbers(rng, (size,), exact),
        "k": rng.integers(-1, 3, 3),
        "n": rng.integers(0, 3),
        "f": rng.random(3) < 0.5,
    }


def _point(
    rng: np.random.Generator, shapes: Mapping[str, tuple[int, ...]], exact: bool
) -> dict[str, Any]:
    return {path: _numbers(rng, shape, exact) for path, shape in shapes.items()}


def _numbers(rng: np.random.Generator, shape: tuple[int, ...], exact: bool) -> Any:
    if exact:
        return rng.integers(-16, 17, shape) * GRID
    return rng.uniform(-2.0, 2.0, shape)


@st.composite
def formulas(draw: st.DrawFn, arithmetic: Arithmetic = Arithmetic.EXACT, depth: int = 2) -> str:
    """Draw one constraint in the names of `INPUTS`."""
    return FormulaWriter(draw, arithmetic is Arithmetic.EXACT).constraint(NAMES, depth)


@st.composite
def surroundings(draw: st.DrawFn, arithmetic: Arithmetic = Arithmetic.EXACT) -> Case:
    """Draw the declarations of `INPUTS` alone, with data and points."""
    exact = arithmetic is Arithmetic.EXACT
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    size = draw(st.integers(0, 3))
    return Case(
        text=f"logic {draw(st.sampled_from(['product', 'godel']))}{INPUTS}",
        sizes={"N": size},
        data=_data(rng, size, exact),
        points=tuple(_point(rng, SHAPES, exact) for _ in range(POINTS)),
    )


def with_terms(case: Case, *lines: str) -> Case:
    """Return a case whose text has more lines."""
    return replace(case, text="\n".join([case.text, *lines]))
