package channel

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// phase is how far a side's own journal says that a job is. It is stored with the record.
type phase byte

const (
	none      phase = '.'
	begun     phase = 'b' // reserved, or accepted
	delivered phase = 'd' // by the operator
	paid      phase = 'p' // signed, or received
)

// disk is what a process finds after a crash.
type disk struct {
	record Record
	phases string // of jobs, by index
}

// process is a side's stored state and what is on its way there.
type process struct {
	disk    disk
	waiting []disk // not written
	written []disk // written and not confirmed
}

func (p *process) put(r Record, phases []phase) {
	p.waiting = append(p.waiting, disk{r, string(phases)})
}

// idle reports whether everything is stored.
func (p *process) idle() bool { return len(p.waiting)+len(p.written) == 0 }

func (p *process) clone() process {
	return process{p.disk, slices.Clone(p.waiting), slices.Clone(p.written)}
}

func (p *process) crash() { p.waiting, p.written = nil, nil }

// world is a channel between two processes that crash at any time, over a network that loses,
// repeats and reorders: what was sent once may arrive any number of times, at any time.
type world struct {
	t    testing.TB
	jobs []Job
	opts Options
	// overlap lets a side go on while its records are not stored.
	overlap bool

	payer    *Payer
	client   process
	payee    *Payee
	operator process

	calls    map[int]bool // jobs that were sent
	outputs  map[int]bool // that were sent
	vouchers map[uint64]Voucher
	acks     map[uint64]bool
	counted  map[int]bool // jobs that the operator has seen paid
}

func newWorld(t testing.TB, terms Terms, u *chain.UTXO, o Options, jobs []Job) *world {
	p := newPairOn(t, terms, o, u)
	w := &world{
		t: t, jobs: jobs, opts: o, payer: p.payer, payee: p.payee,
		calls: map[int]bool{}, outputs: map[int]bool{}, vouchers: map[uint64]Voucher{}, acks: map[uint64]bool{}, counted: map[int]bool{},
	}
	fresh := string(slices.Repeat([]phase{none}, len(jobs)))
	w.client.disk, w.operator.disk = disk{p.payer.Record(), fresh}, disk{p.payee.Record(), fresh}
	return w
}

func (w *world) clone() *world {
	c := *w
	payer, payee := *w.payer, *w.payee
	payer.state.Pending, payer.state.Reserved = slices.Clone(payer.state.Pending), slices.Clone(payer.state.Reserved)
	payee.state.Unpaid, payee.state.Recent = slices.Clone(payee.state.Unpaid), slices.Clone(payee.state.Recent)
	c.payer, c.payee, c.client, c.operator = &payer, &payee, w.client.clone(), w.operator.clone()
	c.calls, c.outputs, c.vouchers = maps.Clone(w.calls), maps.Clone(w.outputs), maps.Clone(w.vouchers)
	c.acks, c.counted = maps.Clone(w.acks), maps.Clone(w.counted)
	return &c
}

// key is the same of worlds that go on alike.
func (w *world) key() string {
	side := func(p *process, now Record, stored mark) string {
		return fmt.Sprintf("%x %x %v %d %d %s", p.disk.record.Bytes, now.Bytes, stored, len(p.waiting), len(p.written), p.disk.phases)
	}
	return side(&w.client, w.payer.Record(), w.payer.stored) + side(&w.operator, w.payee.Record(), w.payee.stored) +
		fmt.Sprint(w.calls, w.outputs, w.acks, w.counted, len(w.vouchers))
}

// action is something that may happen next.
type action struct {
	name string
	do   func(w *world)
}

// actions lists what may happen, crashes last.
func (w *world) actions() []action {
	var all []action
	add := func(name string, do func(w *world)) { all = append(all, action{name, do}) }
	for i := range w.jobs {
		w.clientActions(i, add)
		w.operatorActions(i, add)
	}
	w.messages(add)
	for _, side := range []struct {
		name string
		of   func(w *world) *process
	}{
		{"client", func(w *world) *process { return &w.client }},
		{"operator", func(w *world) *process { return &w.operator }},
	} {
		if len(side.of(w).waiting) > 0 {
			add(side.name+" writes", func(w *world) { side.of(w).write() })
		}
	}
	if len(w.client.written) > 0 {
		add("client confirms", func(w *world) { w.payer.Stored(w.client.confirm()) })
	}
	if len(w.operator.written) > 0 {
		add("operator confirms", func(w *world) { w.payee.Stored(w.operator.confirm()); w.count() })
	}
	add("client crashes", (*world).crashClient)
	add("operator crashes", (*world).crashOperator)
	return all
}

