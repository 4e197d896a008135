"""How a model is searched: by the plan that its facts make, part by part where it comes apart.

E(x, y) = f(x) + g(y)     f and g by themselves, then all pairs of what was found
E = F + (A or B)          F + A and F + B by themselves, then E from where these ended
E convex                  one start, and a proof that it ended at the global minimum
else                      many starts, until enough of them agree on the best
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.analysis import GraphFacts
from ebmlang.analysis.alternatives import Alternative, find_alternatives
from ebmlang.analysis.plan import pick_solver
from ebmlang.analysis.separation import separate
from ebmlang.analysis.solving import (
    APART,
    BRANCHES,
    DOES,
    FEW_STARTS,
    LEVENBERG_MARQUARDT,
    ONE_START,
)
from ebmlang.analysis.traits import infer_traits
from ebmlang.api.compile import find_module, lay_out
from ebmlang.api.facts import find_facts
from ebmlang.api.model import Model
from ebmlang.graph import EnergyGraph
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.residuals import find_squares
from ebmlang.passes.pruning import prune_unused
from ebmlang.runs.certainty import Certainty, Sureness, be_certain, weigh
from ebmlang.runtime import Budget, Deadline, Progress, Target, derive_seed
from ebmlang.solve import Solution, search
from ebmlang.solve.answers.diversity import Diversity
from ebmlang.solve.answers.improvement import improve
from ebmlang.solve.answers.lower_bound import find_enough
from ebmlang.solve.answers.recombination import recombine
from ebmlang.solve.effort import QUICK, Effort
from ebmlang.solve.methods import DEFAULT_METHOD, METHODS, pick_local
from ebmlang.solve.search.hinted import Hinted
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout

FEW = 16
"""Starts of a convex problem with kinks: each brings the tangents at where it has stopped."""

FEWEST_STARTS = 8
"""Starts that what an OR chooses from has at least."""

NOT_FINITE = "E0707"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """What a user asks of a search.

    Attributes:
        designs: Most designs to keep.
        diversity: Where they are to differ, how good they must be; None keeps the best.
        starts: Of each round, where there are many.
        seed: Of all random numbers.
        effort: When it has looked enough.
        deadline: When it has to end all the same.
        progress: Hears how far it is.
    """

    designs: int
    diversity: Diversity | None
    starts: int
    seed: int
    effort: Effort
    deadline: Deadline
    progress: Progress | None

    @property
    def budget(self) -> Budget:
        """What time is left."""
        return self.deadline.remaining()

    def share(self, parts: int) -> "Settings":
        """Return the same with the time that one of several parts, still to be done, may take."""
        left = self.budget.seconds
        return (
            self if left is None else replace(self, deadline=Budget(seconds=left / parts).start())
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """A problem, or a part of one, ready to be searched."""

    facts: GraphFacts
    target: Target
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What a search found.

    Attributes:
        solution: The designs.
        certainty: How sure it is that the first is the best; None where nothing is feasible.
    """

    solution: Solution
    certainty: Certainty | None

    @property
    def proved(self) -> bool:
        """Whether the first is known to be a global minimum."""
        return self.certainty is not None and self.certainty.sureness is Sureness.GLOBAL

    @property
    def gap(self) -> float:
        """By how much a point could still be lower at most, where that is proved [nats]."""
        assert self.certainty is not None
        return self.certainty.gap or 0.0


def find_designs(
    model: Model,
    module: CompiledEnergy,
    layout: Layout,
    settings: Settings,
    method: str | None,
) -> Found:
    """Search a model.

    Args:
        model: Bound to its data.
        module: Compiled from it.
        layout: Where its points live.
        settings: What is asked of the search.
        method: The way of solving, by name; chosen by what is known of the model if None.

    Raises:
        EbmError: E0907 where a model cannot be solved that way, and as `search` does.
    """
    facts = find_facts(model)
    assert facts is not None, "the data is there once a model is compiled"
    task = Task(facts=facts, target=_build_target(facts, module), layout=layout)
    return _Searching(model=model, module=module).find(task, settings, method)


def _is_lower(one: Solution, other: Solution) -> bool:
    """Whether the best of one is clearly better than that of another, which may have been cut."""
    if one.is_feasible != other.is_feasible:
        return one.is_feasible
    best, reached = float(one.energies[0]), float(other.energies[0])
    return one.is_feasible and best < reached - find_enough(one.energies.dtype, best)


