// Package lookup proves that two sums of fractions are equal, which is how a
// lookup argument (LogUp, Haböck, eprint 2022/1530) ends: every looked-up key
// adds 1/(α-key), every table row adds multiplicity/(α-row), and for a random
// α the two sums agree only if each key is a row of the table.
//
// # Tree
//
// A Side over n variables is a binary tree (Papini and Haböck, eprint
// 2023/1039). Layer k has 2^k nodes, each a fraction p/q without reduction;
// node i of layer k is the sum of its children 2i and 2i+1 of layer k+1:
//
//	p = p0·q1 + p1·q0,  q = q0·q1
//
// Layer n holds the leaves, layer 0 the root. A side stores only a prefix of
// its leaves; the others are the fraction 0/1. Because siblings are adjacent,
// every layer is then a prefix too, and the rest of it is 0/1 again.
//
// # Protocol
//
// Both roots are sent; the verifier checks num_L·den_R = num_R·den_L and that
// neither denominator is zero. Step k = 0, 1, … turns the claims (p̃_k, q̃_k)
// at a point r of k variables into claims on layer k+1. A side takes part (is
// active) while k < Vars; both sides use the same challenges, so the same r.
//
//  1. λ is drawn. With the powers of λ handed to the active sides in order,
//     (1, λ) to the first and (λ², λ³) to the second, the claim is
//     C = Σ_sides λ^2s·(p̃ + λ·q̃) = Σ_x eq(r,x)·F(x),
//     F = Σ_sides λ^2s·(p0·q1 + p1·q0 + λ·q0·q1).
//  2. k rounds bind x from the top variable down. With ρ the challenges so
//     far, round j concerns the quadratic
//     h(X) = Σ_y eq(r_{j+1..}, y)·F(ρ, X, y)
//     and the running claim C = (1-r_j)·h(0) + r_j·h(1). The factor eq of the
//     bound variables is never multiplied in: it would scale both sides of
//     each check alike. The message is the slope d = h(1)-h(0) and the
//     curvature c = h(∞), the leading coefficient. The verifier derives
//     h(0) = C - r_j·d, without a division, and the next claim is
//     h(ρ_j) = h(0) + ρ_j·(d + c·(ρ_j-1)).
//  3. p0, p1, q0, q1 of every active side at ρ are sent; C must equal F of
//     them. A challenge t joins the children: the claims are p0 + t·(p1-p0)
//     and q0 + t·(q1-q0) at the point (ρ ‖ t), t the lowest variable.
//
// After its last step a side is left with one claim about its leaves.
//
// The prover divides by ρ_j, by 1-ρ_j and, at the leaves of a side with unit
// numerators, by λ: with probability below 2^-240 per proof such a challenge
// hits zero and an honest proof is rejected. Soundness is not affected.
//
// # Cost
//
// Per leaf the prover spends 7 multiplications and 3 products that are only
// accumulated on a side with unit numerators, 10 and 4 otherwise. Cost follows
// the stored prefix, not 2^Vars.
package lookup
