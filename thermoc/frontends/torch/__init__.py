"""PyTorch's modules: by torch.export and the operators of the ONNX reader; snnTorch's and Norse's by NIR."""
