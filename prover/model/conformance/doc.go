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
// largest magnitude of any value of the network over the largest cell, 127 or 2047: no range is
// wider, so no step that an operator rounds to is coarser than about u, and calibration leaves half
// of it as room. A rescale then errs by at most 3/4·u, and operators that do not amplify pass that
// on. A network of k rescales must stay within (1 + k)·u. An operator that is wrong does not, or not
// at both widths.
//
// Networks hold shapes, axes and weights as constants, while the cases have every operand as an input.
// So what is refused with all of them is tried with more and more operands bound as constants;
// see Status.
package conformance
