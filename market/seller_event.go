package market

import "github.com/weisyn/wes/chain"

// Ticket names a request of a peer that waits for a Reply or Deliver.
type Ticket uint64

// Asked is the event that a client has asked for a bid. Problem is what the ledger says against its
// terms or funds, nil if nothing.
type Asked struct {
	Ticket  Ticket
	Peer    string
	Ask     *Ask
	Problem *Refusal
}

// Awarded is the event that a client has given this operator a job. Problem as in Asked.
type Awarded struct {
	Ticket  Ticket
	Peer    string
	Award   *Award
	Problem *Refusal
}

// Signed is the event that answers Countersign.
type Signed struct {
	Job     chain.Hash
	Partial []byte
	Until   uint64 // end of the funding transaction's window
	Refusal *Refusal
}

// Started is the event that the client has sent the funding transaction, which holds the agreed
// escrow in output At and is stored.
type Started struct {
	Ticket Ticket
	Peer   string
	Job    chain.Hash
	At     Ref
}

// Collecting is the event that a client asks how far its job is, and waits until an instant.
type Collecting struct {
	Ticket Ticket
	Peer   string
	Ask    *Collect
	Until  uint64
}

// RunProgressed is the event that a running job has come further.
type RunProgressed struct {
	Job   chain.Hash
	Stage string
	Done  uint32
	Total uint32
}

// RunEnded is the event that a run has ended: with stored output and proof, or for a reason.
type RunEnded struct {
	Job    chain.Hash
	Output chain.Hash
	Proof  chain.Hash
	Took   uint64 // ms
	Memory uint64 // bytes, at the most
	Code   Code   // CodeOK: it is done
	Text   string
}

// ChannelClosed is the event that a channel pays for nothing any more that it has not paid.
type ChannelClosed struct{ Channel chain.Hash }

// Reply is the effect to answer a request. Exactly one field is set, or none: an empty answer.
type Reply struct {
	Ticket        Ticket
	Answer        *Answer
	Countersigned *Countersigned
	Refusal       *Refusal
}

// Deliver is the effect to answer a Collect. Where Signed is set, the result is to be signed and
// sent, with the stored output and proof if the delivery is revealed. Where Channel is set too, the
// channel has to know before that it is delivered.
type Deliver struct {
	Ticket   Ticket
	Channel  chain.Hash
	Delivery Delivery
	Signed   bool
	Result   chain.Result
	Output   chain.Hash
	Proof    chain.Hash
}

// Countersign is the effect to check that the payload fits the program and the key, and to make the
// operator's half of the funding transaction, or to have the award's channel owe the price; answered
// by Signed. The payload is stored before.
type Countersign struct {
	Job    chain.Hash
	Award  *Award
	Escrow *chain.JobEscrow
}

// Disengage is the effect to give back what a Countersign has reserved, in a channel where that is
// set.
type Disengage struct {
	Job     chain.Hash
	Channel chain.Hash
}

// Propagate is the effect to submit the stored funding transaction; answered by Submitted or
// SubmitFailed.
type Propagate struct{ Job chain.Hash }

// Run is the effect to execute a job, and to prove it if its level says so; answered by RunEnded.
type Run struct {
	Job    chain.Hash
	Device string // UUID; empty: any CPU
	Prove  bool
}

// Halt is the effect to end a run.
type Halt struct{ Job chain.Hash }
