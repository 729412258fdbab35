"""Differential equations as text: read, checked, and stepped by named methods."""
