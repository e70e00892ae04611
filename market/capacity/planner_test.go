package capacity

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

const start = 1_700_000_000_000

// planner has a number of equal slots on which a unit takes a microsecond.
func planner(t *testing.T, slots int, o Options) *Planner {
	t.Helper()
	p := New(o)
	for i := range slots {
		if err := p.AddSlot(Slot{Device: fmt.Sprint("d", i), Class: "cpu", Memory: 1000, CPU: true}); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 { // the deviation fades
		p.Observe(&Need{Program: Program{99}, Units: 1_000_000}, "cpu", 1_000_000_000)
	}
	return p
}

// seconds is a need that was measured to take so long, exactly.
func seconds(p *Planner, n byte) Need {
	need := Need{Program: Program{n}, Units: uint64(n) * 1_000_000, Memory: 10}
	for range 200 {
		p.Observe(&need, "cpu", uint64(n)*1_000_000_000)
	}
	return need
}

func TestReasonsForDenial(t *testing.T) {
	hold := func(p *Planner, id byte, n Need, within uint64) Reason {
		_, _, d := p.Hold(start, ID{id}, n, start+within, start+10_000)
		if d == nil {
			return ""
		}
		return d.Reason
	}
	p := planner(t, 1, Options{})
	long := seconds(p, 10)
	large := long
	large.Memory = 1001
	for _, c := range []struct {
		name   string
		need   Need
		within uint64
		want   Reason
	}{
		{"memory", large, 100_000, Infeasible},
		{"deadline", long, 9_000, Infeasible},
		{"fits", long, 12_000, ""},
		{"second", long, 12_000, Busy},
		{"later", long, 24_000, ""},
	} {
		if got := hold(p, byte(len(c.name)), c.need, c.within); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	p.Cordon(true)
	if got := hold(p, 1, long, 1<<40); got != Draining {
		t.Error(got)
	}
	capped := planner(t, 1, Options{MaxHeld: 1})
	short := seconds(capped, 1)
	if hold(capped, 1, short, 1<<40) != "" || hold(capped, 2, short, 1<<40) != Capped {
		t.Error("the bound of bids does not hold")
	}
	fresh := New(Options{})
	if err := fresh.AddSlot(Slot{Device: "x", Class: "new", Memory: 1000}); err != nil {
		t.Fatal(err)
	}
	if got := hold(fresh, 1, short, 1<<40); got != Unmeasured {
		t.Error(got)
	}
}

func TestEstimateIsOfTheDevice(t *testing.T) {
	p := planner(t, 1, Options{})
	n := seconds(p, 10)
	if ms, known := p.Estimate(&n, "d0"); !known || ms < 10_000 || ms > 11_000 {
		t.Errorf("%d ms, known: %v", ms, known)
	}
	if _, known := p.Estimate(&n, "d1"); known {
		t.Error("a device that is not there has an estimate")
	}
}

func TestDeviceCountsOnce(t *testing.T) {
	p := planner(t, 1, Options{})
	if p.AddSlot(Slot{Device: "d0"}) == nil {
		t.Error("a device is there twice")
	}
}

func TestPendingBidsAreLoadUntilTheyExpire(t *testing.T) {
	p := planner(t, 1, Options{})
	n := seconds(p, 10)
	if _, _, d := p.Hold(start, ID{1}, n, start+12_000, start+5_000); d != nil {
		t.Fatal(d)
	}
	if _, _, d := p.Hold(start+1_000, ID{2}, n, start+13_000, start+6_000); d == nil || d.Reason != Busy || d.Wait == 0 {
		t.Error("a pending bid is no load")
	}
	if _, _, d := p.Hold(start+5_001, ID{2}, n, start+17_500, start+9_000); d != nil {
		t.Error("an expired bid is load:", d)
	}
}

func TestEarliestDueRunsFirst(t *testing.T) {
	p := planner(t, 1, Options{})
	n := seconds(p, 1)
	for i, due := range []uint64{30_000, 10_000, 20_000} {
		id := ID{byte(i)}
		p.Restore(id, n, start+due)
		p.Ready(id)
	}
	for _, want := range []byte{1, 2, 0} {
		placed := p.Place(start)
		if len(placed) != 1 || placed[0].ID[0] != want {
			t.Fatalf("%v, want %d", placed, want)
		}
		p.Finish(placed[0].ID, 1_000_000_000)
	}
}

// TestLostDeviceGivesItsTaskBack: once the run is known to have ended, and not before.
func TestLostDeviceGivesItsTaskBack(t *testing.T) {
	p := planner(t, 2, Options{})
	n := seconds(p, 1)
	p.Hold(start, ID{1}, n, start+40_000, start+1000)
	p.Commit(start, ID{1}, start+40_000)
	p.Ready(ID{1})
	first := p.Place(start)[0].Slot
	p.RemoveSlot(first.Device)
	if again := p.Place(start + 1); len(again) != 0 {
		t.Errorf("it runs twice: %v", again)
	}
	if err := p.AddSlot(first); err != nil {
		t.Fatal(err)
	}
	p.RemoveSlot(first.Device)
	p.Finish(ID{1}, 0)
	if !p.Again(ID{1}, false) {
		t.Fatal("no device is left")
	}
	again := p.Place(start + 1)
	if len(again) != 1 || again[0].Slot.Device == first.Device {
		t.Errorf("%v", again)
	}
}

func TestFailedTaskMovesToTheCPU(t *testing.T) {
	p := planner(t, 0, Options{})
	for _, s := range []Slot{{"gpu", "gpu", 1000, false}, {"cpu", "cpu", 1000, true}} {
		if err := p.AddSlot(s); err != nil {
			t.Fatal(err)
		}
	}
	n := Need{Program: Program{1}, Units: 1000, Memory: 10}
	for range 50 {
		p.Observe(&n, "gpu", 1_000_000)
		p.Observe(&n, "cpu", 9_000_000)
	}
	p.Hold(start, ID{1}, n, start+40_000, start+1000)
	p.Commit(start, ID{1}, start+40_000)
	p.Ready(ID{1})
	if s := p.Place(start)[0].Slot; s.CPU {
		t.Fatal("the slower device was taken")
	}
	p.Finish(ID{1}, 0)
	if !p.Again(ID{1}, true) {
		t.Fatal("no CPU")
	}
	if s := p.Place(start)[0].Slot; !s.CPU {
		t.Error("it ran on the same device again")
	}
	p.RemoveSlot("cpu")
	p.Finish(ID{1}, 0)
	if p.Again(ID{1}, true) {
		t.Error("there is no CPU any more")
	}
}

func TestHopelessTasksAreKnownInTime(t *testing.T) {
	p := planner(t, 1, Options{})
	n := seconds(p, 10)
	p.Hold(start, ID{1}, n, start+20_000, start+1000)
	p.Commit(start, ID{1}, start+20_000)
	if got := p.Hopeless(start + 5_000); len(got) != 0 {
		t.Error(got)
	}
	if got := p.Hopeless(start + 15_000); len(got) != 1 {
		t.Error(got)
	}
}

// TestAdmittedTasksMeetTheirPromises runs whatever is admitted, for as long as was estimated, and
// looks at the clock.
func TestAdmittedTasksMeetTheirPromises(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		slots := 1 + r.IntN(3)
		p := planner(t, slots, Options{})
		var needs []Need
		for n := range byte(4) {
			needs = append(needs, seconds(p, n+1))
		}
		now := uint64(start)
		promised, ends := map[ID]uint64{}, map[ID]uint64{}
		admitted := 0
		for i := range 60 {
			now += uint64(r.IntN(1500))
			finish(t, p, ends, promised, now)
			n := needs[r.IntN(len(needs))]
			id := ID{byte(i), 1}
			promise, _, d := p.Hold(now, id, n, now+1000+uint64(r.IntN(20_000)), now+5000)
			if d == nil {
				admitted++
				promised[id] = now + promise
				p.Commit(now, id, now+promise)
				p.Ready(id)
			}
			begin(p, ends, now)
		}
		for len(promised) > 0 {
			now += 50
			finish(t, p, ends, promised, now)
			begin(p, ends, now)
		}
		if admitted == 0 {
			t.Fatal("nothing was admitted")
		}
	}
}

func begin(p *Planner, ends map[ID]uint64, now uint64) {
	for _, x := range p.Place(now) {
		ends[x.ID] = now + p.tasks[x.ID].takes
	}
}

// finish ends what is over by now, in order, so that what follows begins at once.
func finish(t *testing.T, p *Planner, ends, promised map[ID]uint64, now uint64) {
	t.Helper()
	for {
		var next ID
		at := uint64(0)
		for id, e := range ends {
			if e <= now && (at == 0 || e < at) {
				next, at = id, e
			}
		}
		if at == 0 {
			return
		}
		delete(ends, next)
		if at > promised[next] {
			t.Fatalf("promised until %d, done at %d", promised[next], at)
		}
		delete(promised, next)
		p.Release(next)
		begin(p, ends, at)
	}
}

func TestPrices(t *testing.T) {
	fixed := Program{7}
	p := Pricing{Minimum: 5, PerUnit: 10, PerMiB: 3, Fixed: map[Program]uint64{fixed: 42}}
	for _, c := range []struct {
		need Need
		want uint64
	}{
		{Need{}, 5},
		{Need{Units: 1}, 5},
		{Need{Units: 1_000_001}, 11},
		{Need{Units: 1_000_000, Memory: 2 << 20}, 16},
		{Need{Program: fixed, Units: 1 << 40}, 42},
		{Need{Units: 1 << 63}, 92233720368548},
	} {
		if got := p.Price(&c.need); got != c.want {
			t.Errorf("%+v: %d, want %d", c.need, got, c.want)
		}
	}
	dear := Pricing{PerUnit: 1 << 63, PerMiB: 1 << 63}
	if got := dear.Price(&Need{Units: 1 << 40, Memory: 1 << 60}); got != 1<<64-1 {
		t.Error(got)
	}
}

func TestEstimatesFollowWhatIsMeasured(t *testing.T) {
	p := New(Options{Programs: 2})
	if err := p.AddSlot(Slot{Device: "d", Class: "c", Memory: 1}); err != nil {
		t.Fatal(err)
	}
	n := Need{Program: Program{1}, Units: 1000}
	p.Observe(&n, "c", 100_000_000)
	first, _ := p.estimates.estimate(n.Program, "c", 0)
	for range 100 {
		p.Observe(&n, "c", 200_000_000)
	}
	later, _ := p.estimates.estimate(n.Program, "c", 0)
	if first < 100 || first > 200 || later < 200 || later > 220 {
		t.Errorf("%d ms, then %d ms", first, later)
	}
	if unknown, ok := p.estimates.estimate(Program{2}, "c", 1000); !ok || unknown < 200 || unknown > 400 {
		t.Errorf("%d ms by the rate of the class", unknown)
	}
	p.Observe(&Need{Program: Program{2}}, "c", 1)
	p.Observe(&Need{Program: Program{3}}, "c", 1)
	if len(p.estimates.runs) != 2 {
		t.Error("estimates are not bounded")
	}
}

// A bid is due a time after its award: one that stands without an award is nobody's reason to be busy.
func TestBidsThatStandKeepNobodyAway(t *testing.T) {
	p := planner(t, 1, Options{})
	n := seconds(p, 1)
	for i := range byte(8) {
		now := start + 2_000*uint64(i)
		if _, _, d := p.Hold(now, ID{i + 1}, n, now+60_000, now+30_000); d != nil {
			t.Fatalf("bid %d: %v", i, d)
		}
	}
}
