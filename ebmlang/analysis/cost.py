"""What an evaluation of E and of its gradient costs per chain, counted on the graph, by term.

Each node costs once. The gradient is counted on the graph that derives it. Where there is none,
because autograd has to go through a recurrence or a function from Python, it is estimated: going
back over the nodes that an unknown reaches, per operand what the operator's derivative takes, an
addition where several uses of a value meet, and a sum where an operand was broadcast. A recurrence
costs its body once per step.

Work that several terms share is split evenly among them, so that the terms add up to the whole.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ebmlang.analysis.attribution import share_energy, share_gradient, share_requirements
from ebmlang.analysis.sums import find_sums
from ebmlang.graph import EnergyGraph, Kind, Node
from ebmlang.lang.costs import COSTS, PRODUCTS, Per
from ebmlang.lang.table import OPERATORS

LEAVES = ("constant", "variable", "given", "weight", "parameter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Counted work of one chain; of calls, that of a whole batch.

    Attributes:
        arithmetic: Additions, multiplications and comparisons of single elements.
        functions: Evaluations of exponentials, logarithms, sines; dearer ones count several times.
        products: Floating point operations of products of vectors and matrices.
        traffic: Numbers that are read or written, if each step goes through memory.
        calls: Calls of torch.
    """

    arithmetic: float = 0
    functions: float = 0
    products: float = 0
    traffic: float = 0
    calls: float = 0

    def plus(self, other: "Work") -> "Work":
        """Return both together."""
        return Work(
            arithmetic=self.arithmetic + other.arithmetic,
            functions=self.functions + other.functions,
            products=self.products + other.products,
            traffic=self.traffic + other.traffic,
            calls=self.calls + other.calls,
        )

    def times(self, factor: float) -> "Work":
        """Return it as many times."""
        return Work(
            arithmetic=self.arithmetic * factor,
            functions=self.functions * factor,
            products=self.products * factor,
            traffic=self.traffic * factor,
            calls=self.calls * factor,
        )

    @property
    def operations(self) -> float:
        """All floating point operations, each function as one."""
        return self.arithmetic + self.functions + self.products


