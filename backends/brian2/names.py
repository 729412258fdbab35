"""Value names as identifiers that Python and Brian2 accept."""

from __future__ import annotations

import re
from importlib.resources import files

from thermoc.backends.brian2.units import UNITS
from thermoc.ir.graph import NameSource

_BRIAN2 = (
    "t dt t_in_timesteps i j N xi pi e inf w pre post lastspike not_refractory refractory unit_time sample0 tick0 key0 "
    "key1 choose minimum maximum philox_uniform philox_normal value beaten place second ms us state"
)
_SCRIPT = (
    "sim batch record place np data DATA DT TIME INPUTS OUTPUTS PROBES TEMPERATURES WORK NeuronGroup Synapses "
    "StateMonitor EventMonitor Network NetworkOperation Function linked_var prefs second ms us build simulate main "
    "field dataclass Any deque get_device runtime_device FUNCTIONS CPP CYTHON NORMAL FLIGHT GIVEN philox "
    "unit_interval user_function choose minimum maximum Simulation State Held Flight Output Program recorded flat"
)
_PREFIX = "y|z|a|f|p|n|u|m|c|d|da|h|k|M|G|T|P|E|Z|Y"
_UNIT = (
    "amp|ampere|becquerel|candle|celsius|coulomb|farad|gram|gramme|gray|henry|hertz|joule|katal|kelvin|kilogram|"
    "kilogramme|liter|litre|lumen|lux|meter|metre|molar|mole|mol|newton|ohm|pascal|radian|siemens|sievert|second|"
    "steradian|tesla|volt|watt|weber"
)
UNITS_OF_BRIAN2 = re.compile(f"({_PREFIX})?({_UNIT})[23]?")


def _reserved() -> frozenset[str]:
    """Return the names that libraries have taken: ``reserved.txt``."""
    lines = (files("thermoc.backends.brian2") / "reserved.txt").read_text().splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


RESERVED = _reserved()
BRIAN2, SCRIPT = RESERVED | frozenset(_BRIAN2.split()), RESERVED | frozenset(_SCRIPT.split())
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
    if plain == "xi" or plain.startswith("xi_"):  # Brian2's noise terms
        plain = f"x_{plain}"
    # In synapses these endings name the unit before and the one behind; names of units are Brian2's quantities.
    if re.search(r"_(pre|post)$", plain) or UNITS_OF_BRIAN2.fullmatch(plain):
        plain += "_1"
    return plain
