package node

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// TestBuiltInChainsStay holds the names of the built-in chains: who changes a rule of theirs
// makes another network.
func TestBuiltInChainsStay(t *testing.T) {
	for name, want := range map[string]string{
		"dev":     "f35a5d657bda04faabb5a181545e1542c3f79e88bc0605dfe22a193e0168583a",
		"testnet": "6632b20765abaef86bae26d9c177c66e691f7a1b2635635edbbfa26c37b0e95f",
	} {
		n, err := OpenNetwork(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := n.Chain().String(); got != want {
			t.Errorf("%s is chain %s, want %s", name, got, want)
		}
		if n.Outputs[0].Amount*uint64(n.Outputs[0].Count) != 1_000_000_000*chain.Unit {
			t.Errorf("%s: supply of %d outputs of %d", name, n.Outputs[0].Count, n.Outputs[0].Amount)
		}
	}
}

func consortium(t *testing.T) *Network {
	t.Helper()
	alice := chaintest.NewWallet("alice").Public()
	n, err := NewConsortium("acme", chain.TestPrefix, builtinTime, []chain.PublicKey{alice},
		[]GenesisOutput{{Address: AddressOf(chain.TestPrefix, alice), Amount: 100 * chain.Unit, Count: 3}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestChainCommitsToEveryRule(t *testing.T) {
	seen := map[chain.Hash]string{consortium(t).Chain(): "the original"}
	bob := chaintest.NewWallet("bob").Public()
	for what, change := range map[string]func(n *Network){
		"name":      func(n *Network) { n.Name = "acme2" },
		"time":      func(n *Network) { n.Time++ },
		"bits":      func(n *Network) { n.Bits = "1f7fffff" },
		"spacing":   func(n *Network) { n.Spacing++ },
		"half-life": func(n *Network) { n.HalfLife = 3_000_000 },
		"heartbeat": func(n *Network) { n.Heartbeat = 5000 },
		"miners":    func(n *Network) { n.Miners = append(n.Miners, chain.Hash(bob).String()) },
		"params":    func(n *Network) { n.Params = map[string]uint64{"maturity": 7} },
		"outputs":   func(n *Network) { n.Outputs[0].Count++ },
	} {
		n := consortium(t)
		change(n)
		if err := n.validate(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if other := seen[n.Chain()]; other != "" {
			t.Errorf("%s and %s are one chain", what, other)
		}
		seen[n.Chain()] = what
	}
	n := consortium(t)
	n.Bootstrap, n.MinWork = []string{"/ip4/127.0.0.1/tcp/1"}, "12345678901234567890123"
	if seen[n.Chain()] != "the original" {
		t.Error("where peers are found changes the chain")
	}
}

func TestNetworkReadsWhatItWrites(t *testing.T) {
	n := consortium(t)
	n.Params, n.MinWork, n.Bootstrap = map[string]uint64{"maturity": 3}, "77", []string{"/dns4/a.example/tcp/1"}
	text, err := n.Encode()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "acme.toml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := OpenNetwork(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got.Chain() != n.Chain() || got.MinWork != n.MinWork || got.Bootstrap[0] != n.Bootstrap[0] {
		t.Errorf("read %+v, wrote %+v", got, n)
	}
	if w, err := got.minWork(); err != nil || w.String() != "77" {
		t.Errorf("min work %v, %v", w, err)
	}
}

func TestNetworkRefusesWhatCannotWork(t *testing.T) {
	for what, change := range map[string]func(n *Network){
		"name":                    func(n *Network) { n.Name = "Acme!" },
		"prefix":                  func(n *Network) { n.Prefix = "btc" },
		"profile":                 func(n *Network) { n.Profile = "private" },
		"no time":                 func(n *Network) { n.Time = 0 },
		"no spacing":              func(n *Network) { n.Spacing = 0 },
		"bits":                    func(n *Network) { n.Bits = "1g00ffff" },
		"negative target":         func(n *Network) { n.Bits = "1d800000" },
		"miners of a public one":  func(n *Network) { n.Profile = "public" },
		"consortium without any":  func(n *Network) { n.Miners = nil },
		"miner":                   func(n *Network) { n.Miners[0] = "ab" },
		"parameter":               func(n *Network) { n.Params = map[string]uint64{"nonsense": 1} },
		"share above the whole":   func(n *Network) { n.Params = map[string]uint64{"missed": 10_001} },
		"address of another kind": func(n *Network) { n.Prefix = chain.MainPrefix },
		"no outputs of an amount": func(n *Network) { n.Outputs[0].Count = 0 },
		"too many outputs":        func(n *Network) { n.Outputs[0].Count = 5000 },
		"supply of 65 bits":       func(n *Network) { n.Outputs[0].Amount = 1 << 63 },
		"work":                    func(n *Network) { n.MinWork = "-1" },
		"work of 257 bits":        func(n *Network) { n.MinWork = "1" + strings.Repeat("0", 78) },
	} {
		n := consortium(t)
		change(n)
		if err := n.validate(); !errors.Is(err, ErrNetwork) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestUnknownKeysAreNamedWithTheirLine(t *testing.T) {
	_, err := DecodeNetwork("x.toml", []byte("name = \"a\"\nprefx = \"wes\"\n"))
	if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), `line 2: unknown key "prefx"`) {
		t.Error(err)
	}
}

func FuzzDecodeNetwork(f *testing.F) {
	text, err := devNetwork().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("name = 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := DecodeNetwork("fuzz", text)
		if err != nil {
			return
		}
		again, err := n.Encode()
		if err != nil {
			t.Fatal(err)
		}
		m, err := DecodeNetwork("again", again)
		if err != nil || m.Chain() != n.Chain() {
			t.Fatalf("%v from\n%s", err, again)
		}
	})
}
