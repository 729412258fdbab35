"""NIR 1.0: the graphs of neuromorphs/NIR (Pedersen et al., Nature Communications 15, 8122, 2024)."""
