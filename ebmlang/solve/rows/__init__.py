"""Many problems of one shape as one batch: the starts of each, and the best of where they end."""

from ebmlang.solve.rows.boxes import RowBoxes, SquaredBoxes, build_boxes
from ebmlang.solve.rows.run import RowSolution, solve_rows

__all__ = ["RowBoxes", "RowSolution", "SquaredBoxes", "build_boxes", "solve_rows"]
