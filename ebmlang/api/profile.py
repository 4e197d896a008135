"""`ebm profile`: the time and memory of each term, measured at points of the domain."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.analysis.attribution import (
    TOGETHER,
    share_energy,
    share_gradient,
    share_requirements,
)
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.model import Model
from ebmlang.graph import EnergyGraph, Node, RootKind
from ebmlang.lower.gradient import Question, gradient_graph
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.stopwatch import Lap, time_gradient, time_values
from ebmlang.passes.clauses import list_required
from ebmlang.passes.gradient import NoRuleError
from ebmlang.runs.profile import Profile, TermTime
from ebmlang.spaces.starts import draw_starts

Users: TypeAlias = Mapping[int, tuple[str, ...]]
"""For each node, the paths of the terms that it works for."""

CHAINS = 1024
"""Points of the batch, where nobody says."""

ROUNDS = 9
"""Evaluations, of which the median one is told."""

LONGEST_TEXT = 40
"""Characters of the spec in the name of a place."""

MOST_SHARERS = 3
"""Terms that are named where more share a step."""


def profile_model(
    model: Model,
    *,
    chains: int = CHAINS,
    rounds: int = ROUNDS,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> Profile:
    """Return what E, its gradient and the margins of what is required take, by term.

    Args:
        model: The model, with its data.
        chains: Points in the batch.
        rounds: Evaluations, of which the median one is told.
        seed: Of the points, which are drawn as starts are.
        dtype: Precision.

    Raises:
        EbmError: E0701-E0705 for the data, E0708 where there are no unknowns.
    """
    module = compile_model(model, dtype=dtype)
    x = draw_starts(lay_out(module), chains, seed=seed, dtype=dtype, device=torch.device("cpu"))
    laps = [_time_energy(module, x, rounds)]
    if share_requirements(module.graph):
        laps.append(_time_requirements(module, x, rounds))
    terms = [term for lap in laps for term in lap.split()]
    order = {info.path: place for place, info in enumerate(module.graph.terms)}
    return Profile(
        name=model.name,
        chains=chains,
        precision=str(dtype).removeprefix("torch."),
        terms=tuple(sorted(terms, key=lambda term: order.get(term.path, len(order)))),
        call=_time_call(module, x, rounds),
        stacks={stack: seconds for lap in laps for stack, seconds in lap.stack().items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """Laps of one question: of the value alone, and of value and gradient together.

    Attributes:
        value, gradient: The laps.
        graph: Of the gradient's nodes.
        value_users, users: The terms that each node works for.
        question: In words.
        required: Whether it is about what is required.
    """

    value: Lap
    gradient: Lap
    graph: EnergyGraph
    value_users: Users
    users: Users
    question: str
    required: bool

    def split(self) -> list[TermTime]:
        """Return what each term took."""
        energy = _share(self.value.forward, self.value_users)
        gradient = _share(self.gradient.forward, self.users)
        for path, seconds in _share(self.gradient.backward, self.users).items():
            gradient[path] = gradient.get(path, 0.0) + seconds
        memory = _share(self.gradient.kept, self.users)
        return [
            TermTime(
                path=path,
                required=self.required,
                energy=energy.get(path, 0.0),
                gradient=gradient.get(path, 0.0),
                memory=memory.get(path, 0.0),
            )
            for path in dict.fromkeys([*energy, *gradient])
        ]

    def stack(self) -> dict[tuple[str, ...], float]:
        """Return where the time went: the question, the term, the place, the step."""
        stacks: dict[tuple[str, ...], float] = {}
        for times, words in ((self.gradient.forward, ()), (self.gradient.backward, ("back",))):
            for number, seconds in times.items():
                term = _name_term(self.users.get(number, (TOGETHER,)))
                key = (self.question, *term, *_name_step(self.graph.nodes[number]), *words)
                stacks[key] = stacks.get(key, 0.0) + seconds
        return stacks


def _time_energy(module: CompiledEnergy, x: Float[Tensor, "chain dim"], rounds: int) -> _Timed:
    graph = module.graph
    users = share_energy(graph)
    totals = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    value = time_values(module, totals, x, rounds=rounds)
    try:
        derived = gradient_graph(graph, Question.ENERGY)
    except NoRuleError:
        gradient = time_values(module, totals, x, rounds=rounds, backward=True)
        derived, derived_users = graph, users
    else:
        gradient = time_gradient(module, derived, x, rounds=rounds)
        derived_users = share_gradient(graph, derived)
    return _Timed(
        value=value,
        gradient=gradient,
        graph=derived,
        value_users=users,
        users=derived_users,
        question="energy and gradient",
        required=False,
    )


def _time_requirements(
    module: CompiledEnergy, x: Float[Tensor, "chain dim"], rounds: int
) -> _Timed:
    users = share_requirements(module.graph)
    numbers = [number for _, number in list_required(module.graph)]
    return _Timed(
        value=time_values(module, numbers, x, rounds=rounds),
        gradient=time_values(module, numbers, x, rounds=rounds, backward=True),
        graph=module.graph,
        value_users=users,
        users=users,
        question="margins and gradient",
        required=True,
    )


def _share(amounts: Mapping[int, float], users: Users) -> dict[str, float]:
    """Return amounts by term; of what several share, each has a part."""
    shared: dict[str, float] = {}
    for number, amount in amounts.items():
        sharers = users.get(number, (TOGETHER,))
        for path in sharers:
            shared[path] = shared.get(path, 0.0) + amount / len(sharers)
    return shared


def _name_term(paths: tuple[str, ...]) -> tuple[str, ...]:
    if len(paths) == 1:
        return tuple(paths[0].split(".")) if paths[0] else ("adding up",)
    named = " + ".join(paths[:MOST_SHARERS])
    more = f" + {len(paths) - MOST_SHARERS} more" if len(paths) > MOST_SHARERS else ""
    return (f"shared: {named}{more}",)


def _name_step(node: Node) -> tuple[str, ...]:
    span = node.origin.span
    if span is None:
        return (node.operator,)
    line, _ = span.source.position(span.start)
    text = " ".join(span.source.text[span.start : span.end].split())
    short = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return (f"line {line}: {short}", node.operator)


def _time_call(module: CompiledEnergy, x: Float[Tensor, "chain dim"], rounds: int) -> float:
    packed = module.packed()
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        packed.energy_and_gradient(x)
        times.append(time.perf_counter() - begun)
    return sorted(times[1:])[rounds // 2]
