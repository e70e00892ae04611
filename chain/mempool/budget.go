package mempool

// budget is what a peer may still spend on proofs.
type budget struct {
	left uint64 // units
	at   uint64 // ms since 1970, when left was computed
}

// afford takes units from a peer's budget, if it holds them. It refills evenly.
func (p *Pool) afford(now uint64, from Peer, units uint64) bool {
	if from == 0 {
		return true
	}
	b := p.budgets[from]
	if b == nil {
		b = &budget{p.cfg.PeerCost, now}
		p.budgets[from] = b
	}
	p.refill(b, now)
	if b.left < units {
		return false
	}
	b.left -= units
	return true
}

func (p *Pool) refill(b *budget, now uint64) {
	passed := min(max(now, b.at)-b.at, p.cfg.CostPeriod)
	b.left = min(p.cfg.PeerCost, add(b.left, p.cfg.PeerCost*passed/p.cfg.CostPeriod))
	b.at = max(now, b.at)
}

// expireBudgets forgets peers whose budget is full.
func (p *Pool) expireBudgets(now uint64) {
	for from, b := range p.budgets {
		if p.refill(b, now); b.left == p.cfg.PeerCost {
			delete(p.budgets, from)
		}
	}
}
