"""How this ONNX model loads and runs fastest on this machine, found by trying; what won becomes a folder."""