@dataclass(frozen=True, slots=True, kw_only=True)
class TermCost:
    """What a term costs; of what it shares, its part.

    Attributes:
        path: The term; empty for adding terms up.
        required: Whether it is a `require`, and in no energy.
        energy: Of its value.
        gradient: Of its value and gradient.
        shared: Which part of the operations of its value others have a use for too.
    """

    path: str
    required: bool
    energy: Work
    gradient: Work
    shared: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a spec costs per evaluation.

    Attributes:
        terms: By term, in their order.
        energy, gradient: Of E, and of E with its gradient.
        requirements: Of the margins of what is required.
        opaque: The functions from Python, whose cost is not known and not in here.
    """

    terms: tuple[TermCost, ...]
    energy: Work
    gradient: Work
    requirements: Work
    opaque: tuple[str, ...]


def infer_costs(graph: EnergyGraph, gradient: EnergyGraph | None = None) -> Costs:
    """Return what an optimized graph costs.

    Args:
        graph: Of E.
        gradient: The same differentiated, with roots GRADIENT, as torch code is emitted from it;
            estimated where there is none.
    """
    forward, reverse = count_forward(graph), count_reverse(graph)
    both = {number: work.plus(reverse[number]) for number, work in forward.items()}
    energy, required = share_energy(graph), share_requirements(graph)
    whole, users = (both, energy)
    if gradient is not None:
        whole, users = count_joined(gradient), share_gradient(graph, gradient)
    terms = [
        *_split(_Counted(forward, energy), _Counted(whole, users), required=False),
        *_split(_Counted(forward, required), _Counted(both, required), required=True),
    ]
    order = {info.path: place for place, info in enumerate(graph.terms)}
    terms.sort(key=lambda term: order.get(term.path, len(order)))
    return Costs(
        terms=tuple(terms),
        energy=add_up(forward[number] for number in energy),
        gradient=add_up(whole[number] for number in users),
        requirements=add_up(forward[number] for number in required),
        opaque=tuple(
            dict.fromkeys(
                graph.nodes[number].option("name")
                for number in {**energy, **required}
                if graph.nodes[number].operator == "extern"
            )
        ),
    )


def add_up(works: Iterable[Work]) -> Work:
    """Return all of some work."""
    total = Work()
    for work in works:
        total = total.plus(work)
    return total


@dataclass(frozen=True, slots=True)
class _Counted:
    """Work by node, and the terms that each node works for."""

    works: Mapping[int, Work]
    users: Mapping[int, tuple[str, ...]]

    def parts(self) -> dict[str, list[Work]]:
        """Return, by term, its part of each node."""
        found: dict[str, list[Work]] = {}
        for number, paths in self.users.items():
            part = self.works[number].times(1 / len(paths))
            for path in paths:
                found.setdefault(path, []).append(part)
        return found

    def shared(self) -> dict[str, float]:
        """Return, by term, the operations of its part of what it does not have for itself."""
        found: dict[str, float] = {}
        for number, paths in self.users.items():
            for path in paths if len(paths) > 1 else ():
                found[path] = found.get(path, 0.0) + self.works[number].operations / len(paths)
        return found


def _split(value: _Counted, gradient: _Counted, *, required: bool) -> list[TermCost]:
    values, gradients, shared = value.parts(), gradient.parts(), value.shared()
    costs = []
    for path in dict.fromkeys([*values, *gradients]):
        energy = add_up(values.get(path, ()))
        costs.append(
            TermCost(
                path=path,
                required=required,
                energy=energy,
                gradient=add_up(gradients.get(path, ())),
                shared=shared.get(path, 0.0) / energy.operations if energy.operations else 0.0,
            )
        )
    return costs


# --- forward -------------------------------------------------------------------------


def count_forward(graph: EnergyGraph) -> dict[int, Work]:
    """Return the work of each node that has a value per chain."""
    return {
        number: _count_value(graph, node)
        for number, node in enumerate(graph.nodes)
        if graph.varying[number]
    }


def count_joined(graph: EnergyGraph) -> dict[int, Work]:
    """Return the work of each node where sums are written in as few calls as they take.

    A view is none: often its reader takes what it is a view of.
    """
    works, sums = count_forward(graph), find_sums(graph)
    for number, work in works.items():
        operator = graph.nodes[number].operator
        if operator in COSTS and COSTS[operator].is_view:
            works[number] = replace(work, calls=0)
    for number in sums.inner:
        # It is neither written nor read back.
        silent = 2 * math.prod(graph.nodes[number].shape)
        work = works[number]
        works[number] = replace(work, calls=0, traffic=max(0, work.traffic - silent))
    for number, whole in sums.by_node.items():
        works[number] = replace(works[number], calls=whole.calls)
    return works


def _count_value(graph: EnergyGraph, node: Node) -> Work:
    if node.operator in LEAVES:
        return Work()
    result = math.prod(node.shape)
    read = sum(math.prod(graph.nodes[i].shape) for i in node.inputs if graph.varying[i])
    match node.operator:
        case "scan":
            body = node.option("body")
            return add_up(count_forward(body).values()).times(node.option("steps"))
        case "extern":
            return Work(traffic=read + result, calls=1)
        case operator if operator in PRODUCTS:
            flops = _count_product(graph, node)
            return Work(products=flops, traffic=read + result, calls=1)
        case operator:
            cost = COSTS[operator]
            elements = _count_elements(graph, node, cost.per)
            return Work(
                arithmetic=cost.arithmetic * elements,
                functions=cost.functions * elements,
                traffic=0 if cost.is_view else read + result,
                calls=cost.calls,
            )


def _count_elements(graph: EnergyGraph, node: Node, per: Per) -> int:
    counted = node if per is Per.RESULT else graph.nodes[node.inputs[0]]
    return math.prod(counted.shape)


def _count_product(graph: EnergyGraph, node: Node) -> float:
    """Return the floating point operations of a core operator, over all its leading axes."""
    core = OPERATORS[node.operator].core
    assert core is not None
    sizes: dict[str, int] = {}
    for names, number in zip(core.operands, node.inputs, strict=True):
        shape = graph.nodes[number].shape
        sizes.update(zip(names, shape[len(shape) - len(names) :], strict=True))
    loops = math.prod(node.shape[: len(node.shape) - len(core.outcome)])
    return float(loops * PRODUCTS[node.operator](sizes))


# --- reverse -------------------------------------------------------------------------


def count_reverse(graph: EnergyGraph) -> dict[int, Work]:
    """Return what the derivative adds for each node that has a value per chain."""
    active = _find_active(graph)
    uses = [0] * len(graph.nodes)
    for number, node in enumerate(graph.nodes):
        if active[number]:
            for operand in node.inputs:
                uses[operand] += 1
    return {
        number: _count_derivative(graph, number, active, uses[number])
        for number in range(len(graph.nodes))
        if graph.varying[number]
    }


def _find_active(graph: EnergyGraph) -> list[bool]:
    """Return, for each node, whether it has a derivative: a real number that an unknown reaches."""
    active: list[bool] = []
    for node in graph.nodes:
        source = node.operator in ("variable", "parameter")
        active.append(node.kind is Kind.REAL and (source or any(active[i] for i in node.inputs)))
    return active


def _count_derivative(graph: EnergyGraph, number: int, active: list[bool], uses: int) -> Work:
    node = graph.nodes[number]
    if not active[number]:
        return Work()
    result = math.prod(node.shape)
    meeting = max(0, uses - 1)
    work = Work(arithmetic=meeting * result, traffic=3 * meeting * result, calls=meeting)
    if node.operator in LEAVES:
        return work
    if node.operator == "scan":
        # Its states are kept, so that going back computes none again.
        body = add_up(count_reverse(node.option("body")).values())
        return work.plus(body.times(node.option("steps")))
    for operand in dict.fromkeys(i for i in node.inputs if active[i]):
        work = work.plus(_count_operand(graph, node, math.prod(graph.nodes[operand].shape)))
    return work


def _count_operand(graph: EnergyGraph, node: Node, size: int) -> Work:
    result = math.prod(node.shape)
    if node.operator == "extern":
        return Work(traffic=result + size, calls=1)
    if node.operator in PRODUCTS:
        flops = _count_product(graph, node)
        return Work(products=flops, traffic=result + size, calls=1)
    cost = COSTS[node.operator]
    elements = _count_elements(graph, node, cost.per)
    # An operand that was broadcast gets the sum over where it went.
    gathered = result if cost.per is Per.RESULT and size < result else 0
    silent = cost.is_view or cost.reverse_calls == 0
    return Work(
        arithmetic=cost.reverse_arithmetic * elements + gathered,
        functions=cost.reverse_functions * elements,
        traffic=(0 if silent else 2 * elements + size) + gathered,
        calls=cost.reverse_calls + (1 if gathered else 0),
    )