func (p *process) write() {
	p.disk, p.written, p.waiting = p.waiting[0], append(p.written, p.waiting[0]), p.waiting[1:]
}

func (p *process) confirm() Record {
	r := p.written[0].record
	p.written = p.written[1:]
	return r
}

func (w *world) clientFree() bool   { return w.overlap || w.client.idle() }
func (w *world) operatorFree() bool { return w.overlap || w.operator.idle() }

// phases is the journal with what is on its way to the disk.
func (p *process) phases() []phase {
	latest := p.disk
	if len(p.waiting) > 0 {
		latest = p.waiting[len(p.waiting)-1]
	}
	return []phase(latest.phases)
}

// store is what a shell does with what a method returned for a job.
func (w *world) store(p *process, i int, to phase, r Record, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("job %d: %v", i, err)
	}
	phases := p.phases()
	phases[i] = to
	p.put(r, phases)
}

func (w *world) clientActions(i int, add func(string, func(*world))) {
	j := w.jobs[i]
	free := w.clientFree()
	now := w.client.phases()[i]
	if free && now == none && len(w.payer.state.Reserved)+len(w.payer.state.Pending) < MaxUnpaid && w.payer.Room() >= j.cost() {
		add("reserve", func(w *world) {
			r, err := w.payer.Reserve(start, w.jobs[i])
			w.store(&w.client, i, begun, r, err)
		})
	}
	if phase(w.client.disk.phases[i]) == begun && !w.calls[i] {
		add("call", func(w *world) { w.calls[i] = true })
	}
	if free && w.outputs[i] && now == begun {
		add("pay", func(w *world) {
			r, err := w.payer.Pay(start, w.jobs[i].ID, output(&w.jobs[i]))
			w.store(&w.client, i, paid, r, err)
		})
	}
}

func (w *world) operatorActions(i int, add func(string, func(*world))) {
	if phase(w.operator.disk.phases[i]) == delivered && !w.outputs[i] {
		add("send output", func(w *world) { w.outputs[i] = true })
	}
	if !w.operatorFree() {
		return
	}
	d := w.payee.state.debt(w.jobs[i].ID)
	if d == nil && w.calls[i] && !slices.Contains(w.payee.state.Recent, w.jobs[i].ID) && len(w.payee.state.Unpaid) < w.opts.MaxUnpaid {
		add("accept", func(w *world) {
			r, err := w.payee.Accept(start, w.jobs[i])
			w.store(&w.operator, i, begun, r, err)
		})
	}
	if d != nil && !d.Delivered {
		add("deliver", func(w *world) {
			r, err := w.payee.Deliver(w.jobs[i].ID, output(&w.jobs[i]))
			w.store(&w.operator, i, delivered, r, err)
		})
	}
}

// messages adds what vouchers and acknowledgements do.
func (w *world) messages(add func(string, func(*world))) {
	if n := w.payer.stored.n; n > w.payer.state.Acked.N {
		if _, sent := w.vouchers[n]; !sent {
			add("send vouchers", (*world).sendVouchers)
		}
	}
	if w.operatorFree() {
		for _, n := range slices.Sorted(maps.Keys(w.vouchers)) {
			add("receive voucher", func(w *world) { w.receive(n) })
		}
	}
	if n := w.payee.Ack().N; !w.acks[n] {
		add("acknowledge", (*world).acknowledge)
	}
	if w.clientFree() {
		for _, n := range slices.Sorted(maps.Keys(w.acks)) {
			if n > w.payer.state.Acked.N {
				add("take acknowledgement", func(w *world) {
					r, err := w.payer.Acknowledged(&Ack{Channel: w.payer.ID(), N: n})
					if err != nil {
						w.t.Fatal(err)
					}
					w.client.put(r, w.client.phases())
				})
			}
		}
	}
}

func (w *world) sendVouchers() {
	all, err := w.payer.Outbox(client.Sign)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, v := range all {
		if stored := w.client.disk.record.mark.n; v.N > stored {
			w.t.Fatalf("voucher %d is signed, and %d are stored", v.N, stored)
		}
		if before, sent := w.vouchers[v.N]; sent && before != v {
			w.t.Fatalf("two vouchers %d", v.N)
		}
		w.vouchers[v.N] = v
	}
}

func (w *world) receive(n uint64) {
	v := w.vouchers[n]
	before := w.payee.state.Version
	r, err := w.payee.Receive(start, &v)
	switch {
	case errors.Is(err, ErrReplay), errors.Is(err, ErrGap):
	case err != nil:
		w.t.Fatalf("voucher %d: %v", n, err)
	case w.payee.state.Version > before:
		i := slices.IndexFunc(w.jobs, func(j Job) bool { return j.ID == v.Job })
		w.store(&w.operator, i, paid, r, nil)
	}
}

