package node

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/trade"
)

// registerCapacity shows what an operator has and has taken on.
func registerCapacity(r prometheus.Registerer, c *trade.Capacity) {
	read := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	register(r,
		read("wes_market_tasks", "Jobs that this operator has taken on and not done.", func() float64 { tasks, _ := c.Depth(); return float64(tasks) }),
		read("wes_market_bids", "Bids of this operator that stand.", func() float64 { _, bids := c.Depth(); return float64(bids) }),
		read("wes_market_devices", "Devices that work for this operator.", func() float64 { return float64(len(c.Slots())) }),
		read("wes_market_cordoned", "1 while this operator takes no new work.", func() float64 { return flag01(c.Cordoned()) }))
}

// walletGauges show what the market's key holds, in base units of WES.
type walletGauges struct {
	units *prometheus.GaugeVec
	coins prometheus.Gauge
}

func newWalletGauges(r prometheus.Registerer) *walletGauges {
	g := &walletGauges{
		units: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "wes_wallet_units", Help: "What the market's key holds, in base units of WES, by state.",
		}, []string{"state"}),
		coins: prometheus.NewGauge(prometheus.GaugeOpts{Name: "wes_wallet_outputs", Help: "Unspent outputs under the market's key."}),
	}
	register(r, g.units, g.coins)
	return g
}

// measure reads the wallet. What cannot be read now is read the next time.
func (n *Node) measureWallet(ctx context.Context) {
	m := n.market
	all, err := m.wallet.Balances(ctx)
	if err != nil {
		n.log.Debug("balances are not read", keyError, err)
		return
	}
	for _, b := range all {
		if b.Token != (chain.TokenID{}) {
			continue
		}
		for state, units := range map[string]uint64{
			"spendable": b.Spendable, "reserved": b.Reserved, "unconfirmed": b.Unconfirmed, "immature": b.Immature,
			"escrows": b.InEscrows, "bonds": b.InBonds, "pools": b.InPools,
		} {
			m.gauges.units.WithLabelValues(state).Set(float64(units))
		}
	}
	coins := 0
	err = (&marketLedger{n}).Unspent(ctx, chain.LockHash(m.signer.Lock()), func(chain.UTXO) bool { coins++; return true })
	if err == nil {
		m.gauges.coins.Set(float64(coins))
	}
}
