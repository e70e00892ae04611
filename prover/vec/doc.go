// Package vec multiplies vectors of field elements of BN254: the scalar field
// fr and the base field fp.
//
// Elements are gnark-crypto's: four words in Montgomery form with R = 2^256,
// below the modulus. Results are the same bits as gnark-crypto's on every
// machine; only the code that computes them differs:
//
//   - gnark-crypto's vector code where it has one (AVX-512 with IFMA);
//   - the kernels of this package on AVX-512 without IFMA and on AVX2 with FMA,
//     which work on eight or four elements at a time in the floating-point
//     multipliers, see internal/gen;
//   - scalar code elsewhere.
//
// Functions run on the caller's goroutine and do not allocate. The vectors of
// a call have the same length; dst may be one of the operands, but must not
// overlap them otherwise.
package vec

//go:generate go run ./internal/gen
