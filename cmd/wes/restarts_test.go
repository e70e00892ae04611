package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/town"
)

// pair is a client with the only operator that sells what it wants.
type pair struct {
	client, operator *town.Node
	model            *deployed
}

// restarts is a town whose clients and operators are killed, while the miner makes blocks.
type restarts struct {
	*townTest
	pairs []*pair
	halt  sync.Mutex // held by who has stopped the miner
	mu    struct {
		sync.Mutex
		jobs  map[string]*pair // that a node has taken
		kills map[string]int   // by state and side
	}
}

// TestJobsSurviveRestarts: clients and operators are killed in every state of a job, and at random
// moments of a stream of jobs, and started again. Every job ends paid, refunded or slashed, or nothing
// was bound for it; none is lost, paid twice or paid for another output than the right one, and the
// balances add up to the unit. The seed of a failure is in the log; WES_TEST_LARGE=1 kills for
// minutes.
func TestJobsSurviveRestarts(t *testing.T) {
	r := openRestarts(t)
	var both sync.WaitGroup
	for i, side := range []string{"client", "operator"} {
		both.Go(func() {
			for _, state := range []string{atClaimed, atAnnounced, atContracting, atFunded, atRunning, atDelivered, atAccepted} {
				r.killIn(r.pairs[i], state, side)
			}
		})
	}
	both.Wait()
	if t.Failed() {
		return
	}
	kills := 6
	if os.Getenv("WES_TEST_LARGE") != "" {
		kills = 200
	}
	r.killAtRandom(kills, rand.Uint64())
	r.checkEnds()
}

