"""What a network would cost on each of several machines: joules, seconds, kelvins and the error, side by side."""

from thermoc.costs.comparison import cost
from thermoc.costs.row import Cost, Part
from thermoc.costs.table import CostTable

__all__ = ["Cost", "CostTable", "Part", "cost"]
