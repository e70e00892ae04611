// Package trade runs a client and an operator of package market: it owns their goroutine, stores
// their records, and carries out their effects with the node's peers, ledger, wallet and workers,
// which it knows as interfaces.
//
// Small jobs are paid through payment channels. A client's channel has a goroutine, which funds it,
// announces it, brings vouchers and takes back what is left; those of an operator share one, which
// closes them in time. Both hold their channels against the ledger every few seconds, also after a
// start, so nothing depends on having been there.
//
// What is stored lies in one folder: a log of the state machines' records, synced before an effect of
// the same step is carried out, and files named by their SHA-256 for payloads, outputs and proofs.
package trade
