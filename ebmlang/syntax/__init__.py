"""Text to tree and back; the only room where lark lives, and it comes in at the first parse."""

from ebmlang.syntax.outline import show_tree
from ebmlang.syntax.parser import parse_domain, parse_expression, parse_file

__all__ = [
    "parse_domain",
    "parse_expression",
    "parse_file",
    "show_tree",
]
