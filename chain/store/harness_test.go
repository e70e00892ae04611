package store

import (
	"os"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := childFolder(); dir != "" {
		runChild(dir)
		return
	}
	if dir := os.Getenv(envRead); dir != "" {
		runReader(dir)
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// largeVariable is the name of the environment variable that adds what takes minutes.
const largeVariable = "WES_TEST_LARGE"

var (
	alice    = chaintest.NewWallet("alice")
	bob      = chaintest.NewWallet("bob")
	client   = chaintest.NewWallet("client")
	operator = chaintest.NewWallet("operator")
)

func pay(w chaintest.Wallet, n uint64) chain.Output {
	return chain.Output{Lock: w.Lock(), Value: chain.Native(n)}
}

func signedBy(w ...any) chaintest.With { return chaintest.With{Data: w} }

// twin is a store beside a ledger in maps.
type twin struct {
	*chaintest.Network
	t       testing.TB
	dir     string
	o       Options
	s       *Store
	blocks  []*chain.Block // of the ledger, genesis first
	created []chain.UTXO   // by genesis
}

// genesis returns the genesis block that chaintest makes of outputs.
func genesis(t testing.TB, v *chain.Validator, outputs []chain.Output) (*chain.Block, *chain.Applied) {
	t.Helper()
	b := &chain.Block{Header: chain.Header{Time: chaintest.GenesisTime}, Txs: []*chain.Tx{{Outputs: outputs}}, Witnesses: []chain.Witness{nil}}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	a, err := v.Genesis(b)
	if err != nil {
		t.Fatal(err)
	}
	return b, a
}

// small are options with which memtables are flushed and blocks need redo records soon.
func small() Options { return Options{memTable: 256 << 10, Reserve: 1 << 20} }

func validator(t testing.TB) *chain.Validator {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newTwin(t testing.TB, o Options, outputs ...chain.Output) *twin {
	t.Helper()
	w := newMaps(t, o, outputs...)
	w.dir = t.TempDir()
	w.open()
	return w
}

// newMaps is a twin without its store.
func newMaps(t testing.TB, o Options, outputs ...chain.Output) *twin {
	t.Helper()
	v := validator(t)
	n, created, err := chaintest.NewNetwork(v, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	w := &twin{Network: n, t: t, o: o, created: created}
	w.o.Genesis, w.o.Applied = genesis(t, v, outputs)
	w.blocks = []*chain.Block{w.o.Genesis}
	return w
}

func (w *twin) open() {
	w.t.Helper()
	s, err := Open(w.dir, w.o)
	w.must(err)
	w.s = s
	w.t.Cleanup(w.close)
}

func (w *twin) close() {
	if w.s != nil {
		w.must(w.s.Close())
		w.s = nil
	}
}

func (w *twin) reopen() {
	w.t.Helper()
	w.close()
	w.open()
}

func (w *twin) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// stage writes what must be there before a block is connected.
func (w *twin) stage(b *chain.Block) {
	w.t.Helper()
	w.must(stage(w.s, w.Store, b))
}

func stage(s *Store, from chain.Attachments, b *chain.Block) error {
	var all [][]byte
	for _, t := range b.Txs {
		for _, a := range t.Attachments {
			p, ok, err := from.Attachment(a.SHA256)
			if err != nil {
				return err
			}
			if ok {
				all = append(all, p)
			}
		}
	}
	if err := s.PutAttachments(all...); err != nil {
		return err
	}
	if err := s.PutHeaders([]chain.StoredHeader{{Header: b.Header, Seal: b.Seal}}); err != nil {
		return err
	}
	if err := s.PutBody(b); err != nil {
		return err
	}
	return s.MarkStored([]chain.Hash{b.Header.Hash()})
}

// extend connects a block to both, as a move of its own.
func (w *twin) extend(b *chain.Block) *chain.Applied {
	w.t.Helper()
	a, err := w.Connect(b)
	w.must(err)
	w.stage(b)
	w.must(w.s.Begin(nil, []chain.Hash{a.After.Tip}))
	w.must(w.s.Connect(b, a, true))
	w.must(w.s.End())
	w.blocks = append(w.blocks, b)
	return a
}

// mine connects a block of transactions to both.
func (w *twin) mine(txs ...chaintest.Signed) *chain.Applied {
	w.t.Helper()
	return w.extend(w.Block(1000, txs...))
}
