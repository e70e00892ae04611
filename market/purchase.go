package market

import "github.com/weisyn/wes/chain"

// purchasePhase is where a client's job is.
type purchasePhase uint8

const (
	asking      purchasePhase = iota + 1 // waits for bids
	contracting                          // one operator was awarded the job
	working                              // the funding transaction was released
	verifying                            // a result is here
	accepting                            // it is good: the operator is to be paid
	disputing                            // it is not: only the ledger can end the job
	over                                 // nothing more is done
)

// Contact is how an operator is reached.
type Contact struct {
	_         struct{} `cbor:",toarray"`
	Operator  chain.PublicKey
	Peer      string
	Addresses []string
}

// Received is a bid with who made it.
type Received struct {
	_       struct{} `cbor:",toarray"`
	From    Contact
	Bid     Bid
	Posted  bool
	Expired bool // it was tried or has ended
}

// Declined is a refusal with who made it.
type Declined struct {
	_       struct{} `cbor:",toarray"`
	From    Contact
	Refusal Refusal
}

// Purchase is a job as its client sees it. It is the record that is stored.
type Purchase struct {
	_         struct{} `cbor:",toarray"`
	ID        chain.Hash
	Group     chain.Hash // id of the first replica; of a single job, its own
	Nonce     [16]byte
	Terms     Terms
	MaxPrice  uint64
	Deadline  uint64
	Submitted uint64 // ms since 1970

	Phase      uint8
	Assignment Assignment
	Execution  Execution
	Settlement Settlement
	Code       Code
	Text       string // for people

	Round    uint8
	Closes   uint64 // of the round's window
	Sought   uint64 // until when it waits for somebody to ask
	Waiting  []Contact
	Bids     []Received
	Declines []Declined
	Attempt  uint32
	Within   uint64 // until when the operator has to countersign

	Operator  []Contact // who has the job: one or nobody
	Agreed    []Bid
	Channel   chain.Hash // that pays for the job; zero: the escrow does
	Escrow    []byte     // data of the State; with a channel it is never funded
	At        Ref        // output of the escrow as it was first funded
	Until     uint64     // end of the funding transaction's window
	Funded    uint64     // when it was last submitted
	Started   uint64
	Delivered uint64

	Result      []byte
	Signature   []byte
	Revealed    bool
	Output      chain.Hash
	Proof       chain.Hash
	Checked     bool // the result is good
	Exiting     Exit // what was submitted last
	ExitedAt    uint64
	ExitTx      chain.Hash
	View        View
	AuditAt     uint64 // when to audit a claim again, unless its refutation is to be seen by then; 0: never
	Lapsed      uint64 // height at which the funding transaction's window was seen to be over; 0: it is not
	Reliability bool   // the standing of the operator was changed for this job
}

func (p *Purchase) phase() purchasePhase { return purchasePhase(p.Phase) }

func (p *Purchase) enter(next purchasePhase) { p.Phase = uint8(next) }

// price is what the operator gets; 0 before there is an agreement.
func (p *Purchase) price() uint64 {
	if len(p.Agreed) == 0 {
		return 0
	}
	return p.Agreed[0].Price
}

// Price returns what was agreed on for the operator; 0 before.
func (p *Purchase) Price() uint64 { return p.price() }

// Contact returns who has the job.
func (p *Purchase) Contact() (Contact, bool) {
	if len(p.Operator) == 0 {
		return Contact{}, false
	}
	return p.Operator[0], true
}

// inChannel reports whether a channel pays for the job.
func (p *Purchase) inChannel() bool { return p.Channel != chain.Hash{} }

// accuses reports whether the code says what the operator did wrong. That says more than how the
// job ends.
func (p *Purchase) accuses() bool {
	return p.Code == CodeBadProof || p.Code == CodeBadResult || p.Code == CodeDisagree
}

// Ended reports whether nothing more will happen.
func (p *Purchase) Ended() bool { return p.phase() == over }

// Verified reports whether the result that is here was checked and found good.
func (p *Purchase) Verified() bool { return p.Checked }

// ask is the question of the current round.
func (p *Purchase) ask(reserve uint64) *Ask {
	return &Ask{Terms: p.Terms, Nonce: p.Nonce, Reserve: reserve, Deadline: p.Deadline}
}
