package main

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/town"
)

// townTest is a town of a test.
type townTest struct {
	*testing.T
	*town.Town
	initial uint64 // that all have together
}

func openTown(t *testing.T, c town.Config) *townTest {
	t.Helper()
	opened, err := town.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	x := &townTest{T: t, Town: opened}
	t.Cleanup(x.say)
	for _, n := range x.all() {
		x.initial += x.holds(n)
	}
	return x
}

// say logs what the nodes have said last, if the test has failed.
func (x *townTest) say() {
	for _, n := range x.all() {
		if said := n.Log(); x.Failed() {
			x.Logf("%s:\n%s", n.Name, said[max(0, len(said)-4000):])
		}
	}
}

func (x *townTest) all() []*town.Node { return append([]*town.Node{x.Miner}, x.Parties...) }

func (x *townTest) await(what string, holds func() (bool, error)) {
	x.Helper()
	if err := town.Await(x.Context(), what, holds); err != nil && x.Context().Err() == nil {
		x.Error(err)
	}
}

// signal sends a node a signal that does not end it.
func (x *townTest) signal(n *town.Node, s syscall.Signal) {
	x.Helper()
	if err := syscall.Kill(n.PID(), s); err != nil {
		x.Error(err)
	}
}

// deploy announces one of the shipped models under a name.
func (x *townTest) deploy(n *town.Node, model, name string) *deployed {
	x.Helper()
	file := "../../testdata/models/" + model
	out, err := n.Run(x.Context(), "ai", "deploy", file+".onnx", "--name", name, "--input", file+".input.json", "--wait", "--json", "--node", x.Miner.URL())
	if err != nil {
		x.Fatal(err)
	}
	var s sent
	if err := json.Unmarshal(out, &s); err != nil {
		x.Fatal(err)
	}
	return &deployed{cid: s.CID, inputs: tensorsIn(x.T, file+".input.json")}
}

// same requires that the outputs of a job are those of all others of its model.
func (d *deployed) same(t *testing.T, j *gateway.Job) {
	t.Helper()
	got, err := j.Outputs[0].Numbers()
	if err != nil {
		t.Error(err)
		return
	}
	d.once.Lock()
	defer d.once.Unlock()
	if d.want == nil {
		d.want = got
	}
	if !slices.EqualFunc(got, d.want, func(a, b float64) bool { return math.Abs(a-b) == 0 }) {
		t.Errorf("job %s: an output differs", j.ID)
	}
}

// ended waits until all jobs of a client have ended, and returns them.
func (x *townTest) ended(n *town.Node) (all []gateway.Job) {
	x.Helper()
	x.await("the end of all jobs of "+n.Name, func() (bool, error) {
		open, _, err := n.Market().Jobs(x.Context(), gateway.JobFilter{Open: true, Limit: 1000})
		return err == nil && len(open) == 0, err
	})
	for f := (gateway.JobFilter{Limit: 1000}); ; {
		page, next, err := n.Market().Jobs(x.Context(), f)
		if err != nil {
			x.Error(err)
			return nil
		}
		all = append(all, page...)
		if f.Cursor = next; next == "" {
			return all
		}
	}
}

// checkBalances requires that what all have is what they had, but for the bonds that burned.
func (x *townTest) checkBalances(all []gateway.Job) {
	x.Helper()
	var burned uint64
	for i := range all {
		if j := &all[i]; j.Settlement == "slashed" {
			price, err := strconv.ParseUint(j.Price, 10, 64)
			if err != nil {
				x.Fatal(err)
			}
			bond := (price + 1) / 2 // chain.DefaultParams
			if j.Level != "zk" {
				bond = 10 * price
			}
			burned += bond - bond/2
		}
	}
	x.await("the end of all transactions", func() (bool, error) {
		s, err := x.Miner.API().Status(x.Context())
		return err == nil && s.Mempool.Transactions == 0, err
	})
	var sum uint64
	for _, n := range x.all() {
		sum += x.holds(n)
	}
	if sum+burned != x.initial {
		x.Errorf("all hold %d and %d burned, of %d: %+d", sum, burned, x.initial, int64(sum+burned-x.initial))
	}
}

// holds is what the outputs under a node's lock hold, by the miner's ledger.
func (x *townTest) holds(n *town.Node) (sum uint64) {
	x.Helper()
	h, err := parseHash(n.Key)
	if err != nil {
		x.Fatal(err)
	}
	lock := chain.LockHash(chain.Key{Key: chain.PublicKey(h)})
	err = (&ledger{client: x.Miner.API()}).Unspent(x.Context(), lock, func(u chain.UTXO) bool {
		sum += u.Entry.Output.Value.Of(chain.TokenID{})
		return true
	})
	if err != nil {
		x.Fatal(err)
	}
	return sum
}
