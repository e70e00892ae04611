package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"regexp"
	"strconv"

	"github.com/pelletier/go-toml/v2"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// Network defines a network: what all its nodes must agree on, and where a new node finds the
// others. The genesis block follows from it, and the hash of that block names the chain. The
// hash commits to every field but Bootstrap and MinWork. Durations are in milliseconds.
type Network struct {
	Name      string `toml:"name"`                // 1 to 32 of a-z, 0-9 and -
	Prefix    string `toml:"prefix"`              // of addresses: wes or twes
	Profile   string `toml:"profile"`             // public, consortium or dev
	Time      uint64 `toml:"time"`                // of the genesis block, ms since 1970
	Bits      string `toml:"bits"`                // compact target of block 1, 8 hexadecimal digits
	Spacing   uint64 `toml:"spacing"`             // between blocks
	HalfLife  uint64 `toml:"half_life,omitempty"` // of the difficulty; 0 is 2,880,000
	Heartbeat uint64 `toml:"heartbeat,omitempty"` // age of the tip at which a consortium makes an empty block; 0 is 60,000

	Miners    []string          `toml:"miners,omitempty"`    // public keys of a consortium, hexadecimal
	Params    map[string]uint64 `toml:"params,omitempty"`    // where they differ from chain.DefaultParams; see params.go
	Outputs   []GenesisOutput   `toml:"outputs"`             // the whole supply
	MinWork   string            `toml:"min_work,omitempty"`  // known to be exceeded by the chain; decimal
	Bootstrap []string          `toml:"bootstrap,omitempty"` // multiaddresses of peers
}

// GenesisOutput is a number of outputs of the genesis block that are alike.
type GenesisOutput struct {
	Address string `toml:"address"`
	Amount  uint64 `toml:"amount"` // base units, of each
	Count   int    `toml:"count"`  // 1 to 4,096
}

// ErrNetwork is returned for a definition that no network can have.
var ErrNetwork = errors.New("unusable definition of a network")

// DecodeNetwork reads a definition, in TOML. file names it in errors.
func DecodeNetwork(file string, text []byte) (*Network, error) {
	n := &Network{}
	if err := decodeTOML(file, text, n); err != nil {
		return nil, fmt.Errorf("read network: %w", err)
	}
	if err := n.validate(); err != nil {
		return nil, fmt.Errorf("read network %s: %w", file, err)
	}
	return n, nil
}

// OpenNetwork returns the built-in network of a name, or else reads the file of that name.
func OpenNetwork(name string) (*Network, error) {
	if n := builtin(name); n != nil {
		return n, nil
	}
	n := &Network{}
	err := readTOML(name, n)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read network: %q is neither built in (dev, testnet) nor a file", name)
	case err != nil:
		return nil, fmt.Errorf("read network: %w", err)
	}
	if err := n.validate(); err != nil {
		return nil, fmt.Errorf("read network %s: %w", name, err)
	}
	return n, nil
}

// Encode returns the definition in TOML.
func (n *Network) Encode() ([]byte, error) {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(n); err != nil {
		return nil, fmt.Errorf("encode network: %w", err)
	}
	return b.Bytes(), nil
}

func (n *Network) validate() error {
	switch {
	case !regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(n.Name):
		return fmt.Errorf("%w: name %q is not 1 to 32 of a-z, 0-9 and -", ErrNetwork, n.Name)
	case n.Prefix != chain.MainPrefix && n.Prefix != chain.TestPrefix:
		return fmt.Errorf("%w: prefix %q is neither %s nor %s", ErrNetwork, n.Prefix, chain.MainPrefix, chain.TestPrefix)
	case n.Time == 0:
		return fmt.Errorf("%w: the genesis block has no time", ErrNetwork)
	case n.Spacing == 0:
		return fmt.Errorf("%w: blocks have no spacing", ErrNetwork)
	}
	cfg, err := n.consensus()
	if err != nil {
		return err
	}
	if _, err := consensus.New(cfg, func(func(consensus.Record) bool) {}, n.Chain()); err != nil {
		return fmt.Errorf("%w: %w", ErrNetwork, err)
	}
	return n.checkGenesis()
}

// profile returns the kind of network that the definition names.
func (n *Network) profile() (consensus.Profile, error) {
	for _, p := range []consensus.Profile{consensus.Public, consensus.Consortium, consensus.Dev} {
		if p.String() == n.Profile {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%w: profile %q is none of public, consortium, dev", ErrNetwork, n.Profile)
}

// consensus returns the rules of headers; limits of this node are left at their defaults.
func (n *Network) consensus() (consensus.Config, error) {
	genesis, err := n.Genesis()
	if err != nil {
		return consensus.Config{}, err
	}
	profile, err := n.profile()
	if err != nil {
		return consensus.Config{}, err
	}
	miners, err := n.miners()
	if err != nil {
		return consensus.Config{}, err
	}
	work, err := n.minWork()
	return consensus.Config{
		Genesis: genesis.Header, Profile: profile, Miners: miners, MinWork: work,
		Spacing: n.Spacing, HalfLife: n.HalfLife, Heartbeat: n.Heartbeat,
	}, err
}

func (n *Network) miners() ([]chain.PublicKey, error) {
	var keys []chain.PublicKey
	for _, s := range n.Miners {
		h, err := parseHash(s)
		if err != nil {
			return nil, fmt.Errorf("%w: miner %q: %w", ErrNetwork, s, err)
		}
		keys = append(keys, chain.PublicKey(h))
	}
	return keys, nil
}

func (n *Network) minWork() (consensus.Work, error) {
	if n.MinWork == "" {
		return consensus.Work{}, nil
	}
	v, ok := new(big.Int).SetString(n.MinWork, 10)
	if !ok || v.Sign() < 0 || v.BitLen() > 256 {
		return consensus.Work{}, fmt.Errorf("%w: min_work %q is no number of 256 bits", ErrNetwork, n.MinWork)
	}
	var w consensus.Work
	mask := new(big.Int).SetUint64(1<<64 - 1)
	for i := range w {
		w[i] = new(big.Int).And(new(big.Int).Rsh(v, uint(64*i)), mask).Uint64()
	}
	return w, nil
}

func (n *Network) bits() (uint32, error) {
	b, err := strconv.ParseUint(n.Bits, 16, 32)
	if err != nil || len(n.Bits) != 8 {
		return 0, fmt.Errorf("%w: bits %q are not 8 hexadecimal digits", ErrNetwork, n.Bits)
	}
	return uint32(b), nil
}

// parseHash reads 32 bytes in hexadecimal.
func parseHash(s string) (h chain.Hash, err error) {
	b, err := hex.DecodeString(s)
	if err != nil {
		return h, err
	}
	if len(b) != len(h) {
		return h, fmt.Errorf("%d bytes, want %d", len(b), len(h))
	}
	return chain.Hash(b), nil
}
