"""How far a run is from equilibrium, and exact samples: both by two chains that share their noise."""

from thermoc.equilibrium.from_the_past import exact_states
from thermoc.equilibrium.lag_coupling import EquilibriumDistance, distance_to_equilibrium

__all__ = ["EquilibriumDistance", "distance_to_equilibrium", "exact_states"]
