package wallet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weisyn/wes/chain"
)

// Errors that callers tell apart.
var (
	// ErrFee: the fee would exceed MaxFee.
	ErrFee = errors.New("the fee would be higher than allowed")
	// ErrFeeToken: nobody said what fees in a token are worth.
	ErrFeeToken = errors.New("the node takes no fees in that token")
	// ErrInputs: more outputs would be needed than a transaction can spend.
	ErrInputs = errors.New("too many small outputs for one transaction: consolidate first")
	// ErrSize: a transaction would exceed what the ledger takes.
	ErrSize = errors.New("the transaction would be too large: split it")
	// ErrAmount: nothing cannot be paid, nor more than 64 bits hold.
	ErrAmount = errors.New("the amount is zero or too large")
	// ErrNothing: there is nothing to consolidate.
	ErrNothing = errors.New("there are no two coins that are worth to be joined")
	// ErrTaken: another transaction was faster, or still spends the same output.
	ErrTaken = errors.New("an output is reserved by another transaction")
	// ErrState: an output does not hold the state that a method is for.
	ErrState = errors.New("the output holds another state")
	// ErrMoving: blocks come faster than the ledger can be read.
	ErrMoving = errors.New("the ledger moves while it is read: try again")
	// ErrTime: an exit is not open now.
	ErrTime = errors.New("not open now")
	// ErrSponsor: no shard of a pool pays for the transaction.
	ErrSponsor = errors.New("the sponsor pool does not pay for this")
	// ErrLock: a lock is none that a wallet can open.
	ErrLock = errors.New("the lock cannot be opened by this wallet")
	// ErrPartial: bytes are not a partial transaction, or one of another transaction.
	ErrPartial = errors.New("not a partial transaction, or another one")
	// ErrOffer: the other side of an escrow is not what was agreed.
	ErrOffer = errors.New("the escrow is not the one agreed")
)

// FundsError is returned when a wallet has too little of a token.
type FundsError struct {
	Token       chain.TokenID
	Need        uint64 // with the fee
	Have        uint64 // spendable now
	Reserved    uint64 // in transactions that are not in a block yet
	Unconfirmed uint64 // change whose chain of transactions is as long as a mempool takes
	Immature    uint64 // in coinbases that cannot be spent yet
	Dust        uint64 // in coins that cost more to spend than they hold
}

func (e *FundsError) Error() string {
	name := "base units of WES"
	if e.Token != (chain.TokenID{}) {
		name = "units of token " + e.Token.String()
	}
	s := fmt.Sprintf("insufficient funds: %d %s needed, %d spendable", e.Need, name, e.Have)
	for _, part := range []struct {
		n    uint64
		what string
	}{
		{e.Reserved, "wait for a block"},
		{e.Unconfirmed, "are change that has to wait for a block"},
		{e.Immature, "mined and not mature"},
		{e.Dust, "in coins not worth their fee"},
	} {
		if part.n > 0 {
			s += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return s
}

// PartialError is returned with a transaction that others must sign too. Its inputs are reserved.
type PartialError struct {
	Partial *Partial
	Gaps    []Gap // what is missing, of all inputs
}

func (e *PartialError) Error() string {
	return "the transaction is not complete: " + (&GapsError{e.Gaps}).Error()
}

// GapsError says what a wallet lacks to open a lock.
type GapsError struct{ Gaps []Gap }

func (e *GapsError) Error() string {
	var all []string
	for _, g := range e.Gaps {
		all = append(all, g.String())
	}
	return "missing " + strings.Join(all, ", ")
}
