"""Associative memory: patterns of spins recalled by a Hopfield network, or by attention over them."""

from thermoc.apps.memory.attention import attention_memory, recall_by_attention
from thermoc.apps.memory.capacity import CapacityCurve, measured_capacity, recall_overlaps
from thermoc.apps.memory.recall import hopfield_memory, recall

__all__ = [
    "CapacityCurve",
    "attention_memory",
    "hopfield_memory",
    "measured_capacity",
    "recall",
    "recall_by_attention",
    "recall_overlaps",
]
