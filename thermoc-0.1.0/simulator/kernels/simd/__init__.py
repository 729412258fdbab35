"""Vector building blocks that the other kernels are made of."""
