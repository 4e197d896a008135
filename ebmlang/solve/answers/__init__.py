"""From where the starts have ended to the set of designs that is shown."""
