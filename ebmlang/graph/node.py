"""A node of the energy graph: one array, and how it comes out of others.

Operators are those of the table in `ebmlang.lang`, and the following that only a graph has.

Leaves (no inputs):

| operator | options | value |
| --- | --- | --- |
| `constant` | `value`: Constant | an array known now |
| `variable` | `path`: str | an unknown; the only source of a chain axis |
| `given` | `path`: str | a run-time input |
| `weight` | `path`: str, `value`: float | the weight of a term or part; a run-time scalar |
| `parameter` | `index`: int | inside the body of a `scan`: its state, elements and captures |

Two operators lead out of constraints: `holds` (c) is its crisp reading, a truth value, and `energy`
(c) its C, a real.

`extern` (inputs: arguments; option `name`) is a function from Python: it gets the arrays with all
their leading axes and returns its own axes behind the same leading ones.

`scan` holds a recurrence. Inputs: the start, then the element arrays, then the captures. All
states come out along a new axis in front of the state's own axes. Options:

| option | what it is |
| --- | --- |
| `body` | EnergyGraph with the one root NEXT; parameters: state, elements, captures |
| `steps` | how many |
| `rank` | how many own axes the state has |
| `element_ranks` | for each element array, how many own axes one element has; time is in front |

Constraints have kind CONSTRAINT: an array of margins and energies, told apart only by the pass
that computes them. Their operators all work elementwise with broadcasting, but for `all` and `any`:

| operator | margin r | energy C |
| --- | --- | --- |
| `le` (a, b, s) | (b - a) / s | relu(-r)^2 / 2 |
| `eq` (a, b, s) | 1 - abs(a - b) / s | relu(-r)^2 / 2 |
| `ne` (a, b, s) | abs(a - b) / s - 1 | relu(-r)^2 / 2 |
| `int_le` (a, b) | b - a | relu(-r)^2 / 2 |
| `int_eq` (a, b) | -abs(a - b) | r^2 / 2 |
| `int_ne` (a, b) | abs(a - b) - 1 | 1 if violated, else 0 |
| `same` (a, b) | 0, or -1 if they differ | -r |
| `differ` (a, b) | -1, or 0 if they differ | -r |
| `and`, `or` (c, d, ...; `logic`) | min, max | by the logic |
| `not` (c) | -r for reals; by the flipped relation otherwise | none: pushed to the relations |
| `all`, `any` (c; `axes`, `logic`) | min, max over the axes | by the logic |
| `guard` (mask, c; `neutral`) | r where mask, else inf or -inf | C where mask, else 0 or inf |
| `scale` (c, w) | r | w * C |

Where its mask is false a neutral `guard` holds (inf, 0), another fails (-inf, inf).
"""

from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.source import Span


class Kind(Enum):
    """What the elements of a node's array are."""

    REAL = "real"
    INT = "int"
    BOOL = "bool"
    CONSTRAINT = "constraint"

    # Members are single objects; the hash of Enum is a call in Python, and nodes are hashed a lot.
    __hash__ = object.__hash__


DIGESTED = 4_096
"""Bytes past which an array is told from others by its digest: 256 bits, so no two share one."""


