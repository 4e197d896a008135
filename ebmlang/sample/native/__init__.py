"""Whole sampler steps as machine code: many iterations of many chains in one call."""

from ebmlang.sample.native.machine import Machine, build_machine
from ebmlang.sample.native.move import Movable, Move, Rule
from ebmlang.sample.native.tier import compile_density, is_worth_compiling

__all__ = [
    "Machine",
    "Movable",
    "Move",
    "Rule",
    "build_machine",
    "compile_density",
    "is_worth_compiling",
]
