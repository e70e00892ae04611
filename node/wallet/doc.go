// Package wallet builds and signs the transactions of one key: payments, tokens, sponsor pools and
// resources. It asks a [Ledger] for what the key can spend, chooses among it, pays a fee by the
// transaction's weight, and returns what is left as change.
//
// Outputs that a transaction uses are reserved, so that the next transaction does not use them
// before the ledger shows what became of the first.
package wallet
