// Package msm computes multi-scalar multiplications and number-theoretic transforms over
// BN254, for provers. An [Engine] is a place where that happens: [CPU] is this process,
// package icicle a GPU, package remote any engine in a child process. All engines give
// the same bits, so a proof does not show which one made it, and package msmtest holds the
// tests that say so.
//
// Points are affine with (0, 0) for infinity, field elements are in gnark-crypto's
// Montgomery form, vectors are in natural order. Engines check every length they are
// given and answer with [commit.LengthError], but they trust points to lie on the curve.
package msm
