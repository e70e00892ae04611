// Package wes is the root of a program that proves inferences of ONNX models. It holds no
// code, only this map and the test that enforces it.
//
//	cmd/wes               the command line: one file per verb
//	prover/pipeline       the main job from file to verified proof, for all who offer it
//	prover                one execution of an integer graph becomes a proof
//	prover/verify         what a verifier needs, and nothing more: no cgo, no executor
//	prover/layer          the relations of the operators, and the layout of a proof
//	prover/lookup         fractional sums over a tree of products (LogUp-GKR)
//	prover/sumcheck       sumchecks over products and inner products
//	prover/commit         commitments to rows of small integers (Hyrax)
//	prover/poly           multilinear polynomials as tables
//	prover/vec            arithmetic on vectors of field elements, in assembly where it exists
//	prover/transcript     Fiat–Shamir
//	prover/graph          the integer graph: the program that is run and proved
//	prover/model          lowers a float network to an integer graph
//	prover/model/onnx     the ONNX file format
//	prover/model/float    the normalised float network, and its evaluation
//	prover/model/tensor   inputs and outputs: files, quantisation, tails
//	prover/model/interpret  executes integer graphs in plain Go: the oracle
//	prover/model/emit     writes an integer graph as an ONNX graph with the same bits
//	gpu/onnx              runs emitted graphs on ONNX Runtime, in a child process
//	benchmarks            measures all of this, for publication; only the command line imports it
//
// Imports go down this list, roughly; arch_test.go says exactly which are allowed.
package wes
