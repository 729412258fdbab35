"""Brian2: a network of its objects, or a script up to its first run, read as core ops of the same schedule."""
