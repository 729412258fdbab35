"""ONNX in ``thermoc formats``."""

from thermoc.frontends.format import Format

FORMAT = Format(
    name="onnx",
    title="ONNX, of PyTorch, JAX, TensorFlow and others",
    suffixes=(".onnx",),
    reader="thermoc.frontends.onnx.read:read_onnx",
    reads="operators of the standard in float32, float64 and quantised; files that thermoc wrote, noise included",
    writes='tc.compile(net, "onnx").save(path)',
    repairs="names that are none here, a batch that is not in front",
    refuses="other domains, float16, texts, sequences, weights computed from inputs, rounds and shapes that are open",
)