func openRestarts(t *testing.T) *restarts {
	r := &restarts{}
	sell := []string{"--sell", "--job-mib", "256", "--price-per-unit", "0"}
	r.townTest = openTown(t, town.Config{
		Program: []string{"wes"}, Spacing: 100 * time.Millisecond, Heartbeat: 300 * time.Millisecond,
		Params: []string{"min_promise=6000", "min_late=3000", "claim_window=2000"}, Funds: "5x40",
		Parties: []town.Party{
			{Name: "c0"},
			{Name: "c1"},
			{Name: "o0", Program: []string{"wes-slow"}, Settings: sell},
			{Name: "o1", Program: []string{"wes-slow"}, Settings: sell},
		},
	})
	r.mu.jobs, r.mu.kills = map[string]*pair{}, map[string]int{}
	for _, i := range []string{"0", "1"} {
		p := &pair{client: r.Node("c" + i), operator: r.Node("o" + i)}
		p.model = r.deploy(p.client, "iris_mlp", "iris-"+i)
		// Each operator sells what one client wants.
		config := fmt.Sprintf("serve = [%q]\n", p.model.cid)
		if err := os.WriteFile(filepath.Join(p.operator.Home, "config.toml"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		r.signal(p.operator, syscall.SIGHUP)
		r.pairs = append(r.pairs, p)
	}
	for _, p := range r.pairs {
		r.offered(p, 0)
		// Operators advertise anew as soon as they have another peer.
		if err := r.Acquaint(t.Context(), p.client, p.operator); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// offered waits until the client of a pair has an advert of its operator that is not older than an instant.
func (r *restarts) offered(p *pair, since uint64) {
	r.await("an offer of "+p.operator.Name, func() (bool, error) {
		all, err := p.client.Market().Operators(r.Context())
		return slices.ContainsFunc(all, func(o gateway.Operator) bool {
			return o.ID == p.operator.Key && len(o.Prices) > 0 && o.SeenMS >= since
		}), err
	})
}

// submit gives a job to the client of a pair.
func (r *restarts) submit(p *pair, level string) (string, error) {
	j, err := p.client.Market().Submit(r.Context(), &gateway.Request{Model: p.model.cid, Inputs: p.model.inputs, Verification: level, MaxPrice: "20000"})
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.jobs[j.ID] = p
	return j.ID, nil
}

// noticed is how long an operator takes to see that a client has gone, and so that it comes back.
const noticed = 1200 * time.Millisecond

// attempts bounds how often a state that passes in a moment is aimed at.
const attempts = 8

// killIn kills a side of a job in a state, and starts it again.
func (r *restarts) killIn(p *pair, state, side string) {
	victim := p.client
	if side == "operator" {
		victim = p.operator
	}
	for range attempts {
		if r.Failed() {
			return
		}
		if r.strike(p, state, victim) {
			r.mu.Lock()
			r.mu.kills[state+" "+side]++
			r.mu.Unlock()
			return
		}
	}
	r.Errorf("the %s is not killed in the state %s in %d attempts", side, state, attempts)
}

// waits is behind how many other jobs one has to wait, so that a block has its escrow before it runs.
func waits(state string) int {
	if state == atFunded {
		return 4
	}
	return 0
}

// strike has one job done, and reports whether the victim died in the state.
func (r *restarts) strike(p *pair, state string, victim *town.Node) (hit bool) {
	level := "zk"
	switch state {
	case atAnnounced:
		r.signal(p.operator, syscall.SIGSTOP) // so that nobody answers
	case atClaimed:
		level = "optimistic"
	}
	id, err := r.submit(p, level)
	for range waits(state) {
		if err == nil {
			id, err = r.submit(p, level)
		}
	}
	if err != nil {
		r.Errorf("%s: %v", p.client.Name, err)
		return false
	}
	switch state {
	case atAnnounced:
		victim.Kill()
	case atAccepted:
		r.reach(p, id, atRunning)
		resume := r.haltMiner() // so that nothing enters a block
		r.reach(p, id, state)
		victim.Kill()
		hit = r.diedIn(p, id, state, victim)
		resume()
	case atClaimed:
		r.reach(p, id, atRunning)
		p.client.Kill() // so that nobody accepts
		r.claimed(id)
		if victim == p.client {
			r.restart(victim)
		}
		victim.Kill()
	default:
		r.reach(p, id, state)
		if state == atFunded && victim == p.operator {
			r.sees(victim, p.client)
		}
		victim.Kill()
	}
	hit = hit || r.diedIn(p, id, state, victim)
	since := uint64(0)
	switch {
	case victim == p.operator:
		since = uint64(time.Now().UnixMilli())
	case state == atAnnounced:
		r.signal(p.operator, syscall.SIGCONT)
	}
	if victim == p.client {
		pause(r.Context(), noticed)
	}
	r.restart(victim)
	if p.client.Ended() {
		r.restart(p.client)
	}
	r.offered(p, since)
	return hit
}

// sees waits until a node has the blocks of another, and its market has looked at them.
func (r *restarts) sees(n, other *town.Node) {
	want, err := other.API().Status(r.Context())
	if err != nil {
		r.Error(err)
		return
	}
	r.await(n.Name+" to see the blocks of "+other.Name, func() (bool, error) {
		s, err := n.API().Status(r.Context())
		return err == nil && s.Height >= want.Height, err
	})
	pause(r.Context(), 50*time.Millisecond)
}

// haltMiner stops the miner until the function returned is called.
func (r *restarts) haltMiner() (resume func()) {
	r.halt.Lock()
	r.signal(r.Miner, syscall.SIGSTOP)
	return func() {
		r.signal(r.Miner, syscall.SIGCONT)
		r.halt.Unlock()
	}
}

// reach waits until a job is in a state, or past it.
func (r *restarts) reach(p *pair, id, state string) {
	for j, err := range p.client.Market().Watch(r.Context(), id) {
		if err != nil {
			r.Errorf("%s: job %s: %v", p.client.Name, id, err)
			return
		}
		if shownAt(&j) == state || j.Ended {
			return
		}
	}
}

// shownAt is the state of a job as the API shows it.
func shownAt(j *gateway.Job) string {
	switch {
	case j.Assignment == "announced" && j.Operator == "":
		return atAnnounced
	case j.Assignment == "announced":
		return atContracting
	case j.SettleTx != "" && j.Height == 0:
		return atAccepted
	case j.Execution == "done":
		return atDelivered
	case j.Settlement != "escrowed":
		return ""
	case j.Execution == "queued":
		return atFunded
	case j.Execution == "running" || j.Execution == "proving":
		return atRunning
	}
	return ""
}

// diedIn reports whether a job was in a state when its victim died: by the journal of the victim,
// and where that says nothing of the job yet, by what its client shows.
func (r *restarts) diedIn(p *pair, id, state string, victim *town.Node) bool {
	h, err := parseHash(id)
	if err != nil {
		r.Error(err)
		return false
	}
	books := readBooks(r.T, victim)
	if state == atClaimed {
		return r.claim(id)
	}
	if victim == p.client {
		job, found := books.bought.Job(h)
		if !found {
			r.Errorf("%s has lost job %s", victim.Name, id)
		}
		return boughtAt(&job) == state
	}
	sale, found := books.sold.Sale(h)
	if found && state != atAccepted {
		return soldAt(&sale) == state
	}
	j, err := p.client.Market().Job(r.Context(), id)
	return err == nil && shownAt(j) == state
}

// claimed waits until the ledger has a claim for a job.
func (r *restarts) claimed(id string) {
	r.await("a claim for job "+id, func() (bool, error) { return r.claim(id), nil })
}

func (r *restarts) claim(id string) bool {
	x, err := r.Miner.API().Outputs(r.Context(), api.SubjectParams{Role: api.RoleJob, ID: id, Limit: 10})
	if err != nil {
		r.Error(err)
		return false
	}
	return slices.ContainsFunc(x.Outputs, func(o api.Output) bool {
		u, err := o.UTXO()
		s, ok := u.Entry.Output.Body.(*chain.State)
		return err == nil && ok && s.Type == chain.StateClaim
	})
}

// restart starts a node that was killed.
func (r *restarts) restart(n *town.Node) {
	if err := r.Restart(r.Context(), n); err != nil {
		r.Error(err)
	}
}

// killAtRandom kills and starts nodes at random moments while their clients submit jobs.
func (r *restarts) killAtRandom(kills int, seed uint64) {
	r.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ctx, stop := context.WithCancel(r.Context())
	var stream sync.WaitGroup
	for _, p := range r.pairs {
		stream.Go(func() { r.stream(ctx, p) })
	}
	for range kills {
		p := r.pairs[random.IntN(len(r.pairs))]
		victim := p.client
		if random.IntN(2) == 0 {
			victim = p.operator
		}
		pause(ctx, time.Duration(random.IntN(600))*time.Millisecond)
		victim.Kill()
		pause(ctx, time.Duration(random.IntN(200))*time.Millisecond)
		if err := r.Restart(ctx, victim); err != nil {
			r.Error(err)
			break
		}
	}
	stop()
	stream.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-ctx.Done():
	case <-over.C:
	}
}

// stream submits jobs until ctx ends. A node that was killed takes none.
func (r *restarts) stream(ctx context.Context, p *pair) {
	for i := 0; ctx.Err() == nil; i++ {
		level := "zk"
		if i%4 == 3 {
			level = "optimistic"
		}
		_, err := r.submit(p, level)
		var refused *gateway.Problem
		if errors.As(err, &refused) {
			r.Errorf("%s: %v (%s)", p.client.Name, err, refused.Reason)
		}
		pause(ctx, slowness)
	}
}

// checkEnds waits for the end of everything, and holds the clients, the operators and the ledger
// against each other.
func (r *restarts) checkEnds() {
	var all []gateway.Job
	for _, p := range r.pairs {
		all = append(all, r.ended(p.client)...)
		r.await("the end of all sales of "+p.operator.Name, func() (bool, error) {
			s, err := p.operator.Market().Status(r.Context())
			return err == nil && s.Sold == 0, err
		})
	}
	ends := map[string]int{}
	found := map[string]bool{}
	for i := range all {
		j := &all[i]
		found[j.ID] = true
		ends[j.Level+" "+j.Settlement+" "+j.Reason]++
		r.checkEnd(j)
	}
	for id, p := range r.mu.jobs {
		if !found[id] {
			r.Errorf("%s has lost job %s", p.client.Name, id)
		}
	}
	r.Logf("%d jobs; kills %v", len(all), r.mu.kills)
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		r.Logf("%4d %s", ends[end], end)
	}
	r.checkBalances(all)
	for _, p := range r.pairs {
		r.works(p)
	}
}

// works requires that nodes do jobs as they did, once the client has heard from where its operator is.
func (r *restarts) works(p *pair) {
	r.await(p.client.Name+" to have a job done", func() (bool, error) {
		id, err := r.submit(p, "zk")
		if err != nil {
			return false, err
		}
		r.reach(p, id, atAccepted)
		j, err := p.client.Market().Job(r.Context(), id)
		return err == nil && j.ProofStatus == gateway.ProofVerified, err
	})
}

// checkEnd holds the end of a job against the ledger, and its output against the right one.
func (r *restarts) checkEnd(j *gateway.Job) {
	bound := j.Settlement != "unfunded"
	settled := map[string]string{
		"accepted": "paid", "proved": "paid", "late": "paid", "claim_stood": "paid", "released": "refunded", "missed": "slashed",
		"not_funded": "unfunded", "no_bid": "unfunded", "no_funds": "unfunded",
	}
	if settled[j.Reason] != j.Settlement {
		r.Errorf("job %s ended %s (%s)", j.ID, j.Settlement, j.Reason)
	}
	h, err := r.Miner.API().History(r.Context(), api.SubjectParams{Role: api.RoleJob, ID: j.ID, Limit: 10})
	if err != nil {
		r.Error(err)
		return
	}
	made, ended := 0, 0
	for _, x := range h.Transactions {
		if x.Receives && !x.Spends {
			made++
		}
		if x.Spends {
			ended++
		}
	}
	if bound && (made != 1 || ended != 1 && j.Reason != "claim_stood" || ended == 0) || !bound && len(h.Transactions) > 0 {
		r.Errorf("job %s is %s (%s), and the ledger has %+v", j.ID, j.Settlement, j.Reason, h.Transactions)
	}
	r.compare(j)
}

// compare requires that a result is the right one, if there is one.
func (r *restarts) compare(j *gateway.Job) {
	for _, p := range r.pairs {
		if p.model.cid != j.ModelCID {
			continue
		}
		full, err := p.client.Market().Job(r.Context(), j.ID)
		if err != nil {
			r.Error(err)
			return
		}
		if len(full.Outputs) > 0 {
			p.model.same(r.T, full)
		}
	}
}
