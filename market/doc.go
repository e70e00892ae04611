// Package market decides who computes for whom, and how it is paid. It is pure: a [Buyer] is the
// client's side of all its jobs, a [Seller] the operator's of all of its own. Both are state
// machines without goroutines, clocks, I/O or randomness.
//
// # The caller's duties
//
//  1. Give every event to Step, one at a time, with the local time in ms since 1970. Call Step
//     with Tick at the time that Next returns, or earlier.
//  2. Store the Records of what Step returns, durably and in order, then carry out the Effects.
//     An effect may be carried out twice, late or never: Step asks again for what still matters.
//  3. Answer an effect by the event that its comment names. Events that nothing waits for any more
//     are ignored.
//  4. After a start, Load all records, give a Viewed for every job that is not closed, then Step
//     with Resume.
//
// # Three axes
//
// A job has an [Assignment], an [Execution] and a [Settlement], and a [Code] that says why it is
// where it is. Only what the ledger shows moves the settlement: a [View] is computed from blocks and
// mempool, and a reorganisation is a View like any other.
//
// # Messages
//
// A client asks operators that it knows by their signed adverts, each on a direct stream, and the
// answer is a bid or a refusal, so bids are private and the client learns why somebody does not
// bid. An award carries the escrow's offer and the payload of the job, and is answered by the
// operator's half of the escrow. Start carries the funding transaction, Collect waits for progress
// and for the result. Small jobs skip the question: they are awarded at an advert's posted price.
//
// # Channels
//
// A job that is too small for transactions of its own goes through a payment channel of package
// channel, where one stands with whoever gets the job and has room for it. There is nothing to fund
// then: the award is taken on or refused, the escrow that was agreed on serves for the statement of
// the proof alone, and the client pays by a voucher once it has verified. A bad or late result is not
// paid, and that is all that can happen. Channels are opened ahead: the job for which one is missing
// takes an escrow.
package market
