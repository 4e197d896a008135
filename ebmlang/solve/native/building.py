"""The machine code of a problem: its Lagrangian and its violation, with the loops around them.

It is built where the work ahead pays for the compiler, or where the environment asks for it; a run
goes on in the tier that it has begun in.
"""

from dataclasses import dataclass

from ebmlang.lower.gradient import Question
from ebmlang.lower.native.bound import BoundProgram, Code
from ebmlang.lower.native.build import Absence, build_library
from ebmlang.lower.native.function import PRECISIONS
from ebmlang.lower.packed import PackedEnergy
from ebmlang.lower.residuals import SquaredEnergy
from ebmlang.lower.rows import RowEnergy
from ebmlang.lower.tiers import Tier, asked_tier, say_once
from ebmlang.passes.gradient.lagrangian import row_path
from ebmlang.runtime import DerivedTarget, RowTarget, Target
from ebmlang.solve.native.machine import BOX_COLUMNS, Machines, build_machine
from ebmlang.solve.native.text import Function, write_descents, write_objectives
from ebmlang.spaces import SolvingChart

STEP_COST, ELEMENT_COST = 1e-3, 3e-9
"""What a step costs in torch [s]: its some 400 operations, and each element that they touch."""

PASSES = 70
"""How often L-BFGS goes through each coordinate in a step: some seven times per pair."""

USUAL_STEPS, TURNS = 250, 4
"""Steps after which most of a batch is at rest, and by how much more turns of multipliers take."""

BUILD_COST = 0.5
"""What is worth a call of the compiler [s]: an objective takes 0.1 to 0.5. The loops around it are
built once for all problems. Starts that rest early make the work less than it is taken for, up to
five times."""

LARGEST = 10_000
"""Most coordinates: with its pairs a block of starts then takes 17 MB, past any cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is ahead of some machine code.

    Attributes:
        starts: How many starts there are.
        adam_steps: Steps of Adam before they descend.
        repeats: How often as many starts descend.
    """

    starts: int
    adam_steps: int = 0
    repeats: int = 1


def find_machines(target: Target, chart: SolvingChart, work: Work) -> Machines | None:
    """Return the machine code of a problem; None where there is none, or it does not pay.

    Args:
        target: The model.
        chart: The solver's coordinates: only boxes have machine code.
        work: What is ahead.
    """
    tier, code = asked_tier(), _find_code(target)
    if tier is Tier.STRAIGHT or code is None or target.device.type != "cpu":
        return None
    if chart.curved or target.dim > LARGEST:
        return None
    programs = [code(Question.LAGRANGIAN)]
    if isinstance(programs[0], BoundProgram) and _is_constrained(programs[0]):
        programs.append(code(Question.VIOLATION))
    bound = [each for each in programs if isinstance(each, BoundProgram)]
    cheap = not bound or _estimate(bound[0], work) < BUILD_COST
    if len(bound) < len(programs) or (cheap and tier is None):
        return None
    functions = [Function(name=each.program.name, text=each.program.text) for each in bound]
    texts = (write_descents(), write_objectives(functions))
    loops, library = (build_library(text, PRECISIONS[target.dtype]) for text in texts)
    for part in (loops, library):
        if isinstance(part, Absence):
            say_once(part.reason)
            return None
    assert not isinstance(loops, Absence)
    assert not isinstance(library, Absence)
    machines = [
        build_machine(
            each.program.name,
            loops=loops,
            library=library,
            chart=chart,
            # Outputs are the value, then the gradient by each variable.
            sizes=each.program.sizes[1:],
            shared=each.shared,
            rows=each.program.rows,
        )
        for each in bound
    ]
    return Machines(lagrangian=machines[0], violation=machines[1] if len(bound) > 1 else None)


def _find_code(target: Target) -> Code | None:
    match target:
        case PackedEnergy() | RowEnergy():
            return target.code
        case SquaredEnergy():
            return target.packed.code
        case RowTarget() if BOX_COLUMNS[0] in target.data and isinstance(target, DerivedTarget):
            # What a row's bounds fold is unfolded around the code of what is inside.
            return _find_code(target.target)
        case _:
            return None


def _is_constrained(lagrangian: BoundProgram) -> bool:
    return row_path("multipliers") in lagrangian.program.rows


def _estimate(lagrangian: BoundProgram, work: Work) -> float:
    """Return what the work costs in torch [s]."""
    elements = lagrangian.program.work + PASSES * sum(lagrangian.program.sizes)
    turns = TURNS if _is_constrained(lagrangian) else 1
    step = STEP_COST + ELEMENT_COST * work.starts * elements
    return work.repeats * (work.adam_steps + turns * USUAL_STEPS) * step
