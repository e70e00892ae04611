package commit

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func randomScalar(rng *rand.Rand) (z fr.Element) {
	var b [48]byte
	rng.Read(b[:])
	z.SetBytes(b[:])
	return z
}

// honest commits to random data and combines the rows with random weights.
func honest(tb testing.TB, rng *rand.Rand, k *Key, rows, cols int) Check {
	tb.Helper()
	data := fill(rng, rows*cols, distributions()["signed 8"])
	points, err := k.CommitRows(context.Background(), data, cols, nil)
	if err != nil {
		tb.Fatal(err)
	}
	c := Check{Rows: points, Weights: make([]fr.Element, rows), U: make([]fr.Element, cols)}
	for i := range c.Weights {
		c.Weights[i] = randomScalar(rng)
		for j := range c.U {
			var term fr.Element
			term.SetInt64(int64(data[i*cols+j]))
			c.U[j].Add(&c.U[j], term.Mul(&term, &c.Weights[i]))
		}
	}
	return c
}

func honestChecks(tb testing.TB, rng *rand.Rand) (*Key, []Check) {
	tb.Helper()
	k := knownKey(randomLogs(rng, 32))
	return k, []Check{
		honest(tb, rng, k, 20, 32), honest(tb, rng, k, 3, 8), honest(tb, rng, k, 1, 1),
		{Rows: nil, Weights: nil, U: nil},
		{Rows: nil, Weights: nil, U: make([]fr.Element, 5)},
	}
}

func TestVerifyAcceptsHonestChecks(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	k, checks := honestChecks(t, rng)
	for n := range len(checks) + 1 {
		if err := k.Verify(checks[:n], randomScalar(rng)); err != nil {
			t.Errorf("first %d checks: %v", n, err)
		}
	}
}

// Every row, weight and entry of a combined row matters.
func TestVerifyRejectsAnyChange(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	k, checks := honestChecks(t, rng)
	delta := randomScalar(rng)
	one := fr.One()
	refused := func(what string, c, i int) {
		t.Helper()
		if err := k.Verify(checks, delta); !errors.Is(err, ErrOpening) {
			t.Errorf("check %d, %s %d changed: %v", c, what, i, err)
		}
	}
	for c := range checks {
		for i := range checks[c].Rows {
			old := checks[c].Rows[i]
			checks[c].Rows[i].Add(&old, &k.Generators()[0])
			refused("row", c, i)
			checks[c].Rows[i] = old
		}
		for i := range checks[c].Weights {
			old := checks[c].Weights[i]
			checks[c].Weights[i].Add(&old, &one)
			refused("weight", c, i)
			checks[c].Weights[i] = old
		}
		for j := range checks[c].U {
			old := checks[c].U[j]
			checks[c].U[j].Add(&old, &one)
			refused("entry", c, j)
			checks[c].U[j] = old
		}
	}
}

// Errors of two checks must not cancel: each has its own power of delta.
func TestVerifyRejectsCancellingErrors(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	k, checks := honestChecks(t, rng)
	one := fr.One()
	checks[0].U[0].Add(&checks[0].U[0], &one)
	checks[1].U[0].Sub(&checks[1].U[0], &one)
	if err := k.Verify(checks, randomScalar(rng)); !errors.Is(err, ErrOpening) {
		t.Errorf("cancelling errors: %v", err)
	}
}

func TestVerifyRejectsWrongLengths(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	for name, change := range map[string]func(c *Check){
		"weight missing":    func(c *Check) { c.Weights = c.Weights[1:] },
		"weight too many":   func(c *Check) { c.Weights = append(c.Weights, fr.One()) },
		"no weights":        func(c *Check) { c.Weights = nil },
		"no rows":           func(c *Check) { c.Rows = nil },
		"combined row long": func(c *Check) { c.U = make([]fr.Element, 33) },
	} {
		k, checks := honestChecks(t, rng)
		change(&checks[1])
		var length *LengthError
		if err := k.Verify(checks, randomScalar(rng)); !errors.As(err, &length) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, n := range []struct{ rows, cols int }{{64, 64}, {512, 2048}} {
		b.Run(fmt.Sprintf("%dx%d", n.rows, n.cols), func(b *testing.B) {
			k, err := NewKey(n.cols)
			if err != nil {
				b.Fatal(err)
			}
			rng := rand.New(rand.NewSource(seed))
			checks := []Check{honest(b, rng, k, n.rows, n.cols)}
			delta := randomScalar(rng)
			for b.Loop() {
				if err := k.Verify(checks, delta); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
