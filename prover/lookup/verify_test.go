package lookup

import (
	"errors"
	"fmt"
	"math"
	"math/rand"
	"reflect"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// proofCase is an honest proof and its statement.
type proofCase struct {
	left, right Side
	proof       Proof
}

func newCase(t testing.TB, n, rows int) *proofCase {
	t.Helper()
	left, right := lookups(rand.New(rand.NewSource(int64(n))), n, rows)
	p, _, _ := Prove(newTranscript(t), units(left), clone(right))
	return &proofCase{left, right, p}
}

func (c *proofCase) verify(t testing.TB) error {
	t.Helper()
	_, _, err := Verify(newTranscript(t), c.left.Vars, len(c.left.Den), c.right.Vars, c.proof)
	return err
}

func wantError(t *testing.T, got error, want ...error) {
	t.Helper()
	for _, w := range want {
		if errors.Is(got, w) {
			return
		}
	}
	t.Errorf("got error %v, want one of %v", got, want)
}

// TestFalseSumIsRejected covers the witnesses that break the lookup relation.
func TestFalseSumIsRejected(t *testing.T) {
	zero := fr.Element{}
	for _, tc := range []struct {
		name   string
		change func(left, right *Side)
		want   error
	}{
		{"wrong multiplicity", func(_, r *Side) { r.Num[3].SetUint64(38) }, ErrUnequalSums},
		{"multiplicity of an unused row", func(_, r *Side) { r.Num[len(r.Num)-1].SetOne() }, ErrUnequalSums},
		{"key not in the table", func(l, _ *Side) { l.Den[5] = randomElement(rand.New(rand.NewSource(7))) }, ErrUnequalSums},
		{"last key not in the table", func(l, _ *Side) { l.Den[len(l.Den)-1].SetUint64(77) }, ErrUnequalSums},
		{"zero denominator left", func(l, _ *Side) { l.Den[2] = zero }, ErrZeroDenominator},
		{"zero denominator right", func(_, r *Side) { r.Den[1] = zero }, ErrZeroDenominator},
		{"zero denominators on both sides", func(l, r *Side) { l.Den[0], r.Den[0] = zero, zero }, ErrZeroDenominator},
	} {
		t.Run(tc.name, func(t *testing.T) {
			left, right := lookups(rand.New(rand.NewSource(1)), 37, 11)
			right.Num = append(right.Num, zero)
			right.Den = append(right.Den, randomElement(rand.New(rand.NewSource(2))))
			tc.change(&left, &right)
			p, _, _ := Prove(newTranscript(t), units(left), clone(right))
			_, _, err := Verify(newTranscript(t), left.Vars, len(left.Den), right.Vars, p)
			wantError(t, err, tc.want)
		})
	}
}

// TestLeftNumeratorsMustBeOnes proves, with the reference prover, a true
// equality of sums whose left numerators are not ones.
func TestLeftNumeratorsMustBeOnes(t *testing.T) {
	left, right := lookups(rand.New(rand.NewSource(1)), 13, 6)
	double := func(v []fr.Element) {
		for i := range v {
			v[i].Double(&v[i])
		}
	}
	left.Num = make([]fr.Element, len(left.Den))
	for i := range left.Num {
		left.Num[i].SetOne()
	}
	double(left.Num)
	double(right.Num)
	p, _, _ := referenceProve(newTranscript(t), left, right)
	_, _, err := Verify(newTranscript(t), left.Vars, len(left.Den), right.Vars, p)
	wantError(t, err, ErrNumerators)
}

func TestOtherLeafCountIsRejected(t *testing.T) {
	c := newCase(t, 13, 6)
	for _, n := range []int{9, 12, 14, 16} {
		_, _, err := Verify(newTranscript(t), c.left.Vars, n, c.right.Vars, c.proof)
		wantError(t, err, ErrLayer, ErrNumerators)
	}
	for _, n := range []int{-1, 0, 8, 17, math.MaxInt} {
		_, _, err := Verify(newTranscript(t), c.left.Vars, n, c.right.Vars, c.proof)
		wantError(t, err, ErrShape)
	}
}

func TestSwappedSidesAreRejected(t *testing.T) {
	for _, n := range [][2]int{{13, 16}, {13, 5}, {5, 13}} {
		c := newCase(t, n[0], n[1])
		c.proof.Left, c.proof.Right = c.proof.Right, c.proof.Left
		for _, l := range c.proof.Layers {
			if len(l.Ends) == 2 {
				l.Ends[0], l.Ends[1] = l.Ends[1], l.Ends[0]
			}
		}
		wantError(t, c.verify(t), ErrLayer)
		c.left, c.right = c.right, c.left
		if err := c.verify(t); err == nil {
			t.Errorf("sizes %v: swapped statement and proof accepted", n)
		}
	}
}

// TestEveryScalarIsBound walks the proof by reflection, so a field added later
// is covered, and checks that Scalars visits the same fields.
func TestEveryScalarIsBound(t *testing.T) {
	for _, n := range [][2]int{{1, 1}, {6, 5}, {13, 3}, {3, 13}} {
		c := newCase(t, n[0], n[1])
		var fields []*fr.Element
		scalars(reflect.ValueOf(&c.proof).Elem(), func(e *fr.Element) { fields = append(fields, e) })
		var visited []*fr.Element
		c.proof.Scalars(func(e *fr.Element) { visited = append(visited, e) })
		if !reflect.DeepEqual(fields, visited) {
			t.Fatalf("Scalars visits %d fields, the proof has %d", len(visited), len(fields))
		}
		for i, f := range fields {
			old := *f
			one := fr.One()
			f.Add(f, &one)
			if err := c.verify(t); err == nil {
				t.Errorf("sizes %v: scalar %d of %d changed, proof accepted", n, i, len(fields))
			} else {
				wantError(t, err, ErrLayer, ErrNumerators, ErrUnequalSums, ErrZeroDenominator)
			}
			*f = old
		}
		if err := c.verify(t); err != nil {
			t.Fatal(err)
		}
	}
}

func scalars(v reflect.Value, visit func(*fr.Element)) {
	if e, ok := v.Addr().Interface().(*fr.Element); ok {
		visit(e)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			scalars(v.Field(i), visit)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scalars(v.Index(i), visit)
		}
	default:
		panic("BUG: proof field of kind " + v.Kind().String())
	}
}

