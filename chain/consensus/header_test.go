package consensus

import (
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/weisyn/wes/chain"
)

func TestEveryRuleOfHeadersIsBrokenAlone(t *testing.T) {
	m := newMiner(t, testConfig())
	parent := m.genesisLink()
	for want, change := range map[HeaderRule]func(*SealedHeader){
		RuleChain:  func(h *SealedHeader) { h.Chain[0] ^= 1 },
		RuleHeight: func(h *SealedHeader) { h.Height++ },
		RuleTime:   func(h *SealedHeader) { h.Time = parent.time + 999 },
		RuleBits:   func(h *SealedHeader) { h.Bits = 0x207ffffe },
		RuleSeal:   func(h *SealedHeader) { h.Seal = make([]byte, 64) },
	} {
		h, _ := m.child(parent, epoch+1000, nil)
		change(&h)
		m.solve(&h.Header, nil)
		_, err := m.rules.extend(&parent, &h)
		var broken *HeaderError
		if !errors.As(err, &broken) || broken.Rule != want {
			t.Errorf("%v: %v", want, err)
		}
	}
	h, _ := m.child(parent, epoch+1000, nil)
	target, _ := Target(h.Bits)
	for meets(h.Hash(), target) {
		h.Nonce[0]++
	}
	_, err := m.rules.extend(&parent, &h)
	var broken *HeaderError
	if !errors.As(err, &broken) || broken.Rule != RuleWork {
		t.Errorf("work: %v", err)
	}
}

func TestTimeDoesNotWrap(t *testing.T) {
	cfg := testConfig()
	cfg.Genesis.Time = 1<<64 - 500
	m := newMiner(t, cfg)
	parent := m.genesisLink()
	h := SealedHeader{Header: chain.Header{Chain: m.rules.chain, Parent: parent.hash, Height: 1, Time: 600, Bits: easy}}
	m.solve(&h.Header, nil)
	if _, err := m.rules.extend(&parent, &h); err == nil {
		t.Error("a time before the parent's passes")
	}
}

// consortium returns a configuration with one miner, and its key.
func consortium() (Config, ed25519.PrivateKey) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	cfg := testConfig()
	cfg.Profile = Consortium
	cfg.Miners = []chain.PublicKey{chain.PublicKey(key.Public().(ed25519.PublicKey))}
	return cfg, key
}

func sealed(m *miner, key ed25519.PrivateKey, parent link, time uint64) SealedHeader {
	h := SealedHeader{Header: chain.Header{
		Chain: m.rules.chain, Parent: parent.hash, Height: parent.height + 1, Time: time, Bits: easy,
		Miner: chain.PublicKey(key.Public().(ed25519.PublicKey)),
	}}
	m.solve(&h.Header, nil)
	message := chain.SealHash(&h.Header)
	h.Seal = ed25519.Sign(key, message[:])
	return h
}

func TestConsortiumTakesSealsOfListedMinersOnly(t *testing.T) {
	cfg, key := consortium()
	m := newMiner(t, cfg)
	parent := m.genesisLink()
	good := sealed(m, key, parent, epoch+1000)
	if _, err := m.rules.extend(&parent, &good); err != nil {
		t.Fatal(err)
	}
	stranger := ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))
	other := sealed(m, stranger, parent, epoch+1000)
	forged := good
	forged.Seal = ed25519.Sign(stranger, []byte("anything"))
	missing := good
	missing.Seal = nil
	for name, c := range map[string]struct {
		header SealedHeader
		want   HeaderRule
	}{"stranger": {other, RuleMiner}, "forged": {forged, RuleSeal}, "missing": {missing, RuleSeal}} {
		_, err := m.rules.extend(&parent, &c.header)
		var broken *HeaderError
		if !errors.As(err, &broken) || broken.Rule != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWrongSealDoesNotPoisonTheHeader: the seal is outside the hash, so whoever relays a
// header can spoil it.
func TestWrongSealDoesNotPoisonTheHeader(t *testing.T) {
	cfg, key := consortium()
	m, c := newMiner(t, cfg), newCore(t, cfg)
	good := sealed(m, key, m.genesisLink(), epoch+1000)
	bad := good
	bad.Seal = make([]byte, 64)
	must(t, c.Step(epoch+2000, Joined{1}))
	must(t, c.Step(epoch+2000, Joined{2}))
	must(t, c.Step(epoch+2000, Headers{1, []SealedHeader{bad}}))
	if r := c.Ready(); len(r.Drops) != 1 || !r.Drops[0].Ban || len(r.Headers) != 0 {
		t.Fatalf("wrong seal: %+v", r)
	}
	must(t, c.Step(epoch+2000, Headers{2, []SealedHeader{good}}))
	if r := c.Ready(); len(r.Headers) != 1 || len(r.Drops) != 0 {
		t.Fatalf("good seal: %+v", r)
	}
}

func TestFixedDifficultyStaysFixed(t *testing.T) {
	cfg := testConfig()
	cfg.Profile = Dev
	m := newMiner(t, cfg)
	_, links := m.run(m.genesisLink(), 20, 1000)
	for _, l := range links {
		if l.bits != easy {
			t.Fatalf("%08x at height %d", l.bits, l.height)
		}
	}
}

func TestConfigContradictions(t *testing.T) {
	good, _ := consortium()
	for name, change := range map[string]func(*Config){
		"bits":             func(c *Config) { c.Genesis.Bits = 0 },
		"limit":            func(c *Config) { c.Limit = 0x1d00ffff },
		"height":           func(c *Config) { c.Genesis.Height = 1 },
		"parent":           func(c *Config) { c.Genesis.Parent[0] = 1 },
		"chain":            func(c *Config) { c.Genesis.Chain[0] = 1 },
		"spacing":          func(c *Config) { c.Spacing = 9 },
		"half-life":        func(c *Config) { c.HalfLife = 1 << 40 },
		"profile":          func(c *Config) { c.Profile = 7 },
		"no miners":        func(c *Config) { c.Miners = nil },
		"miners in public": func(c *Config) { c.Profile = Public },
		"peer blocks":      func(c *Config) { c.PeerBlocks = -1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg, noRecords, cfg.Genesis.Hash()); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good, noRecords, good.Genesis.Hash()); err != nil {
		t.Error(err)
	}
}

func TestDueFollowsTheProfile(t *testing.T) {
	c := func(p Profile) *Core {
		cfg := testConfig()
		if p == Consortium {
			cfg, _ = consortium()
		}
		cfg.Profile = p
		return newCore(t, cfg)
	}
	for _, row := range []struct {
		profile Profile
		age     uint64
		pending bool
		want    bool
	}{
		{Public, 999, true, false},
		{Public, 1_000, false, true},
		{Consortium, 9_999, true, false},
		{Consortium, 10_000, true, true},
		{Consortium, 59_999, false, false},
		{Consortium, 60_000, false, true},
		{Dev, 999, true, false},
		{Dev, 1_000, true, true},
		{Dev, 1_000_000, false, false},
	} {
		if got := c(row.profile).Due(epoch+row.age, row.pending); got != row.want {
			t.Errorf("%v, age %d, pending %v: %v", row.profile, row.age, row.pending, got)
		}
	}
}
