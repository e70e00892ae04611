// Package prover turns one execution of an integer graph into a proof that anyone can
// check: commit to the execution's cells, sum the lookups, contract the convolutions, open
// the commitments. It orchestrates; the arithmetic lives in the packages below it.
package prover