func TestWrongShapeIsRejected(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(c *proofCase)
	}{
		{"no layers", func(c *proofCase) { c.proof.Layers = nil }},
		{"layer dropped", func(c *proofCase) { c.proof.Layers = c.proof.Layers[:len(c.proof.Layers)-1] }},
		{"layer added", func(c *proofCase) { c.proof.Layers = append(c.proof.Layers, c.proof.Layers[0]) }},
		{"round dropped", func(c *proofCase) { l := &c.proof.Layers[2]; l.Rounds = l.Rounds[:1] }},
		{"round added", func(c *proofCase) { l := &c.proof.Layers[2]; l.Rounds = append(l.Rounds, Round{}) }},
		{"round in the first layer", func(c *proofCase) { c.proof.Layers[0].Rounds = make([]Round, 1) }},
		{"ends dropped", func(c *proofCase) { l := &c.proof.Layers[1]; l.Ends = l.Ends[:1] }},
		{"ends added", func(c *proofCase) { l := &c.proof.Layers[3]; l.Ends = append(l.Ends, Ends{}) }},
		{"ends missing", func(c *proofCase) { c.proof.Layers[3].Ends = nil }},
		{"zero proof of other sides", func(c *proofCase) { c.proof = NewProof(3, 5) }},
		{"zero value", func(c *proofCase) { c.proof = Proof{} }},
		{"no left variables", func(c *proofCase) { c.left.Vars = 0 }},
		{"too many left variables", func(c *proofCase) { c.left.Vars = 5 }},
		{"no right variables", func(c *proofCase) { c.right.Vars = 0 }},
		{"negative right variables", func(c *proofCase) { c.right.Vars = -1 }},
		{"absurd right variables", func(c *proofCase) { c.right.Vars = math.MaxInt }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCase(t, 13, 4)
			tc.change(c)
			wantError(t, c.verify(t), ErrShape)
		})
	}
}

func TestZeroProofIsRejected(t *testing.T) {
	c := newCase(t, 13, 4)
	c.proof = NewProof(c.left.Vars, c.right.Vars)
	wantError(t, c.verify(t), ErrZeroDenominator)
}

func TestNewProofHasTheShapeOfAProof(t *testing.T) {
	for _, n := range sizes {
		c := newCase(t, n[0], n[1])
		if empty := NewProof(c.left.Vars, c.right.Vars); !empty.hasShape(c.left.Vars, c.right.Vars) {
			t.Errorf("sizes %v: NewProof has another shape", n)
		}
		var got, want int
		c.proof.Scalars(func(*fr.Element) { got++ })
		empty := NewProof(c.left.Vars, c.right.Vars)
		empty.Scalars(func(*fr.Element) { want++ })
		if got != want {
			t.Errorf("sizes %v: %d scalars, want %d", n, got, want)
		}
	}
}

// FuzzVerify feeds proofs whose scalars come from the fuzzer; none may verify
// and none may panic.
func FuzzVerify(f *testing.F) {
	f.Add(uint8(3), uint8(2), []byte{1, 2, 3})
	f.Add(uint8(1), uint8(1), []byte{})
	f.Fuzz(func(t *testing.T, leftVars, rightVars uint8, data []byte) {
		lv, rv := int(leftVars%6)+1, int(rightVars%6)+1
		p := NewProof(lv, rv)
		p.Scalars(func(e *fr.Element) {
			n := min(len(data), fr.Bytes)
			e.SetBytes(data[:n])
			data = data[n:]
		})
		if _, _, err := Verify(newTranscript(t), lv, 1<<lv, rv, p); err == nil {
			t.Error("made-up proof accepted")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, vars := range []int{8, 12, 16} {
		b.Run(fmt.Sprintf("left=2^%d", vars), func(b *testing.B) {
			c := newCase(b, 1<<vars, 1<<8)
			for b.Loop() {
				if err := c.verify(b); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