def require_way(name: str) -> str:
    """Return the name of a way of solving if there is one.

    Raises:
        EbmError: E0907.
    """
    if name not in DOES:
        known = ", ".join(f"`{known}`" for known in DOES)
        raise _cannot(f"there is no method named `{name}`", f"the methods are {known}")
    return name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Searching:
    """The search of one model, down to its parts."""

    model: Model
    module: CompiledEnergy

    def find(self, task: Task, settings: Settings, method: str | None = None) -> Found:
        """Search a problem as its facts advise, or as the user does."""
        if settings.diversity is not None and method is None:
            # Designs that differ are chosen among all that was found, and so from the whole.
            return self._many_starts(task, settings)
        way = method or pick_solver(task.facts).method
        if way in (ONE_START, FEW_STARTS):
            count = 1 if way == ONE_START else min(FEW, settings.starts)
            return self._few_starts(task, settings, count, insist=method is not None)
        if way == APART:
            return self._apart(task, settings)
        if way == BRANCHES:
            return self._branches(task, settings)
        return self._many_starts(task, settings, way)

    def _few_starts(self, task: Task, settings: Settings, count: int, *, insist: bool) -> Found:
        once = replace(settings, starts=count, effort=QUICK)
        found = self._many_starts(task, once)
        ended = found.solution.interrupted or settings.deadline.is_over()
        if found.proved or insist or ended:
            return found
        # What few starts do not reach, or the proof does not show, more starts may.
        more = self._many_starts(task, settings)
        return found if _is_lower(found.solution, more.solution) else more

    def _many_starts(self, task: Task, settings: Settings, method: str = DEFAULT_METHOD) -> Found:
        built = METHODS[method](settings.starts, pick_local(task.target))
        return self._judge(task, self._search(task, built, settings), settings)

    # Any: the state of a search is its own.
    def _search(self, task: Task, method: Any, settings: Settings) -> Solution:
        return search(
            task.target,
            task.layout,
            method,
            seed=settings.seed,
            rounds=settings.effort.rounds,
            confirming=settings.effort.confirming,
            designs=settings.designs,
            diversity=settings.diversity,
            width=settings.starts,
            progress=settings.progress,
            budget=settings.budget,
        )

    def _judge(self, task: Task, solution: Solution, settings: Settings) -> Found:
        """Say how sure it is: by a proof where the problem is convex, else by the starts."""
        if not solution.is_feasible:
            return Found(solution=solution, certainty=None)
        convex = all(infer_traits(task.facts, block).convex for block in task.facts.blocks)
        if convex and not solution.interrupted:
            better, gap = improve(task.target, task.layout, solution, settings.deadline)
            solution = better
            if gap is not None:
                certainty = be_certain(solution.agreement, gap, "convex")
                return Found(solution=solution, certainty=certainty)
        return Found(solution=solution, certainty=weigh(solution.agreement))

    # --- independent blocks ----------------------------------------------------------

    def _apart(self, task: Task, settings: Settings) -> Found:
        blocks = task.facts.blocks
        if len(blocks) < 2:
            raise _cannot("the energy is one block of variables: it does not come apart")
        columns = {
            block.path: torch.arange(block.start, block.stop, device=task.target.device)
            for block in task.layout.blocks
        }
        found: list[Found] = []
        places = []
        for number, block in enumerate(blocks):
            part = self._build(separate(task.facts, block), task)
            own = settings.share(len(blocks) - number)
            idle = infer_traits(task.facts, block).idle
            if found and found[-1].solution.interrupted:
                own = replace(own, deadline=Budget(seconds=0.0).start())
            # Where nothing is asked of it, one point is as good as any other.
            found.append(self.find(part, own, ONE_START if idle else None))
            places.append(torch.cat([columns[own.path] for own in part.layout.blocks]))
        parts = [(one.solution, place) for one, place in zip(found, places, strict=True)]
        solution = recombine(task.target, parts, most=settings.designs)
        if not solution.is_feasible:
            return Found(solution=solution, certainty=None)
        if all(one.proved for one in found):
            gap = sum(one.gap for one in found)
            certainty = be_certain(solution.agreement, gap, f"{len(found)} convex blocks")
            return Found(solution=solution, certainty=certainty)
        return Found(solution=solution, certainty=_find_weakest(found, blocks))

    # --- what an OR chooses from -----------------------------------------------------

    def _branches(self, task: Task, settings: Settings) -> Found:
        alternatives = find_alternatives(task.facts)
        if not alternatives:
            raise _cannot("the energy has no OR at its top that opens it up")
        starts = max(settings.starts // (2 * len(alternatives)), FEWEST_STARTS)
        found: list[Found] = []
        for number, alternative in enumerate(alternatives):
            share = settings.share(len(alternatives) + 1 - number)
            seed = derive_seed(settings.seed, f"branch {alternative.name}")
            # A part only says where the whole may begin: what it misses, the whole may still find.
            own = replace(share, starts=starts, seed=seed, effort=QUICK)
            one = self._branch(task, alternative, own)
            if one is not None:
                found.append(one)
                if one.solution.interrupted:
                    break
        seeds = [one.solution.points[one.solution.feasible] for one in found]
        if not any(len(points) for points in seeds):
            return self._many_starts(task, settings)
        whole = Hinted(
            hints=torch.cat(seeds),
            starts=max(settings.starts // 2, FEWEST_STARTS),
            local=pick_local(task.target),
        )
        judged = self._judge(task, self._search(task, whole, settings), settings)
        complete = len(found) == len(alternatives) and all(one.proved for one in found)
        if complete and alternatives[0].exact and judged.certainty is not None:
            least = min(float(one.solution.energies[0]) - one.gap for one in found)
            gap = max(float(judged.solution.energies[0]) - least, 0.0)
            if gap <= find_enough(task.target.dtype, least):
                why = f"the least of {len(found)} convex parts"
                proof = be_certain(judged.solution.agreement, gap, why)
                return replace(judged, certainty=proof)
        return judged

    def _branch(self, task: Task, alternative: Alternative, settings: Settings) -> Found | None:
        """Search one of the parts; None where its energy is not finite wherever one looks."""
        try:
            return self.find(self._build(alternative.graph, task), settings)
        except EbmError as error:
            if any(diagnostic.code == NOT_FINITE for diagnostic in error.diagnostics):
                return None
            raise

    def _build(self, graph: EnergyGraph, whole: Task) -> Task:
        """Return a part, compiled once, bound to the data and weights of the whole."""
        inside = prune_unused(graph)
        inputs = self._inputs()
        key = (inside, self.module.dtype, self.module.device)
        compiled = find_module(self.model, inside, key)
        compiled.ahead = self.module.ahead
        compiled.bind(
            {given.path: inputs[given.path] for given in inside.givens}, self.model.weights
        )
        facts = GraphFacts(graph, whole.facts.inputs)
        return Task(
            facts=facts,
            target=_build_target(facts, compiled),
            layout=lay_out(compiled),
        )

    def _inputs(self) -> Mapping[str, NDArray[Any]]:
        """Return all inputs by path. Any: of any dtype."""
        binding, graph = self.module.binding, self.module.graph
        return {
            given.path: np.asarray(value)
            for given, value in zip(graph.givens, binding.givens, strict=True)
        }


def _build_target(facts: GraphFacts, module: CompiledEnergy) -> Target:
    """Return what a search sees of an energy: its residuals too, where the plan uses them."""
    squares = pick_solver(facts).descent == LEVENBERG_MARQUARDT
    return (find_squares(module) if squares else None) or module.packed()


def _find_weakest(found: Sequence[Found], blocks: Sequence[Any]) -> Certainty | None:
    """Return the verdict on the block that it is least sure of, with its name."""
    doubtful = [
        (one.certainty, block)
        for one, block in zip(found, blocks, strict=True)
        if one.certainty is not None and not one.proved
    ]
    if not doubtful:
        return None
    weakest, block = min(doubtful, key=lambda item: item[0].reached / max(item[0].starts, 1))
    return replace(
        weakest, words=f"of {len(found)} blocks, in that of `{block.variables[0]}`: {weakest.words}"
    )


def _cannot(headline: str, *helps: str) -> EbmError:
    advice = helps or ("leave `--method` out, and the way is chosen by what is known of the spec",)
    return EbmError(Diagnostic(code="E0907", headline=headline, helps=advice))
