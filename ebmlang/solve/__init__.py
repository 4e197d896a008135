"""Minimization: where to start, how to descend, what is required, and the set of designs."""

from ebmlang.solve.feasibility import find_feasible
from ebmlang.solve.run import search, solve
from ebmlang.solve.solution import Solution, StoppingReason

__all__ = ["Solution", "StoppingReason", "find_feasible", "search", "solve"]
