// Package node runs a node: it opens the parts, adapts one to the other, supervises them and
// closes them in reverse. It alone knows all of them.
//
// # Parts
//
// One goroutine owns the replica, the ledger's state machine (ledger.go). Peers' messages,
// transactions of the API, mined blocks and the ticks of a clock reach it through one bounded
// queue, and what it wants done is carried out around it: requests by goroutines that belong to
// a peer, verdicts by whoever waits for them. A full queue holds back the peer that fills it.
// Readers (the API, peers' requests, the wallet) read the store's published state and never
// wait for the queue.
//
// # Lifecycle
//
// [Run] returns when its context ends, with nil, or when a part fails, with an error that names
// the part. Every part is closed before it returns. A home folder is used by one process at a
// time; what a killed process left behind is repaired when the store opens.
//
// # Configuration
//
// [Config] is flat. A setting comes from a flag, else from the environment, else from the file,
// else it has its default; docs/config.md lists them, made from the code. What all nodes of a
// network must agree on is no setting but part of the [Network], and the hash of its genesis
// block commits to all of it.
package node
