package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/gateway"
)

// Sizes of TestAChannelPaysForManyJobs.
const (
	small      = 200
	atOnce     = 8
	smallPrice = 10_000
	channelCap = 5_000_000
)

// TestAChannelPaysForManyJobs: 200 inferences of one client on one operator. The first is paid by an
// escrow, and a channel is opened with it; the others are paid by vouchers. When the operator drains,
// it closes the channel. The ledger has two transactions for each of both, and the balances add up to
// the unit.
func TestAChannelPaysForManyJobs(t *testing.T) {
	m := newFair(t, "operator", "c0")
	m.operators["operator"] = m.run("wes", "operator", []*process{m.miner},
		"--market-key", "operator", "--sell", "--posted", "--price-minimum", strconv.Itoa(smallPrice), "--price-per-unit", "0", "--job-mib", "256")
	c := m.run("wes", "c0", []*process{m.miner}, "--market-key", "c0", "--channel-cap", strconv.Itoa(channelCap))
	m.clients = []*process{c}
	model := m.deploy("iris_mlp")
	before := m.transactions()
	m.infer(c, model)
	m.ended()
	c.await("an open channel", func() bool { return len(channels(t, c, "open")) == 1 })

	began := time.Now()
	var done sync.WaitGroup
	for range atOnce {
		done.Go(func() {
			for range small / atOnce {
				m.infer(c, model)
			}
		})
	}
	done.Wait()
	took := time.Since(began)
	all := m.ended()
	t.Logf("%d jobs in %v: %.1f jobs/s", small, took, small/took.Seconds())
	m.checkSmall(all)

	if out := m.wes("c0", "market", "channels"); !strings.Contains(out, "open") || !strings.Contains(out, m.keys["operator"]) {
		t.Errorf("the list of channels is\n%s", out)
	}
	m.wes("operator", "market", "drain", "--wait")
	for _, p := range []*process{m.operators["operator"], c} {
		p.await("the end of the channel", func() bool { return len(channels(t, p, "")) == 0 })
	}
	m.checkBalances(all)
	fees := m.checkTransactions(before)
	earned := int64(m.holds("operator")) - funds*chain.Unit
	if want := int64((1 + small) * smallPrice); earned > want || earned < want-fees {
		t.Errorf("the operator has earned %d of %d, and all fees are %d", earned, want, fees)
	}
}

// channels lists those of a node in a state, or all.
func channels(t *testing.T, p *process, state string) []gateway.Channel {
	t.Helper()
	all, err := p.market.Channels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c gateway.Channel) bool { return state != "" && c.State != state })
}

// checkSmall requires that one job was paid by an escrow and all others by vouchers.
func (m *bazaarTest) checkSmall(all []gateway.Job) {
	m.t.Helper()
	ends := map[string]int{}
	for _, j := range all {
		ends[fmt.Sprint(j.Settlement, " ", j.Reason, " ", j.ProofStatus)]++
	}
	if ends["paid accepted verified"] != 1 || ends["paid voucher verified"] != small {
		m.t.Errorf("the jobs ended as %v", ends)
	}
}

// transactions counts what the ledger has, without coinbases.
func (m *bazaarTest) transactions() (n int) {
	m.t.Helper()
	for h := range m.miner.status().Height {
		n += len(m.miner.at(h+1).Transactions) - 1
	}
	return n
}

// checkTransactions requires four more, and returns the fees of all.
func (m *bazaarTest) checkTransactions(before int) (fees int64) {
	m.t.Helper()
	if n := m.transactions() - before; n != 4 {
		m.t.Errorf("%d transactions, want those of one escrow and one channel", n)
	}
	return int64(m.holds("miner")) - funds*chain.Unit
}
