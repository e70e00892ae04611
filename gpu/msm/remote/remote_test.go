//go:build unix

package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"go.uber.org/goleak"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/msm/msmtest"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/commit"
)

// TestMain lets this test program be its own child.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		if err := worker.Serve(context.Background(), os.Args[2], Methods(open)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// open makes the engines of these tests: "cpu", "missing", and "HOW FOLDER" that goes wrong
// as long as the folder holds a file, of which it takes one away each time.
func open(_ context.Context, name string) (msm.Engine, error) {
	how, dir, ill := strings.Cut(name, " ")
	switch {
	case ill:
		return &moody{Engine: msm.NewCPU(), how: how, dir: dir}, nil
	case name == "cpu":
		return msm.NewCPU(), nil
	}
	return nil, fmt.Errorf("%w: %s", msm.ErrUnavailable, name)
}

// moody is an engine that goes wrong.
type moody struct {
	msm.Engine
	how, dir string
}

func (m *moody) Load(ctx context.Context, points []bn254.G1Affine) (msm.Bases, error) {
	b, err := m.Engine.Load(ctx, points)
	return &moodyBases{b, m}, err
}

func (m *moody) NTT(ctx context.Context, values []fr.Element, t msm.Transform) error {
	if err := m.mood(); err != nil {
		return err
	}
	return m.Engine.NTT(ctx, values, t)
}

func (m *moody) mood() error {
	files, err := os.ReadDir(m.dir)
	if err != nil || len(files) == 0 {
		return err
	}
	if err := os.Remove(filepath.Join(m.dir, files[0].Name())); err != nil {
		return err
	}
	switch m.how {
	case "kill":
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "abort":
		return syscall.Kill(os.Getpid(), syscall.SIGABRT)
	}
	return errors.New("the device has gone")
}

type moodyBases struct {
	msm.Bases
	engine *moody
}

func (b *moodyBases) MSM(ctx context.Context, scalars []fr.Element, width int) ([]bn254.G1Affine, error) {
	if err := b.engine.mood(); err != nil {
		return nil, err
	}
	sums, err := b.Bases.MSM(ctx, scalars, width)
	if b.engine.how == "lie" {
		sums[0].Y.SetOne()
	}
	return sums, err
}

// Rows goes wrong in the middle.
func (b *moodyBases) Rows(ctx context.Context, rows []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error) {
	half := len(rows) / cols / 2 * cols
	if _, err := b.Bases.Rows(ctx, rows[:half], cols, func(done, _ int) { progress(done, len(rows)/cols) }); err != nil {
		return nil, err
	}
	if err := b.engine.mood(); err != nil {
		return nil, err
	}
	return b.Bases.Rows(ctx, rows, cols, progress)
}

func start(t *testing.T, name string) *Engine {
	t.Helper()
	supervisor := worker.NewSupervisor(worker.Options{}, worker.Backoff{First: time.Millisecond, Max: 10 * time.Millisecond})
	e := New(supervisor, name, msm.NewCPU())
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestContract(t *testing.T) { msmtest.Run(t, start(t, "cpu")) }

// ill is an engine that goes wrong so many times.
func ill(t *testing.T, how string, times int) *Engine {
	t.Helper()
	dir := t.TempDir()
	for i := range times {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return start(t, how+" "+dir)
}

// sample is work with its result by the engine of this process.
type sample struct {
	points  []bn254.G1Affine
	rows    []int32
	scalars []fr.Element
	sums    []bn254.G1Affine
	values  []fr.Element
	result  []fr.Element
}

const columns = 64

func newSample(t *testing.T) *sample {
	t.Helper()
	key, err := commit.NewKey(columns)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	s := &sample{points: key.Generators()}
	for range 100 * columns {
		v := int32(r.IntN(256)) - 128
		s.rows, s.scalars = append(s.rows, v), append(s.scalars, fr.NewElement(uint64(v+128)))
	}
	if s.sums, err = key.CommitRows(t.Context(), s.rows, columns, nil); err != nil {
		t.Fatal(err)
	}
	s.values = append(s.values, s.scalars[:256]...)
	s.result = append(s.result, s.values...)
	if err := msm.NewCPU().NTT(t.Context(), s.result, msm.Transform{Coset: true}); err != nil {
		t.Fatal(err)
	}
	return s
}

// check does all work on an engine.
func (s *sample) check(t *testing.T, e msm.Engine) {
	t.Helper()
	b, err := e.Load(t.Context(), s.points)
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	got, err := b.Rows(t.Context(), s.rows, columns, func(done, _ int) {
		if done <= most {
			t.Errorf("progress %d after %d", done, most)
		}
		most = done
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.sums {
		if got[i] != s.sums[i] {
			t.Fatalf("row %d is wrong", i)
		}
	}
	values := append([]fr.Element(nil), s.values...)
	if err := e.NTT(t.Context(), values, msm.Transform{Coset: true}); err != nil {
		t.Fatal(err)
	}
	for i := range values {
		if values[i] != s.result[i] {
			t.Fatalf("value %d is wrong", i)
		}
	}
	if _, err := b.MSM(t.Context(), s.scalars, 8); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestALostChildIsReplacedAndSentTheBasesAgain(t *testing.T) {
	for _, how := range []string{"kill", "abort"} {
		e := ill(t, how, 1)
		newSample(t).check(t, e)
		if err := e.Lost(); err != nil {
			t.Errorf("%s: fell back: %v", how, err)
		}
	}
}

func TestTheSecondLossFallsBack(t *testing.T) {
	e := ill(t, "kill", 2)
	newSample(t).check(t, e)
	var f *worker.Failure
	if err := e.Lost(); !errors.As(err, &f) || f.Reason != worker.ReasonCrashed || e.Name() != "cpu" {
		t.Errorf("on %s after %v", e.Name(), err)
	}
}

func TestAFailingEngineFallsBack(t *testing.T) {
	e := ill(t, "fail", 1)
	newSample(t).check(t, e)
	var f *worker.Failure
	if err := e.Lost(); !errors.As(err, &f) || f.Reason != worker.ReasonDevice {
		t.Errorf("after %v", err)
	}
}

func TestAMissingEngineFallsBack(t *testing.T) {
	e := start(t, "missing")
	newSample(t).check(t, e)
	if e.Lost() == nil {
		t.Error("did not fall back")
	}
}

func TestPointsOffTheCurveAreNoResult(t *testing.T) {
	e := ill(t, "lie", 0)
	s := newSample(t)
	b, err := e.Load(t.Context(), s.points)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.MSM(t.Context(), s.scalars, 8)
	if err != nil {
		t.Fatal(err)
	}
	want, err := msm.NewCPU().Load(t.Context(), s.points)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := want.MSM(t.Context(), s.scalars, 8)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != sums[0] {
		t.Error("the lie was believed")
	}
	if e.Lost() == nil {
		t.Error("the liar is still trusted")
	}
}
