package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/prover/model/tensor"
)

// Sizes of the market of TestMarketPaysForRightResultsOnly.
const (
	inferences  = 200
	funds       = 100 // WES of every party
	bondOf      = 2   // the bond is the price divided by it
	killedAfter = inferences / 4
)

// bazaar is a network with a miner, operators and clients as processes.
type bazaarTest struct {
	*loopback
	miner     *process
	operators map[string]*process // by name: honest, killed, liar
	clients   []*process
	keys      map[string]string // public keys by name
	initial   uint64
}

// TestMarketPaysForRightResultsOnly: 200 inferences by 4 clients on 3 operators, of which one is
// killed on the way and one lies in every way it can. Every job ends paid, refunded or slashed, nobody
// is paid for a wrong result, and the balances add up to the unit.
func TestMarketPaysForRightResultsOnly(t *testing.T) {
	m := newBazaarTest(t)
	model := m.deploy("iris_mlp")
	var done sync.WaitGroup
	var count sync.Mutex
	n := 0
	for _, c := range m.clients {
		done.Go(func() {
			for range inferences / len(m.clients) {
				m.infer(c, model)
				count.Lock()
				if n++; n == killedAfter {
					m.operators["killed"].kill()
				}
				count.Unlock()
			}
		})
	}
	done.Wait()
	all := m.ended()
	if len(all) != inferences {
		t.Errorf("%d jobs, want %d", len(all), inferences)
	}
	m.checkJobs(all)
	m.checkBalances(all)
}

// newFair is a network with a miner and funded keys, each in the home folder of its name.
func newFair(t *testing.T, names ...string) *bazaarTest {
	m := &bazaarTest{
		loopback: &loopback{t: t, dir: t.TempDir()}, operators: map[string]*process{}, keys: map[string]string{},
	}
	m.network = filepath.Join(m.dir, "network.toml")
	args := []string{
		"node", "network", "new", "bazaar", "--miner", "miner", "--spacing", "50ms", "--heartbeat", "200ms",
		"--param", "min_promise=8000", "--param", "min_late=4000", "--out", m.network,
	}
	for _, name := range append([]string{"miner"}, names...) {
		m.newKey(name)
		args = append(args, "--fund", fmt.Sprintf("%s=%dx20", m.address(name), funds/20))
		m.initial += funds * chain.Unit
	}
	m.wes("miner", args...)
	m.miner = m.start("miner", "miner")
	return m
}

func newBazaarTest(t *testing.T) *bazaarTest {
	names := []string{"honest", "killed", "liar", "c0", "c1", "c2", "c3"}
	m := newFair(t, names...)
	for name, price := range map[string]string{"liar": "8000", "killed": "9000", "honest": "10000"} {
		program := "wes"
		if name == "liar" {
			program = "wes-liar"
		}
		m.operators[name] = m.run(program, name, []*process{m.miner},
			"--market-key", name, "--sell", "--price-minimum", price, "--price-per-unit", "0", "--job-mib", "256")
	}
	for _, name := range names[3:] {
		m.clients = append(m.clients, m.run("wes", name, []*process{m.miner}, "--market-key", name))
	}
	return m
}

// newKey makes a key in the home folder of its name.
func (m *bazaarTest) newKey(name string) {
	m.t.Helper()
	var k struct {
		Public string `json:"public"`
	}
	if err := json.Unmarshal([]byte(m.wes(name, "wallet", "new", name, "--unencrypted", "--json")), &k); err != nil || k.Public == "" {
		m.t.Fatalf("%v, %+v", err, k)
	}
	m.keys[name] = k.Public
}

func (m *bazaarTest) address(name string) string {
	m.t.Helper()
	h, err := parseHash(m.keys[name])
	if err != nil {
		m.t.Fatal(err)
	}
	return chain.FormatAddress(chain.TestPrefix, chain.LockHash(chain.Key{Key: chain.PublicKey(h)}))
}

// askAgain is after how many looks a model is asked for again.
const askAgain = 500

// deployed is a model with the inputs that it is asked about.
type deployed struct {
	cid    string
	inputs []gateway.Tensor
	want   []float64 // the output, by the first operator that proves it
	once   sync.Mutex
}

// deploy announces a model at the first client, and waits until all operators offer it to all clients.
func (m *bazaarTest) deploy(name string) *deployed {
	m.t.Helper()
	file := "../../testdata/models/" + name
	var s sent
	out := m.wes("c0", "ai", "deploy", file+".onnx", "--name", name, "--input", file+".input.json", "--wait", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		m.t.Fatal(err)
	}
	d := &deployed{cid: s.CID, inputs: tensorsIn(m.t, file+".input.json")}
	first := m.clients[0]
	first.await("all operators", func() bool {
		all, err := first.market.Operators(m.t.Context())
		return err == nil && len(all) == len(m.operators)
	})
	polls := 0
	for _, c := range m.clients {
		c.await("offers of all operators", func() bool {
			// Whoever is asked for a model looks for it, once its ledger has the announcement.
			if polls++; polls%askAgain == 1 {
				if _, err := first.market.Submit(m.t.Context(), &gateway.Request{Model: d.cid, Inputs: d.inputs, MaxPrice: "1"}); err != nil {
					return false
				}
			}
			all, err := c.market.Operators(m.t.Context())
			return err == nil && len(all) == len(m.operators) && !slices.ContainsFunc(all, func(o gateway.Operator) bool { return len(o.Prices) == 0 })
		})
	}
	return d
}

