"""From a tree to a typed program: names, sorts, shapes, and what can be said against them."""

from ebmlang.check.checker import check_file
from ebmlang.check.externs import Extern
from ebmlang.check.modules import FolderLoader, ModuleError, ModuleLoader
from ebmlang.check.program import Program
from ebmlang.check.show import show_program

__all__ = [
    "Extern",
    "FolderLoader",
    "ModuleError",
    "ModuleLoader",
    "Program",
    "check_file",
    "show_program",
]
