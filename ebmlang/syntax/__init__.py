"""Text to tree and back; the only room where lark lives, and it comes in at the first parse."""

from ebmlang.syntax.formatter import format_expression, format_file, format_statement
from ebmlang.syntax.outline import show_tree
from ebmlang.syntax.parser import parse_domain, parse_expression, parse_file

__all__ = [
    "format_expression",
    "format_file",
    "format_statement",
    "parse_domain",
    "parse_expression",
    "parse_file",
    "show_tree",
]
