package channel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// TestCrashesAtEveryStepLoseNothing visits every state that two processes can reach, whatever
// crashes, is lost, repeated or reordered, and in each of them closes after a crash.
func TestCrashesAtEveryStepLoseNothing(t *testing.T) {
	for _, c := range []struct {
		jobs []Job
		opts Options
	}{
		{[]Job{job("1", 100, 20, owner)}, Options{MaxUnpaid: 1}},
		{[]Job{job("1", 100, 20, owner), job("2", 30, 1, stranger)}, Options{MaxUnpaid: 1}},
		{[]Job{job("1", 100, 20, owner), job("2", 30, 0)}, Options{MaxUnpaid: 2}},
	} {
		t.Run(fmt.Sprintf("%d jobs, %d unpaid", len(c.jobs), c.opts.MaxUnpaid), func(t *testing.T) {
			terms := terms(1000, 10)
			n, funded := network(t, &terms)
			v := visit{t: t, net: n, seen: map[string]bool{}, disks: map[string]bool{}}
			v.from(newWorld(t, terms, funded[0], c.opts, c.jobs))
			t.Logf("%d states, %d of the operator's disk", len(v.seen), len(v.disks))
		})
	}
}

// visit is a search through all states.
type visit struct {
	t     *testing.T
	net   *chaintest.Network
	seen  map[string]bool
	disks map[string]bool // of the operator, with what the rest knows of it
}

func (v *visit) from(first *world) {
	queue := []*world{first}
	v.seen[first.key()] = true
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		v.check(w)
		if len(v.seen)%20 == 0 || len(first.jobs) == 1 {
			w.clone().finish()
		}
		for _, a := range w.actions() {
			next := w.clone()
			a.do(next)
			if key := next.key(); !v.seen[key] {
				v.seen[key] = true
				queue = append(queue, next)
			}
		}
	}
}

// check closes, and has the ledger's rules check the transaction once for every disk.
func (v *visit) check(w *world) {
	closing, p, some := w.close()
	w.checkSums(closing.Tx, p)
	disk := string(w.operator.disk.record.Bytes)
	if !some || v.disks[disk] {
		return
	}
	v.disks[disk] = true
	if _, err := v.net.CheckTx(v.net.Env(), v.net.Store, v.net.Store, closing.Tx, closing.Witness); err != nil {
		v.t.Fatal(err)
	}
}

// TestRandomRunsPayWhatIsCounted runs more jobs than can be searched, and sides that do not wait
// for their disks, and settles each run on a ledger.
func TestRandomRunsPayWhatIsCounted(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			terms := terms(1000, r.Uint64N(30))
			n, funded := network(t, &terms)
			w := newWorld(t, terms, funded[0], Options{MaxUnpaid: 1 + r.IntN(4)}, randomJobs(r))
			w.overlap = r.IntN(2) == 0
			for range r.IntN(600) {
				all := w.actions()
				last := len(all)
				if r.IntN(20) > 0 && last > 2 {
					last -= 2 // no crash
				}
				all[r.IntN(last)].do(w)
			}
			if r.IntN(2) == 0 {
				w.finish()
			}
			settle(t, n, w)
		})
	}
}

func randomJobs(r *rand.Rand) []Job {
	var jobs []Job
	for i := range 1 + r.IntN(12) {
		royalty := uint64(r.IntN(3)) * 5
		jobs = append(jobs, job(fmt.Sprint(i), 1+r.Uint64N(60), royalty, []chaintest.Wallet{owner, stranger}[r.IntN(2)]))
	}
	return jobs
}

// settle closes, or lets the client reclaim what nothing was paid of.
func settle(t *testing.T, n *chaintest.Network, w *world) {
	t.Helper()
	closing, p, some := w.close()
	w.checkSums(closing.Tx, p)
	if !some {
		expiry := p.Announce().Terms.Expiry
		if err := n.MineAfter(expiry - n.Now()); err != nil {
			t.Fatal(err)
		}
		closing = signed(t)(w.payer.Reclaim(expiry, client.Sign))
	}
	if err := n.Mine(closing); err != nil {
		t.Fatal(err)
	}
	var earned uint64
	for i := range w.jobs {
		if p.Paid(w.jobs[i].ID) {
			earned += w.jobs[i].Price
		}
	}
	if got, want := held(n, operator.Lock()), earned-min(earned, p.Announce().Terms.Fee); got != want {
		t.Fatalf("the operator holds %d, want %d", got, want)
	}
}

// TestTotalsAreSumsOfJobs compares with sums, job by job, of random jobs in random order.
func TestTotalsAreSumsOfJobs(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 2))
		p := newPair(t, terms(1<<40, 100), Options{})
		var price uint64
		royalty := map[string]uint64{}
		var open []Job
		for i := range 40 {
			j := job(fmt.Sprint(i), 1+r.Uint64N(1<<20), r.Uint64N(2)*r.Uint64N(1<<20), []chaintest.Wallet{owner, stranger, client, operator}[r.IntN(4)])
			p.begin(j)
			open = append(open, j)
			for len(open) > r.IntN(10) {
				at := r.IntN(len(open))
				j := open[at]
				open = slices.Delete(open, at, at+1)
				p.operator(p.payee.Receive(start, p.voucher(j)))
				price += j.Price
				royalty[string(j.Owner)] += j.Royalty
			}
			ack := p.payee.Ack()
			p.client(p.payer.Acknowledged(&ack))
		}
		delete(royalty, "")
		state := p.payee.state.Totals
		for _, o := range state.Owners {
			if royalty[string(o.Owner)] != o.Amount {
				t.Fatalf("seed %d: an owner is paid %d, want %d", seed, o.Amount, royalty[string(o.Owner)])
			}
		}
		if state.Paid != price || len(state.Owners) != len(royalty) || p.payer.latest.Receipt != state.Receipt {
			t.Fatalf("seed %d: %+v, want %d", seed, state, price)
		}
		tx := p.closing().Tx
		var out uint64
		for _, o := range tx.Outputs {
			out += o.Value.Of(chain.TokenID{})
		}
		if out+tx.Fee.Of(chain.TokenID{}) != p.terms.Cap {
			t.Fatalf("seed %d: the cap is %d, outputs and fee are not", seed, p.terms.Cap)
		}
	}
}

// BenchmarkVoucher pays a job: reserved, accepted, delivered, paid, received, acknowledged, with
// all records made and none stored.
func BenchmarkVoucher(b *testing.B) {
	p := newPair(b, terms(1<<60, 100), Options{})
	for i := 0; b.Loop(); i++ {
		p.pay(job(fmt.Sprint(i), 100, 10, owner))
	}
}
