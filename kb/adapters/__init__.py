"""Everything that touches another library's types: Chroma, ONNX, llama.cpp, HTTP model servers."""

import os

# onnxruntime reports its use to its maker from the moment it is imported, and nothing but this
# variable, set before that, stops it. This package promises to call nobody.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
