package works

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
)

// scripted notes what it is asked for.
type scripted struct {
	asked   string
	program []byte
	witness []byte
	key     chain.Hash
	err     error
}

var _ Executor = (*scripted)(nil)

func (s *scripted) Infer(_ context.Context, q executor.Inference, _ executor.Progress) (*executor.Result, error) {
	s.asked, s.key, s.witness = "infer", q.Key, q.Input
	s.program, _ = q.Package()
	return s.result()
}

func (s *scripted) Prove(_ context.Context, q executor.Proving, _ executor.Progress) (*executor.Result, error) {
	return s.circuit("prove", q)
}

func (s *scripted) Calibrate(_ context.Context, q executor.Proving, _ executor.Progress) (*executor.Result, error) {
	return s.circuit("calibrate", q)
}

func (s *scripted) circuit(what string, q executor.Proving) (*executor.Result, error) {
	s.asked, s.key, s.witness = what, q.Key, q.Witness
	f, err := q.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s.program, _ = io.ReadAll(f)
	return s.result()
}

func (s *scripted) result() (*executor.Result, error) {
	return &executor.Result{Proof: []byte("proof"), Took: time.Second, Stages: map[string]time.Duration{"prove": time.Second}}, s.err
}

func (s *scripted) Close() error { return nil }

// carriedOut has a crew of one carry out an order.
func carriedOut(t *testing.T, s *scripted, o *order) (*result, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, []byte("package"), 0o600); err != nil {
		t.Fatal(err)
	}
	slot := fleet.Slot{Device: "cpu"}
	raw, err := NewCrew([]Station{{Slot: slot, Executor: s}}).Execute(t.Context(), slot, fleet.Task{Program: "cid", Body: encode(o)}, file, nil)
	if err != nil {
		return nil, err
	}
	return decodeResult(raw)
}

func TestOrdersAreCarriedOutByKind(t *testing.T) {
	for want, o := range map[string]order{
		"infer":     {Version: version, Kind: chain.JobInfer, Key: chain.Hash{4}, Payload: []byte("payload")},
		"prove":     {Version: version, Kind: chain.JobProve, Key: chain.Hash{4}, Payload: []byte("payload")},
		"calibrate": {Version: version, Kind: chain.JobProve, Key: chain.Hash{4}},
	} {
		s := &scripted{}
		r, err := carriedOut(t, s, &o)
		if err != nil {
			t.Fatal(err)
		}
		if s.asked != want || s.key != o.Key || string(s.witness) != string(o.Payload) || string(s.program) != "package" {
			t.Errorf("%s: %+v", want, s)
		}
		if string(r.Proof) != "proof" || r.Took != 1000 || len(r.Stages) != 1 || r.Stages[0].Took != 1_000_000 {
			t.Errorf("%s: %+v", want, r)
		}
	}
}

func TestReasonsOfWorkersHaveCodes(t *testing.T) {
	for _, c := range []struct {
		reason executor.Reason
		code   market.Code
		retry  bool
	}{
		{executor.Unsatisfied, market.CodeWitness, false},
		{executor.BadInput, market.CodeBadInput, false},
		{executor.TooLarge, market.CodeMemory, false},
		{executor.BadProgram, market.CodeExecution, false},
		{executor.Failed, market.CodeExecution, true},
	} {
		s := &scripted{err: &executor.Failure{Reason: c.reason, Err: errors.New("because")}}
		_, err := carriedOut(t, s, &order{Version: version, Kind: chain.JobProve, Payload: []byte("w")})
		var f *fleet.Failure
		if !errors.As(err, &f) || f.Retry != c.retry || f.Detail != "because" {
			t.Errorf("%s: %+v", c.reason, err)
			continue
		}
		if got := codeOf(f.Reason); got != c.code {
			t.Errorf("%s: code %s, want %s", c.reason, got, c.code)
		}
	}
	for reason, want := range map[string]market.Code{
		fleet.ReasonExpired: market.CodeDeadline, fleet.ReasonLost: market.CodeDevice, fleet.ReasonStalled: market.CodeHung, "?": market.CodeExecution,
	} {
		if got := codeOf(reason); got != want {
			t.Errorf("%s: code %s, want %s", reason, got, want)
		}
	}
}
