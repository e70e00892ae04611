package node

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/weisyn/wes/chain"
)

// Genesis returns the genesis block. Its miner key is no key but the hash of the rules, so
// that networks of other rules have other chains.
func (n *Network) Genesis() (*chain.Block, error) {
	bits, err := n.bits()
	if err != nil {
		return nil, err
	}
	rules, err := n.rulesHash()
	if err != nil {
		return nil, err
	}
	tx := &chain.Tx{}
	for _, o := range n.Outputs {
		to, err := chain.ParseAddress(n.Prefix, o.Address)
		if err != nil {
			return nil, fmt.Errorf("%w: output to %q: %w", ErrNetwork, o.Address, err)
		}
		if o.Count < 1 || o.Count > maxGenesis-len(tx.Outputs) {
			return nil, fmt.Errorf("%w: %d outputs to %q", ErrNetwork, o.Count, o.Address)
		}
		for range o.Count {
			tx.Outputs = append(tx.Outputs, chain.Output{Lock: chain.Address{Hash: to}, Value: chain.Native(o.Amount)})
		}
	}
	b := &chain.Block{
		Header: chain.Header{Time: n.Time, Bits: bits, Miner: chain.PublicKey(rules)},
		Txs:    []*chain.Tx{tx}, Witnesses: []chain.Witness{nil},
	}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	return b, nil
}

// maxGenesis is the number of outputs that one transaction can have.
const maxGenesis = 4096

// Chain returns the hash of the genesis block of a definition that was read or made here.
func (n *Network) Chain() chain.Hash {
	b, err := n.Genesis()
	if err != nil {
		panic(fmt.Sprintf("BUG: a network that was validated has no genesis block: %v", err))
	}
	return b.Header.Hash()
}

// rulesHash is SHA-256 of "wes/network/1" and a line for each rule that the genesis header
// does not hold.
func (n *Network) rulesHash() (chain.Hash, error) {
	p, err := n.params()
	if err != nil {
		return chain.Hash{}, err
	}
	miners, err := n.miners()
	if err != nil {
		return chain.Hash{}, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "wes/network/1\nname %s\nprefix %s\nprofile %s\n", n.Name, n.Prefix, n.Profile)
	fmt.Fprintf(&b, "spacing %d\nhalf_life %d\nheartbeat %d\n", n.Spacing, n.HalfLife, n.Heartbeat)
	for _, m := range miners {
		fmt.Fprintf(&b, "miner %x\n", m)
	}
	for _, f := range named(&p) {
		fmt.Fprintf(&b, "%s %d\n", f.name, *f.value)
	}
	return sha256.Sum256([]byte(b.String())), nil
}

// validator returns the rules of blocks.
func (n *Network) validator(proofs chain.ProofVerifier, workers int) (*chain.Validator, error) {
	p, err := n.params()
	if err != nil {
		return nil, err
	}
	return chain.NewValidator(p, proofs, workers)
}

// checkGenesis applies the genesis block.
func (n *Network) checkGenesis() error {
	v, err := n.validator(nil, 1)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNetwork, err)
	}
	b, err := n.Genesis()
	if err != nil {
		return err
	}
	if _, err := v.Genesis(b); err != nil {
		return fmt.Errorf("%w: genesis block: %w", ErrNetwork, err)
	}
	return nil
}
