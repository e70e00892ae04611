// Package model lowers a float network to the integer graph that is run and proved.
//
// Lower calibrates the range of every activation on samples, fuses each linear layer with
// its bias, its residual branch and its activation function into one rescale, quantises
// weights so that a rescale is a pure right shift, and measures what that cost in accuracy.
//
// A float value is lowered lazily: a linear operator makes a sum (type linear) that later
// scalings, biases, additions and functions join; the sum becomes a tensor of the graph
// when something reads it that cannot join. A sum that only outputs read becomes a public
// accumulator without rounding.
//
// A model that was quantised before keeps its scales: a value that it rounds has exactly its steps
// and its clamp, without calibration. The weights of such a layer are the model's integers times one
// integer for each channel, so that nothing of a sum is rounded but those factors, to a 32nd of a
// step. Halves are rounded up, where ONNX rounds them to even.
//
// Scales belong to classes of values: operators that move cells (Concat, MaxPool, Slice,
// Pad, Reshape, Transpose) keep the scale of their inputs and so are free. Nodes of one role, which do the
// same at different steps of a sequence, are calibrated together: their values have one range.
package model
