"""Small Brian2 networks by their names; each file enters its own."""

from brian2_models.models import inputs, neurons, on_chips, synapses  # noqa: F401  (they enter their models)
from brian2_models.models.chance import CHANCE
from brian2_models.models.registry import MODELS, TICKS, built

__all__ = ["CHANCE", "MODELS", "TICKS", "built"]
