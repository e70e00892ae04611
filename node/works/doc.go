// Package works is what an operator sells: the programs that it can execute and prove, and the
// workers that do. A program is offered once its package was fetched, is the one that the ledger
// announces, and has been proved once on every class of devices: a circuit, of which there is no witness
// then, is made ready and its time estimated. Runs are tasks of a fleet's queue, for workers of this
// process and of others alike.
package works
