"""What an operator is: one record, the single place where its facts stand.

Shapes. Every operator works on the *last* axes of its operands and repeats itself over all
axes before them, as NumPy's generalized functions do. That is why a quantifier, and later the
batch of chains, is nothing but a leading axis: no operator has to know of it.

- ELEMENTWISE: no axes of its own; operands broadcast.
- REDUCTION: one operand; the option `axes`, a tuple of negative integers, says which axes go.
- CORE: a fixed pattern of own axes, `core`, such as `(n),(n)->()` for `dot`.
- STRUCTURAL: moves elements about; `shape` says what comes out, options say how.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang.facts import Facts
from ebmlang.lang.size import Dim
from ebmlang.lang.types import Shape

Array: TypeAlias = NDArray[Any]
"""Any: float64, int64 or bool, as the operand is."""

Options: TypeAlias = Mapping[str, Any]
"""Any: an option is an int, a tuple of ints or a shape; each record's doc says which."""


class Family(Enum):
    """How an operator treats the axes of its operands."""

    ELEMENTWISE = "elementwise"
    REDUCTION = "reduction"
    CORE = "core"
    STRUCTURAL = "structural"


class Result(Enum):
    """The sort that comes out."""

    REAL = "real"
    SAME = "same"
    """int where all operands are int, else real (bool counts as neither)."""
    LIKE = "like"
    """Whatever sort the (first value) operand has, bool included."""
    INT = "int"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class Core:
    """A pattern of own axes: names, or numbers where the size is fixed.

    >>> Core.parse("(m,n),(n,p)->(m,p)").outcome
    ('m', 'p')
    """

    operands: tuple[tuple[str, ...], ...]
    outcome: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Core":
        """Read the notation of NumPy's generalized functions."""
        left, right = text.split("->")
        groups = [_axes(group) for group in left[1:-1].split("),(")]
        return cls(tuple(groups), _axes(right[1:-1]))


def _axes(group: str) -> tuple[str, ...]:
    return tuple(name for name in group.split(",") if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator of the language.

    Attributes:
        name: Its name in graphs, and in specs where `callable_by_name`.
        parameters: The names of its operands.
        family: How it treats axes.
        result: The sort that comes out.
        evaluate: Its value in NumPy; options come as keyword arguments.
        core: For CORE, its pattern of axes.
        shape: For STRUCTURAL, the shape that comes out of operand shapes and options.
        callable_by_name: Whether a spec may call it by its name; the others come from symbols
            (`+`), from other forms, or from passes.
        commutative: Whether operands may be swapped.
        region: For each operand, an interval inside which it is finite and differentiable; tests
            draw from it.
        doc: One line for people.
        facts: What is known of it without running it.
        source: Where the definition is from, when it is not plain.
    """

    name: str
    parameters: tuple[str, ...]
    family: Family
    evaluate: Callable[..., Array]
    doc: str
    facts: Facts
    result: Result = Result.REAL
    core: Core | None = None
    shape: Callable[[tuple[Shape, ...], Options], Shape] | None = None
    callable_by_name: bool = True
    commutative: bool = False
    region: tuple[tuple[float, float], ...] = ()
    source: str = ""


class ShapeError(Exception):
    """Operand shapes do not fit; `dims` are the two sizes that differ, if it is about two."""

    def __init__(self, message: str, dims: tuple[Dim, Dim] | None = None) -> None:
        super().__init__(message)
        self.dims = dims


def infer_shape(operator: Operator, shapes: tuple[Shape, ...], options: Options) -> Shape:
    """Return the shape that comes out of operands of these shapes.

    Works on known sizes and on sizes that only the data binds.

    Raises:
        ShapeError: The operands do not fit together.
    """
    match operator.family:
        case Family.ELEMENTWISE:
            return broadcast(*shapes)
        case Family.REDUCTION:
            dropped = {len(shapes[0]) + axis for axis in options["axes"]}
            return tuple(dim for i, dim in enumerate(shapes[0]) if i not in dropped)
        case Family.CORE:
            assert operator.core is not None
            return _core_shape(operator.core, shapes)
        case Family.STRUCTURAL:
            assert operator.shape is not None
            return operator.shape(shapes, options)


def broadcast(*shapes: Shape) -> Shape:
    """Return the common shape of operands that broadcast as in NumPy.

    >>> broadcast((3, 1), (4,))
    (3, 4)

    Raises:
        ShapeError: Two sizes differ and neither is 1.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result: list[Dim] = [1] * rank
    for shape in shapes:
        for i, dim in enumerate(shape, start=rank - len(shape)):
            if result[i] == 1:
                result[i] = dim
            elif dim not in (1, result[i]):
                raise ShapeError(f"sizes {result[i]} and {dim} differ", (result[i], dim))
    return tuple(result)


def _core_shape(core: Core, shapes: tuple[Shape, ...]) -> Shape:
    bound: dict[str, Dim] = {}
    loops: list[Shape] = []
    for names, shape in zip(core.operands, shapes, strict=True):
        if len(shape) < len(names):
            raise ShapeError(f"an operand needs {len(names)} axes and has {len(shape)}")
        split = len(shape) - len(names)
        loops.append(shape[:split])
        for name, dim in zip(names, shape[split:], strict=True):
            wanted = int(name) if name.isdigit() else bound.setdefault(name, dim)
            if wanted != dim:
                raise ShapeError(f"sizes {wanted} and {dim} differ", (wanted, dim))
    return broadcast(*loops) + tuple(
        int(name) if name.isdigit() else bound[name] for name in core.outcome
    )


def as_float(array: Array) -> NDArray[np.float64]:
    """Return an array as float64, so that integer operands are not divided as integers."""
    return np.asarray(array, dtype=np.float64)
