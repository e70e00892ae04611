package sumcheck

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/transcript"
)

// testSeed replays every random run of this package.
const testSeed = 0x73756d63

func newRand(t testing.TB, stream uint64) *rand.Rand {
	t.Logf("seed %#x stream %d", testSeed, stream)
	return rand.New(rand.NewPCG(testSeed, stream))
}

func newTranscript(t testing.TB) *transcript.Transcript {
	tr, err := transcript.New(transcript.SHA256, "test")
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func randomElements(r *rand.Rand, n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		var b [48]byte
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		out[i].SetBytes(b[:])
	}
	return out
}

// extended is instance c at a vertex of the n-cube.
func extended(c Instance, n, x int) fr.Element {
	v := fr.One()
	if x >= 1<<c.Vars {
		return fr.Element{}
	}
	for _, f := range c.Factors {
		if x >= len(f) {
			return fr.Element{}
		}
		v.Mul(&v, &f[x])
	}
	return v
}

// dense returns the tables of instance c as factors over the full n-cube; the
// first factor carries the missing top variables.
func dense(c Instance, n int) [][]fr.Element {
	var out [][]fr.Element
	top := make([]fr.Element, 1<<n)
	for x := range 1 << c.Vars {
		top[x].SetOne()
	}
	out = append(out, top)
	for _, f := range c.Factors {
		d := make([]fr.Element, 1<<n)
		for x := range d {
			if y := x % (1 << c.Vars); y < len(f) {
				d[x] = f[y]
			}
		}
		out = append(out, d)
	}
	return out
}

// naiveProve is the definition: each round polynomial is the sum over the rest
// of the cube of the product of multilinear extensions.
func naiveProve(t *testing.T, n, degree int, claim fr.Element, inst []Instance) (Proof, []fr.Element) {
	tr := newTranscript(t)
	tr.AppendScalars(labelClaim, claim)
	var p Proof
	var point []fr.Element
	for round := range n {
		var m []fr.Element
		for at := 0; at <= degree; at++ {
			if at == 1 {
				continue
			}
			var sum fr.Element
			for _, c := range inst {
				factors := dense(c, n)
				for rest := range 1 << (n - round - 1) {
					x := append(slices.Clone(point), fr.NewElement(uint64(at)))
					for b := n - round - 2; b >= 0; b-- {
						x = append(x, fr.NewElement(uint64(rest>>b&1)))
					}
					v := fr.One()
					for _, f := range factors {
						e := poly.Evaluate(f, x)
						v.Mul(&v, &e)
					}
					sum.Add(&sum, &v)
				}
			}
			m = append(m, sum)
		}
		p.Rounds = append(p.Rounds, m)
		point = append(point, exchange(tr, m))
	}
	return p, point
}

func sumOf(n int, inst []Instance) fr.Element {
	var sum fr.Element
	for _, c := range inst {
		for x := range 1 << c.Vars {
			v := extended(c, n, x)
			sum.Add(&sum, &v)
		}
	}
	return sum
}

func cloneInstances(inst []Instance) []Instance {
	out := slices.Clone(inst)
	for i := range out {
		out[i].Factors = slices.Clone(out[i].Factors)
		for k := range out[i].Factors {
			out[i].Factors[k] = slices.Clone(out[i].Factors[k])
		}
	}
	return out
}

// randomInstances draws up to three products with prefixes of any length.
func randomInstances(r *rand.Rand, n, degree int) []Instance {
	inst := make([]Instance, 1+r.IntN(3))
	for i := range inst {
		c := Instance{Vars: r.IntN(n + 1)}
		if i == 0 {
			c.Vars = n
		}
		for range 1 + r.IntN(degree) {
			size := r.IntN(1<<c.Vars + 1)
			switch r.IntN(6) {
			case 0:
				size = 0
			case 1:
				size = 1
			case 2, 3:
				size = 1 << c.Vars
			}
			c.Factors = append(c.Factors, randomElements(r, size))
		}
		inst[i] = c
	}
	return inst
}

// finalOf is the check that the caller of Verify makes.
func finalOf(inst []Instance, point []fr.Element, finals [][]fr.Element) fr.Element {
	var sum fr.Element
	for c := range inst {
		v := fr.One()
		for _, x := range point[:len(point)-inst[c].Vars] {
			f := distance(fr.One(), 0)
			f.Sub(&f, &x)
			v.Mul(&v, &f)
		}
		for k := range finals[c] {
			v.Mul(&v, &finals[c][k])
		}
		sum.Add(&sum, &v)
	}
	return sum
}

func equalRounds(a, b Proof) bool {
	return slices.EqualFunc(a.Rounds, b.Rounds, slices.Equal[[]fr.Element])
}

