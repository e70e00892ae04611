package market

import "github.com/weisyn/wes/chain"

// Order is the event that a client wants something computed. One nonce makes a job; several make
// replicas, which are done by different operators.
type Order struct {
	Terms    Terms
	Nonces   [][16]byte
	MaxPrice uint64 // of one replica, with royalty, without fee reserve
	Deadline uint64
}

// Heard is the event that an operator has sent an advert, whose signature holds.
type Heard struct{ Advert *Advert }

// Answered is the event that an operator has answered an AskFor, or that it could not be reached:
// then Answer is nil.
type Answered struct {
	Job    chain.Hash
	Round  uint8
	From   Contact
	Answer *Answer
}

// Contracted is the event that an operator has signed the escrow, and the client too. Nobody has
// the funding transaction yet. With a channel it is the event that the operator has taken the job on.
type Contracted struct {
	Job     chain.Hash
	Attempt uint32
	At      Ref
	Until   uint64 // end of its window
}

// ContractFailed is the event that a Contract came to nothing. Own: for a reason that no other
// operator changes.
type ContractFailed struct {
	Job     chain.Hash
	Attempt uint32
	Refusal Refusal
	Own     bool
}

// Progressed is the event that the operator has said how far it is.
type Progressed struct {
	Job       chain.Hash
	Execution Execution
	Code      Code
	Stage     string
	Done      uint32
	Total     uint32
	Device    string
}

// Delivered is the event that a signed result is here. Revealed: the output and, of a proved job,
// the proof are stored; Output is the hash of what came.
type Delivered struct {
	Job       chain.Hash
	Result    []byte
	Signature []byte
	Revealed  bool
	Output    chain.Hash
	Proof     chain.Hash
}

// Verified is the event that answers Verify.
type Verified struct {
	Job  chain.Hash
	OK   bool
	Text string
}

// Submitted is the event that a transaction of a job was given to the ledger.
type Submitted struct {
	Job  chain.Hash
	Exit Exit // ExitNone: the funding transaction
	Tx   chain.Hash
}

// SubmitFailed is the event that it was refused, or could not be built.
type SubmitFailed struct {
	Job  chain.Hash
	Exit Exit
	Text string
}

// Viewed is the event that the ledger shows something of a job.
type Viewed struct {
	Job  chain.Hash
	View View
}

// ChannelRoom is the event that a channel with an operator can pay for jobs of so much in all, with
// royalties; 0: it pays for none any more. It is told when that changes, and anew after a start.
type ChannelRoom struct {
	Operator chain.PublicKey
	Channel  chain.Hash
	Room     uint64
}

// ChannelFailed is the event that an OpenChannel came to nothing. That it came to something is told
// by ChannelRoom.
type ChannelFailed struct{ Operator chain.PublicKey }

// Vouched is the event that the operator of a job has stored the voucher that pays for it. Both
// machines take it.
type Vouched struct{ Job chain.Hash }

// Unpaid is the event that a job cannot be paid any more, because its channel has ended.
type Unpaid struct {
	Job  chain.Hash
	Text string
}

// Cancel is the event that the client gives a job up. It has an effect until the job is assigned.
type Cancel struct{ Job chain.Hash }

// AskFor is the effect to ask one operator; answered by Answered.
type AskFor struct {
	Job    chain.Hash
	Round  uint8
	To     Contact
	Ask    *Ask
	Within uint64 // until when an answer is of use, in ms since 1970
}

// Contract is the effect to make the escrow with an operator: offer it, send the award with the
// payload, and sign what comes back. It is answered by Contracted or ContractFailed.
type Contract struct {
	Job     chain.Hash
	Attempt uint32
	To      Contact
	Ask     *Ask
	Bid     Bid
	Posted  bool
	Channel chain.Hash // that pays for the job: there is nothing to sign then; zero: the escrow does
	Escrow  *chain.JobEscrow
	Within  uint64
}

// Abandon is the effect to give back what a Contract has reserved, if it still runs to end it.
type Abandon struct {
	Job     chain.Hash
	Attempt uint32
	Channel chain.Hash
}

// Fund is the effect to submit the funding transaction and to send it to the operator; answered by
// Submitted or SubmitFailed.
type Fund struct {
	Job chain.Hash
	To  Contact
}

// CollectFrom is the effect to ask the operator for progress and result until StopCollecting;
// answered by Progressed and Delivered, as often as there is news.
type CollectFrom struct {
	Job    chain.Hash
	To     Contact
	Reveal bool
}

// StopCollecting is the effect that ends a CollectFrom.
type StopCollecting struct{ Job chain.Hash }

// Verify is the effect to check the stored result of a job; answered by Verified.
type Verify struct{ Job chain.Hash }

// OpenChannel is the effect to open a payment channel with an operator, of which further jobs are
// paid; answered by ChannelRoom or ChannelFailed.
type OpenChannel struct{ To Contact }

// Pay is the effect to give the operator a voucher for a job whose output is good; answered by
// Vouched or Unpaid.
type Pay struct {
	Job     chain.Hash
	Channel chain.Hash
	Output  chain.Hash
}

// Settle is the effect to build and submit the transaction that spends the escrow or claim of a job
// by an exit; answered by Submitted or SubmitFailed.
type Settle struct {
	Job  chain.Hash
	Exit Exit
}

// Audit is the effect to find out what the output of a claimed job really is, and to Settle with
// ExitRefute if it is another than the one said, or if the claim is that there is none. Only that is
// answered, by Submitted or SubmitFailed.
type Audit struct {
	Job    chain.Hash
	Output chain.Hash // that was said
}
