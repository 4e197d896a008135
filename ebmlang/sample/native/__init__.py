"""Whole sampler steps as machine code: many iterations of many chains in one call."""

from ebmlang.sample.native.machine import Machine, Record, build_machine
from ebmlang.sample.native.move import Movable, Move, Rule

__all__ = ["Machine", "Movable", "Move", "Record", "Rule", "build_machine"]