func TestProveProductsMatchesDefinition(t *testing.T) {
	r := newRand(t, 1)
	for trial := range 80 {
		n, degree := r.IntN(6), 2+r.IntN(2)
		inst := randomInstances(r, n, degree)
		claim := sumOf(n, inst)
		want, wantPoint := naiveProve(t, n, degree, claim, inst)
		got, point, finals := ProveProducts(newTranscript(t), n, degree, claim, cloneInstances(inst))
		if !equalRounds(got, want) || !slices.Equal(point, wantPoint) {
			t.Fatalf("trial %d: proof differs from the definition (n %d, degree %d)", trial, n, degree)
		}
		checkVerifies(t, n, degree, claim, got, inst, point, finals)
	}
}

// checkVerifies verifies an honest proof and its final values.
func checkVerifies(t *testing.T, n, degree int, claim fr.Element, p Proof, inst []Instance, point []fr.Element, finals [][]fr.Element) {
	t.Helper()
	at, final, err := Verify(newTranscript(t), n, degree, claim, p)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(at, point) {
		t.Fatal("prover and verifier end at different points")
	}
	if final != finalOf(inst, point, finals) {
		t.Fatal("final value differs from the product of the factors")
	}
	for c := range inst {
		for k, f := range inst[c].Factors {
			if finals[c][k] != poly.Evaluate(f, point[n-inst[c].Vars:]) {
				t.Fatalf("factor %d of instance %d has a wrong final value", k, c)
			}
		}
	}
}

func TestProveProductsOfManyBlocks(t *testing.T) {
	r := newRand(t, 2)
	for _, degree := range []int{1, 2, 3, 5} {
		const n = 13
		inst := []Instance{{Vars: n}, {Vars: n - 1}, {Vars: 2}, {Vars: 0}}
		for i := range inst {
			for k := range min(degree, 1+i) {
				inst[i].Factors = append(inst[i].Factors, randomElements(r, 1<<inst[i].Vars-k*(1<<inst[i].Vars)/7))
			}
		}
		claim := sumOf(n, inst)
		p, point, finals := ProveProducts(newTranscript(t), n, degree, claim, cloneInstances(inst))
		checkVerifies(t, n, degree, claim, p, inst, point, finals)
	}
}

// smallIntegers are distributions of entries of P.
func smallIntegers() map[string]func(*rand.Rand) int32 {
	return map[string]func(*rand.Rand) int32{
		"int8":  func(r *rand.Rand) int32 { return int32(int8(r.Uint32())) },
		"int32": func(r *rand.Rand) int32 { return int32(r.Uint32()) },
		"min":   func(*rand.Rand) int32 { return -1 << 31 },
		"rare":  func(r *rand.Rand) int32 { return int32(r.Uint32()) >> r.IntN(32) },
	}
}

// TestProveInnerMatchesProducts compares with the general prover, which is
// compared with the definition above.
func TestProveInnerMatchesProducts(t *testing.T) {
	r := newRand(t, 3)
	for name, draw := range smallIntegers() {
		for n := range 15 {
			for _, size := range []int{0, 1, 1 << n, 1<<n - 1, r.IntN(1<<n + 1), 1<<n/2 + 1, 3 << n / 4} {
				size = max(0, min(size, 1<<n))
				checkInner(t, r, name, draw, n, size)
			}
		}
	}
}

func checkInner(t *testing.T, r *rand.Rand, name string, draw func(*rand.Rand) int32, n, size int) {
	t.Helper()
	small := make([]int32, size)
	field := make([]fr.Element, size)
	for i := range small {
		small[i] = draw(r)
		field[i].SetInt64(int64(small[i]))
	}
	l := randomElements(r, size)
	inst := []Instance{{Vars: n, Factors: [][]fr.Element{field, l}}}
	claim := sumOf(n, inst)
	want, wantPoint, finals := ProveProducts(newTranscript(t), n, 2, claim, cloneInstances(inst))
	kept := slices.Clone(small)
	got, point, pEval, lEval := ProveInner(newTranscript(t), n, claim, small, slices.Clone(l))
	if !equalRounds(got, want) || !slices.Equal(point, wantPoint) {
		t.Fatalf("%s, %d variables, %d entries: rounds differ", name, n, size)
	}
	if pEval != finals[0][0] || lEval != finals[0][1] {
		t.Fatalf("%s, %d variables, %d entries: final values differ", name, n, size)
	}
	if !slices.Equal(small, kept) {
		t.Fatalf("%s, %d variables, %d entries: P was changed", name, n, size)
	}
}

