// Package wire bounds gnark's encodings before gnark decodes them.
//
// gnark's decoders trust the lengths they read: a proof of 164 bytes can ask for 275 GB, and a
// constraint system can panic in a goroutine that nobody can recover. The functions of this
// package read the same bytes first. What they accept, gnark v0.15.0 decodes without a panic and
// with memory of at most a constant times the number of bytes. They allocate nothing that
// depends on an unchecked length, and they demand that an encoding ends where its bytes end.
//
// A scan looks at lengths, flags, counts and indices. It does not decide whether field elements
// are canonical or whether points lie on their curve: gnark's checking decoders refuse those with
// an error, and [CheckKeys] finds them in keys that were decoded without checks. Nor does it say
// whether a proof is valid.
//
// Four curves and two schemes are known: BN254, BLS12-381, BLS12-377 and BW6-761; Groth16 and
// PLONK.
package wire
