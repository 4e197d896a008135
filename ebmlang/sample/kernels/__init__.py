"""Steps that leave a density as it is, one per file."""
