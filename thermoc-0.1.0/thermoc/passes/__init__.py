"""Passes: graph in, graph out. One file each; ``stages`` holds the named lists."""
