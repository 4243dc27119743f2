"""What computes a network: TensorFlow, ONNX Runtime, OpenVINO, LiteRT."""
