package market

import "github.com/weisyn/wes/chain"

// salePhase is where an operator's job is.
type salePhase uint8

const (
	signing  salePhase = iota + 1 // its half of the escrow is being made
	awaiting                      // signed; the funding transaction is not to be seen yet
	queued                        // funded; waits for a device
	running                       // on a device
	ready                         // the result is here
	failing                       // there will be none: the job is to be released
	closed                        // nothing more is done
)

// Sale is a job as its operator sees it. It is the record that is stored.
type Sale struct {
	_         struct{} `cbor:",toarray"`
	ID        chain.Hash
	Terms     Terms
	Nonce     [16]byte
	Client    string // peer
	Bid       Bid
	Signed    uint64 // ms since 1970
	Phase     uint8
	Execution Execution
	Code      Code
	Text      string
	Channel   chain.Hash // that pays for the job; zero: the escrow does
	Escrow    []byte     // with a channel it is never funded
	At        Ref
	Until     uint64 // end of the funding transaction's window, or with a channel the late time; 0: not known
	Idle      bool   // its capacity was given back, since the funding is overdue
	Lapsed    uint64 // height at which the window was seen to be over; 0: it is not

	Version  uint64 // of what the client sees
	Class    string // of the device
	Attempts uint8
	CPU      bool // only the CPU is left
	Began    uint64
	Took     uint64 // ms

	Output    chain.Hash
	Proof     chain.Hash
	Finished  uint64
	Offered   uint64 // when the client could first have the result; 0: not yet
	Sealed    bool   // the client has asked for the signed hash of the output only
	Delivered uint64

	Settlement Settlement
	Funding    uint64 // when the funding transaction was last submitted
	Exiting    Exit
	ExitedAt   uint64
	ExitTx     chain.Hash
	View       View
}

func (s *Sale) phase() salePhase { return salePhase(s.Phase) }

func (s *Sale) enter(next salePhase, e Execution) {
	s.Phase, s.Execution = uint8(next), e
	s.Version++
}

// Ended reports whether nothing more will happen.
func (s *Sale) Ended() bool { return s.phase() == closed }

// inChannel reports whether a channel pays for the job.
func (s *Sale) inChannel() bool { return s.Channel != chain.Hash{} }

func (s *Sale) escrow() *chain.JobEscrow {
	read, err := chain.DecodeState(&chain.State{Type: chain.StateEscrow, Data: s.Escrow})
	if err != nil {
		panic("BUG: escrow that was checked does not decode: " + err.Error())
	}
	return read.(*chain.JobEscrow)
}

// AgreedEscrow returns the escrow of the job.
func (s *Sale) AgreedEscrow() *chain.JobEscrow { return s.escrow() }

// Result is what the operator signs for the client.
func (s *Sale) Result() chain.Result {
	return chain.Result{Kind: s.Terms.Kind, Key: s.Terms.Key, Job: s.ID, Model: s.Terms.Model, Input: s.Terms.Input, Output: s.Output}
}
