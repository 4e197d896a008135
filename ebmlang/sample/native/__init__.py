"""Whole sampler steps as machine code: many iterations of many chains in one call."""

from ebmlang.sample.native.machine import Machine, build_machine
from ebmlang.sample.native.move import Movable, Move, Rule

__all__ = ["Machine", "Movable", "Move", "Rule", "build_machine"]
