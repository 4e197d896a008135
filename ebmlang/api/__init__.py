"""The verbs: load, check, explain, compile, solve, sample; and composition from Python.

Nothing here imports torch until something is computed.
"""

from ebmlang.api.compose import Formula, compose, term
from ebmlang.api.data_files import read_data
from ebmlang.api.load import load, loads
from ebmlang.api.model import Model

__all__ = ["Formula", "Model", "compose", "load", "loads", "read_data", "term"]
