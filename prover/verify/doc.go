// Package verify owns the statement, the proof and their encodings, and decides whether a
// proof holds. It executes nothing: a proof is checked against the verifier's key of a
// model, the public inputs and the public outputs. All bytes it reads come from strangers.
//
// The order of messages and challenges, the same for prover and verifier:
//
//	statement digest, commitment of the cells          → α, β
//	fractional sums of lookups and table rows          → points
//	                                                   → rest of the point, γ
//	sums of all convolutions                           → ρ
//	contraction sumcheck                               → r
//	weight and input factors at r                      → η, output points, δ
//	opening sumcheck                                   → point of the cells
//	cell value, combined rows of cells and of weights  → ε
package verify
