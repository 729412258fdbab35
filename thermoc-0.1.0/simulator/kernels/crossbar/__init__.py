"""Memristor crossbars: products, wire resistance, Joule heat."""
