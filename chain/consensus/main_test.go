package consensus

import (
	"crypto/ed25519"
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
)

// easy are bits that every second hash meets.
const easy = 0x207fffff

// epoch is the time of the tests' genesis blocks, in ms since 1970.
const epoch = 1_700_000_000_000

func testConfig() Config {
	return Config{Genesis: chain.Header{Time: epoch, Bits: easy}}
}

func noRecords(func(Record) bool) {}

func newCore(t testing.TB, cfg Config) *Core {
	t.Helper()
	c, err := New(cfg, noRecords, cfg.Genesis.Hash())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// miner makes headers that keep the rules.
type miner struct {
	rules *rules
	key   ed25519.PrivateKey // seals, in a consortium
	salt  uint64
}

func newMiner(t testing.TB, cfg Config) *miner {
	t.Helper()
	r, err := cfg.validate()
	if err != nil {
		t.Fatal(err)
	}
	return &miner{rules: r}
}

// child returns a header at the given time whose hash also meets want, if there is one.
func (m *miner) child(parent link, time uint64, want func(chain.Hash) bool) (SealedHeader, link) {
	m.salt++
	h := SealedHeader{Header: chain.Header{
		Chain: m.rules.chain, Parent: parent.hash, Height: parent.height + 1,
		Time: time, Bits: m.rules.nextBits(&parent),
	}}
	binary.BigEndian.PutUint64(h.TxRoot[:], m.salt)
	if m.key != nil {
		h.Miner = chain.PublicKey(m.key.Public().(ed25519.PublicKey))
	}
	m.solve(&h.Header, want)
	if m.key != nil {
		message := chain.SealHash(&h.Header)
		h.Seal = ed25519.Sign(m.key, message[:])
	}
	l, err := m.rules.extend(&parent, &h)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return h, l
}

// solve finds a nonce.
func (m *miner) solve(h *chain.Header, want func(chain.Hash) bool) {
	target, _ := Target(h.Bits)
	for n := uint64(0); ; n++ {
		binary.BigEndian.PutUint64(h.Nonce[8:], n)
		if hash := h.Hash(); meets(hash, target) && (want == nil || want(hash)) {
			return
		}
	}
}

// run returns n headers above start, spacing ms apart.
func (m *miner) run(start link, n int, spacing uint64) ([]SealedHeader, []link) {
	hs, links := make([]SealedHeader, n), make([]link, n)
	for i := range n {
		hs[i], links[i] = m.child(start, start.time+spacing, nil)
		start = links[i]
	}
	return hs, links
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// source is a seeded source of test data.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

func (s source) hash() (h chain.Hash) {
	for i := range h {
		h[i] = byte(s.Uint32())
	}
	return h
}

func records(all []Record) iter.Seq[Record] { return slices.Values(all) }

// genesisLink is the link of the genesis block of a configuration.
func (m *miner) genesisLink() link { return m.rules.genesis() }
