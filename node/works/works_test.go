package works

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
)

// TestProgramsAreOfferedOnceEveryClassHasProvedThem: and not before.
func TestProgramsAreOfferedOnceEveryClassHasProvedThem(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	fast, slow := &bench{}, &bench{}
	gate := make(chan struct{})
	slow.set(nil, gate)
	s.worker("a", station("gpu-1", "fast", fast), station("gpu-2", "fast", fast), station("cpu", "slow", slow))
	s.devices(3)
	ref := s.program(1, nil)
	s.Rescan()
	await(t, func() bool { return slow.runs.Load() == 1 })
	if p, offered := s.Program(ref); offered {
		t.Errorf("it is offered before the slow class has proved it: %+v", p)
	}
	close(gate)
	p := s.offered(ref)
	if fast.runs.Load() != 1 || slow.runs.Load() != 1 {
		t.Errorf("%d and %d samples", fast.runs.Load(), slow.runs.Load())
	}
	if p.Ref != ref || p.Name != "model 1" || p.Content != s.model.cid || p.Kind != chain.JobInfer || p.Key != s.model.key || p.Units == 0 || p.ProveFee == 0 {
		t.Errorf("%+v", p)
	}
	for _, device := range []string{"gpu-1", "gpu-2", "cpu"} {
		if _, known := s.capacity.Estimate(&p, device); !known {
			t.Errorf("nothing is known of %s", device)
		}
	}
	if all := s.Programs(); len(all) != 1 || all[0] != p {
		t.Errorf("%+v", all)
	}
	info := s.Works.mu.programs[ref].info
	if input, refusal := s.Check(t.Context(), &p, info.Sample()); refusal != nil || string(input) != string(info.Sample()) {
		t.Errorf("a good input: %+v", refusal)
	}
	if _, refusal := s.Check(t.Context(), &p, []byte("bad")); refusal == nil || refusal.Code != market.CodeBadInput {
		t.Errorf("a bad input: %+v", refusal)
	}
	p.Ref.Index++
	if _, refusal := s.Check(t.Context(), &p, nil); refusal == nil || refusal.Code != market.CodeUnknownProgram {
		t.Errorf("another program: %+v", refusal)
	}
}

// TestWhatIsNotOfferedAndWhy: the reason is kept, and nobody looks at it again for a while.
func TestWhatIsNotOfferedAndWhy(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}, MaxBytes: 1 << 20})
	b := &bench{}
	s.worker("a", station("gpu", "fast", b))
	s.devices(1)
	other := func(content string) func(r *chain.Resource) {
		return func(r *chain.Resource) { r.CID[len(r.CID)-1] ^= content[0] }
	}
	for i, c := range []struct {
		ref  market.Ref
		want string
	}{
		{market.Ref{Tx: chain.Hash{99}}, "does not announce"},
		{s.shelf.announce(1, nil), "does not announce"},
		{s.program(2, func(r *chain.Resource) { r.Kind = chain.ResourcePlonk }), "packed package"},
		{s.program(3, func(r *chain.Resource) { r.Key = nil }), "no model"},
		{s.program(4, func(r *chain.Resource) { r.Size = 1<<20 + 1 }), "at most"},
		{s.program(5, func(r *chain.Resource) { r.Key.Hash[0]++ }), "another verifying key"},
		{s.program(6, other("x")), errNowhere.Error()},
		{s.program(7, func(r *chain.Resource) { r.CID = []byte{1} }), "CID"},
	} {
		s.Want(c.ref)
		await(t, func() bool { return s.Refused(c.ref) != "" })
		if got := s.Refused(c.ref); !strings.Contains(strings.ToLower(got), strings.ToLower(c.want)) {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
		if s.wants(c.ref) {
			t.Errorf("%d is looked at again at once", i)
		}
		if _, offered := s.Program(c.ref); offered {
			t.Errorf("%d is offered", i)
		}
	}
	if b.runs.Load() != 0 {
		t.Errorf("%d samples", b.runs.Load())
	}
	b.set(&executor.Failure{Reason: executor.TooLarge, Err: errors.New("no room")}, nil)
	ref := s.program(8, nil)
	s.Want(ref)
	await(t, func() bool { return s.Refused(ref) != "" })
	if got := s.Refused(ref); !strings.Contains(got, "no room") {
		t.Errorf("%q", got)
	}
	// Another device is a reason to look again.
	s.worker("b", station("gpu-2", "another", &bench{}))
	b.set(nil, nil)
	s.offered(ref)
}

// TestPackagesThatAreNone: bytes of strangers are refused.
func TestPackagesThatAreNone(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	s.shelf.contents[s.model.cid] = s.model.pkg[:len(s.model.pkg)/2]
	s.worker("a", station("gpu", "fast", &bench{}))
	ref := s.program(1, nil)
	await(t, func() bool { s.Want(ref); return s.Refused(ref) != "" })
	if got := s.Refused(ref); !strings.Contains(got, string(executor.BadProgram)) {
		t.Errorf("%q", got)
	}
}

// TestNothingIsFetchedWithoutADevice: programs wait for one.
func TestNothingIsFetchedWithoutADevice(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	ref := s.program(1, nil)
	s.consider(t.Context(), ref)
	if s.shelf.fetched != 0 || s.Refused(ref) != "" {
		t.Errorf("%d fetched, refused: %q", s.shelf.fetched, s.Refused(ref))
	}
	s.worker("a", station("gpu", "fast", &bench{}))
	s.offered(ref)
}

