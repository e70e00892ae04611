// Package onnx reads and writes the ONNX file format with its own small
// structs.
//
// Parse takes bytes from strangers. Every count, length and product is checked
// against Limits before anything is allocated for it, and what the program
// could not run safely is refused with an *Error that names the node or tensor:
// external data, sub-graphs, local functions, sparse, string, sequence and map
// values, foreign operator domains, tensors whose data does not match their
// shape, and graphs that are not in single-assignment topological order.
//
// Marshal writes deterministic bytes: the same Model always gives the same file.
package onnx
