"""Optimisation: ground states of Ising models, by networks that fluctuate."""
