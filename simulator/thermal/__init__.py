"""Heat in a layered die and its package: exact steps, steady states, ledgers, floorplans, foreign files."""

from thermoc.simulator.thermal.description import read as read_stack
from thermoc.simulator.thermal.die import Die, DieState
from thermoc.simulator.thermal.explicit import explicit_steps
from thermoc.simulator.thermal.floorplan import Binning, Floorplan, FloorplanBlock, Rectangle, block
from thermoc.simulator.thermal.ledger import NOTHING, Ledger
from thermoc.simulator.thermal.stack import DieLayer, Face, HeatSink, Material, Package, Plate, Stack

__all__ = [
    "NOTHING",
    "Binning",
    "Die",
    "DieLayer",
    "DieState",
    "Face",
    "Floorplan",
    "FloorplanBlock",
    "HeatSink",
    "Ledger",
    "Material",
    "Package",
    "Plate",
    "Rectangle",
    "Stack",
    "block",
    "explicit_steps",
    "read_stack",
]
