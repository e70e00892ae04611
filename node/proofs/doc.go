// Package proofs checks the proofs of the ledger with packages verify and circuit: it is the
// chain.ProofVerifier of a node. What lies in the attachments is documented in
// docs/attachments.md.
//
// A proof of an inference names job, payee and chain itself, so that nobody else can use a copy.
// A gnark proof does not: it shows that public inputs satisfy a circuit, whoever made it. Where
// an escrow pays its own operator only, that makes no difference; a copied gnark proof can refute
// a claim in its copier's favour.
package proofs
