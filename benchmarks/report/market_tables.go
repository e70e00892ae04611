package report

// marketSections show a market of processes.
func marketSections(results []*Result) []Section {
	if len(results) == 0 {
		return nil
	}
	jobs := Section{Title: "Market", Note: "A miner, an operator and a client as processes, over sockets of loopback; a block a second. Time: of one job, the mean over those of " +
		"a run. Baseline: the same proof in one process, verified, in the same run. Added: what the market takes beside it; in brackets, what part that is of the design's goal."}
	jobs.Rows = [][]string{{"case", "jobs", "time", "least – most", "rate", "prover alone", "added"}}
	idle := Section{Title: "Idle node", Note: "A synchronised operator's process with peers and without jobs, looked at for 20 s in each run. In brackets: what part that is of the design's goal."}
	idle.Rows = [][]string{{"case", "memory", "least – most", "processor", "least – most"}}
	for _, x := range results {
		if m, cpu := x.Metric("memory"), x.Metric("cpu"); m != nil {
			idle.Rows = append(idle.Rows, []string{x.Title, m.withGoal(), m.spread(), cpu.withGoal(), cpu.spread()})
			continue
		}
		m := x.Metric("time")
		jobs.Rows = append(jobs.Rows, []string{
			x.Title, countText(float64(x.Parameters[Jobs])), m.middle(), m.spread(), m.rate(), m.against(), x.Metric("added").withGoal(),
		})
	}
	var all []Section
	for _, s := range []Section{jobs, idle} {
		if len(s.Rows) > 1 {
			all = append(all, s)
		}
	}
	return all
}
