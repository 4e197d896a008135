"""Derivatives made short: what reverse mode writes, as a careful person would write it."""

from ebmlang.passes.simplification.inward import move_inward
from ebmlang.passes.simplification.products import join_products
from ebmlang.passes.simplification.rules import SIMPLIFICATION, finish, simplify

__all__ = ["SIMPLIFICATION", "finish", "join_products", "move_inward", "simplify"]
