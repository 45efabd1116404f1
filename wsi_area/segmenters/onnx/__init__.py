"""onnx: networks in ONNX files, with their cards."""
