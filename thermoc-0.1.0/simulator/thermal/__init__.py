"""Heat in a layered die and its package: exact steps, steady states, ledgers, floorplans, foreign files."""

from thermoc.simulator.thermal.description import read as read_stack
from thermoc.simulator.thermal.die import Die, State
from thermoc.simulator.thermal.floorplan import Binning, Block, Floorplan, Rectangle, block
from thermoc.simulator.thermal.ledger import NOTHING, Ledger
from thermoc.simulator.thermal.stack import Face, Layer, Material, Package, Plate, Sink, Stack

__all__ = [
    "NOTHING",
    "Binning",
    "Block",
    "Die",
    "Face",
    "Floorplan",
    "Layer",
    "Ledger",
    "Material",
    "Package",
    "Plate",
    "Rectangle",
    "Sink",
    "Stack",
    "State",
    "block",
    "read_stack",
]
