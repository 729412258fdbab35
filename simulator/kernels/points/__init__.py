"""Instructions as points: what one thread of a GPU does of a row, in scalars (``instructions.declaration.Points``).

Each gives the bits of the kernel beside it, whose sums it runs in the same order. What points share, and what one of
them waits for, is ordered by phases.
"""
