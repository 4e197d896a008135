"""One translation unit: an objective, what is known of it, and the loops of all descents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebmlang.solve.descent import adam, history, lbfgs

FOLDER = Path(__file__).parent
PARTS = ("blocks.c", "lbfgs.c", "adam.c")
"""The loops, in the order in which one builds on another."""

CONSTANTS: Mapping[str, float] = {
    "MEMORY": history.MEMORY,
    "CURVATURE": history.CURVATURE,
    "DECREASE": lbfgs.DECREASE,
    "NOISE": lbfgs.NOISE,
    "TRIALS": lbfgs.TRIALS,
    "FIRST_MOVE": lbfgs.FIRST_MOVE,
    "LARGEST_MOVE": lbfgs.LARGEST_MOVE,
    "HOLD": lbfgs.HOLD,
    "DESCENT": lbfgs.DESCENT,
    "FIRST_MOMENT": adam.FIRST_MOMENT,
    "SECOND_MOMENT": adam.SECOND_MOMENT,
}
"""What the methods are tuned by: one value, whichever tier runs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveText:
    """An objective as C.

    Attributes:
        text: With a function `name` of a block, and the macro `name_SCRATCH`. Its outputs are the
            value, and the gradient by each variable.
        sizes: How many numbers each variable has, in the order of the packed point.
        rows: How many elements each of the data by row has.
    """

    text: str
    name: str
    sizes: tuple[int, ...]
    rows: tuple[int, ...]


def write_unit(objective: ObjectiveText) -> str:
    """Return the text of the whole unit, without the prelude."""
    starts = [sum(objective.sizes[:i]) for i in range(len(objective.sizes))]
    known = {
        "OBJECTIVE": objective.name,
        "OBJECTIVE_SCRATCH": f"{objective.name}_SCRATCH",
        "DIM": sum(objective.sizes),
        "VARIABLES": len(objective.sizes),
        "PLACES": _braced(starts),
        "ROWS": len(objective.rows),
        "WIDTHS": _braced(objective.rows),
        "TINY": "(REAL_IS_FLOAT ? 0x1p-126 : 0x1p-1022)",
        **CONSTANTS,
    }
    head = "\n".join(f"#define {name} {value}" for name, value in known.items())
    loops = [(FOLDER / part).read_text(encoding="utf-8") for part in PARTS]
    return "\n\n".join([objective.text, head, *loops])


def _braced(numbers: Sequence[int]) -> str:
    # An array of nothing is no array in C.
    return f"{{{', '.join(map(str, numbers or (0,)))}}}"
