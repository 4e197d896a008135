"""`ebm profile`: the time and memory of each term, measured at points of the domain."""

import time
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.analysis.attribution import TOGETHER, share_energy, share_requirements
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.model import Model
from ebmlang.graph import Node, RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.stopwatch import Lap, time_nodes
from ebmlang.runs.profile import Profile, TermTime
from ebmlang.spaces.starts import draw_starts

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
    layout = lay_out(module)
    x = draw_starts(layout, chains, seed=seed, dtype=dtype, device=torch.device("cpu"))
    graph = module.graph
    totals = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    soft = time_nodes(module, totals, x, rounds=rounds)
    terms = _split(soft, share_energy(graph), required=False)
    stacks = _stack(module, soft, share_energy(graph), ("energy", "gradient"))
    required = share_requirements(graph)
    if required:
        kinds = (RootKind.CLAUSES, RootKind.HARD)
        roots = {
            root.path: number for kind in reversed(kinds) for root, number in graph.roots_of(kind)
        }
        hard = time_nodes(module, list(roots.values()), x, rounds=rounds)
        terms += _split(hard, required, required=True)
        stacks |= _stack(module, hard, required, ("margins", "gradient of margins"))
    order = {info.path: place for place, info in enumerate(graph.terms)}
    return Profile(
        name=model.name,
        chains=chains,
        precision=str(dtype).removeprefix("torch."),
        terms=tuple(sorted(terms, key=lambda term: order.get(term.path, len(order)))),
        call=_time_call(module, x, rounds),
        stacks=stacks,
    )


def _split(lap: Lap, users: Mapping[int, tuple[str, ...]], *, required: bool) -> list[TermTime]:
    paths = list(dict.fromkeys(path for found in users.values() for path in found))
    energy, gradient, memory = (dict.fromkeys(paths, 0.0) for _ in range(3))
    for amounts, kept in ((energy, lap.forward), (gradient, lap.backward), (memory, lap.kept)):
        for number, amount in kept.items():
            sharers = users.get(number, (TOGETHER,))
            for path in sharers:
                amounts[path] = amounts.get(path, 0.0) + amount / len(sharers)
    return [
        TermTime(
            path=path,
            required=required,
            energy=energy.get(path, 0.0),
            gradient=gradient.get(path, 0.0),
            memory=memory.get(path, 0.0),
        )
        for path in dict.fromkeys([*energy, *gradient, *memory])
    ]


def _stack(
    module: CompiledEnergy,
    lap: Lap,
    users: Mapping[int, tuple[str, ...]],
    questions: tuple[str, str],
) -> dict[tuple[str, ...], float]:
    stacks: dict[tuple[str, ...], float] = {}
    for question, times in zip(questions, (lap.forward, lap.backward), strict=True):
        for number, seconds in times.items():
            node = module.graph.nodes[number]
            key = (question, *_name_term(users.get(number, (TOGETHER,))), *_name_step(node))
            stacks[key] = stacks.get(key, 0.0) + seconds
    return stacks


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
        leaf = x.detach().requires_grad_()
        energy = packed.energy(leaf)
        if energy.requires_grad:
            torch.autograd.grad(energy.sum(), leaf, allow_unused=True)
        times.append(time.perf_counter() - begun)
    return sorted(times[1:])[rounds // 2]
