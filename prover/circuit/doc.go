// Package circuit proves and verifies gnark circuits: Groth16 and PLONK over BN254,
// BLS12-381, BLS12-377 and BW6-761.
//
// # Packages
//
// What a circuit needs lies in one folder, which is written once and never changed:
//
//	manifest.json   Manifest: version, system, sizes, origin of the setup, digests of the parts
//	circuit.ccs     constraint system, gnark's encoding
//	proving.key     proving key, gnark's raw encoding
//	verifying.key   verifying key, gnark's compressed encoding
//
// A verifier's package has no circuit.ccs and no proving.key. The manifest is canonical JSON:
// what encodes differently is refused. A folder appears under its name when all of it is on
// the disk.
//
// A package that can prove also has a form of one file, for travelling: see Package.Pack,
// ReadHead and Unpack.
//
// # Trust
//
// Encodings are scanned by package wire before gnark decodes them, since gnark allocates what a
// length asks for. A constraint system can still ask for more time or memory than there is, and
// gnark cannot be cancelled: whoever takes jobs runs Setup and Prover in a process of its own
// (package service). Keys of a stranger are checked once, when Setup takes them in
// (wire.CheckKeys); later their digests must match, and the points of the proving key are not
// looked at again. So a package is as good as the machine that made it: another's becomes one's
// own by setting it up again from its keys.
//
// Verification takes hostile bytes for proofs, public inputs and verifying keys.
//
// # The setup's origin
//
// Whoever knows the random numbers of a setup can forge proofs. The manifest says where they
// came from (Origin), and every result repeats what there is to be said against it.
//
// # Logging
//
// gnark logs to standard output through a global logger. A program that uses this package
// calls Silence once, before anything else.
package circuit
