package market

import (
	"cmp"
	"slices"
)

// Explanation says why a job has the operator that it has, or none.
type Explanation struct {
	Asked    int           // operators that answered or should have
	Bids     int           // that were made in the last round
	Rounds   int           // that were held
	Reserve  uint64        // highest price of the last round
	Highest  uint64        // highest price the client would pay, without royalty
	Reasons  []ReasonCount // of refusals, most frequent first
	Prices   []uint64      // asked for: least, quartiles, most; empty if nobody named one
	Capable  int           // operators that could have run it for another price or at another time
	Declines []Declined
}

// ReasonCount is how often a reason was given.
type ReasonCount struct {
	Code  Code
	Count int
}

// Explain sums up what operators have said of a job.
func (b *Buyer) Explain(p *Purchase) Explanation {
	has, assigned := p.Contact()
	declines := slices.DeleteFunc(slices.Clone(p.Declines), func(d Declined) bool { // what was said before a bid that stands
		return assigned && has.Operator == d.From.Operator ||
			slices.ContainsFunc(p.Bids, func(r Received) bool { return !r.Expired && r.From.Operator == d.From.Operator })
	})
	asked := len(p.Bids)
	for _, d := range declines {
		if !slices.ContainsFunc(p.Bids, func(r Received) bool { return r.From.Operator == d.From.Operator }) {
			asked++
		}
	}
	e := Explanation{
		Asked: asked, Bids: len(p.Bids), Rounds: int(p.Round) + 1,
		Reserve: b.reserve(p, p.Round), Highest: p.MaxPrice, Declines: declines,
	}
	counts := map[Code]int{}
	var prices []uint64
	for _, d := range declines {
		counts[d.Refusal.Code]++
		if d.Refusal.Price > 0 {
			prices = append(prices, d.Refusal.Price)
		}
		switch d.Refusal.Code {
		case CodePrice, CodeBusy, CodeCapped, CodeDraining:
			e.Capable++
		}
	}
	for _, r := range p.Bids {
		prices = append(prices, r.Bid.Price)
		e.Capable++
	}
	for c, n := range counts {
		e.Reasons = append(e.Reasons, ReasonCount{c, n})
	}
	slices.SortFunc(e.Reasons, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	if slices.Sort(prices); len(prices) > 0 {
		for i := range 5 {
			e.Prices = append(e.Prices, prices[(len(prices)-1)*i/4])
		}
	}
	return e
}
