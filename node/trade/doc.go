// Package trade runs a client and an operator of package market: it owns their goroutine, stores
// their records, and carries out their effects with the node's peers, ledger, wallet and workers,
// which it knows as interfaces.
//
// What is stored lies in one folder: a log of the state machines' records, synced before an effect of
// the same step is carried out, and files named by their SHA-256 for payloads, outputs and proofs.
package trade
