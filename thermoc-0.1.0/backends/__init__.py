"""Targets. Each is one folder: target.py (what it holds), lower.py (its passes), emit.py, run.py."""
