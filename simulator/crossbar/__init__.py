"""Crossbars of memristors: potentials with resistive wires, heat of cells and wires, and products as a tile makes them.

SI units, float64. ``Circuit`` needs nothing but conductances; it knows no graphs and no chips.
"""

from thermoc.simulator.crossbar.circuit import Circuit, Solution, transfer
from thermoc.simulator.crossbar.heat import HeatedCells, Settled, lattice_ratio, rise, settle

__all__ = ["Circuit", "HeatedCells", "Settled", "Solution", "lattice_ratio", "rise", "settle", "transfer"]
