package market

import (
	"crypto/ed25519"
	"errors"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Limits of what messages hold.
const (
	MaxClass    = 64        // bytes of a device class
	MaxPromise  = 7 * 86400 // seconds
	MaxBidTime  = 30_000    // ms that a bid stands
	MaxOffers   = 64        // of an advert
	MaxPeer     = 128       // bytes of a peer's name
	MaxAddress  = 256       // bytes
	maxAddress  = 8         // addresses of an advert
	maxCodeText = 32
)

var errBounds = errors.New("a field out of bounds")

// Ask asks an operator for a bid.
type Ask struct {
	_     struct{} `cbor:",toarray"`
	Terms Terms
	Nonce [16]byte
	// Reserve is the highest price of this round, without royalty and fees.
	Reserve uint64
	// Deadline is when the client wants the result, in ms since 1970.
	Deadline uint64
	// Signature is the client's, under Digest.
	Signature [ed25519.SignatureSize]byte
}

func (a *Ask) check() error { return a.Terms.check() }

// Hash identifies an ask of one round.
func (a *Ask) Hash() chain.Hash {
	bare := *a
	bare.Signature = [ed25519.SignatureSize]byte{}
	return tagged("wes/ask/1", encode(&bare))
}

// Digest is what the client signs: the ask, and the peer that it sends it as. Whoever gets an ask
// cannot pass it on as its own.
func (a *Ask) Digest(peer string) chain.Hash {
	h := a.Hash()
	return tagged("wes/asked/1", h[:], []byte(peer))
}

// Signed reports whether the client has signed the ask for a peer to send.
func (a *Ask) Signed(peer string) bool {
	d := a.Digest(peer)
	return ed25519.Verify(a.Terms.Client[:], d[:], a.Signature[:])
}

// Encode returns the canonical encoding.
func (a *Ask) Encode() []byte { return encode(a) }

// DecodeAsk is the inverse of Encode.
func DecodeAsk(b []byte) (*Ask, error) { return decode[Ask](b, MaxAsk) }

// Bid is an operator's offer to do a job. It binds by reputation only.
type Bid struct {
	_        struct{} `cbor:",toarray"`
	Ask      chain.Hash
	Operator chain.PublicKey
	Price    uint64
	Promise  uint64 // ms from the assignment to the result
	Class    string // of the device
	ProveFee uint64 // what settling by proof costs, which the fee reserve covers 1.5 times
	Bond     []Ref  // standing bond, one or none
	Expiry   uint64 // ms since 1970
}

func (b *Bid) check() error {
	if b.Price == 0 || b.Promise == 0 || b.Promise > MaxPromise*1000 || len(b.Class) > MaxClass || len(b.Bond) > 1 || b.ProveFee > 1<<62 {
		return errBounds
	}
	return nil
}

// Refusal says why an operator makes no bid, or does not go on.
type Refusal struct {
	_     struct{} `cbor:",toarray"`
	Code  Code
	Price uint64 // what it would have asked for; 0: not said
	Wait  uint64 // ms after which asking again may help; 0: not said
	Text  string // for people, at most 256 bytes
}

func (r *Refusal) check() error {
	if r.Code == CodeOK || len(r.Code) > maxCodeText || len(r.Text) > 256 {
		return errBounds
	}
	return nil
}

// Error makes a refusal an error of the job.
func (r *Refusal) Error() string {
	if r.Text == "" {
		return "refused: " + string(r.Code)
	}
	return "refused: " + string(r.Code) + ": " + r.Text
}

// Answer is what an operator says to an Ask: a bid or a refusal.
type Answer struct {
	_       struct{} `cbor:",toarray"`
	Bid     []Bid
	Refusal []Refusal
}

func (a *Answer) check() error {
	if len(a.Bid)+len(a.Refusal) != 1 {
		return errBounds
	}
	if len(a.Bid) == 1 {
		return a.Bid[0].check()
	}
	return a.Refusal[0].check()
}

// Encode returns the canonical encoding.
func (a *Answer) Encode() []byte { return encode(a) }

// DecodeAnswer is the inverse of Encode.
func DecodeAnswer(b []byte) (*Answer, error) { return decode[Answer](b, MaxAsk) }

// Award gives the job to whoever bid, or offers a posted price at once.
type Award struct {
	_       struct{} `cbor:",toarray"`
	Ask     Ask
	Bid     Bid        // as it was made; of a posted price, what the advert says
	Posted  bool       // the bid is the advert's
	Channel chain.Hash // that pays for the job; zero: the escrow does
	Escrow  []byte     // data of the State; of a job that a channel pays for, what the proof is bound to
	Offer   []byte     // funding transaction so far; of no use with a channel
	Payload []byte
}

func (a *Award) check() error {
	if err := a.Ask.check(); err != nil {
		return err
	}
	if len(a.Payload) != int(a.Ask.Terms.PayloadLen) || len(a.Escrow) > chain.MaxStateData {
		return errBounds
	}
	return a.Bid.check()
}

// Encode returns the canonical encoding.
func (a *Award) Encode() []byte { return encode(a) }

// DecodeAward is the inverse of Encode.
func DecodeAward(b []byte) (*Award, error) { return decode[Award](b, MaxAward) }

// Countersigned is the operator's half of the escrow, or why there is none. Without either, it has
// taken on a job that a channel pays for.
type Countersigned struct {
	_       struct{} `cbor:",toarray"`
	Partial []byte
	Refusal []Refusal
}

func (c *Countersigned) check() error {
	if len(c.Partial) > 0 && len(c.Refusal) > 0 || len(c.Refusal) > 1 {
		return errBounds
	}
	if len(c.Refusal) == 1 {
		return c.Refusal[0].check()
	}
	return nil
}

// Encode returns the canonical encoding.
func (c *Countersigned) Encode() []byte { return encode(c) }

// DecodeCountersigned is the inverse of Encode.
func DecodeCountersigned(b []byte) (*Countersigned, error) { return decode[Countersigned](b, MaxStart) }

// Start tells the operator the whole funding transaction, so that both can submit it.
type Start struct {
	_       struct{} `cbor:",toarray"`
	Job     chain.Hash
	Tx      []byte
	Witness []byte
}

// Encode returns the canonical encoding.
func (s *Start) Encode() []byte { return encode(s) }

// DecodeStart is the inverse of Encode.
func DecodeStart(b []byte) (*Start, error) { return decode[Start](b, MaxStart) }

// Collect asks for progress after a version, and for the result.
type Collect struct {
	_    struct{} `cbor:",toarray"`
	Job  chain.Hash
	Seen uint64 // version of the last delivery; 0: none
	// Reveal asks for the output and not only for its signed hash.
	Reveal bool
}

// Encode returns the canonical encoding.
func (c *Collect) Encode() []byte { return encode(c) }

// DecodeCollect is the inverse of Encode.
func DecodeCollect(b []byte) (*Collect, error) { return decode[Collect](b, MaxCollect) }

// Delivery says how far the work is and, once it is done, what came of it.
type Delivery struct {
	_         struct{} `cbor:",toarray"`
	Job       chain.Hash
	Version   uint64
	Execution Execution
	Code      Code
	Stage     string
	Done      uint32
	Total     uint32
	Device    string // class of the device
	// Result is the encoded chain.Result that the operator has signed; empty before.
	Result    []byte
	Signature []byte
	Revealed  bool
	Output    []byte
	Proof     []byte
}

func (d *Delivery) check() error {
	if len(d.Output) > MaxOutput || len(d.Proof) > MaxProof || len(d.Stage) > 32 || len(d.Code) > maxCodeText ||
		len(d.Device) > MaxClass {
		return errBounds
	}
	if !slices.Contains([]Execution{Queued, Running, Proving, Done, Failed}, d.Execution) {
		return errBounds
	}
	if len(d.Result) > 0 && len(d.Signature) != ed25519.SignatureSize {
		return errBounds
	}
	return nil
}

// Encode returns the canonical encoding.
func (d *Delivery) Encode() []byte { return encode(d) }

// DecodeDelivery is the inverse of Encode.
func DecodeDelivery(b []byte) (*Delivery, error) { return decode[Delivery](b, MaxDelivery) }
