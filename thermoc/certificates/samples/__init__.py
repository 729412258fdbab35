"""Samples of any machine, held against the law of a model."""

from thermoc.certificates.samples.certify import certify_samples
from thermoc.certificates.samples.page import SamplesCertificate

__all__ = ["SamplesCertificate", "certify_samples"]
