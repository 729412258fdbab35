"""Value names as identifiers that Python and Brian2 accept."""

from __future__ import annotations

import keyword
import re

from thermoc.backends.brian2.units import UNITS
from thermoc.ir.graph import NameSource

_BRIAN2 = (
    "t dt t_in_timesteps i j N xi pi e inf w pre post lastspike not_refractory refractory rand randn poisson int abs "
    "sign floor ceil clip exp log expm1 log1p exprel sqrt sin cos tan sinh cosh tanh arcsin arccos arctan log10 "
    "timestep name clock order when namespace variables equations threshold thresholder reset resetter events spikes "
    "start stop source target delay queue unit_time sample0 tick0 key0 key1 choose minimum maximum philox_uniform "
    "philox_normal value beaten place second ms us volt amp siemens farad ohm hertz kelvin joule watt state "
    "active contained_objects updaters user_equations method_choice not True False and or"
)
_SCRIPT = (
    "abs max min sum len range round all any sorted zip map set list dict str int float type print "
    "sim batch inputs place np DATA DT TIME NeuronGroup Synapses StateMonitor EventMonitor Network TimedArray Function "
    "linked_var prefs second build simulate main field dataclass Any FUNCTIONS CPP CYTHON NORMAL philox unit_interval "
    "user_function choose minimum maximum Simulation"
)
BRIAN2, SCRIPT = frozenset(_BRIAN2.split()), frozenset(_SCRIPT.split())
"""What Brian2 and the script have names for already."""


PARAMETERS = frozenset({name for unit in UNITS for name in unit.operand_specs if name != "x"})


class Names:
    """Hands out identifiers: one for each value, others for groups and for objects of the script."""

    def __init__(self) -> None:
        self._variables, self._objects = NameSource(BRIAN2 | PARAMETERS), NameSource(SCRIPT)

    def variable(self, name: str) -> str:
        """Return a new identifier of the network's variables."""
        return self._variables(identifier(name))

    def object(self, name: str) -> str:
        """Return a new identifier of the script's groups and synapses."""
        return self._objects(identifier(name))


def identifier(name: str) -> str:
    """Return a name with letters, digits and single underscores alone, beginning with a letter."""
    plain = re.sub(r"_+", "_", re.sub(r"[^0-9a-zA-Z]", "_", name)).strip("_") or "x"
    plain = plain if plain[0].isalpha() else f"x{plain}"
    if re.search(r"_(pre|post)$", plain) or keyword.iskeyword(plain):
        plain += "_1"
    return plain
