"""Programs on a GPU: the instructions' points, fused into one kernel that runs many ticks without the host."""
