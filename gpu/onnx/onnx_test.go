package onnx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu/worker"
	"go.uber.org/goleak"
)

// TestMain lets this test program be the child of its own clients, also one that crashes
// and one that hangs.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "worker":
		methods := Methods()
		methods["exit"] = func(context.Context, *worker.Request) ([][]byte, error) { os.Exit(3); return nil, nil }
		if err := worker.Serve(context.Background(), os.Args[2], methods); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(os.Args) == 3 && os.Args[1] == "crashing":
		fmt.Fprintln(os.Stderr, "terminate called after throwing")
		os.Exit(134)
	case len(os.Args) == 3 && os.Args[1] == "hung":
		select {}
	default:
		goleak.VerifyTestMain(m)
	}
}

func open(t testing.TB) *Client {
	t.Helper()
	if _, err := Locate(); errors.Is(err, ErrUnavailable) || !linked {
		t.Skipf("needs ONNX Runtime and cgo: %v", err)
	}
	c, err := Open(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// double doubles its input.
func double(cells int) (model []byte, in, out []Value) {
	x, y := Value{"x", false, []int{cells}}, Value{"y", false, []int{cells}}
	m := &modelWriter{}
	m.node("Add", []string{"x", "x"}, "y")
	return m.bytes(x, y), []Value{x}, []Value{y}
}

// TestSelfTestRefusesAProviderThatRounds guards that one wrong cell is enough.
func TestSelfTestRefusesAProviderThatRounds(t *testing.T) {
	c := open(t)
	e := edgeHalves(false)
	e.want[4]++
	if err := c.check(t.Context(), &e); !errors.Is(err, ErrInexact) {
		t.Errorf("got %v", err)
	}
}

// TestCancelledRunEndsTheChild guards that nobody waits for native code: the model would
// run for minutes.
func TestCancelledRunEndsTheChild(t *testing.T) {
	c := open(t)
	const size, products = 1024, 2000
	x, y := Value{"x", false, []int{size, size}}, Value{fmt.Sprint("v", products), false, []int{size, size}}
	m := &modelWriter{}
	last := "x"
	for i := range products {
		next := fmt.Sprint("v", i+1)
		m.node("MatMul", []string{last, "x"}, next)
		last = next
	}
	s, err := c.Load(t.Context(), m.bytes(x, y), []Value{x}, []Value{y})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.Run(ctx, [][]byte{make([]byte, 4*size*size)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Run(t.Context(), [][]byte{make([]byte, 4*size*size)}); !errors.Is(err, ErrDied) {
		t.Errorf("afterwards: got %v", err)
	}
}

func TestRunsModels(t *testing.T) {
	c := open(t)
	if c.Version() != Version {
		t.Logf("library is %s, Fetch installs %s", c.Version(), Version)
	}
	model, in, out := double(3)
	s, err := c.Load(t.Context(), model, in, out)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			v := float64(i)
			got, err := s.Run(t.Context(), [][]byte{encodeFloats(false, []float64{v, -v, 1 << 20})})
			if err != nil || !slices.Equal(decodeFloats(false, got[0]), []float64{2 * v, -2 * v, 1 << 21}) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestRefusedModelsLeaveTheChildAlive guards that errors of the library are errors of the
// call alone.
func TestRefusedModelsLeaveTheChildAlive(t *testing.T) {
	c := open(t)
	model, in, out := double(3)
	unknown := &modelWriter{}
	unknown.node("NoSuchOperator", []string{"x"}, "y")
	for name, m := range map[string][]byte{
		"no model": {}, "noise": []byte("not a model"), "cut": model[:len(model)/2],
		"unknown operator": unknown.bytes(in[0], out[0]), "other names": bytes.ReplaceAll(model, []byte("y"), []byte("z")),
	} {
		s, err := c.Load(t.Context(), m, in, out)
		if err == nil {
			// Names are only looked up when the model runs.
			_, err = s.Run(t.Context(), [][]byte{make([]byte, 12)})
		}
		if !errors.Is(err, ErrRuntime) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := c.Load(t.Context(), model, in, out); err != nil {
		t.Errorf("after refused models: %v", err)
	}
}

func TestRefusesFormsThatOverflow(t *testing.T) {
	c := open(t)
	model, in, out := double(3)
	for _, shape := range [][]int{{0}, {-1}, {1 << 40}, {1 << 20, 1 << 20}} {
		if _, err := c.Load(t.Context(), model, in, []Value{{"y", false, shape}}); !errors.Is(err, ErrProtocol) {
			t.Errorf("shape %v: got %v", shape, err)
		}
	}
	s, err := c.Load(t.Context(), model, in, out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), [][]byte{make([]byte, 13)}); !errors.Is(err, ErrProtocol) {
		t.Errorf("input of another size: got %v", err)
	}
}

// TestLostChildIsAnErrorOfThisPackage guards what callers branch on.
func TestLostChildIsAnErrorOfThisPackage(t *testing.T) {
	if !linked {
		t.Skip("needs cgo")
	}
	_, err := Open(t.Context(), Options{Library: "none", Command: []string{os.Args[0], "crashing"}})
	var f *worker.Failure
	if !errors.Is(err, ErrDied) || !errors.As(err, &f) || f.Reason != worker.ReasonCrashed {
		t.Errorf("crash: got %v", err)
	} else if !strings.Contains(err.Error(), "terminate called") {
		t.Errorf("%v does not show the child's last words", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, Options{Library: "none", Command: []string{os.Args[0], "hung"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: got %v", err)
	}
}

func TestLostChildIsAnErrorOfEveryLaterCall(t *testing.T) {
	c := open(t)
	model, in, out := double(3)
	s, err := c.Load(t.Context(), model, in, out)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.call(t.Context(), "exit", nil); !errors.Is(err, ErrDied) {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		if _, err := s.Run(t.Context(), [][]byte{make([]byte, 12)}); !errors.Is(err, ErrDied) {
			t.Errorf("got %v", err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestMemoryLimitEndsAnAllocation(t *testing.T) {
	if _, err := Locate(); err != nil || !linked || platform() == "" {
		t.Skipf("needs ONNX Runtime, cgo and Linux: %v", err)
	}
	c, err := Open(t.Context(), Options{Memory: 6 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	model, in, out := double(1<<29 - 1)
	for range 4 {
		if _, err = c.Load(t.Context(), model, in, out); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("16 GiB allocated under a limit of 6")
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	t.Setenv(LibraryVariable, "/nonexistent/libonnxruntime.so")
	if _, err := Open(t.Context(), Options{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	t.Setenv(LibraryVariable, "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if _, err := Locate(); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "make deps") {
		t.Errorf("got %v", err)
	}
	if _, err := Open(t.Context(), Options{Library: os.Args[0], Provider: "abacus"}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestProviderThatTheLibraryLacksIsUnavailable(t *testing.T) {
	open(t).Close()
	c, err := Open(t.Context(), Options{Provider: CUDA})
	if err == nil {
		c.Close()
		t.Skip("this library has CUDA")
	}
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// FuzzMethods feeds a child arbitrary requests.
func FuzzMethods(f *testing.F) {
	model, in, out := double(3)
	form := encodeJSON(modelSpec{in, out})
	load := slices.Concat(uint32Bytes(uint32(len(form))), form, model)
	run := append(uint32Bytes(1), make([]byte, 12)...)
	f.Add([]byte{}, []byte{}, []byte{})
	f.Add(load, run, uint32Bytes(1))
	f.Add(load[:9], run[:3], uint32Bytes(2))
	f.Fuzz(func(t *testing.T, load, run, free []byte) {
		methods := newHost(func(setup) (engine, error) { return echo{}, nil }).methods()
		for _, r := range []struct {
			method string
			body   []byte
		}{{methodLoad, load}, {methodOpen, encodeJSON(setup{})}, {methodLoad, load}, {methodRun, run}, {methodFree, free}, {methodRun, run}} {
			_, err := methods[r.method](t.Context(), &worker.Request{Body: bytes.NewReader(r.body), Size: uint64(len(r.body))})
			if r.method == methodOpen && err != nil {
				t.Fatal(err)
			}
		}
	})
}

// echo is an engine without a library.
type echo struct{}

type echoSession struct{ in, out [][]byte }

func (echo) version() string { return "echo" }
func (echo) load(_ []byte, spec modelSpec) (loaded, error) {
	in, out, err := spec.check()
	if err != nil || in > 1<<20 || out > 1<<20 {
		return nil, errors.New("too large")
	}
	s := &echoSession{}
	for _, v := range spec.Inputs {
		s.in = append(s.in, make([]byte, v.size()))
	}
	for _, v := range spec.Outputs {
		s.out = append(s.out, make([]byte, v.size()))
	}
	return s, nil
}
func (s *echoSession) inputs() [][]byte  { return s.in }
func (s *echoSession) outputs() [][]byte { return s.out }
func (s *echoSession) run() error        { return nil }
func (s *echoSession) free()             {}

// BenchmarkRun measures what the child process costs: a model that does next to nothing.
func BenchmarkRun(b *testing.B) {
	for _, cells := range []int{16, 1 << 20, 6 << 20} {
		b.Run(fmt.Sprint(cells), func(b *testing.B) {
			c := open(b)
			model, in, out := double(cells)
			s, err := c.Load(b.Context(), model, in, out)
			if err != nil {
				b.Fatal(err)
			}
			x := [][]byte{make([]byte, 4*cells)}
			b.SetBytes(int64(8 * cells))
			for b.Loop() {
				if _, err := s.Run(b.Context(), x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
