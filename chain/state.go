package chain

import (
	"errors"
	"fmt"
	"math/bits"
)

// stateRules are the rules of one type of state, on its decoded data.
type stateRules interface {
	// encode returns the data of the state.
	encode() []byte
	// keys lists the verifying keys that the state names.
	keys() []NamedKey
	// check reports data out of range, whoever creates the state.
	check(p *Params) error
	// create reports why an output that no segment demands may not hold the state.
	create(c *creation) error
	// spend evaluates the exit that the witness names and sets the segment it demands.
	spend(s *spending) *RuleError
}

// creation is an output with a state that no segment demands.
type creation struct {
	p     *Params
	env   *Env
	tx    *Tx
	index int
	out   *Output
	mint  Coin // set by the policy of a new token
}

// stateVersion is the version of the data of every state: its first field.
const stateVersion = 1

var (
	errStateType  = errors.New("unknown type of state")
	errStateLock  = errors.New("the state names the locks of its exits, so its own lock is open")
	errOnlyByExit = errors.New("only an exit creates such a state")
	errStateValue = errors.New("the output does not hold what the state says")
)

// DecodeState reads the data of a state: a *TokenPolicy, *SponsorPool, *JobEscrow, *OptClaim,
// *InvalidClaim, *OperatorBond, *Receipt, or a []byte of data that the ledger does not read.
func DecodeState(s *State) (any, error) {
	read, err := decodeState(s)
	if err != nil {
		return nil, err
	}
	if o, ok := read.(opaque); ok {
		return []byte(o), nil
	}
	return read, nil
}

// decodeState reads the data of a state.
func decodeState(s *State) (stateRules, error) {
	if s.Type == StateData {
		return opaque(s.Data), nil
	}
	d := newDecoder(s.Data)
	var read stateRules
	switch s.Type {
	case StatePolicy:
		read = d.policy()
	case StateSponsor:
		read = d.sponsor()
	case StateEscrow:
		read = d.escrow()
	case StateClaim:
		read = d.optClaim()
	case StateInvalid:
		read = d.invalidClaim()
	case StateBond:
		read = d.bond()
	case StateReceipt:
		read = d.receipt()
	default:
		return nil, errStateType
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return read, nil
}

// stateFields opens the array of a version and n fields.
func appendStateFields(b []byte, n int) []byte {
	return appendUint(appendArray(b, 1+n), stateVersion)
}

func (d *decoder) stateFields(n int) {
	d.array(1 + n)
	if v := d.uint(); v != stateVersion {
		d.fail("state of version %d", v)
	}
}

// checkState checks an output with a state, whoever creates it.
func checkState(o *Output, s *State, p *Params) error {
	if len(s.Data) > MaxStateData {
		return fmt.Errorf("data of %d bytes", len(s.Data))
	}
	rules, err := decodeState(s)
	if err != nil {
		return err
	}
	if s.Type != StateReceipt && s.Type != StateData && !sameLock(o.Lock, Open()) {
		return errStateLock
	}
	return rules.check(p)
}

// payouts collects the outputs that an exit demands.
type payouts []Output

// pay demands an asset; of nothing, no output.
func (p *payouts) pay(l Lock, token TokenID, amount uint64) {
	if amount > 0 {
		*p = append(*p, Output{Lock: l, Value: Tokens(token, amount)})
	}
}

// state demands a state that names its locks.
func (p *payouts) state(t StateType, v Value, data []byte) {
	*p = append(*p, Output{Lock: Open(), Value: v, Body: &State{t, data}})
}

// draw takes an amount from a covenant for the fee of the transaction. What all covenants of
// a transaction give is at most its fee.
func (s *spending) draw(token TokenID, amount uint64) *RuleError {
	sum, carry := bits.Add64(s.c.drawn[token], amount, 0)
	if fee := s.c.tx.Fee.Of(token); carry != 0 || sum > fee {
		return broken(CodeFeeDrawn, "covenants give more than the fee of %d", fee)
	}
	s.c.drawn[token] = sum
	return nil
}

// open requires first <= now <= last.
func (s *spending) open(first, last uint64) *RuleError {
	if s.env.Now < first || s.env.Now > last {
		return broken(CodeExitTime, "open from %d to %d, it is %d", first, last, s.env.Now)
	}
	return nil
}

// instant takes a time from the witness that is at least delay from now on. Who signs can't
// know now exactly, so later is allowed.
func (s *spending) instant(delay uint64) (uint64, *RuleError) {
	t, err := s.choice()
	if err == nil && t < saturatingAdd(s.env.Now, delay) {
		err = broken(CodeExitTime, "%d is less than %d from now, %d", t, delay, s.env.Now)
	}
	return t, err
}

func noExit(exit uint32) *RuleError { return broken(CodeExit, "no exit %d", exit) }

// never is an instant after all others.
const never = 1<<64 - 1
