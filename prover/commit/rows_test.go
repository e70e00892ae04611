package commit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"runtime"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// seed makes every random test here repeatable.
const seed = 1

// knownKey is a key whose generators are logs[j] times the base point, so that the
// expected commitment of a row costs one scalar multiplication.
func knownKey(logs []int64) *Key {
	_, _, g, _ := bn254.Generators()
	gens := make([]bn254.G1Affine, len(logs))
	scalars := make([]fr.Element, len(logs))
	for i, l := range logs {
		scalars[i].SetInt64(l)
	}
	copy(gens, bn254.BatchScalarMultiplicationG1(&g, scalars))
	return &Key{gens: gens}
}

// wantRows is the oracle for a known key.
func wantRows(logs []int64, data []int32, cols int) []bn254.G1Affine {
	_, _, g, _ := bn254.Generators()
	sums := make([]fr.Element, (len(data)+cols-1)/cols)
	for i, v := range data {
		var value, log fr.Element
		value.SetInt64(int64(v))
		log.SetInt64(logs[i%cols])
		sums[i/cols].Add(&sums[i/cols], value.Mul(&value, &log))
	}
	return bn254.BatchScalarMultiplicationG1(&g, sums)
}

func randomLogs(rng *rand.Rand, n int) []int64 {
	logs := make([]int64, n)
	for i := range logs {
		logs[i] = rng.Int63()
	}
	return logs
}

// distributions of values, each a pattern of real columns or an edge of the digits.
func distributions() map[string]func(*rand.Rand) int32 {
	constant := func(v int32) func(*rand.Rand) int32 { return func(*rand.Rand) int32 { return v } }
	pick := func(vs ...int32) func(*rand.Rand) int32 {
		return func(r *rand.Rand) int32 { return vs[r.Intn(len(vs))] }
	}
	return map[string]func(*rand.Rand) int32{
		"zero":        constant(0),
		"one":         constant(1),
		"minus one":   constant(-1),
		"127":         constant(127),
		"-127":        constant(-127),
		"128":         constant(128),
		"-128":        constant(-128),
		"129":         constant(129),
		"255":         constant(255),
		"-256":        constant(-256),
		"257":         constant(257),
		"max":         constant(math.MaxInt32),
		"min":         constant(math.MinInt32),
		"limits":      pick(0, 1, -1, 127, -127, 128, -128, 129, 255, 256, -256, 257, 1<<15, -1<<15, 1<<16-1, math.MaxInt32, math.MinInt32, math.MinInt32+127, math.MinInt32+128),
		"sparse":      func(r *rand.Rand) int32 { return max(0, int32(r.Intn(2000))-1990) },
		"activations": func(r *rand.Rand) int32 { return max(0, int32(r.Intn(255))-127) },
		"signed 8":    func(r *rand.Rand) int32 { return int32(r.Intn(256)) - 128 },
		"unsigned 8":  func(r *rand.Rand) int32 { return int32(r.Intn(256)) },
		"signed 16":   func(r *rand.Rand) int32 { return int32(r.Intn(1<<16)) - 1<<15 },
		"any":         func(r *rand.Rand) int32 { return int32(r.Uint32()) },
		"one large":   func(r *rand.Rand) int32 { return int32(r.Uint32()) >> (24 * min(1, r.Intn(500))) },
	}
}

func fill(rng *rand.Rand, n int, next func(*rand.Rand) int32) []int32 {
	data := make([]int32, n)
	for i := range data {
		data[i] = next(rng)
	}
	return data
}

func requireRows(t *testing.T, k *Key, data []int32, cols int, want []bn254.G1Affine) {
	t.Helper()
	got, err := k.CommitRows(context.Background(), data, cols, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if !got[i].Equal(&want[i]) {
			t.Fatalf("row %d of %d (%d columns) differs from the oracle", i, len(want), cols)
		}
	}
}

func TestCommitRowsEqualsOracle(t *testing.T) {
	for name, next := range distributions() {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewSource(seed))
			logs := randomLogs(rng, 512)
			k := knownKey(logs)
			for _, size := range []struct{ n, cols int }{{1, 1}, {9, 1}, {5, 2}, {16*64 + 1, 64}, {40 * 128, 128}, {7*512 - 1, 512}} {
				data := fill(rng, size.n, next)
				requireRows(t, k, data, size.cols, wantRows(logs, data, size.cols))
			}
		})
	}
}

