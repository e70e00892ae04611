// Package srs reads structured reference strings from ceremonies.
//
// A reference string is a list of powers of a secret tau, as points. Who knows tau can forge
// proofs, so it comes from a ceremony of which one honest participant suffices. A file has one of
// two forms: snarkjs's .ptau, for BN254 and BLS12-381, which serves PLONK and the first phase of
// Groth16; or gnark's own encoding of kzg.SRS, compressed or raw, for all four curves, which
// serves PLONK.
//
// The file is not believed. [Open] bounds every length before anything is allocated. [File.KZG]
// and [File.Groth16] read the points that they need and check them: coordinates below the modulus,
// points in the subgroup, the first power the generator, and the powers in geometric progression,
// by pairings of random linear combinations (SameRatioMany in mpcsetup of gnark-crypto). That a
// ceremony took place, and which, no file can prove: compare its SHA-256 with what the ceremony
// published.
package srs
