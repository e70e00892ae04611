// Package channel pays for many small jobs between one client and one operator with two
// transactions. It is pure: a [Payer] is the client's side, a [Payee] the operator's; both are
// state machines without goroutines, clocks, I/O or randomness. Times are ms since 1970.
//
// # How it works
//
// The client locks a cap in an output that both may spend together, or the client alone from an
// expiry on. After each job that the client has verified, it signs the transaction that closes the
// channel with one more job paid: a voucher. What is paid only grows, so the operator countersigns
// the latest one when it wants its money, and an older one is only worth less to it. There is
// nothing to revoke and nobody to watch the ledger for.
//
//	funding   cap under Any(Multi(2: client, operator), All(After expiry, Key client))
//	closing n operator: paid_n − fee; each owner: royalties; client: rest; State: receipt_n
//	receipt_n SHA-256("wes/receipt/1" ‖ receipt_(n−1) ‖ job ‖ input ‖ output ‖ price in 8 bytes)
//
// receipt_0 is the identity of the channel. What the operator is paid covers the fee of closing
// first, so that a channel costs the client what its jobs cost and nothing else. An output of
// nothing is left out. The client's rest is never below the fee.
//
// # The caller's duties
//
//  1. Call one method at a time. Store the [Record] that a method returns, in order and durably,
//     then give it to Stored. Vouchers, acknowledgements, the closing transaction and what counts
//     as paid come from what is stored only.
//  2. Client: store the record of Reserve before the job is sent. Operator: store the record of
//     Accept before it starts, that of Deliver before the output is sent.
//  3. Operator: open a channel whose funding is as deep in the ledger as its cap deserves, and
//     close it once Due says so. Client: reclaim what is unspent after the expiry.
//  4. Never use the id of a job twice, and pay only for what was delivered.
//  5. After a start, restore the records. Send what Outbox returns; whatever was sent before is
//     recognised. Ask Owes and Paid about jobs whose fate is not known.
//
// # What can be lost
//
// The client signs after it has verified, so it loses nothing. The operator loses at most what it
// let be unpaid, one job if MaxUnpaid is 1.
package channel
