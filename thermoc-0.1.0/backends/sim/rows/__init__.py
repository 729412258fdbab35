"""How an op becomes rows of a simulator program."""
