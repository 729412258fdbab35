"""Samples of any machine, held against the law of a model."""

from thermoc.certificates.samples.certify import SamplesCertificate, certify_samples

__all__ = ["SamplesCertificate", "certify_samples"]
