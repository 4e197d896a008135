"""The printable form of a graph: one line per node, then the roots."""

import numpy as np

from ebmlang.graph.graph import EnergyGraph
from ebmlang.graph.node import Constant, Node, Root

_SHOWN_ELEMENTS = 6


def show_graph(graph: EnergyGraph) -> str:
    """Return a graph as text, for people and for golden tests.

    Each line holds a node's number, kind and shape, operator with inputs and options, and the
    path and place it comes from.
    """
    lines = [*_node_lines(graph, indent=""), ""]
    width = max((len(_root_name(root)) for root in graph.roots), default=0)
    for root, number in graph.roots.items():
        lines.append(f"{_root_name(root):<{width}} = %{number}")
    return "\n".join(lines) + "\n"


def _node_lines(graph: EnergyGraph, indent: str) -> list[str]:
    lines = []
    for number, node in enumerate(graph.nodes):
        lines.append(f"{indent}{_node_line(number, node)}")
        if node.operator == "scan":
            body = node.option("body")
            lines.extend(_node_lines(body, indent + "    "))
            ((_, result),) = body.roots.items()
            lines.append(f"{indent}    next = %{result}")
    return lines


def _node_line(number: int, node: Node) -> str:
    shape = f"[{', '.join(str(dim) for dim in node.shape)}]" if node.shape else ""
    inputs = [f"%{i}" for i in node.inputs]
    options = [f"{name}={_show(value)}" for name, value in node.options if name != "body"]
    left = f"%{number}: {node.kind.value}{shape} = {node.operator}({', '.join(inputs + options)})"
    where = [node.origin.path] if node.origin.path else []
    if node.origin.span is not None:
        line, column = node.origin.span.source.position(node.origin.span.start)
        where.append(f"{line}:{column}")
    return f"{left:<60}  # {' '.join(where)}".rstrip(" #")


def _show(value: object) -> str:
    if not isinstance(value, Constant):
        return str(value)
    array = value.array
    if array.size <= _SHOWN_ELEMENTS:
        return np.array2string(array, separator=", ").replace("\n", "")
    first = np.array2string(array.ravel()[:3], separator=", ")[1:-1]
    return f"[{first}, ... {array.size} elements]"


def _root_name(root: Root) -> str:
    size = f" below {root.size}" if root.size else ""
    return f"{root.kind.value} {root.path}".rstrip() + size
