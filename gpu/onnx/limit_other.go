//go:build !linux

package onnx

// limitMemory has no portable form: only Linux limits the child.
func limitMemory(int64) error { return nil }

// limitCPU has no portable form: only Linux limits the child.
func limitCPU(int) error { return nil }
