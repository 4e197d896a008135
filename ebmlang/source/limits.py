"""Limits that bound what a stranger's file can ask of this machine.

Each is far above what specs of practice need and far below what hurts. Passing one is a
clear error, never a crash.
"""

FILE_BYTES = 8_000_000
"""Longest source file that is read [bytes]."""

NESTING = 200
"""Deepest nesting of one expression, calls of functions and specs included [levels]."""

ARRAY_ELEMENTS = 100_000_000
"""Largest array a spec may name [elements]; 800 MB in float64."""

STEP_ELEMENTS = 400_000_000
"""Largest array that a step computes [elements]: the vectors between 10^4 points of space are
1.5 * 10^8. What goes along with a quantifier is computed in blocks."""

GRAPH_NODES = 250_000
"""Most nodes of the energy graph of a short text; reached only when functions multiply out."""

STEPS_PER_CHARACTER = 2
"""Steps that a character of a text may take beyond that: what is written out term by term takes
less, and so is never too much."""

SCAN_STEPS = 100_000
"""Longest recurrence [steps]."""

RECURSION = 20_000
"""Python's own recursion limit while a file is compiled.

The deepest walk takes at most a dozen Python frames per level of `NESTING`, and frames
of pure Python code do not use the machine's stack since 3.11.
"""
