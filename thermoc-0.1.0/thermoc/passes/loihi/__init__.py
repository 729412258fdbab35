"""Passes for Loihi 2: numbers become integers, populations are cut and placed on cores."""
