"""Passes that put products with constant weights onto crossbars of memristors."""
