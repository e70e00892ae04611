package wallet

import (
	"context"
	"sync"
	"time"

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

// States is a Ledger that finds states by their parties too.
type States interface {
	// StatesOf calls visit for the states in whose data a lock hash is a party, as owner, client
	// or operator, in any order, until it returns false.
	StatesOf(ctx context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error
}

// Env is what a transaction is built for.
type Env struct {
	chain.Env
	Tip      chain.Hash // the block that everything else is read at
	FeeRate  uint64     // base units for 1,000 units of weight
	Maturity uint64     // blocks before a coinbase can be spent
	// Prices say what fees in tokens other than WES count for. Without a price they count nothing.
	Prices map[chain.TokenID]Price
}

// Price is what units of a token are worth: Worth base units of WES for Per base units of it.
type Price struct{ Worth, Per uint64 }

// Defaults of a wallet.
const (
	// DefaultLifetime is an hour, in ms.
	DefaultLifetime = 3_600_000
	// DefaultMaxChain is what a mempool takes if it is not told otherwise.
	DefaultMaxChain = 25
)

// Wallet spends what one key can spend. It may be used from any goroutine; its fields are set
// before.
type Wallet struct {
	// MaxFee bounds the fee of one transaction, in base units of WES, or in what those are worth.
	// Default: a tenth of a WES.
	MaxFee uint64
	// FeeToken is what fees are paid in. Default: WES.
	FeeToken chain.TokenID
	// Lifetime is how long a transaction can take effect, in ms. Default: DefaultLifetime.
	Lifetime uint64
	// MaxChain bounds transactions that spend one another's change before a block has them.
	// Default: DefaultMaxChain.
	MaxChain int
	// Params are those of the network. Default: chain.DefaultParams.
	Params chain.Params
	// Locks are known locks behind addresses, beside the key's own.
	Locks []chain.Lock
	// Preimages are what opens hash locks.
	Preimages [][chain.HashSize]byte
	// ProofCost bounds the units of verifying a claim, as chain.ProofVerifier does. Default: what
	// its key says.
	ProofCost func(*chain.Claim) uint64
	// Clock is the local time, in ms since 1970. The ledger's time stands while there are no
	// blocks, so windows are counted from the later of both. Default: the system's clock.
	Clock func() uint64

	signer   Signer
	ledger   Ledger
	reserved Reservations
	building *sync.Mutex // one transaction at a time, so that they do not race for coins
	pool     []chain.UTXO
}

// New returns the wallet of a key. Reservations may be shared by wallets.
func New(s Signer, l Ledger, r Reservations) *Wallet {
	return &Wallet{
		MaxFee: chain.Unit / 10, Lifetime: DefaultLifetime, MaxChain: DefaultMaxChain, Params: chain.DefaultParams(),
		ProofCost: func(c *chain.Claim) uint64 { return c.Key.Cost },
		Clock:     func() uint64 { return uint64(max(time.Now().UnixMilli(), 0)) },
		signer:    s, ledger: l, reserved: r, building: &sync.Mutex{},
	}
}

// Public returns the wallet's key.
func (w *Wallet) Public() chain.PublicKey { return w.signer.Public() }

// Lock returns the lock that the wallet's key alone opens.
func (w *Wallet) Lock() chain.Lock { return chain.Key{Key: w.signer.Public()} }

// Built is a signed transaction.
type Built struct {
	Tx          *chain.Tx
	Witness     chain.Witness
	Attachments [][]byte // to be submitted with it
	Fee         uint64   // base units of FeeToken
	FeeToken    chain.TokenID
	Drawn       uint64 // the part of Fee that a sponsor pool or an escrow's reserve pays
}
