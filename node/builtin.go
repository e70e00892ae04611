package node

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"

	"github.com/weisyn/wes/chain"
)

// builtinTime is the time of the genesis blocks of built-in networks: 2026-01-01, 00:00 UTC.
const builtinTime = 1_767_225_600_000

// DevSeed is the seed of the key that owns the supply of the built-in networks. Everybody
// knows it: their coins are for trying things out, and worth nothing.
func DevSeed() [32]byte { return sha256.Sum256([]byte("wes dev key")) }

// builtin returns a network that this program knows by name, or nil.
func builtin(name string) *Network {
	switch name {
	case "dev":
		return devNetwork()
	case "testnet":
		return testNetwork()
	}
	return nil
}

// devNetwork makes a block as soon as there is a transaction.
func devNetwork() *Network {
	return &Network{
		Name: "dev", Prefix: chain.TestPrefix, Profile: "dev", Time: builtinTime, Bits: "207fffff", Spacing: 10,
		Params:  map[string]uint64{"maturity": 1},
		Outputs: devOutputs(100),
	}
}

// testNetwork is public. Its first difficulty is that of a few seconds of one CPU.
func testNetwork() *Network {
	return &Network{
		Name: "testnet", Prefix: chain.TestPrefix, Profile: "public", Time: builtinTime, Bits: "1e00ffff", Spacing: 10_000,
		Outputs: devOutputs(1000),
	}
}

// devOutputs are 10^9 WES in equal parts.
func devOutputs(parts int) []GenesisOutput {
	seed := DevSeed()
	public := chain.PublicKey(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
	return []GenesisOutput{{
		Address: AddressOf(chain.TestPrefix, public), Amount: 1_000_000_000 * chain.Unit / uint64(parts), Count: parts,
	}}
}

// AddressOf returns the address that the owner of a key alone can spend from.
func AddressOf(prefix string, k chain.PublicKey) string {
	return chain.FormatAddress(prefix, chain.LockHash(chain.Key{Key: k}))
}

// NewConsortium returns the definition of a network whose blocks only the given miners make.
// time is that of its genesis block, in ms since 1970. Outputs are its whole supply.
func NewConsortium(name, prefix string, time uint64, miners []chain.PublicKey, outputs []GenesisOutput) (*Network, error) {
	n := &Network{
		Name: name, Prefix: prefix, Profile: "consortium", Time: time, Bits: "207fffff", Spacing: 1000, Outputs: outputs,
	}
	for _, m := range miners {
		n.Miners = append(n.Miners, hex.EncodeToString(m[:]))
	}
	return n, n.validate()
}
