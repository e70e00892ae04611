package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weisyn/wes/node/gateway"
)

// TestMarketProvesCircuits: circuits of both schemes are announced and proved for money. An operator
// whose client is gone shows the proof on the ledger, where all nodes check it; another delivers it and is
// paid. A witness that does not satisfy its circuit ends with that reason, and costs its client and not the
// operator.
func TestMarketProvesCircuits(t *testing.T) {
	m := newProverTest(t)
	schemes := []string{"groth16", "plonk"}
	for _, scheme := range schemes {
		m.deployCircuit(scheme)
		m.gains(func() uint64 { return m.settledAlone(scheme) })
	}
	m.clients[0].stop()
	m.operators["operator"].stop()
	m.sells("100000000")
	m.buys()
	for _, scheme := range schemes {
		m.offered(scheme)
		m.gains(func() uint64 { return m.submitCircuit(scheme) })
	}
	m.gains(func() uint64 { return m.submitUnsatisfied("groth16") })
}

// ownFee bounds what the operator pays of a funding transaction, for its input, in base units.
const ownFee = 900

// gains requires that the operator has more after a job, by what it is paid for it but for its fee.
func (m *bazaarTest) gains(job func() uint64) {
	m.t.Helper()
	before := m.holds("operator")
	paid := job()
	m.miner.await("the end of all transactions", func() bool { return m.miner.status().Mempool.Transactions == 0 })
	if got := m.holds("operator"); paid <= ownFee || got < before+paid-ownFee || got > before+paid {
		m.t.Errorf("the operator held %d, is paid %d, and holds %d", before, paid, got)
	}
}

// newProverTest starts a miner, an operator and a client. Whatever is due within a minute is settled on
// the ledger at once: here that is everything. The operator delivers 30 blocks after an escrow.
func newProverTest(t *testing.T) *bazaarTest {
	m := &bazaarTest{loopback: &loopback{t: t, dir: t.TempDir()}, operators: map[string]*process{}, keys: map[string]string{}}
	m.network = filepath.Join(m.dir, "network.toml")
	args := []string{
		"node", "network", "new", "provers", "--miner", "miner", "--spacing", "200ms", "--heartbeat", "200ms",
		"--param", "min_promise=8000", "--param", "invalid_window=2000", "--out", m.network,
	}
	for _, name := range []string{"miner", "operator", "client"} {
		m.newKey(name)
		args = append(args, "--fund", m.address(name)+"=5x20")
	}
	m.wes("miner", args...)
	m.miner = m.start("miner", "miner")
	m.sells("1")
	m.buys()
	return m
}

// sells starts the operator, which delivers results worth so much before a block has the escrow.
func (m *bazaarTest) sells(risk string) {
	m.operators["operator"] = m.run("wes", "operator", []*process{m.miner},
		"--market-key", "operator", "--sell", "--price-minimum", "10000", "--price-per-unit", "0", "--risk-cap", risk)
}

// buys starts the client, and waits until it has its peers: transactions are told once.
func (m *bazaarTest) buys() {
	m.t.Helper()
	client := m.run("wes", "client", []*process{m.miner, m.operators["operator"]}, "--market-key", "client")
	client.await("its peers", func() bool { return client.status().Peers >= 2 && client.market.Ready(m.t.Context()) == nil })
	m.clients = []*process{client}
}

func (m *bazaarTest) file(name ...string) string {
	return filepath.Join(append([]string{m.dir}, name...)...)
}

