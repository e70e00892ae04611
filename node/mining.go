package node

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/weisyn/wes/chain"
)

// Signer signs with a key that somebody has unlocked.
type Signer interface {
	Public() chain.PublicKey
	Sign(h chain.Hash) []byte
}

// payee returns whom blocks made here pay, and the key that headers name. Where miners are not
// listed that key is only a name, and without a key of one's own it is the hash of the payee.
func (c *Config) payee(n *Network, own Signer) (chain.Lock, chain.PublicKey, error) {
	var lock chain.Lock
	var name chain.PublicKey
	if own != nil {
		name = own.Public()
		lock = chain.Key{Key: name}
	}
	if c.PayTo != "" {
		h, err := chain.ParseAddress(n.Prefix, c.PayTo)
		if err != nil {
			return nil, name, &SettingError{"pay_to", err.Error()}
		}
		lock = chain.Address{Hash: h}
	}
	if lock == nil {
		return nil, name, &SettingError{"mine", "blocks need somebody to pay: set pay_to or miner_key"}
	}
	if own == nil {
		name = chain.PublicKey(chain.LockHash(lock))
	}
	return lock, name, nil
}

// newMiner returns the miner of a node. In a consortium own is a listed key.
func newMiner(c *Config, n *Network, l *ledger, own Signer, log *slog.Logger) (*miner, error) {
	lock, name, err := c.payee(n, own)
	if err != nil {
		return nil, err
	}
	miners, err := n.miners()
	if err != nil {
		return nil, err
	}
	m := &miner{
		blocks:  &producer{ledger: l, key: name, payee: lock, alone: len(c.Peers)+len(n.Bootstrap) == 0},
		threads: c.Threads, key: name, miners: miners, step: n.turnLength(), log: log,
	}
	if len(miners) > 0 {
		if own == nil || !listed(miners, name) {
			return nil, &SettingError{"miner_key", fmt.Sprintf("network %s lists its miners, and this key is none of them", n.Name)}
		}
		m.seal = own.Sign
	}
	return m, nil
}

// turnLength is how long a miner of a consortium waits for each miner before it.
func (n *Network) turnLength() time.Duration { return time.Duration(n.Spacing) * time.Millisecond / 2 }
