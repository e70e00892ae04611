// Package commit makes and checks Hyrax-style commitments: a matrix of small
// integers is committed one row at a time to points of BN254 G1, over generators
// that all rows share. The scheme is transparent, binding under the discrete
// logarithm assumption, and not hiding.
//
// A commitment to a row (v_0, …, v_{c-1}) is Σ v_j·G_j. Rows are additively
// homomorphic, so Σ w_i·row_i commits to the combined row, which is what
// [Key.Verify] checks for any number of matrices with one multi-scalar
// multiplication.
//
// The package never sees a transcript: the caller binds the rows before it draws
// the weights, and the weights and combined rows before it draws delta.
package commit
