// Package simulator runs many replicas of package replica against each other, in simulated
// time, in one goroutine and from one seed: the same seed gives the same run. Peers, links,
// clocks, disks, wallets and miners are simulated; the ledger's code is what nodes run.
//
// A [World] has honest nodes and adversaries. Links delay messages by random times, lose and
// double some, and can be cut; nodes crash in the middle of a write and come back with what was
// durable. [Run] draws a whole schedule of such faults, heals the network, and checks that all
// honest nodes stand on one tip with the same unspent outputs, that no token was created or
// lost, that nothing valid was forgotten, and that no honest node was banned.
package simulator
