package chain_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"go.uber.org/goleak"
)

var (
	alice    = chaintest.NewWallet("alice")
	bob      = chaintest.NewWallet("bob")
	carol    = chaintest.NewWallet("carol")
	operator = chaintest.NewWallet("operator")
	client   = chaintest.NewWallet("client")
)

// guarded holds the codes that some test saw broken.
var guarded sync.Map

// TestMain requires of a whole run that every rule was seen broken.
func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Println(err)
		status = 1
	}
	whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" &&
		flag.Lookup("test.skip").Value.String() == "" && flag.Lookup("test.list").Value.String() == ""
	for _, c := range chain.Codes() {
		if _, ok := guarded.Load(c); !ok && whole && status == 0 {
			fmt.Printf("no test breaks rule %d: %s\n", c, c.Rule())
			status = 1
		}
	}
	os.Exit(status)
}

// harness is a network whose genesis block pays alice coins of 10,000 each.
type harness struct {
	*chaintest.Network
	t        testing.TB
	verifier *chaintest.Verifier
	coins    []chain.UTXO
}

const coin = 10_000

func newHarness(t testing.TB, outputs ...chain.Output) *harness {
	t.Helper()
	for range 8 {
		outputs = append(outputs, pay(alice, coin))
	}
	verifier := &chaintest.Verifier{}
	v, err := chain.NewValidator(chain.DefaultParams(), verifier, 2)
	if err != nil {
		t.Fatal(err)
	}
	n, created, err := chaintest.NewNetwork(v, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return &harness{n, t, verifier, created}
}

// special returns what genesis paid to the outputs asked for, and takes them off the coins.
func (h *harness) special() chain.UTXO {
	u := h.coins[0]
	h.coins = h.coins[1:]
	return u
}

// coin returns the next coin of alice, and from what signs for it.
func (h *harness) coin() chain.UTXO { return h.special() }

func pay(w chaintest.Wallet, n uint64) chain.Output {
	return chain.Output{Lock: w.Lock(), Value: chain.Native(n)}
}

func signedBy(w ...any) chaintest.With { return chaintest.With{Data: w} }

// transfer spends a coin of alice to outputs.
func (h *harness) transfer(outputs ...chain.Output) *chaintest.Draft {
	return h.Draft().Spend(h.coin(), signedBy(alice)).Pay(outputs...)
}

// mine connects a block that must be valid.
func (h *harness) mine(after uint64, txs ...chaintest.Signed) {
	h.t.Helper()
	if err := h.MineAfter(after, txs...); err != nil {
		h.t.Fatal(err)
	}
}

// check validates one transaction. One that holds must have an encoding that others decode.
func (h *harness) check(s chaintest.Signed) error {
	h.t.Helper()
	_, err := h.CheckTx(h.Env(), h.Store, h.Store, s.Tx, s.Witness)
	if err == nil {
		_, body := chain.DecodeTx(s.Tx.Encode())
		_, witness := chain.DecodeWitness(s.Witness.Encode())
		if body != nil || witness != nil {
			h.t.Fatalf("a valid transaction does not decode: %v, %v", body, witness)
		}
	}
	return err
}

// code returns the rule that an error says is broken; 0 of no error.
func code(t testing.TB, err error) chain.Code {
	t.Helper()
	if err == nil {
		return 0
	}
	var rule *chain.RuleError
	if !errors.As(err, &rule) {
		t.Fatalf("not a broken rule: %v", err)
	}
	return rule.Code
}

// expect requires that an error is a certain broken rule, or none if want is 0.
func expect(t testing.TB, err error, want chain.Code) {
	t.Helper()
	if got := code(t, err); got != want {
		t.Fatalf("got %v\nwant rule %d: %s", err, want, want.Rule())
	}
	guarded.Store(want, true)
}
