"""Which requirements cannot hold together, how that is proved, and what would mend it."""
