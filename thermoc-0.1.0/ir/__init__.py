"""The graph IR: one graph is one tick, (state, inputs, tick, seed) -> (state', outputs)."""
