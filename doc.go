// Package wes is the root of a program that proves inferences of ONNX models and gnark
// circuits, and settles them on a ledger. It holds no code, only this map and the test that enforces it.
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
//	prover/circuit        gnark circuits: packages with keys, setup, proofs, verification
//	prover/circuit/service  circuits as jobs of a worker
//	prover/circuit/example  circuits of any size, to try and to measure
//	prover/circuit/srs    reference strings of ceremonies
//	prover/circuit/wire   bounds gnark's encodings before gnark decodes them
//	gpu                   devices: memory slots, claims, health
//	gpu/machine           the devices of one machine: probed, claimed, watched, used
//	gpu/dispatch          jobs on devices, moved on when something breaks
//	gpu/probe             what devices and libraries there are
//	gpu/nvml              the NVIDIA driver's library
//	gpu/msm               multi-scalar multiplications and transforms: the engines' interface, the CPU's
//	gpu/msm/icicle        the engine of ICICLE, by build tag
//	gpu/msm/remote        an engine in a child process
//	gpu/groth16           gnark's Groth16 on ICICLE, by build tag
//	gpu/onnx              runs emitted graphs on ONNX Runtime, in a child process
//	gpu/worker            runs jobs in child processes: limits, signs of life, restarts
//	chain                 the ledger's rules, pure
//	chain/consensus       which block is the tip, and how to get there: a pure core
//	chain/mempool         policy on transactions that wait
//	chain/replica         one node's ledger as a state machine; the peers' messages
//	chain/store           the ledger on disk
//	chain/ures            resources, content-addressed
//	node                  a node: configuration, networks, goroutines, miner
//	node/api              JSON-RPC, health, metrics; server and client
//	node/p2p              peers over libp2p
//	node/proofs           proofs on the ledger, checked
//	node/keystore         keys, encrypted
//	node/wallet           transactions, built and signed
//	chain/chaintest       stores and networks in memory, for tests
//	benchmarks            measures all of this, for publication; only the command line imports it
//
// Imports go down this list, roughly; arch_test.go says exactly which are allowed.
package wes
