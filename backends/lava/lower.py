"""Lava's passes, read top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from numpy.typing import ArrayLike

from thermoc.ir.graph import Graph
from thermoc.ir.ops import CONTINUOUS, Op
from thermoc.ir.types import DType
from thermoc.passes import stages
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import Canonicalize
from thermoc.passes.loihi.extrema import Extrema
from thermoc.passes.loihi.partition import PartitionCores
from thermoc.passes.loihi.place import PlaceCores
from thermoc.passes.loihi.population_table import MAKERS
from thermoc.passes.loihi.quantize import Quantize
from thermoc.passes.loihi.recognize_neurons import RecognizeNeurons
from thermoc.passes.loihi.relaxations import RELAXING, Relaxations, relaxes
from thermoc.passes.loihi.stock_units import StockUnits
from thermoc.passes.loihi.thermal_networks import NETWORKS, ThermalNetworks, has_nodes
from thermoc.passes.spike_encode import SpikeEncode


def integrated(op: Op, graph: Graph) -> bool:
    """Whether the chip has a unit for an op of continuous time, so that it is not written out before."""
    if isinstance(op, (*NETWORKS, *RELAXING)):
        return has_nodes(op, graph) or relaxes(op, graph)
    return type(op) in MAKERS and CONTINUOUS in op.traits


def lower(
    *,
    dt: float,
    input_range: tuple[float, float] = (-4.0, 4.0),
    calibrate: Mapping[str, ArrayLike] | None = None,
    chips: int = 1,
    coding: Literal["graded", "thermal", "rate"] = "graded",
    stock_only: bool = False,
) -> Sequence[Pass]:
    """Return the passes that bring a graph to Loihi's integers, and onto cores and chips.

    What is left of the network in floats is the host's. coding: "thermal" or "rate" carry activations by spikes.
    stock_only: only Lava's Dense, Sparse, Conv and LIF; p-bits then take their noise from the host.
    Errors, when they run: T205, T206, T207, T209, T304.
    """
    encode: tuple[Pass, ...] = ()
    if coding != "graded":
        spikes = SpikeEncode(coding=coding, input_range=input_range, calibrate=calibrate)
        encode = (*stages.cleaned(), spikes)
    # Before quantize, which knows p-bits as units of their own.
    stock: tuple[Pass, ...] = (StockUnits(), Canonicalize()) if stock_only else ()
    return (
        *encode,
        *stages.discrete(dt=dt, dtype=DType.f64, keep=integrated),
        ThermalNetworks(),
        Relaxations(),
        Canonicalize(),
        RecognizeNeurons(),
        *stock,
        Extrema(),
        Canonicalize(),
        Quantize(input_range=input_range, calibrate=calibrate, stock_only=stock_only),
        Canonicalize(),
        PartitionCores(chips=chips),
        PlaceCores(chips=chips),
    )
