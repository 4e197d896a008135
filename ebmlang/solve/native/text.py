"""What is compiled: the loops of all descents, once; and the objectives of each problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ebmlang.lower.native.emit import support
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
class Function:
    """An objective as C: a function of a block.

    Attributes:
        name: What it is called; there is a macro `name_SCRATCH` too.
        text: Its definition. Its outputs are the value, and the gradient by each variable.
    """

    name: str
    text: str


@cache
def write_descents() -> str:
    """Return the text of the loops, without the prelude: the same for every problem."""
    known = {"TINY": "(REAL_IS_FLOAT ? 0x1p-126 : 0x1p-1022)", **CONSTANTS}
    head = "\n".join(f"#define {name} {value}" for name, value in known.items())
    loops = [(FOLDER / part).read_text(encoding="utf-8") for part in PARTS]
    return "\n\n".join([support(), head, *loops])


def write_objectives(objectives: Sequence[Function]) -> str:
    """Return the text of some objectives, without the prelude.

    Of each there are `name_objective`, as the loops call it, and `name_scratch`, how many numbers
    it works in.
    """
    exported = [
        f"void {each.name}_objective(const real *x, const inputs *in, real *const *out,\n"
        f"                      real *scratch) {{\n"
        f"  {each.name}(x, in, out, scratch);\n}}\n"
        f"const int64_t {each.name}_scratch = {each.name}_SCRATCH;"
        for each in objectives
    ]
    return "\n\n".join([support(), *(each.text for each in objectives), *exported])
