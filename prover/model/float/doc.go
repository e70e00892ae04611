// Package float holds the normalised float graph: what an ONNX model means
// after shapes are bound, constants are folded and exporter idioms are removed.
//
// Import turns a parsed model into a Graph or refuses it with the complete list
// of what it cannot express. Evaluate is the float reference: every value of
// the graph in float32, each sum accumulated in float64. Calibration takes its
// ranges from it and the integer semantics are measured against it.
//
// One operator is one struct in one file with its shape rule and evaluation.
package float
