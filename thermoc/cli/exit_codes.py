"""What the command line leaves with."""

OK, USER, TOOL = 0, 1, 2
"""All is well; a mistake of the user's, or a bound that does not hold; a fault of thermoc."""
INTERRUPTED = 130
"""128 and the number of the signal, as shells have it."""
