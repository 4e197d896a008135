"""One translation unit: some objectives, what is known of them, and the loops of all descents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def write_unit(objectives: Sequence[Function], sizes: Sequence[int]) -> str:
    """Return the text of the whole unit, without the prelude.

    Args:
        objectives: A job names one by its place.
        sizes: How many numbers each variable has, in the order of the packed point.
    """
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    known = {
        "DIM": sum(sizes),
        "VARIABLES": len(sizes),
        "PLACES": f"{{{', '.join(map(str, starts))}}}",
        "TINY": "(REAL_IS_FLOAT ? 0x1p-126 : 0x1p-1022)",
        **CONSTANTS,
    }
    head = "\n".join(f"#define {name} {value}" for name, value in known.items())
    loops = [(FOLDER / part).read_text(encoding="utf-8") for part in PARTS]
    texts = [objective.text for objective in objectives]
    return "\n\n".join([support(), *texts, _choice(objectives), head, *loops])


def _choice(objectives: Sequence[Function]) -> str:
    """Return the one function that stands for all, and the scratch that is enough for each."""
    scratch = "0"
    for objective in objectives:
        scratch = f"LARGER_OF({scratch}, {objective.name}_SCRATCH)"
    cases = [
        f"    case {place}: {objective.name}(x, in, out, scratch); break;"
        for place, objective in enumerate(objectives)
    ]
    lines = [
        "#define LARGER_OF(one, other) ((one) > (other) ? (one) : (other))",
        f"#define OBJECTIVE_SCRATCH {scratch}",
        "static void objective(int64_t number, const real *x, const inputs *in, real *const *out,",
        "                      real *scratch) {",
        "  switch (number) {",
        *cases,
        "  }",
        "}",
    ]
    return "\n".join(lines)
