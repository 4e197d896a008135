"""What users test with: strategies, laws, golden helpers, targets, the pytest plugin."""
