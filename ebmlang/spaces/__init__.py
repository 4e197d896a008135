"""Tensors on domains: packing, coordinates for solving and for sampling, starting points."""

from ebmlang.spaces.domain import ConcreteDomain
from ebmlang.spaces.layout import Block, Layout, build_layout
from ebmlang.spaces.pieces import Piece, PieceKind, build_pieces
from ebmlang.spaces.projection import contains, project
from ebmlang.spaces.sampling import (
    SamplingChart,
    build_sampling_chart,
    share_full,
    share_number,
)
from ebmlang.spaces.solving import SolvingChart, build_solving_chart
from ebmlang.spaces.starts import draw_starts

__all__ = [
    "Block",
    "ConcreteDomain",
    "Layout",
    "Piece",
    "PieceKind",
    "SamplingChart",
    "SolvingChart",
    "build_layout",
    "build_pieces",
    "build_sampling_chart",
    "build_solving_chart",
    "contains",
    "draw_starts",
    "project",
    "share_full",
    "share_number",
]
