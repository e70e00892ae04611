package onnx

import "path/filepath"

// Linked says whether this build can load the library.
func Linked() bool { return linked }

// CUDAProvider is the file that ONNX Runtime needs beside its library for CUDA, and its
// error when it is not there.
func CUDAProvider(library string) (string, error) {
	path := filepath.Join(filepath.Dir(library), "libonnxruntime_providers_cuda.so")
	return path, regular(path)
}
