"""Two-level units for thermoc."""
