"""The passes room."""
