"""Loihi 2's integer arithmetic."""
