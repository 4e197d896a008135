"""How long each step of emitted code takes, at real points.

The text is given a call after each statement, which notes the time since the last. Where autograd
goes back, it says when each of its functions is done, and a function belongs to the node in whose
statement it came about. So no time is left out, and none is counted twice.
"""

import ast
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.graph import EnergyGraph
from ebmlang.lang.costs import COSTS
from ebmlang.lower.emit import Program, emit_gradient, emit_trace
from ebmlang.lower.execution import execute, guard_externs
from ebmlang.lower.module import CompiledEnergy

_STEP = re.compile(r"v(\d+)")
"""The name of a node's value in emitted code; others are inside of recurrences."""


@dataclass(slots=True, kw_only=True)
class Lap:
    """One evaluation, by node number.

    Attributes:
        forward: Time for the values [s].
        backward: Time of autograd for the way back [s].
        kept: Memory of the values that were made [bytes].
    """

    forward: dict[int, float] = field(default_factory=dict)
    backward: dict[int, float] = field(default_factory=dict)
    kept: dict[int, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Time of all of it."""
        return sum(self.forward.values()) + sum(self.backward.values())


def time_values(
    energy: CompiledEnergy,
    numbers: Sequence[int],
    x: Float[Tensor, "chain dim"],
    *,
    rounds: int,
    backward: bool = False,
) -> Lap:
    """Return what the nodes behind some others take; of several evaluations, the median one.

    Args:
        energy: The energy, bound to its data.
        numbers: Of the nodes asked for.
        x: Packed points.
        rounds: Evaluations.
        backward: Whether autograd then goes back from their sum to the unknowns.
    """
    program = emit_trace(energy.graph, numbers)
    watch = _Stopwatch(energy.graph)
    evaluate = _instrument(energy, energy.graph, program, "trace", watch.tick)
    return _pick([watch.run(evaluate, x, backward=backward) for _ in range(rounds + 1)])


def time_gradient(
    energy: CompiledEnergy,
    gradient: EnergyGraph,
    x: Float[Tensor, "chain dim"],
    *,
    rounds: int,
) -> Lap:
    """Return what the nodes of E and its gradient take; of several evaluations, the median one.

    Args:
        energy: The energy, bound to its data.
        gradient: Its graph, differentiated.
        x: Packed points.
        rounds: Evaluations.
    """
    watch = _Stopwatch(gradient)
    program = emit_gradient(gradient, joins_sums=False)
    evaluate = _instrument(energy, gradient, program, "value_and_gradient", watch.tick)
    return _pick([watch.run(evaluate, x, backward=False) for _ in range(rounds + 1)])


def _pick(laps: Sequence[Lap]) -> Lap:
    """Return the median of all but the first, which is late by what any first call loads."""
    settled = sorted(laps[1:], key=lambda lap: lap.seconds)
    return settled[len(settled) // 2]


Evaluate = Callable[[Float[Tensor, "chain dim"]], tuple[Tensor, ...]]
Tick = Callable[[int, Tensor], None]


def _instrument(
    energy: CompiledEnergy, graph: EnergyGraph, program: Program, question: str, tick: Tick
) -> Evaluate:
    """Return the answer to a question that calls `tick` as soon as a node has its value."""
    module = ast.parse(program.text)
    (function,) = [
        node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == question
    ]
    # The clock comes as one more of the functions from Python.
    place = len(program.externs)
    body: list[ast.stmt] = []
    for statement in function.body:
        body.append(statement)
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) if found := _STEP.fullmatch(name):
                body.extend(ast.parse(f"f[{place}]({found[1]}, {name})").body)
    function.body = body
    externs = dict(zip(energy.program.externs, energy.externs, strict=True))
    chosen = guard_externs(graph, program, [externs[name] for name in program.externs])
    # Any: it is called with a number, and returns nothing.
    clock: Any = tick
    functions = execute(replace(program, text=ast.unparse(module)), [*chosen, clock])
    binding = energy.binding
    inputs = energy.inputs(program, binding.givens, binding.weights, binding.dtype, binding.device)
    with torch.no_grad():
        prepared = functions.prepare(*inputs, binding.dtype, energy.check)
    answer = functions.trace if question == "trace" else functions.value_and_gradient
    return lambda x: answer(x, prepared)


class _Stopwatch:
    """Notes one lap after another; lives inside one measurement."""

    def __init__(self, graph: EnergyGraph) -> None:
        self._views = {
            number
            for number, node in enumerate(graph.nodes)
            if node.operator in COSTS and COSTS[node.operator].is_view
        }
        self._lap = Lap()
        self._at = 0.0
        self._values: list[tuple[int, Tensor]] = []

    def tick(self, number: int, value: Tensor) -> None:
        lap = self._lap
        lap.forward[number] = lap.forward.get(number, 0.0) + time.perf_counter() - self._at
        if number not in self._views:
            lap.kept[number] = value.numel() * value.element_size()
        self._values.append((number, value))
        self._at = time.perf_counter()

    def run(self, evaluate: Evaluate, x: Float[Tensor, "chain dim"], *, backward: bool) -> Lap:
        self._lap, self._values = Lap(), []
        leaf = x.detach().requires_grad_(backward)
        with torch.set_grad_enabled(backward):
            self._at = time.perf_counter()
            results = [value for value in evaluate(leaf) if value.requires_grad]
        if results:
            self._watch_backward(results)
            gifts = [torch.ones_like(value) for value in results]
            self._at = time.perf_counter()
            torch.autograd.grad(results, leaf, gifts, allow_unused=True)
        self._values = []
        return self._lap

    def _watch_backward(self, results: Sequence[Tensor]) -> None:
        owners: dict[Any, int] = {}  # Any: functions of autograd have no public type.
        for number, value in self._values:
            pending = [value.grad_fn]
            # What an earlier node has brought about is its own.
            while pending:
                function = pending.pop()
                if function is not None and function not in owners:
                    owners[function] = number
                    pending.extend(following for following, _ in function.next_functions)
        last = self._values[-1][0] if self._values else -1
        for value in results:
            owners.setdefault(value.grad_fn, last)
        for function, number in owners.items():
            function.register_hook(self._note(number))

    def _note(self, number: int) -> Callable[[object, object], None]:
        def note(inputs: object, outputs: object) -> None:
            del inputs, outputs
            lap = self._lap
            now = time.perf_counter()
            lap.backward[number] = lap.backward.get(number, 0.0) + now - self._at
            self._at = time.perf_counter()

        return note
