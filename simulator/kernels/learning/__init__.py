"""Inner loops of learning rules."""
