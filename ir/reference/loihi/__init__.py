"""The meaning of ``loihi``: int64 arithmetic, wrapped and clipped where Loihi wraps and clips."""

from thermoc.ir.reference.loihi import borders, integers, synapses, thermal_units, units

__all__ = ["borders", "integers", "synapses", "thermal_units", "units"]
