package report

// ledgerSections show how fast blocks are validated and connected.
func ledgerSections(results []*Result) []Section {
	if len(results) == 0 {
		return nil
	}
	s := Section{Title: "Ledger", Note: "Time: of one transaction, with all cores, in a block of as many as the second column says. In brackets: what part that is of the " +
		"design's goal for two cores. Baseline: what the case cannot do without, alone, in the same run: of simple transactions, their Ed25519 signatures verified in " +
		"batches on all cores; of a settlement, the proof decoded and verified."}
	s.Rows = [][]string{{"case", "transactions", "time", "least – most", "rate", "baseline", "ratio"}}
	for _, x := range results {
		m := x.Metric("time")
		s.Rows = append(s.Rows, []string{x.Title, countText(float64(x.Parameters[Transactions])), m.withGoal(), m.spread(), m.rate(), m.against(), m.ratio()})
	}
	return []Section{s}
}

// networkSections show whole nodes.
func networkSections(results []*Result) []Section {
	if len(results) == 0 {
		return nil
	}
	s := Section{Title: "Network", Note: "Nodes in one process, over sockets of loopback; their miner makes a block a second. Submission: the mean of five in each run, " +
		"to a block on all nodes. Sync: of one transaction, while a new node fetches, validates and stores a whole chain; starting the node is part of it. " +
		"In brackets: what part that is of the design's goal."}
	s.Rows = [][]string{{"case", "transactions", "time", "least – most", "rate"}}
	for _, x := range results {
		m, rate := x.Metric("time"), none
		if n := x.Parameters[Transactions]; n > 1 {
			rate = m.rate()
		}
		s.Rows = append(s.Rows, []string{x.Title, countText(float64(x.Parameters[Transactions])), m.withGoal(), m.spread(), rate})
	}
	return []Section{s}
}

// rate is how many of what a metric times fit in a second.
func (m *Metric) rate() string {
	if m == nil || m.Median <= 0 {
		return none
	}
	return countText(1/m.Median) + "/s"
}
