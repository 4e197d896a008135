"""ebmlang: a declarative language for energies."""
