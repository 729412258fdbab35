"""The dialects: one file each, one class an op. Importing this package registers them all."""

from thermoc.ir.dialects import core, crossbar, diffusive, dynamics, heat, langevin, loihi, sampling, spiking, thermo

__all__ = ["core", "crossbar", "diffusive", "dynamics", "heat", "langevin", "loihi", "sampling", "spiking", "thermo"]
