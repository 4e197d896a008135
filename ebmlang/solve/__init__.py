"""Minimization: many starts as one batch, Adam, then L-BFGS, then the set of designs."""

from ebmlang.solve.feasibility import find_feasible
from ebmlang.solve.multistart import solve
from ebmlang.solve.solution import Solution, StoppingReason

__all__ = ["Solution", "StoppingReason", "find_feasible", "solve"]
