"""The Open Inference Protocol (KServe V2) apart from REST and gRPC: tensors, and a handler as a model."""
