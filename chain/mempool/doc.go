// Package mempool keeps valid transactions that are in no block yet: which to take, which to
// give up, and which to mine. All of it is policy of one node; the rules are package chain's.
// It does no input or output, has no clock and starts no goroutine.
//
// # Invariants
//
// Every transaction in the pool is valid on the ledger's tip together with its ancestors in
// the pool. No two spend the same output. What a transaction spends or refers to is unspent
// after the tip or created in the pool, so parents precede children in the order of entry.
//
// # The caller's duties
//
//  1. Use a pool from one goroutine at a time. Its view and attachments always show the ledger
//     after the tip that Reorganise was last told of.
//  2. Decode transactions with package chain. Fetch the attachments that Add reports as missing
//     in a [*chain.UnavailableError], and add the transaction again. Those of transactions in
//     the pool stay at hand.
//  3. Call Reorganise after every change of the tip, with the blocks left and the blocks
//     entered, and Expire now and then.
//  4. Drop a peer whose transaction breaks a rule of scope body or witness: whoever relays
//     checks first. Rules of scope ledger may hold on another tip.
//
// # Errors
//
// Add refuses with an error of this package, which is policy; with a [*chain.RuleError] or
// [*chain.UnavailableError], which are not; anything else is a fault of this machine.
package mempool
