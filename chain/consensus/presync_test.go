package consensus

import (
	"errors"
	"math/big"
	"testing"

	"github.com/weisyn/wes/chain"
)

// messages mines headers that are not in the tree, in messages of a size.
func (x *tree) messages(n, size int) [][]chain.Header {
	var all [][]chain.Header
	shadow := newTree(x.t, x.profile)
	on, time := shadow.genesis, uint64(clock)
	for i := range n {
		on = shadow.add(on, time)
		if i%size == 0 {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], on.Header)
		time += x.profile.Spacing / 10
	}
	return all
}

func workOf(messages [][]chain.Header) *big.Int {
	sum := new(big.Int)
	for _, m := range messages {
		for i := range m {
			sum.Add(sum, work(&m[i]))
		}
	}
	return sum
}

// presync starts one with messages of another size.
func (x *tree) presync(full int, enough *big.Int) *Presync {
	p := x.NewPresync(x.genesis, enough)
	p.full = full
	return p
}

func TestHeadersWithTooLittleWorkEndTheFirstPass(t *testing.T) {
	x := newTree(t, DefaultProfile())
	m := x.messages(6, 4)
	p := x.presync(4, new(big.Int).Lsh(big.NewInt(1), 100))
	if err := p.Step(m[0], nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Step(m[1], nil); !errors.Is(err, ErrTooLittleWork) {
		t.Fatalf("the last message: %v", err)
	}
}

func TestPresyncShowsWorkBeforeAnythingIsKept(t *testing.T) {
	x := newTree(t, DefaultProfile())
	m := x.messages(10, 4)
	enough := workOf(m[:2])
	if bits := m[1][3].Bits; bits == x.profile.Bits {
		t.Fatal("the schedule asks for nothing of headers ahead of it")
	}
	p := x.presync(4, enough)
	for i, h := range m {
		if p.Storing() {
			t.Fatalf("enough after %d messages", i)
		}
		if err := p.Step(h, nil); err != nil {
			t.Fatal(err)
		}
		if len(x.nodes) != 1 {
			t.Fatal("headers are kept in the first pass")
		}
		if i == 1 {
			break
		}
	}
	if !p.Storing() || p.Done() || p.Work().Sign() != 0 {
		t.Fatal("eight blocks are not enough")
	}
	for _, h := range m[:2] {
		if err := p.Step(h, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !p.Done() || p.Work().Cmp(enough) != 0 {
		t.Fatal("the second pass does not end")
	}
	if err := p.Step(m[2], nil); !errors.Is(err, ErrNotContinued) {
		t.Fatalf("a third pass: %v", err)
	}
}

func TestSecondPassMustRepeatTheFirst(t *testing.T) {
	x := newTree(t, DefaultProfile())
	m, other := x.messages(4, 2), x.messages(5, 2)
	enough := workOf(m)
	for name, second := range map[string][][]chain.Header{
		"other headers":   {{other[0][0], mine(headerOn(other[0][0], x.profile.Bits), anyHash)}},
		"another message": {m[0][:1]},
		"not continued":   {m[1]},
	} {
		p := x.presync(2, enough)
		for _, h := range m {
			if err := p.Step(h, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Step(second[0], nil); !errors.Is(err, ErrNotContinued) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// headerOn makes a header on another, of other content than the tree's.
func headerOn(h chain.Header, bits uint32) chain.Header {
	return chain.Header{
		Chain: h.Chain, Parent: h.Hash(), Height: h.Height + 1, Time: h.Time + 10_000, Bits: bits, WitnessRoot: chain.Hash{9},
	}
}

func TestPresyncChecksHeadersAndSizes(t *testing.T) {
	x := newTree(t, DefaultProfile())
	m := x.messages(3, 3)[0]
	bad := m[2]
	bad.Time = m[1].Time
	bad = mine(bad, anyHash)
	enough := new(big.Int).Lsh(big.NewInt(1), 100)
	var rule *HeaderError
	if err := x.NewPresync(x.genesis, enough).Step([]chain.Header{m[0], m[1], bad}, nil); !errors.As(err, &rule) || rule.Code != CodeEarly {
		t.Errorf("a header too early: %v", err)
	}
	for name, h := range map[string][]chain.Header{"none": nil, "too many": make([]chain.Header, MaxHeaders+1)} {
		if err := x.NewPresync(x.genesis, enough).Step(h, nil); !errors.Is(err, ErrTooMany) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := x.NewPresync(x.genesis, enough).Step(m, make([][]byte, 2)); !errors.Is(err, ErrTooMany) {
		t.Errorf("seals of other headers: %v", err)
	}
}
