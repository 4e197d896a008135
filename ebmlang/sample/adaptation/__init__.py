"""What a warm-up learns; each a state and its update."""