class Constant:
    """A read-only array that can be a key: equal when dtype, shape and every bit agree."""

    __slots__ = ("_hash", "_key", "array")

    def __init__(self, array: NDArray[Any]) -> None:
        frozen = isinstance(array, np.ndarray) and array.flags.owndata and array.flags.c_contiguous
        if frozen and not array.flags.writeable:
            # Nobody can change it any more: an index of all pairs is as large as an array gets.
            fixed = array
        else:
            fixed = np.array(array, order="C")
            fixed.flags.writeable = False
        self.array = fixed
        if fixed.nbytes > DIGESTED:
            bits = blake2b(fixed.reshape(-1).view(np.uint8).data, digest_size=32).digest()
        else:
            bits = fixed.tobytes()
        self._key = (fixed.dtype.str, fixed.shape, bits)
        self._hash = hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._key == other._key

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Constant({self.array.tolist()!r})"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node came from: the text, and the path of the term it was first built for.

    Where a node computes several steps of the text at once, one behind the other along its first
    axis, `members` are theirs.
    """

    span: Span | None
    path: str
    members: "tuple[Origin, ...]" = ()


Options: TypeAlias = tuple[tuple[str, Any], ...]
"""Sorted pairs of name and value. Any: ints, strings, tuples of ints, Constant, EnergyGraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One array-valued step.

    Two nodes with the same operator, inputs, options, kind and shape are one: `origin` does not
    count. Elementwise operators take inputs of equal rank (size-1 axes broadcast), so that a
    chain axis in front never meets another axis.

    Attributes:
        operator: A name of the operator table, or one of those above.
        inputs: Numbers of the nodes it takes, all smaller than its own.
        options: What is fixed at compile time.
        kind: What the elements are.
        shape: Leading quantifier axes, outermost first, then the value's own axes.
    """

    operator: str
    inputs: tuple[int, ...] = ()
    options: Options = ()
    kind: Kind
    shape: tuple[int, ...]
    origin: Origin = field(compare=False)

    def option(self, name: str) -> Any:
        """Return the value of an option that this node has."""
        for own, value in self.options:
            if own == name:
                return value
        raise KeyError(name)

    def reading(self, inputs: tuple[int, ...]) -> "Node":
        """Return the same step on other inputs."""
        if inputs == self.inputs:
            return self
        # Faster than `replace`, and passes do little else.
        return Node(
            operator=self.operator,
            inputs=inputs,
            options=self.options,
            kind=self.kind,
            shape=self.shape,
            origin=self.origin,
        )


class RootKind(Enum):
    """What a root of the graph is for."""

    TERM = "term"
    """A soft term as built: constraint, or energy without its weight."""
    REQUIRE = "require"
    """A hard term as built: a constraint."""
    ENERGY = "energy"
    """A soft term's share of E: a real scalar, weight included."""
    MARGIN = "margin"
    """The margin of a term that is a constraint: a real scalar."""
    ENERGIES = "energies"
    """All ENERGY, in order: a real vector. Only batched graphs have it."""
    MARGINS = "margins"
    """All MARGIN, likewise."""
    HARD = "hard"
    """The margins of the conjuncts of a `require`, flat: a real vector."""
    CLAUSES = "clauses"
    """The same requirement as HARD where that has kinks: its clauses, flat: a real vector. Only
    solving and sampling read it."""
    TOTAL = "total"
    """E without the `require`s: a real scalar. Its path is ''."""
    REPORT = "report"
    LOWER = "lower"
    """A variable's lower bound; its path is the variable's."""
    UPPER = "upper"
    INDEX = "index"
    """An index that depends on data, to be checked against `size` once the data is bound."""
    POSITIVE = "positive"
    """A tolerance that depends on data, to be checked likewise."""
    DENSITY = "density"
    """The energy of a density, elementwise or a scalar: over all values of the LEFT of the same
    path, and whatever else it depends on, exp of minus its sum integrates to one. For analyses
    only: pruning drops both."""
    INTEGRAND = "integrand"
    """The energy whose log integral the estimated input of the same path is: a real scalar. Pruning
    drops it."""
    LEFT = "left"
    """What a DENSITY is a density of."""
    PIECE = "piece"
    """A piece of a term, with the axes of the quantifiers around it: a constraint as built, then
    its energy; or an energy, a number, a mask. Only graphs made for explaining have these."""
    PIECE_MARGIN = "piece margin"
    """The margin of a PIECE that is a constraint."""
    GRADIENT = "gradient"
    """The derivative of one output by the variable of the same path, in its shape: a real array.
    Only graphs that `passes.gradient` has made have these."""
    NEXT = "next"
    """The next state, in the body of a scan."""


@dataclass(frozen=True, slots=True)
class Root:
    """The name of a root: its kind, its path, and for INDEX the size it must stay below."""

    kind: RootKind
    path: str = ""
    size: int = 0
