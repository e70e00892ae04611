// Package conformance runs the node tests of the ONNX project: small models with inputs and the
// outputs that the standard expects.
//
// A case is a folder with model.onnx and test_data_set_0/input_K.pb, output_K.pb. Its model is
// parsed, imported, and evaluated in float: every cell must be within 1e-4 of the expected one,
// relative, or 1e-5; within 2e-3 if the case computes in float16; integers must be equal. Then it is
// lowered, calibrated on the case's own inputs, and executed by the interpreter, with activations of
// 8 bits, the default, and of 12.
//
// The integer result is held against the float result for the inputs that the integer cells stand
// for: an input's own rounding is its representation, not an error of operators. Let u be the
// largest magnitude of any value of the network over the largest cell, 127 or 2047, and k the
// number of rescales. No range is wider but for the half of it that calibration leaves as room, so a
// rescale errs by at most 3/4·u. Operators may amplify that: let s be the most that the float result
// changes when every value of the float network is moved by up to a step of its own, at
// random. Each cell must be within (1 + k)·u + s. What is wrong, and not only coarse, does not
// shrink with u from one width to the other.
//
// Networks hold shapes, axes and weights as constants, while the cases have every operand as an input.
// So what is refused with all of them is tried with more and more operands bound as constants;
// see Status.
package conformance
