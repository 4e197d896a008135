"""The gradient as a rewrite: reverse mode on the energy graph."""

from ebmlang.passes.gradient.direct import direct
from ebmlang.passes.gradient.lagrangian import lagrangian, violation
from ebmlang.passes.gradient.reverse import differentiate
from ebmlang.passes.gradient.rule import NoRuleError

__all__ = ["NoRuleError", "differentiate", "direct", "lagrangian", "violation"]
