package gpu

import (
	"strings"
	"testing"
)

func reading(temperature int) Observation {
	return Observation{Reading: &Reading{Temperature: temperature, Slowdown: 90, Shutdown: 95}}
}

// steps drives a Health; the verdict of each step must be the one beside it.
func TestHealthRules(t *testing.T) {
	type step struct {
		o    Observation
		want Fault
	}
	cool, hung := reading(50), Observation{Hung: 1}
	done, gone := Observation{Done: 1}, Observation{Gone: true}
	for name, steps := range map[string][]step{
		"hot from the limit until cooled by the hysteresis": {
			{reading(89), FaultNone}, {reading(90), FaultHot}, {reading(89), FaultHot}, {reading(81), FaultHot}, {reading(80), FaultNone},
		},
		"without a slowdown the shutdown counts": {
			{Observation{Reading: &Reading{Temperature: 94, Shutdown: 100}}, FaultNone},
			{Observation{Reading: &Reading{Temperature: 95, Shutdown: 100}}, FaultHot},
		},
		"without limits no temperature is too high": {{Observation{Reading: &Reading{Temperature: 120}}, FaultNone}},
		"what is not observed changes nothing":      {{reading(90), FaultHot}, {Observation{}, FaultHot}, {reading(0), FaultHot}},
		"a fatal error stays":                       {{Observation{XIDs: []uint64{13, 79}}, FaultXID}, {cool, FaultXID}, {cool, FaultXID}, {cool, FaultXID}, {cool, FaultXID}},
		"an application's errors do not count":      {{Observation{XIDs: []uint64{13, 31, 43, 45}}, FaultNone}},
		"one job that hangs may be the job's fault": {{hung, FaultNone}, {done, FaultNone}, {hung, FaultNone}},
		"jobs that hang one after the other are the device's fault, for a while": {
			{hung, FaultNone}, {hung, FaultHung}, {cool, FaultHung}, {cool, FaultHung}, {cool, FaultNone},
		},
		"after the probation one job that hangs is enough": {
			{Observation{Hung: 2}, FaultHung}, {cool, FaultHung}, {cool, FaultHung}, {cool, FaultNone}, {hung, FaultHung},
		},
		"a job that ends well ends the suspicion": {
			{Observation{Hung: 2}, FaultHung}, {cool, FaultHung}, {cool, FaultHung}, {cool, FaultNone}, {done, FaultNone}, {hung, FaultNone},
		},
		"a lost device has to be seen some times": {
			{gone, FaultLost}, {cool, FaultLost}, {gone, FaultLost}, {cool, FaultLost}, {cool, FaultLost}, {cool, FaultNone},
		},
		"the gravest fault is named": {{Observation{Reading: reading(99).Reading, XIDs: []uint64{48}, Hung: 9}, FaultXID}},
	} {
		h := NewHealth(Rules{Hysteresis: 10, Hangs: 2, Probation: 3})
		for i, s := range steps {
			got := h.Step(s.o)
			if got.Fault != s.want || (got.Detail == "") != (s.want == FaultNone) {
				t.Errorf("%s: step %d: fault %q (%s), want %q", name, i, got.Fault, got.Detail, s.want)
			}
		}
	}
}

func TestFatalErrorsOfTheDriver(t *testing.T) {
	for _, fatal := range []uint64{48, 61, 62, 63, 64, 74, 79, 94, 95, 119, 120} {
		if got := NewHealth(Rules{}).Step(Observation{XIDs: []uint64{fatal}}); got.Fault != FaultXID || !strings.Contains(got.Detail, "reset") {
			t.Errorf("XID %d: %v", fatal, got)
		}
	}
	for _, other := range []uint64{0, 13, 31, 43, 45, 1 << 60} {
		if got := NewHealth(Rules{}).Step(Observation{XIDs: []uint64{other}}); got.Fault != FaultNone {
			t.Errorf("XID %d: %v", other, got)
		}
	}
}
