"""Learning: gradients, and local rules that run in the simulator."""
