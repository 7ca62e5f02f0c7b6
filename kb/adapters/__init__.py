"""Everything that touches another library's types: Chroma, ONNX, llama.cpp, HTTP model servers."""