// deployCircuit makes an example and announces it under its scheme's name.
func (m *bazaarTest) deployCircuit(scheme string) {
	m.t.Helper()
	dir := m.file(scheme)
	for _, args := range [][]string{
		{"prove", "example", "--scheme", scheme, "--out", dir},
		{"prove", "setup", filepath.Join(dir, exampleCircuit), "--scheme", scheme, "--curve", "bn254", "--unsafe-setup", "--out", filepath.Join(dir, "package")},
	} {
		if out, err := exec.CommandContext(m.t.Context(), "wes", args...).CombinedOutput(); err != nil {
			m.t.Fatalf("wes %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	m.wes("client", "prove", "deploy", filepath.Join(dir, "package"), "--name", scheme, "--wait")
	m.offered(scheme)
}

// offered waits until the operator offers a circuit. Whoever is asked for one looks for it.
func (m *bazaarTest) offered(scheme string) {
	m.t.Helper()
	m.submit(scheme, "1")
	client, operator := m.clients[0], m.operators["operator"]
	operator.await("the circuit "+scheme, func() bool {
		s, err := operator.market.Status(m.t.Context())
		return err == nil && slices.ContainsFunc(s.Programs, func(p gateway.Program) bool { return p.Name == scheme })
	})
	client.await("an offer of "+scheme, func() bool {
		x, err := client.market.Model(m.t.Context(), scheme)
		return err == nil && x.Ready
	})
}

// submit gives a job to the market, and returns its id.
func (m *bazaarTest) submit(scheme, price string) string {
	m.t.Helper()
	raw, err := os.ReadFile(m.file(scheme, exampleWitness))
	if err != nil {
		m.t.Fatal(err)
	}
	j, err := m.clients[0].market.Submit(m.t.Context(), &gateway.Request{Kind: gateway.KindProve, Model: scheme, Witness: raw, MaxPrice: price})
	if err != nil {
		m.t.Fatal(err)
	}
	return j.ID
}

// settledAlone stops the client as soon as a block has the escrow, and returns what the operator was
// paid by the ledger.
func (m *bazaarTest) settledAlone(scheme string) uint64 {
	m.t.Helper()
	id, client := m.submit(scheme, "20000"), m.clients[0]
	var j *gateway.Job
	client.await("an escrow in a block", func() (escrowed bool) {
		var err error
		j, err = client.market.Job(m.t.Context(), id)
		return err == nil && j.EscrowTx != "" && m.miner.confirmed(j.EscrowTx)
	})
	client.stop()
	escrow, err := parseOutpoint(j.EscrowTx + ":0")
	if err != nil {
		m.t.Fatal(err)
	}
	m.miner.await("a settlement without the client", func() bool {
		o, err := m.miner.client.Output(m.t.Context(), escrow)
		return notFound(err) || err == nil && !o.Unspent
	})
	m.buys()
	m.clients[0].await("the end of the job", func() bool {
		j, err = m.clients[0].market.Job(m.t.Context(), id)
		return err == nil && j.Ended
	})
	if j.Settlement != "paid" || j.Reason != "proved" {
		m.t.Errorf("%s: it ended %s (%s)", scheme, j.Settlement, j.Reason)
	}
	return m.units(j.Price)
}

// submitCircuit has the witness proved, and returns what was paid for it.
func (m *bazaarTest) submitCircuit(scheme string) uint64 {
	m.t.Helper()
	out := m.file(scheme, "proof")
	var x struct {
		Job      gateway.Job `json:"job"`
		Verified bool        `json:"verified_here"`
		Scheme   string      `json:"scheme"`
	}
	text := m.wes("client", "prove", "submit", "--circuit", scheme, "--witness", m.file(scheme, exampleWitness), "--out", out, "--wait", "--json")
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		m.t.Fatal(err)
	}
	j := &x.Job
	if !x.Verified || x.Scheme != scheme || j.Kind != gateway.KindProve || j.ProofStatus != gateway.ProofVerified || j.Settlement != "paid" {
		m.t.Errorf("%s: %s", scheme, text)
	}
	m.miner.await("the payment in a block", func() bool { return m.miner.confirmed(j.SettleTx) })
	args := []string{
		"prove", "verify", "--vk", filepath.Join(out, "verifying.key"), "--scheme", scheme, "--curve", "bn254",
		"--proof", filepath.Join(out, circuitProofFile), "--public", filepath.Join(out, circuitPublicFile),
	}
	if out, err := exec.CommandContext(m.t.Context(), "wes", args...).CombinedOutput(); err != nil {
		m.t.Errorf("wes %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return m.units(j.Price)
}

func (m *bazaarTest) units(text string) uint64 {
	m.t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// submitUnsatisfied submits another secret, and returns what the operator gets for finding that out.
func (m *bazaarTest) submitUnsatisfied(scheme string) uint64 {
	m.t.Helper()
	raw, err := os.ReadFile(m.file(scheme, exampleWitness))
	if err != nil {
		m.t.Fatal(err)
	}
	var w struct {
		Public []string `json:"public"`
		Secret []string `json:"secret"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		m.t.Fatal(err)
	}
	w.Secret[0] = "7"
	if raw, err = json.Marshal(w); err != nil {
		m.t.Fatal(err)
	}
	file := m.file("bad.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		m.t.Fatal(err)
	}
	c := exec.CommandContext(m.t.Context(), "wes", "prove", "submit", "--circuit", scheme, "--witness", file, "--home", m.file("client"))
	text, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitUsage || !strings.Contains(string(text), "unsatisfied_witness") {
		m.t.Errorf("an unsatisfied witness: %v\n%s", err, text)
	}
	client := m.clients[0]
	jobs, _, err := client.market.Jobs(m.t.Context(), gateway.JobFilter{Limit: 1})
	if err != nil || len(jobs) != 1 {
		m.t.Fatal(jobs, err)
	}
	var j *gateway.Job
	client.await("the end of the job", func() bool {
		j, err = client.market.Job(m.t.Context(), jobs[0].ID)
		return err == nil && j.Ended
	})
	if j.Settlement != "refunded" || j.Reason != "unsatisfied_witness" || j.Execution != "failed" {
		m.t.Errorf("it ended %s (%s), %s", j.Settlement, j.Reason, j.Execution)
	}
	const share = 10 // percent of the price
	return m.units(j.Price) * share / 100
}