func TestVerifyRejectsWrongShapes(t *testing.T) {
	r := newRand(t, 4)
	inst := []Instance{{Vars: 3, Factors: [][]fr.Element{randomElements(r, 8), randomElements(r, 8)}}}
	claim := sumOf(3, inst)
	p, _, _ := ProveProducts(newTranscript(t), 3, 2, claim, inst)

	for _, rounds := range [][][]fr.Element{nil, p.Rounds[:2], append(slices.Clone(p.Rounds), p.Rounds[0])} {
		_, _, err := Verify(newTranscript(t), 3, 2, claim, Proof{Rounds: rounds})
		var count *RoundCountError
		if !errors.As(err, &count) || *count != (RoundCountError{Got: len(rounds), Want: 3}) {
			t.Errorf("%d rounds: %v", len(rounds), err)
		}
	}
	for _, size := range []int{0, 1, 3} {
		bad := slices.Clone(p.Rounds)
		bad[1] = make([]fr.Element, size)
		_, _, err := Verify(newTranscript(t), 3, 2, claim, Proof{Rounds: bad})
		var degree *DegreeError
		if !errors.As(err, &degree) || *degree != (DegreeError{Round: 1, Got: size, Want: 2}) {
			t.Errorf("%d evaluations: %v", size, err)
		}
	}
}

func TestNoVariablesMeansFinalIsClaim(t *testing.T) {
	claim := fr.NewElement(42)
	inst := []Instance{{Factors: [][]fr.Element{{fr.NewElement(6)}, {fr.NewElement(7)}}}}
	p, point, finals := ProveProducts(newTranscript(t), 0, 2, claim, cloneInstances(inst))
	checkVerifies(t, 0, 2, claim, p, inst, point, finals)
	_, final, err := Verify(newTranscript(t), 0, 2, claim, p)
	if err != nil || final != claim {
		t.Errorf("final %v, %v", final.String(), err)
	}
}

func TestChangedMessageFailsFinalCheck(t *testing.T) {
	r := newRand(t, 5)
	const n = 4
	for degree := 2; degree <= 3; degree++ {
		inst := []Instance{{Vars: n}, {Vars: 2}}
		for i := range inst {
			for range degree {
				inst[i].Factors = append(inst[i].Factors, randomElements(r, 1<<inst[i].Vars))
			}
		}
		claim := sumOf(n, inst)
		p, _, _ := ProveProducts(newTranscript(t), n, degree, claim, cloneInstances(inst))
		accepts := func(claim fr.Element) bool {
			point, final, err := Verify(newTranscript(t), n, degree, claim, p)
			if err != nil {
				t.Fatal(err)
			}
			finals := make([][]fr.Element, len(inst))
			for c := range inst {
				for _, f := range inst[c].Factors {
					finals[c] = append(finals[c], poly.Evaluate(f, point[n-inst[c].Vars:]))
				}
			}
			return final == finalOf(inst, point, finals)
		}
		if !accepts(claim) {
			t.Fatal("honest proof rejected")
		}
		wrong := fr.One()
		wrong.Add(&wrong, &claim)
		if accepts(wrong) {
			t.Error("wrong claim accepted")
		}
		for round := range p.Rounds {
			for i := range p.Rounds[round] {
				saved := p.Rounds[round][i]
				one := fr.One()
				p.Rounds[round][i].Add(&saved, &one)
				if accepts(claim) {
					t.Errorf("degree %d: change of round %d evaluation %d accepted", degree, round, i)
				}
				p.Rounds[round][i] = saved
			}
		}
	}
}

func BenchmarkProveInner(b *testing.B) {
	for _, n := range []int{12, 14, 16, 20} {
		b.Run(fmt.Sprintf("cells=2^%d", n), func(b *testing.B) { benchmarkProveInner(b, n) })
	}
}

func benchmarkProveInner(b *testing.B, n int) {
	r := newRand(b, 6)
	small := make([]int32, 1<<n)
	var claim fr.Element
	l := randomElements(r, 1<<n)
	for i := range small {
		small[i] = int32(int8(r.Uint32()))
	}
	claim = poly.Dot(l, small)
	work := make([]fr.Element, len(l))
	for b.Loop() {
		b.StopTimer()
		copy(work, l)
		b.StartTimer()
		ProveInner(newTranscript(b), n, claim, small, work)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(int(1)<<n), "ns/cell")
}

func BenchmarkProveProducts(b *testing.B) {
	for _, n := range []int{8, 12, 14, 18} {
		for _, degree := range []int{2, 3} {
			b.Run(fmt.Sprintf("cells=2^%d,degree=%d", n, degree), func(b *testing.B) { benchmarkProveProducts(b, n, degree) })
		}
	}
}

func benchmarkProveProducts(b *testing.B, n, degree int) {
	r := newRand(b, 7)
	inst := []Instance{{Vars: n}}
	for range degree {
		inst[0].Factors = append(inst[0].Factors, randomElements(r, 1<<n))
	}
	claim := sumOf(n, inst)
	for b.Loop() {
		b.StopTimer()
		work := cloneInstances(inst)
		b.StartTimer()
		ProveProducts(newTranscript(b), n, degree, claim, work)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(int(1)<<n), "ns/cell")
}