// tensorsIn reads the inputs of a model as the API takes them.
func tensorsIn(t *testing.T, file string) (all []gateway.Tensor) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := tensor.ParseJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tensors {
		all = append(all, floats(&tensors[i]))
	}
	return all
}

// infer submits a job and waits until its outputs are here and verified, or nothing comes of it.
func (m *bazaarTest) infer(c *process, d *deployed) {
	ctx, stop := context.WithTimeout(m.t.Context(), deadline)
	defer stop()
	j, err := c.market.Submit(ctx, &gateway.Request{Model: d.cid, Inputs: d.inputs, MaxPrice: "20000"})
	if err != nil {
		m.t.Errorf("%s: %v", c.name, err)
		return
	}
	for j, err := range c.market.Watch(ctx, j.ID) {
		if err != nil {
			m.t.Errorf("%s: job %s: %v", c.name, j.ID, err)
			return
		}
		if j.ProofStatus == gateway.ProofVerified || j.ProofStatus == gateway.ProofRefused || j.Ended || j.Execution == "failed" {
			break
		}
		if j.Assignment == "assigned" && j.Operator == m.keys["killed"] && m.dead() {
			break // nothing more comes from there
		}
	}
	m.compare(c, d, j.ID)
}

func (m *bazaarTest) dead() bool {
	select {
	case <-m.operators["killed"].done:
		return true
	default:
		return false
	}
}

// compare requires that all verified outputs are equal.
func (m *bazaarTest) compare(c *process, d *deployed, id string) {
	j, err := c.market.Job(m.t.Context(), id)
	if err != nil || j.ProofStatus != gateway.ProofVerified || len(j.Outputs) == 0 {
		return
	}
	d.same(m.t, j)
}

// ended waits until every job has ended, and returns those that were assigned.
func (m *bazaarTest) ended() (all []gateway.Job) {
	m.t.Helper()
	for _, c := range m.clients {
		c.await("the end of all jobs", func() bool {
			open, _, err := c.market.Jobs(m.t.Context(), gateway.JobFilter{Open: true, Limit: 1000})
			return err == nil && len(open) == 0
		})
		jobs, _, err := c.market.Jobs(m.t.Context(), gateway.JobFilter{Limit: 1000})
		if err != nil {
			m.t.Fatal(err)
		}
		for _, j := range jobs {
			if j.Reason == "no_bid" { // the one that asked for the model
				e, err := c.market.Explain(m.t.Context(), j.ID)
				m.t.Logf("%+v %v", e, err)
				continue
			}
			all = append(all, j)
		}
	}
	return all
}

// checkJobs requires that every job ended as the market says, and that the liar got nothing.
func (m *bazaarTest) checkJobs(all []gateway.Job) {
	ends := map[string]int{}
	for _, j := range all {
		who := "nobody"
		for name, key := range m.keys {
			if key == j.Operator {
				who = name
			}
		}
		ends[who+" "+j.Settlement+" "+j.Reason]++
		if who == "liar" && j.Settlement != "refunded" && j.Settlement != "slashed" {
			m.t.Errorf("job %s: the liar is %s (%s)", j.ID, j.Settlement, j.Reason)
		}
		if j.Settlement == "unfunded" && j.Reason == "not_funded" && who == "killed" {
			continue // it had delivered, and died with the transaction that the escrow was to spend
		}
		if j.Settlement == "paid" != (j.ProofStatus == gateway.ProofVerified) {
			m.t.Errorf("job %s of %s: %s (%s), and its proof is %s", j.ID, who, j.Settlement, j.Reason, j.ProofStatus)
		}
		if j.Settlement == "unfunded" || j.Settlement == "escrowed" {
			m.t.Errorf("job %s of %s ended %s (%s)", j.ID, who, j.Settlement, j.Reason)
		}
	}
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		m.t.Logf("%4d %s", ends[end], end)
	}
}

// checkBalances requires that what all parties have is what they had, but for the bonds that burned.
func (m *bazaarTest) checkBalances(all []gateway.Job) {
	m.t.Helper()
	var burned uint64
	for _, j := range all {
		if j.Settlement == "slashed" {
			price, err := strconv.ParseUint(j.Price, 10, 64)
			if err != nil {
				m.t.Fatal(err)
			}
			bond := (price + bondOf - 1) / bondOf
			burned += bond - bond/2
		}
	}
	m.miner.await("the end of all transactions", func() bool { return m.miner.status().Mempool.Transactions == 0 })
	var sum uint64
	for name := range m.keys {
		held := m.holds(name)
		m.t.Logf("%-8s %+d", name, int64(held)-funds*chain.Unit)
		sum += held
		if name == "liar" && held > funds*chain.Unit {
			m.t.Errorf("the liar has gained %d", held-funds*chain.Unit)
		}
	}
	if sum+burned != m.initial {
		m.t.Errorf("all hold %d and %d burned, of %d: %+d", sum, burned, m.initial, int64(sum+burned-m.initial))
	}
}

// holds is what the outputs under a key's lock hold, by the miner's ledger.
func (m *bazaarTest) holds(name string) (sum uint64) {
	m.t.Helper()
	h, err := parseHash(m.keys[name])
	if err != nil {
		m.t.Fatal(err)
	}
	lock := chain.LockHash(chain.Key{Key: chain.PublicKey(h)})
	err = (&ledger{client: m.miner.client}).Unspent(m.t.Context(), lock, func(u chain.UTXO) bool {
		sum += u.Entry.Output.Value.Of(chain.TokenID{})
		return true
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return sum
}