func (w *world) acknowledge() {
	a := w.payee.Ack()
	if stored := w.operator.disk.record.mark.n; a.N > stored {
		w.t.Fatalf("voucher %d is acknowledged, and %d are stored", a.N, stored)
	}
	w.acks[a.N] = true
}

// count notes the jobs that are paid; what is paid once stays so.
func (w *world) count() {
	for i := range w.jobs {
		now := w.payee.Paid(w.jobs[i].ID)
		if w.counted[i] && !now {
			w.t.Fatalf("job %d was paid and is not any more", i)
		}
		if now {
			w.counted[i] = true
		}
	}
}

func (w *world) crashClient() {
	p, err := RestorePayer(w.client.disk.record.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	w.client.crash()
	w.payer = p
}

func (w *world) crashOperator() {
	w.operator.crash()
	w.payee = w.restored()
	w.count()
}

// restored is the operator after a crash.
func (w *world) restored() *Payee {
	p, err := RestorePayee(w.opts, w.operator.disk.record.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// close returns what the operator can close with after a crash now, if jobs are paid.
func (w *world) close() (chaintest.Signed, *Payee, bool) {
	p := w.restored()
	p.Stored(p.Close())
	tx, witness, err := p.Closing(operator.Sign)
	if errors.Is(err, ErrUnpaid) {
		return chaintest.Signed{}, p, false
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return chaintest.Signed{Tx: tx, Witness: witness}, p, true
}

// checkSums compares a closing transaction with sums over jobs, which are all that this model
// knows: no receipts, numbers or signatures.
func (w *world) checkSums(tx *chain.Tx, p *Payee) {
	w.t.Helper()
	var price, royalty, lost uint64
	unpaid := 0
	for i := range w.jobs {
		j := &w.jobs[i]
		switch {
		case p.Paid(j.ID):
			price, royalty = price+j.Price, royalty+j.Royalty
			if phase(w.client.disk.phases[i]) != paid {
				w.t.Fatalf("job %d is paid, and the client does not know", i)
			}
		case w.counted[i]:
			w.t.Fatalf("job %d counts as paid, and is not", i)
		case w.outputs[i]:
			unpaid, lost = unpaid+1, lost+j.Price
		}
	}
	if unpaid > w.opts.MaxUnpaid {
		w.t.Fatalf("%d jobs were delivered for nothing, at most %d", unpaid, w.opts.MaxUnpaid)
	}
	if w.opts.MaxUnpaid == 1 && lost > slices.MaxFunc(w.jobs, func(a, b Job) int { return int(a.Price) - int(b.Price) }).Price {
		w.t.Fatalf("the operator loses %d, more than a job", lost)
	}
	if tx == nil {
		if price+royalty > 0 {
			w.t.Fatalf("nothing to close with, and %d are paid", price+royalty)
		}
		return
	}
	a := p.Announce()
	got := map[string]uint64{}
	for _, o := range tx.Outputs {
		got[string(chain.EncodeLock(o.Lock))] += o.Value.Of(a.Terms.Token)
	}
	fee := tx.Fee.Of(a.Terms.Token)
	to := func(w chaintest.Wallet) uint64 { return got[string(chain.EncodeLock(w.Lock()))] }
	if to(operator)+fee != price || to(owner)+to(stranger) != royalty || to(client) != a.Terms.Cap-price-royalty {
		w.t.Fatalf("operator %d and fee %d, owners %d, client %d; want %d, %d, %d",
			to(operator), fee, to(owner)+to(stranger), to(client), price, royalty, a.Terms.Cap-price-royalty)
	}
}

// finish lets everything happen but crashes, until nothing changes. Then all jobs are paid.
func (w *world) finish() {
	w.t.Helper()
	for before := ""; before != w.key(); {
		before = w.key()
		all := w.actions()
		for i := range all[:len(all)-2] {
			if now := w.actions(); i < len(now)-2 {
				now[i].do(w)
			}
		}
	}
	for i := range w.jobs {
		if !w.payee.Paid(w.jobs[i].ID) {
			w.t.Fatalf("job %d is never paid: client %s, operator %s", i, w.client.disk.phases, w.operator.disk.phases)
		}
	}
	if n := w.payer.state.Acked.N; n != uint64(len(w.jobs)) {
		w.t.Fatalf("%d of %d vouchers are acknowledged", n, len(w.jobs))
	}
}
