"""The energy graph, immutable and hash-consed; networkx is private to this room."""

from ebmlang.graph.graph import EnergyGraph, GivenInfo, GraphBuilder, TermInfo, VariableInfo
from ebmlang.graph.node import Constant, Kind, Node, Origin, Root, RootKind

__all__ = [
    "Constant",
    "EnergyGraph",
    "GivenInfo",
    "GraphBuilder",
    "Kind",
    "Node",
    "Origin",
    "Root",
    "RootKind",
    "TermInfo",
    "VariableInfo",
]
