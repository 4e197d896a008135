"""Energies as machine code: C text emitted from the graph, compiled on this machine, cached."""
