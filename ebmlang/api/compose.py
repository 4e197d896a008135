"""Composition from Python, for those whose energies are functions in code.

    import ebmlang

    near = ebmlang.term(lambda x: 1 - x.norm(dim=-1), "x")
    left = ebmlang.term(lambda x: -x[..., 0], "x")
    model = ebmlang.compose(
        {"x": "real[2] in [-2, 2]"}, prefer={"there": near & ~left}, minimize={"low": "x[1]"}
    )

A composition is written out as a spec that calls the functions, and goes down the same road as
any other: the same rules, the same messages, the same verbs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeGuard, final

from ebmlang.api.inputs import Extern
from ebmlang.api.load import build_model
from ebmlang.api.model import Model
from ebmlang.lang import Sort
from ebmlang.lang.distributions import DISTRIBUTIONS
from ebmlang.lang.table import OPERATORS
from ebmlang.lang.words import SPELLINGS
from ebmlang.source import SourceText

Word: TypeAlias = Literal["and", "or", "not"]

_NOTHING: "Mapping[str, Formula | str]" = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class _Leaf:
    """A function applied to variables."""

    function: Extern
    variables: tuple[str, ...]
    sort: Sort
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class _Joined:
    """Formulas under a connective."""

    word: Word
    operands: "tuple[Formula, ...]"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A constraint or an energy: `&` is `and`, `|` is `or`, `~` is `not`.

    What may be joined with what is decided by the rules of the language, when the formula
    becomes part of a model: `|` and `~` are for constraints.
    """

    content: _Leaf | _Joined

    def __and__(self, other: object) -> "Formula":
        return Formula(_Joined("and", (self, other))) if _is_formula(other) else NotImplemented

    def __or__(self, other: object) -> "Formula":
        return Formula(_Joined("or", (self, other))) if _is_formula(other) else NotImplemented

    def __invert__(self) -> "Formula":
        return Formula(_Joined("not", (self,)))

    def __bool__(self) -> bool:
        # Python's own words would drop one side without a sign.
        raise TypeError("a formula is neither true nor false: join with `&`, `|` and `~`")


def _is_formula(value: object) -> TypeGuard[Formula]:
    return isinstance(value, Formula)


def term(
    function: Extern,
    *variables: str,
    sort: Literal["constraint", "energy"] = "constraint",
    name: str | None = None,
) -> Formula:
    """Make a formula of a function.

    Args:
        function: Takes the variables' values as tensors `[chain, ...]` and returns, `[chain]`,
            for a constraint its margin, which is >= 0 where it holds and counts in tolerances;
            for an energy its value [nats]. It must be differentiable by torch.
        variables: The paths of the variables that it takes, in order.
        sort: What it returns.
        name: What the printed spec and messages call it; the function's own name if None.
    """
    own = name or str(getattr(function, "__name__", type(function).__name__))
    return Formula(_Leaf(function, variables, Sort(sort), own))


def compose(
    variables: Mapping[str, str],
    *,
    givens: Mapping[str, str] = MappingProxyType({}),
    require: Mapping[str, Formula | str] = _NOTHING,
    prefer: Mapping[str, Formula | str] = _NOTHING,
    minimize: Mapping[str, Formula | str] = _NOTHING,
    logic: str = "product",
    name: str = "composition",
) -> Model:
    """Make a model of formulas from Python, beside expressions of the language.

    Args:
        variables: Domains by name, as in `{"x": "real[2] in [-2, 2]"}`; a distribution may follow.
        givens: Domains of run-time inputs by name, with a default or without.
        require: What has to hold, by the name of the term.
        prefer: What is wished for.
        minimize: What is to be small: an energy, or a text that is a real number.
        logic: `product` or `godel`.
        name: What messages call the spec that is written out.

    Raises:
        EbmError: What is wrong with it, by the rules of the language.
    """
    roles = {"require": require, "prefer": prefer, "minimize": minimize}
    taken = {*variables, *givens, *(path for terms in roles.values() for path in terms)}
    writer = _Writer(taken | set(OPERATORS) | set(DISTRIBUTIONS) | SPELLINGS)
    lines = [f"logic {logic}"]
    lines += [f"given {path}: {domain}" for path, domain in givens.items()]
    lines += [f"var {path}: {domain}" for path, domain in variables.items()]
    for role, terms in roles.items():
        for path, value in terms.items():
            text = (
                value if isinstance(value, str) else writer.write(value, number=role == "minimize")
            )
            lines.append(f"{role} {path}: {text}")
    return build_model(SourceText(name, "\n".join(lines) + "\n"), externs=writer.externs)


class _Writer:
    """Writes formulas as text, and keeps the functions that the text calls."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._names: dict[int, str] = {}
        self.externs: dict[str, tuple[Sort, Extern]] = {}

    def write(self, formula: Formula, *, number: bool = False) -> str:
        """Return the text of a formula; of an energy alone, as a number where one is wanted."""
        match formula.content:
            case _Leaf() as leaf:
                call = f"{self._name(leaf)}({', '.join(leaf.variables)})"
                return f"energy({call})" if leaf.sort is Sort.ENERGY and not number else call
            case _Joined(word="not", operands=(operand,)):
                return f"not {self._write_operand(operand)}"
            case _Joined(word="and", operands=operands) if number:
                # The AND of energies is their sum.
                return " + ".join(self.write(operand, number=True) for operand in operands)
            case _Joined(word=word, operands=operands):
                return f" {word} ".join(map(self._write_operand, operands))

    def _write_operand(self, formula: Formula) -> str:
        text = self.write(formula)
        return text if isinstance(formula.content, _Leaf) else f"({text})"

    def _name(self, leaf: _Leaf) -> str:
        if id(leaf) not in self._names:
            stem = re.sub(r"\W", "", leaf.name, flags=re.ASCII).lstrip("0123456789_")
            stem = stem if stem and leaf.name != "<lambda>" else "f"
            name, count = stem, 1
            while name in self._taken:
                count += 1
                name = f"{stem}_{count}"
            self._taken.add(name)
            self._names[id(leaf)] = name
            # An energy is written `energy(f(x))`, so that it can be minimized as well.
            sort = Sort.REAL if leaf.sort is Sort.ENERGY else leaf.sort
            self.externs[name] = (sort, leaf.function)
        return self._names[id(leaf)]
