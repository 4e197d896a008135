"""Requirements turned into sequences of problems without any."""
