"""What every graph keeps, whatever pass it comes from; a breach is a bug of ours."""

from ebmlang.graph.graph import EnergyGraph
from ebmlang.graph.node import Kind, Node
from ebmlang.lang.logics import RELATIONS
from ebmlang.lang.operator import Family, ShapeError, infer_shape
from ebmlang.lang.table import OPERATORS
from ebmlang.source import InternalError

_LEAVES = frozenset({"constant", "variable", "given", "weight", "parameter"})
_CONNECTIVES = frozenset({"and", "or", "not", "all", "any", "guard", "scale"})
_STRUCTURE = frozenset({"reshape", "expand"})
_MAKE_CONSTRAINTS = _CONNECTIVES | _STRUCTURE | RELATIONS.keys()
_TAKE_CONSTRAINTS = _CONNECTIVES | _STRUCTURE | {"holds", "energy"}
_OUTSIDE_THE_TABLE = (
    _LEAVES | _CONNECTIVES | RELATIONS.keys() | {"holds", "energy", "scan", "extern"}
)


def validate_graph(graph: EnergyGraph) -> None:
    """Check the order of nodes, their shapes, and where constraints may stand.

    Raises:
        InternalError: The graph breaks one of its rules.
    """
    for number, node in enumerate(graph.nodes):
        if any(i >= number for i in node.inputs):
            raise InternalError(f"node {number} comes before an input of it")
        inputs = [graph.nodes[i] for i in node.inputs]
        _validate_kinds(number, node, inputs)
        _validate_shape(number, node, inputs)
        if node.operator == "scan":
            validate_graph(node.option("body"))
    for root, number in graph.roots.items():
        if not 0 <= number < len(graph.nodes):
            raise InternalError(f"root {root} has no node")


def _validate_kinds(number: int, node: Node, inputs: list[Node]) -> None:
    takes = any(node.kind is Kind.CONSTRAINT for node in inputs)
    if takes and node.operator not in _TAKE_CONSTRAINTS:
        raise InternalError(f"node {number}, {node.operator}, takes a constraint")
    makes = node.kind is Kind.CONSTRAINT
    if makes and node.operator not in _MAKE_CONSTRAINTS:
        raise InternalError(f"node {number}, {node.operator}, makes a constraint")


def _validate_shape(number: int, node: Node, inputs: list[Node]) -> None:
    record = OPERATORS.get(node.operator)
    elementwise = record is not None and record.family is Family.ELEMENTWISE
    if elementwise and len({len(n.shape) for n in inputs}) != 1:
        raise InternalError(f"node {number}, {node.operator}, has operands of unequal rank")
    if record is None:
        if node.operator not in _OUTSIDE_THE_TABLE:
            raise InternalError(f"node {number} has the unknown operator {node.operator}")
        return
    try:
        shape = infer_shape(record, tuple(n.shape for n in inputs), dict(node.options))
    except ShapeError as error:
        raise InternalError(f"node {number}, {node.operator}: {error}") from error
    if shape != node.shape:
        raise InternalError(f"node {number}, {node.operator}, has shape {node.shape}, not {shape}")
