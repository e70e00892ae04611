// Package replica is the ledger of one node as a state machine: it drives package consensus,
// package mempool and a validator on a [Store], and speaks the peers' protocol. It has no
// goroutine (but those of a validation, which end before the call returns), no clock, no random
// source and no socket: a node's shell owns these, and a simulator runs many replicas from one
// seed. The same calls in the same order give the same decisions.
//
// # The caller's duties
//
//  1. Use a [Replica] from one goroutine. A [Server] answers peers from any goroutine, and
//     DecodeAnswer and the decoders of announcements may run anywhere.
//  2. Call Tick about once a second, and the other methods as events come, with the local wall
//     clock in ms since 1970. The time of an answer is when its last byte came.
//  3. After every call carry out what Effects returns, in order. Every [Ask] ends in Answer or in
//     Fail, even if its peer has left.
//  4. A relayed transaction has a ticket. Its [Verdict] comes with the effects of the same call
//     or of a later one, and always comes.
//  5. An error of a method is a fault of this machine, for instance of its disk: stop the node.
//     What peers do wrong ends in a [Drop] or a verdict.
//
// # Order of writes
//
// Headers are durable before bodies are marked as stored, bodies and attachments before the
// block that needs them is connected; a move of the ledger lies between Begin and End of the
// store, or is rolled back.
package replica
