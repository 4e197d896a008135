"""How long each step of emitted code takes, at real points, forward and backward.

The text that computes some nodes is given a call after each statement, which notes the time since
the last; backward, autograd says when each of its functions is done, and a function belongs to the
node in whose statement it came about. So no time is left out, and none is counted twice.
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

from ebmlang.lang.costs import COSTS
from ebmlang.lower.emit import emit_trace
from ebmlang.lower.module import CompiledEnergy, execute, guard_externs

_STEP = re.compile(r"v(\d+)")
"""The name of a node's value in emitted code; others are inside of recurrences."""


@dataclass(slots=True, kw_only=True)
class Lap:
    """One evaluation, by node number.

    Attributes:
        forward, backward: Time [s].
        kept: Memory of the values that were made [bytes].
    """

    forward: dict[int, float] = field(default_factory=dict)
    backward: dict[int, float] = field(default_factory=dict)
    kept: dict[int, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Time of all of it."""
        return sum(self.forward.values()) + sum(self.backward.values())


def time_nodes(
    energy: CompiledEnergy,
    numbers: Sequence[int],
    x: Float[Tensor, "chain dim"],
    *,
    rounds: int,
) -> Lap:
    """Return what the nodes behind some others take; of several evaluations, the median one.

    Args:
        energy: The energy, bound to its data.
        numbers: Of the nodes asked for; the gradient is that of their sum.
        x: Packed points.
        rounds: Evaluations.
    """
    watch = _Stopwatch(energy)
    evaluate = _instrument(energy, numbers, watch.tick)
    laps = []
    # The first one is late by what any first call loads.
    for _ in range(rounds + 1):
        laps.append(watch.run(evaluate, x))
    return sorted(laps[1:], key=lambda lap: lap.seconds)[rounds // 2]


Evaluate = Callable[[Float[Tensor, "chain dim"]], tuple[Tensor, ...]]
Tick = Callable[[int, Tensor], None]


def _instrument(energy: CompiledEnergy, numbers: Sequence[int], tick: Tick) -> Evaluate:
    """Return the function of these nodes that calls `tick` as soon as a node has its value."""
    program = emit_trace(energy.graph, numbers)
    module = ast.parse(program.text)
    (function,) = [
        node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "trace"
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
    chosen = guard_externs(energy.graph, program, [externs[name] for name in program.externs])
    # Any: it is called with a number, and returns nothing.
    clock: Any = tick
    functions = execute(replace(program, text=ast.unparse(module)), [*chosen, clock])
    binding = energy.binding
    inputs = energy.inputs(program, binding.givens, binding.weights, binding.dtype, binding.device)
    prepared = functions.prepare(*inputs, binding.dtype, energy.check)
    return lambda x: functions.trace(x, prepared)


class _Stopwatch:
    """Notes one lap after another; lives inside one measurement."""

    def __init__(self, energy: CompiledEnergy) -> None:
        nodes = energy.graph.nodes
        self._views = {
            number
            for number, node in enumerate(nodes)
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

    def run(self, evaluate: Evaluate, x: Float[Tensor, "chain dim"]) -> Lap:
        self._lap, self._values = Lap(), []
        leaf = x.detach().requires_grad_()
        with torch.enable_grad():
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
