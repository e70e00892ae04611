package chain

import (
	"errors"
	"math/bits"
)

// Level is how a job's result is checked.
type Level uint8

const (
	// LevelZK asks for a proof of every result.
	LevelZK Level = iota + 1
	// LevelOptimistic lets a claimed result stand until a proof of another one is shown.
	LevelOptimistic
)

// Royalty is a payment beside the price.
type Royalty struct {
	Lock   Lock // nil if Amount is zero
	Amount uint64
}

// JobEscrow is the countersigned assignment of a job: it holds the client's price, royalty
// and fee reserve, and the operator's bond, all in one token. Instants are in ms since 1970.
type JobEscrow struct {
	Job        Hash // JobID
	Client     Lock
	Operator   Lock
	Level      Level
	Kind       JobKind
	Key        VerifyingKey
	Model      Hash
	Input      Hash // SHA-256 of the input
	Token      TokenID
	Price      uint64
	Royalty    Royalty
	FeeReserve uint64
	Bond       uint64
	Start      uint64
	Due        uint64 // last instant of a timely proof
	Late       uint64 // last instant of a late one
}

// Exits of an escrow. Those that name a fee take from the witness how much of the reserve the
// transaction spends on it, after all else.
const (
	// EscrowAccept needs the client; it demands operator: price + bond; royalty; client: rest
	// of the reserve. It takes a fee.
	EscrowAccept uint32 = iota + 1
	// EscrowProve needs the operator and a proof, up to Due; the same, and a receipt.
	EscrowProve
	// EscrowLate is EscrowProve after Due, up to Late, for half the price.
	EscrowLate
	// EscrowRelease needs the operator, up to Late; it demands client: price, royalty, reserve
	// and a share of the bond; operator: rest of the bond.
	EscrowRelease
	// EscrowMissed needs the client, after Late; the same with another share, and the rest of
	// the bond burned.
	EscrowMissed
	// EscrowClaim, of optimistic jobs, needs the operator, input and output attached, up to
	// Due; it demands an OptClaim. It takes the instant when that is final, and a fee.
	EscrowClaim
	// EscrowInvalid, of jobs of kind prove, needs the operator, up to Due; it demands an
	// InvalidClaim. It takes the instant when that is final, and a fee.
	EscrowInvalid
)

var _ stateRules = (*JobEscrow)(nil)

var (
	errEscrowField = errors.New("escrow of an unknown level, without price, or with a royalty to nobody")
	errEscrowTimes = errors.New("escrow whose due time is past or too near its start or late time")
	errEscrowData  = errors.New("escrow that leaves no room for a claim")
	errEscrowBond  = errors.New("escrow with too small a bond")
)

const escrowFields = 16

// maxEscrowData leaves room for what a claim adds, in bytes.
const maxEscrowData = MaxStateData - 256

func (e *JobEscrow) encode() []byte {
	b := appendBytes(appendStateFields(nil, escrowFields), e.Job[:])
	b = e.Operator.append(e.Client.append(b))
	b = appendUint(appendUint(b, uint64(e.Level)), uint64(e.Kind))
	b = e.Key.append(b)
	b = appendBytes(appendBytes(b, e.Model[:]), e.Input[:])
	b = appendUint(appendToken(b, e.Token), e.Price)
	if e.Royalty.Lock == nil {
		b = appendArray(b, 0)
	} else {
		b = appendUint(e.Royalty.Lock.append(appendArray(b, 2)), e.Royalty.Amount)
	}
	for _, n := range []uint64{e.FeeReserve, e.Bond, e.Start, e.Due, e.Late} {
		b = appendUint(b, n)
	}
	return b
}

func (d *decoder) escrow() *JobEscrow {
	d.stateFields(escrowFields)
	e := &JobEscrow{Job: d.hash(), Client: d.lock(), Operator: d.lock()}
	e.Level, e.Kind = Level(d.uintMax(uint64(LevelOptimistic))), JobKind(d.uintMax(uint64(JobProve)))
	e.Key = d.verifyingKey()
	e.Model, e.Input = d.hash(), d.hash()
	e.Token, e.Price = d.token(), d.uint()
	if !d.empty() {
		d.array(2)
		e.Royalty = Royalty{d.lock(), d.uint()}
	}
	for _, n := range []*uint64{&e.FeeReserve, &e.Bond, &e.Start, &e.Due, &e.Late} {
		*n = d.uint()
	}
	return e
}

// State returns the state to put in an output.
func (e *JobEscrow) State() *State { return &State{StateEscrow, e.encode()} }

func (e *JobEscrow) keys() []NamedKey { return []NamedKey{{e.Kind, e.Key}} }

// Total returns what the escrow holds; false if it leaves 64 bits.
func (e *JobEscrow) Total() (uint64, bool) {
	var sum, over uint64
	for _, n := range []uint64{e.Price, e.Royalty.Amount, e.FeeReserve, e.Bond} {
		var carry uint64
		sum, carry = bits.Add64(sum, n, 0)
		over |= carry
	}
	return sum, over == 0
}

func (e *JobEscrow) check(p *Params) error {
	if e.Level < LevelZK || e.Price == 0 || (e.Royalty.Lock == nil) != (e.Royalty.Amount == 0) {
		return errEscrowField
	}
	if !apart(e.Start, e.Due, p.MinPromise) || !apart(e.Due, e.Late, p.MinLate) {
		return errEscrowTimes
	}
	if _, ok := e.Total(); !ok {
		return errStateValue
	}
	locks := []Lock{e.Client, e.Operator}
	if e.Royalty.Lock != nil {
		locks = append(locks, e.Royalty.Lock)
	}
	for _, l := range locks {
		if err := checkStateLock(l); err != nil {
			return err
		}
	}
	if len(e.encode()) > maxEscrowData {
		return errEscrowData
	}
	return e.Kind.check()
}

// apart reports whether b is at least d after a.
func apart(a, b, d uint64) bool { return b >= a && b-a >= d }

func (e *JobEscrow) create(c *creation) error {
	points := c.p.BondZK
	if e.Level == LevelOptimistic {
		points = c.p.BondOptimistic
	}
	if e.Bond < leastBond(e.Price, points) {
		return errEscrowBond
	}
	if e.Due < c.env.Now {
		return errEscrowTimes
	}
	if total, _ := e.Total(); !c.out.Value.Equal(Tokens(e.Token, total)) {
		return errStateValue
	}
	return nil
}
