"""The loops of descents as machine code, around an objective that is machine code too."""
