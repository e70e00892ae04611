// Package markettest runs clients and operators of package market against each other, in simulated
// time, in one goroutine and from one seed: the same seed gives the same run. Peers, links, clocks,
// journals, devices and the mempool are simulated; the machines of the market and the rules of the
// ledger are what nodes run.
//
// A [World] has clients, operators and one ledger. Messages travel as their encoded bytes, and get
// lost; every transaction is validated; blocks are mined at intervals or on demand, and undone. Each
// party keeps what its machine told it to store, and can be killed at any time and started again.
// Parties can be told to cheat. [Run] draws a whole schedule of such things and checks that every job
// has ended with its money where it belongs.
package markettest