func TestDevicesThatAreTooSmallAreNotAsked(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	small, large := &bench{}, &bench{}
	x := station("small", "small", small)
	x.Slot.Memory = 1
	s.worker("a", x)
	ref := s.program(1, nil)
	await(t, func() bool { s.Want(ref); return strings.Contains(s.Refused(ref), "no device has them") })
	s.worker("b", station("large", "large", large))
	s.offered(ref)
	if small.runs.Load() != 0 || large.runs.Load() != 1 {
		t.Errorf("%d and %d samples", small.runs.Load(), large.runs.Load())
	}
}

// TestOffersAreWithdrawn: what is announced no more, or served no more, is offered no more.
func TestOffersAreWithdrawn(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	s.worker("a", station("gpu", "fast", &bench{}))
	first, second := s.program(1, nil), s.program(2, nil)
	s.offered(first)
	s.offered(second)
	s.shelf.spend(first)
	s.Rescan()
	await(t, func() bool { _, offered := s.Program(first); return !offered })
	if _, offered := s.Program(second); !offered {
		t.Error("the other is gone too")
	}
	s.Serves(Serve{Contents: []string{"another"}})
	await(t, func() bool { return len(s.Programs()) == 0 })
	if s.Any() {
		t.Error("everything is served")
	}
	s.Want(second)
	await(t, func() bool { return s.Refused(second) == errServe.Error() })
	s.Serves(Serve{Contents: []string{s.model.cid}})
	s.change(func(all map[market.Ref]*program) { all[second].until = time.Time{} })
	s.offered(second)
}

// TestRoomForPrograms: those that nobody has asked for in a while make room.
func TestRoomForPrograms(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}, Programs: 1})
	s.worker("a", station("gpu", "fast", &bench{}))
	first, second := s.program(1, nil), market.Ref{Tx: chain.Hash{2}}
	s.offered(first)
	s.program(2, nil)
	await(t, func() bool { s.Want(second); return s.Refused(second) != "" })
	if got := s.Refused(second); !strings.Contains(got, "in use") {
		t.Errorf("%q", got)
	}
	s.change(func(all map[market.Ref]*program) {
		all[first].used = time.Now().Add(-2 * idle)
		all[second].until = time.Time{}
	})
	s.offered(second)
	if _, offered := s.Program(first); offered {
		t.Error("two are offered")
	}
}

// TestOffersStandWhereANewDeviceFails: it is not asked again and again.
func TestOffersStandWhereANewDeviceFails(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	s.worker("a", station("gpu", "good", &bench{}))
	ref := s.program(1, nil)
	p := s.offered(ref)
	bad := &bench{}
	bad.set(&executor.Failure{Reason: executor.TooLarge, Err: errors.New("no")}, nil)
	s.worker("b", station("gpu-2", "bad", bad))
	await(t, func() bool {
		s.Works.mu.Lock()
		defer s.Works.mu.Unlock()
		return s.Works.mu.programs[ref].retrying > 0
	})
	n := bad.runs.Load()
	s.consider(t.Context(), ref)
	if bad.runs.Load() != n {
		t.Error("the device is asked again at once")
	}
	if got, offered := s.Program(ref); !offered || got != p {
		t.Errorf("%+v, %v", got, offered)
	}
	if _, known := s.capacity.Estimate(&p, "gpu-2"); known {
		t.Error("the device that fails is used")
	}
}

// TestSamplesEndWithTheirDevice: a device that goes on the way holds nobody up.
func TestSamplesEndWithTheirDevice(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	hanging := &bench{}
	hanging.set(nil, make(chan struct{}))
	stop := s.worker("a", station("gpu", "fast", hanging))
	ref := s.program(1, nil)
	await(t, func() bool { return hanging.runs.Load() > 0 })
	stop()
	await(t, func() bool { return s.Refused(ref) != "" })
	if got := s.Refused(ref); !strings.Contains(got, fleet.ReasonLost) {
		t.Errorf("%q", got)
	}
	s.devices(0)
	s.worker("b", station("gpu-2", "fast", &bench{}))
	s.offered(ref)
}

// TestRefusalsAreBounded: anybody can ask for anything.
func TestRefusalsAreBounded(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{})
	for i := range 2 * maxRefused {
		s.refuse(market.Ref{Index: uint32(i)}, errServe)
	}
	if n := len(s.Works.mu.programs); n != maxRefused {
		t.Errorf("%d are kept", n)
	}
	if s.Refused(market.Ref{Index: 0}) != "" || s.Refused(market.Ref{Index: 2*maxRefused - 1}) == "" {
		t.Error("the latest went")
	}
}

// TestRefusalsLastLongerEachTime: up to an hour.
func TestRefusalsLastLongerEachTime(t *testing.T) {
	s := openShop(t, t.TempDir(), Config{})
	ref := market.Ref{Index: 1}
	var last time.Duration
	for range 20 {
		s.refuse(ref, errServe)
		p := s.Works.mu.programs[ref]
		if p.retrying <= last && p.retrying != lastRefusal {
			t.Fatalf("%v after %v", p.retrying, last)
		}
		last = p.retrying
	}
	if last != lastRefusal {
		t.Errorf("%v at the end", last)
	}
}
