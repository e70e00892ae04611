package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Signer signs for a key.
type Signer interface {
	Public() chain.PublicKey
	Sign(h chain.Hash) []byte
}

// Ledger is what a wallet asks of a node.
type Ledger interface {
	Env(ctx context.Context) (Env, error)
	// Unspent calls visit for the outputs under a lock hash, in any order, until it returns false.
	Unspent(ctx context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error
	// Output returns an unspent output; false if there is none.
	Output(ctx context.Context, o chain.Outpoint) (chain.UTXO, bool, error)
}

// Env is what a transaction is built for.
type Env struct {
	chain.Env
	FeeRate  uint64 // base units for 1,000 units of weight
	Maturity uint64 // blocks before a coinbase can be spent
}

// Wallet spends what one key can spend. It may be used from any goroutine.
type Wallet struct {
	signer   Signer
	ledger   Ledger
	reserved Reservations
	// MaxFee bounds the fee of one transaction, in base units of WES. Default: a tenth of a WES.
	MaxFee uint64
}

// New returns the wallet of a key. Reservations may be shared by wallets.
func New(s Signer, l Ledger, r Reservations) *Wallet {
	return &Wallet{signer: s, ledger: l, reserved: r, MaxFee: chain.Unit / 10}
}

// Lock returns the lock that the wallet's key alone opens.
func (w *Wallet) Lock() chain.Lock { return chain.Key{Key: w.signer.Public()} }

// Built is a signed transaction.
type Built struct {
	Tx          *chain.Tx
	Witness     chain.Witness
	Attachments [][]byte // to be submitted with it
	Fee         uint64   // base units of WES
}

// Errors that callers tell apart.
var (
	// ErrFee: the fee would exceed MaxFee.
	ErrFee = errors.New("the fee would be higher than allowed")
	// ErrInputs: more outputs would be needed than a transaction can spend.
	ErrInputs = errors.New("too many small outputs for one transaction: pay a part to yourself first")
	// ErrAmount: nothing cannot be paid.
	ErrAmount = errors.New("the amount is zero")
)

// FundsError is returned when a wallet has too little of a token.
type FundsError struct {
	Token    chain.TokenID
	Need     uint64 // with the fee
	Have     uint64 // spendable now
	Reserved uint64 // in transactions that are not in a block yet
	Immature uint64 // in coinbases that cannot be spent yet
}

func (e *FundsError) Error() string {
	name := "base units of WES"
	if e.Token != (chain.TokenID{}) {
		name = "units of token " + e.Token.String()
	}
	s := fmt.Sprintf("insufficient funds: %d %s needed, %d spendable", e.Need, name, e.Have)
	if e.Reserved > 0 {
		s += fmt.Sprintf(", %d wait for a block", e.Reserved)
	}
	if e.Immature > 0 {
		s += fmt.Sprintf(", %d mined and not mature", e.Immature)
	}
	return s
}

// coins are the outputs of the wallet, by what can be done with them.
type coins struct {
	env                  Env
	free, held, immature []chain.UTXO // assets: spendable, reserved, not yet mature
	bodies               []chain.UTXO // resources and states
}

func (w *Wallet) coins(ctx context.Context) (*coins, error) {
	return coinsOf(ctx, chain.LockHash(w.Lock()), w.ledger, w.reserved)
}

func coinsOf(ctx context.Context, lock chain.Hash, l Ledger, r Reservations) (*coins, error) {
	env, err := l.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	taken, err := r.Held(env.Now)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	c := &coins{env: env}
	err = l.Unspent(ctx, lock, func(u chain.UTXO) bool {
		switch {
		case u.Entry.Output.Body != nil:
			c.bodies = append(c.bodies, u)
		case u.Entry.Coinbase && env.Height-u.Entry.Height < env.Maturity:
			c.immature = append(c.immature, u)
		case taken[u.Outpoint]:
			c.held = append(c.held, u)
		default:
			c.free = append(c.free, u)
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	return c, nil
}

// Balance is what a wallet holds of a token, in base units.
type Balance struct {
	Token     chain.TokenID
	Spendable uint64
	Reserved  uint64 // in transactions that are not in a block yet
	Immature  uint64
	InBodies  uint64 // held by resources and states of this key
}

// Balances lists what the wallet holds, the native token first.
func (w *Wallet) Balances(ctx context.Context) ([]Balance, error) {
	return Balances(ctx, chain.LockHash(w.Lock()), w.ledger, w.reserved)
}

// Balances lists what is under a lock hash, the native token first. It needs no key.
func Balances(ctx context.Context, lock chain.Hash, l Ledger, r Reservations) ([]Balance, error) {
	c, err := coinsOf(ctx, lock, l, r)
	if err != nil {
		return nil, err
	}
	all := map[chain.TokenID]*Balance{{}: {}}
	add := func(list []chain.UTXO, field func(*Balance) *uint64) {
		for _, u := range list {
			for _, coin := range u.Entry.Output.Value {
				if all[coin.Token] == nil {
					all[coin.Token] = &Balance{Token: coin.Token}
				}
				*field(all[coin.Token]) += coin.Amount // the supply of a token fits 64 bits
			}
		}
	}
	add(c.free, func(b *Balance) *uint64 { return &b.Spendable })
	add(c.held, func(b *Balance) *uint64 { return &b.Reserved })
	add(c.immature, func(b *Balance) *uint64 { return &b.Immature })
	add(c.bodies, func(b *Balance) *uint64 { return &b.InBodies })
	return sortedBalances(all), nil
}
