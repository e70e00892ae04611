package store

import (
	"os"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// base returns the bytes of a block that count.
func base(b *chain.Block) (n int) {
	for i, t := range b.Txs {
		n += len(t.Encode()) + len(b.Witnesses[i].Encode())
	}
	return n
}

// heads returns a twin with many coins.
func heads(t testing.TB, o Options, n int) *twin {
	var outputs []chain.Output
	for range n {
		outputs = append(outputs, chain.Output{Lock: chain.Open(), Value: chain.Native(1000)})
	}
	return newTwin(t, o, outputs...)
}

// full returns a block of as many transactions as fit in its base, each of which spends a coin
// into outputs.
func (w *twin) full(outputs func(i int) []chain.Output) *chain.Block {
	var txs []chaintest.Signed
	size := 0
	for i, u := range w.created {
		s := w.Draft().Spend(u, signedBy()).Pay(outputs(i)...).Pay(u.Entry.Output).Sign()
		if size += len(s.Tx.Encode()) + len(s.Witness.Encode()); size > chain.MaxBlockBase-200 {
			return w.Block(1000, txs...)
		}
		txs = append(txs, s)
	}
	w.t.Fatal("too few coins")
	return nil
}

// TestWorstBlocksAreOneTransaction connects the largest blocks that hold the most outputs, the
// most index entries for outputs and the most for subjects, and undoes them.
func TestWorstBlocksAreOneTransaction(t *testing.T) {
	for name, outputs := range map[string]func(i int) []chain.Output{
		"outputs": func(int) []chain.Output {
			all := make([]chain.Output, chain.MaxOutputs-1)
			for k := range all {
				all[k] = chain.Output{Lock: chain.Open()}
			}
			return all
		},
		"locks": func(int) []chain.Output {
			all := make([]chain.Output, chain.MaxOutputs-1)
			for k := range all {
				all[k] = chain.Output{Lock: chain.After{At: uint64(k)}}
			}
			return all
		},
		"users": func(int) []chain.Output {
			p := chain.SponsorPool{Owner: chain.Open(), Rate: 1, MaxPerTx: 1}
			for k := range chain.MaxPoolUsers {
				p.Users = append(p.Users, chain.After{At: uint64(k)})
			}
			all := make([]chain.Output, 1000)
			for k := range all {
				all[k] = chain.Output{Lock: chain.Open(), Body: p.State()}
			}
			return all
		},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "users" && os.Getenv(largeVariable) == "" {
				t.Skipf("takes 10 s: set %s", largeVariable)
			}
			t.Parallel()
			w := heads(t, Options{}, 120)
			b := w.full(outputs)
			if n := base(b); n < chain.MaxBlockBase*9/10 {
				t.Fatalf("only %d bytes", n)
			}
			a, err := w.Connect(b)
			w.must(err)
			c := newChange(b, a)
			var core writes
			w.must(c.connect(w.s.mu.working.view, &core))
			core.advance(&a.After, &record{a.After, true, c.keys})
			if w.s.take(core) < len(core)-1 {
				t.Fatalf("%d writes do not fit", len(core))
			}
			t.Logf("%d bytes, %d outputs, %d writes, %d of indexes", base(b), len(c.added), len(core), len(c.index()))
			w.stage(b)
			before := w.s.Reader()
			defer before.Close()
			w.must(w.s.Begin(nil, []chain.Hash{a.After.Tip}))
			start := time.Now()
			w.must(w.s.Connect(b, a, true))
			connected := time.Now()
			w.must(w.s.Rollback())
			t.Logf("connected in %v, undone in %v", connected.Sub(start), time.Since(connected))
			r := w.s.Reader()
			defer r.Close()
			w.must(sameItems(r.scan([]byte{keyUnspent}, nil), before.scan([]byte{keyUnspent}, nil)))
			w.must(sameItems(r.scan([]byte{keyHistory}, nil), before.scan([]byte{keyHistory}, nil)))
			w.must(sameItems(named(r.Unspent()), named(before.Unspent())))
		})
	}
}

// TestWorstInputsFit measures blocks whose inputs are as short as can be and of a group each,
// and requires that one of 2 MiB fits.
func TestWorstInputsFit(t *testing.T) {
	w := heads(t, Options{}, 60)
	var far []chain.UTXO
	for range 2 {
		b := w.Block(1000, w.scattered(&far)...)
		w.extend(b)
	}
	d := w.Draft()
	for _, u := range far[:1000] {
		d.Spend(u, signedBy())
	}
	s := d.Sign()
	b := w.Block(1000, s)
	a, err := w.Connect(b)
	w.must(err)
	var core writes
	w.must(newChange(b, a).connect(w.s.mu.working.view, &core))
	var bytes int64
	for i := range core {
		bytes += core[i].size()
	}
	times := float64(chain.MaxBlockBase) / float64(base(b))
	room := w.s.room()
	t.Logf("%d bytes: %d writes of %d bytes; %.1f times that is %.0f of %d, %.0f of %d",
		base(b), len(core), bytes, times, times*float64(len(core)), room.entries, times*float64(bytes), room.bytes)
	if len(core) < 1000 || times*float64(len(core)) > float64(room.entries) || times*float64(bytes) > float64(room.bytes) {
		t.Fatal("a block of the least inputs does not fit")
	}
}

// scattered returns transactions with outputs of which every 64th is noted.
func (w *twin) scattered(far *[]chain.UTXO) (txs []chaintest.Signed) {
	for range 10 {
		d := w.Draft().Spend(w.created[0], signedBy())
		w.created = w.created[1:]
		for range chain.MaxOutputs {
			d.Pay(chain.Output{Lock: chain.Open()})
		}
		d.Outputs[1].Value = chain.Native(1000)
		s := d.Sign()
		for i := 0; i < chain.MaxOutputs; i += groupSize {
			*far = append(*far, s.Out(i))
		}
		txs = append(txs, s)
	}
	return txs
}
