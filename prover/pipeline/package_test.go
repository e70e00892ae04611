package pipeline

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/model/tensor"
)

func packaged(t testing.TB, l *Line, name string) (*Program, Source, []byte) {
	t.Helper()
	s := shipped(t, name)
	p, err := l.Prepare(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return p, s, EncodePackage(p)
}

func adopt(t testing.TB, l *Line, pkg []byte) (*Program, error) {
	t.Helper()
	c, err := ReadPackage(pkg, Limits{})
	if err != nil {
		return nil, err
	}
	return l.Adopt(t.Context(), c)
}

func TestPackageCarriesAWholeProgram(t *testing.T) {
	l := Line{Cache: &Cache{Dir: filepath.Join(t.TempDir(), "cache")}}
	p, s, pkg := packaged(t, &l, "digits_mlp")
	for _, cached := range []bool{false, true} {
		q, err := adopt(t, &l, pkg)
		if err != nil {
			t.Fatal(err)
		}
		if q.Cached != cached || q.Model.Digest() != p.Model.Digest() || q.Summary.Model != p.Summary.Model {
			t.Fatalf("cached %v, summary %+v", q.Cached, q.Summary)
		}
		cells, _, err := tensor.QuantizeAll(q.Model.Graph, s.Inputs, false)
		if err != nil {
			t.Fatal(err)
		}
		proven, err := l.ProveCells(t.Context(), q, &Executor{Engine: EngineInterpreter}, cells, prover.Job{ID: "a"})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := l.Execute(t.Context(), q, &Executor{Engine: EngineInterpreter}, cells)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(plain.Outputs, proven.Outputs, func(a, b []int64) bool { return slices.Equal(a, b) }) {
			t.Error("the proof shows another output than the execution")
		}
	}
}

// TestPackageOfALiarIsNotAdopted: every part that a stranger can change is noticed, by the reader or
// by the one who commits again.
func TestPackageOfALiarIsNotAdopted(t *testing.T) {
	l := Line{}
	_, _, pkg := packaged(t, &l, "iris_mlp")
	model := binary.LittleEndian.Uint64(pkg[len(packageMagic):])
	weights := len(packageMagic) + 8 + int(model)
	for name, change := range map[string]func(b []byte) []byte{
		"magic":             func(b []byte) []byte { b[0]++; return b },
		"length":            func(b []byte) []byte { b[len(packageMagic)+7] = 0xff; return b },
		"weight":            func(b []byte) []byte { b[weights+4+9+10]++; return b },
		"number of weights": func(b []byte) []byte { b[weights]++; return b },
		"cells":             func(b []byte) []byte { b[weights+4+8] = 0x7f; return b },
		"trailing byte":     func(b []byte) []byte { return append(b, 0) },
		"truncated":         func(b []byte) []byte { return b[:len(b)-1] },
		"nothing":           func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := adopt(t, &l, change(slices.Clone(pkg)))
			if !errors.Is(err, ErrPackage) && !errors.Is(err, ErrWeights) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWeightsOfAnotherModelAreNoticed(t *testing.T) {
	l := Line{}
	p, _, _ := packaged(t, &l, "iris_mlp")
	other := *p.Prepared
	other.Weights = slices.Clone(p.Weights)
	other.Weights[0] = slices.Clone(p.Weights[0])
	other.Weights[0][0]++
	if _, err := adopt(t, &l, EncodePackage(&Program{Prepared: &other})); !errors.Is(err, ErrWeights) {
		t.Errorf("got %v", err)
	}
}

func TestWideWeightsHaveOneEncoding(t *testing.T) {
	l := Line{}
	p, _, _ := packaged(t, &l, "iris_mlp")
	b := append([]byte(packageMagic), appendModel(nil, p.Model)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p.Weights)))
	for _, w := range p.Weights { // four bytes each where two would do
		b = binary.LittleEndian.AppendUint64(append(b, 4), uint64(len(w)))
		for _, v := range w {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	}
	if _, err := ReadPackage(b, Limits{}); !errors.Is(err, ErrPackage) {
		t.Errorf("got %v", err)
	}
}

func TestLimitsAreCheckedBeforeAnyWork(t *testing.T) {
	l := Line{}
	_, _, pkg := packaged(t, &l, "digits_lenet")
	c, err := ReadPackage(pkg, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, limits := range []Limits{{Memory: c.Footprint.Memory - 1}, {Units: c.Footprint.Units - 1}} {
		if _, err := ReadPackage(pkg, limits); !errors.Is(err, ErrLimit) {
			t.Errorf("%+v: got %v", limits, err)
		}
	}
	if _, err := ReadPackage(pkg, Limits{c.Footprint.Memory, c.Footprint.Units}); err != nil {
		t.Error(err)
	}
}

func TestCellsThatDoNotFitAreRefused(t *testing.T) {
	l := Line{}
	p, s, _ := packaged(t, &l, "iris_mlp")
	good, _, err := tensor.QuantizeAll(p.Model.Graph, s.Inputs, false)
	if err != nil {
		t.Fatal(err)
	}
	large := [][]int32{slices.Clone(good[0])}
	large[0][0] = 1 << 30
	for name, c := range map[string]struct {
		cells [][]int32
		want  error
	}{
		"none":     {nil, tensor.ErrInput},
		"two":      {[][]int32{good[0], good[0]}, tensor.ErrInput},
		"short":    {[][]int32{good[0][1:]}, tensor.ErrInput},
		"too high": {large, tensor.ErrRange},
	} {
		if err := CheckCells(p.Model.Graph, c.cells); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzReadPackage(f *testing.F) {
	l := Line{}
	_, _, pkg := packaged(f, &l, "iris_mlp")
	f.Add(pkg)
	f.Add(pkg[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ReadPackage(b, Limits{Memory: 1 << 28, Units: 1 << 20})
		if err != nil {
			return
		}
		if p, err := new(Line).Adopt(t.Context(), c); err == nil && string(EncodePackage(p)) != string(b) {
			t.Error("another package than was read")
		}
	})
}
