"""From the energy graph to torch code; what runs it is in `module`, `packed` and `trace`.

Only what needs no torch is listed here, so that showing the code stays cheap.
"""

from ebmlang.lower.binding import check_data, check_weights
from ebmlang.lower.emit import Program, emit_program, emit_source

__all__ = ["Program", "check_data", "check_weights", "emit_program", "emit_source"]