// Long rows and several batches per worker.
func TestCommitRowsEqualsOracleOnLargeMatrices(t *testing.T) {
	for name, next := range distributions() {
		if !slices.Contains([]string{"activations", "signed 16", "one large", "one"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewSource(seed))
			logs := randomLogs(rng, 4096)
			data := fill(rng, 20*4096+77, next)
			requireRows(t, knownKey(logs), data, 4096, wantRows(logs, data, 4096))
		})
	}
}

func TestCommitRowsEqualsMultiExpOverHashedGenerators(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	const cols = 256
	k, err := NewKey(cols)
	if err != nil {
		t.Fatal(err)
	}
	data := fill(rng, 5*cols, distributions()["limits"])
	want := make([]bn254.G1Affine, 5)
	for i := range want {
		want[i] = referenceMultiExp(t, k, data[i*cols:(i+1)*cols])
	}
	requireRows(t, k, data, cols, want)
}

func referenceMultiExp(tb testing.TB, k *Key, row []int32) (p bn254.G1Affine) {
	tb.Helper()
	scalars := make([]fr.Element, len(row))
	for i, v := range row {
		scalars[i].SetInt64(int64(v))
	}
	if _, err := p.MultiExp(k.Generators()[:len(row)], scalars, ecc.MultiExpConfig{}); err != nil {
		tb.Fatal(err)
	}
	return p
}

// Equal and opposite generators force doublings, cancellations and points at
// infinity at every stage of the sums.
func TestCommitRowsWithCollidingGenerators(t *testing.T) {
	patterns := map[string]func(j int) int64{
		"all equal":     func(int) int64 { return 5 },
		"alternating":   func(j int) int64 { return 5 - 10*int64(j%2) },
		"few":           func(j int) int64 { return int64(j*j*j%7%5) - 2 },
		"powers of two": func(j int) int64 { return 1 << (j % 9) * (1 - 2*int64(j/9%2)) },
		"infinity":      func(int) int64 { return 0 },
	}
	for name, log := range patterns {
		t.Run(name, func(t *testing.T) {
			logs := make([]int64, 128)
			for j := range logs {
				logs[j] = log(j)
			}
			k := knownKey(logs)
			for value, next := range distributions() {
				data := fill(rand.New(rand.NewSource(seed)), 6*128+31, next)
				t.Run(value, func(t *testing.T) { requireRows(t, k, data, 128, wantRows(logs, data, 128)) })
			}
		})
	}
}

func TestCommitRowsOfOneCell(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	logs := randomLogs(rng, 64)
	k := knownKey(logs)
	for j := range 64 {
		data := make([]int32, 3*64)
		data[64+j] = int32(rng.Uint32())
		requireRows(t, k, data, 64, wantRows(logs, data, 64))
	}
}

func TestCommitRowsRejectsBadWidths(t *testing.T) {
	k := knownKey([]int64{1, 2, 3, 4})
	for _, cols := range []int{-1, 0, 3, 8, math.MinInt, math.MaxInt} {
		_, err := k.CommitRows(context.Background(), make([]int32, 16), cols, nil)
		var length *LengthError
		if !errors.As(err, &length) || length.Got != cols {
			t.Errorf("width %d: %v", cols, err)
		}
	}
	if rows, err := k.CommitRows(context.Background(), nil, 4, nil); len(rows) != 0 || err != nil {
		t.Errorf("no data: %v, %v", rows, err)
	}
}

