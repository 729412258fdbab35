"""ONNX: models of other frameworks, read operator by operator into core ops of the standard's meaning."""
