"""Generation: Boltzmann machines trained on images, what they draw, what they complete, and what they are worth."""

from thermoc.apps.generation.denoising import DenoisingChain, denoising_chain
from thermoc.apps.generation.pictures import picture
from thermoc.apps.generation.sampling import clamped_network, completions, samples
from thermoc.apps.generation.training import Training, deep_machine, restricted_machine

__all__ = [
    "DenoisingChain",
    "Training",
    "clamped_network",
    "completions",
    "deep_machine",
    "denoising_chain",
    "picture",
    "restricted_machine",
    "samples",
]