func TestSumRowsTakesAnyWidthUpToThePoints(t *testing.T) {
	logs := randomLogs(rand.New(rand.NewSource(seed)), 10)
	k := knownKey(logs)
	data := []int32{5, -7, 300, 0, 1, 2, 3, 4}
	for cols := 1; cols <= 10; cols++ {
		got, err := SumRows(context.Background(), k.gens, data, cols, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := wantRows(logs, data, cols); !slices.Equal(got, want) {
			t.Errorf("rows of %d", cols)
		}
	}
	var wrong *LengthError
	for _, cols := range []int{-1, 0, 11} {
		if _, err := SumRows(context.Background(), k.gens, data, cols, nil); !errors.As(err, &wrong) {
			t.Errorf("rows of %d: %v", cols, err)
		}
	}
}

func TestCommitRowsReportsProgressAndStops(t *testing.T) {
	k := knownKey(randomLogs(rand.New(rand.NewSource(seed)), 16))
	data := make([]int32, 5000*16)
	last := 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	progress := func(done, total int) {
		if done <= last || done > total || total != 5000 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	if _, err := k.CommitRows(ctx, data, 16, progress); err != nil || last != 5000 {
		t.Errorf("finished at %d: %v", last, err)
	}
	cancel()
	if rows, err := k.CommitRows(ctx, data, 16, nil); rows != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

func TestDigitsWriteTheValue(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	values := fill(rng, 2000, distributions()["any"])
	values = append(values, fill(rng, 2000, distributions()["limits"])...)
	for _, limit := range []int64{smallLimit, largeLimit} {
		for _, v := range values {
			sum, weight, n := int64(0), int64(1), 0
			for rest, digit := int64(v), int64(0); rest != 0; n++ {
				digit, rest = splitDigit(rest, limit)
				if digit < -limit || digit > limit {
					t.Fatalf("digit %d of %d beyond %d", digit, v, limit)
				}
				sum, weight = sum+digit*weight, weight<<digitBits
			}
			if sum != int64(v) || n > maxDigits {
				t.Fatalf("%d written as %d with %d digits", v, sum, n)
			}
		}
	}
}

func benchmarkData(b *testing.B, next func(*rand.Rand) int32, rows, cols int) (*Key, []int32, float64) {
	k, err := NewKey(cols)
	if err != nil {
		b.Fatal(err)
	}
	data := fill(rand.New(rand.NewSource(seed)), rows*cols, next)
	nonZero := 0
	for _, v := range data {
		if v != 0 {
			nonZero++
		}
	}
	return k, data, float64(nonZero)
}

// BenchmarkCommitRows reports the time of one core per non-zero value.
func BenchmarkCommitRows(b *testing.B) {
	relu := func(r *rand.Rand) int32 { return max(0, int32(r.Intn(255))-127) }
	weights := func(r *rand.Rand) int32 { return int32(r.Intn(1<<16)) - 1<<15 }
	small := func(r *rand.Rand) int32 { return int32(r.NormFloat64() * 20) }
	for _, c := range []struct {
		name       string
		next       func(*rand.Rand) int32
		rows, cols int
	}{
		{"relu", relu, 512, 2048},
		{"relu", relu, 16, 64},
		{"relu", relu, 64, 256},
		{"relu", relu, 256, 1024},
		{"relu", relu, 4096, 4096},
		{"normal", small, 512, 2048},
		{"weights16", weights, 512, 2048},
	} {
		b.Run(fmt.Sprintf("%s/%dx%d", c.name, c.rows, c.cols), func(b *testing.B) {
			k, data, nonZero := benchmarkData(b, c.next, c.rows, c.cols)
			for b.Loop() {
				if _, err := k.CommitRows(context.Background(), data, c.cols, nil); err != nil {
					b.Fatal(err)
				}
			}
			cores := float64(runtime.GOMAXPROCS(0))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())*cores/float64(b.N)/nonZero, "core-ns/value")
		})
	}
}

// BenchmarkMultiExpRows commits to the same rows with a general multi-scalar
// multiplication per row.
func BenchmarkMultiExpRows(b *testing.B) {
	const rows, cols = 16, 2048
	k, data, nonZero := benchmarkData(b, func(r *rand.Rand) int32 { return max(0, int32(r.Intn(255))-127) }, rows, cols)
	for b.Loop() {
		for i := range rows {
			referenceMultiExp(b, k, data[i*cols:(i+1)*cols])
		}
	}
	cores := float64(runtime.GOMAXPROCS(0))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())*cores/float64(b.N)/nonZero, "core-ns/value")
}
