"""What an ONNX file holds."""

from __future__ import annotations

from thermoc.backends.onnx.ops import WRITTEN
from thermoc.ir.dialects import core
from thermoc.ir.target import Limit, TargetDescription, dialect_refused

OPSET = 18
"""The first with bitwise operators and axes of reductions as inputs; onnxruntime multiplies uint64 in it since 1.21."""
IR_VERSION = 8
"""The one that came with opset 18, so that whatever reads the opset reads the file."""

TARGET = TargetDescription(
    name="onnx",
    summary=f"one self-contained ONNX file, standard operators of opset {OPSET}, noise included",
    ops=frozenset(cls.opname for cls in (core.Input, core.Output, core.Probe, *WRITTEN)),
    refused=dialect_refused("loihi", "integer arithmetic of Loihi: targets lava and sim hold it"),
    limits={
        "file": Limit(value=2**31 - 1, unit="bytes", source="protobuf.dev/programming-guides/proto-limits (2 GiB)")
    },
)
