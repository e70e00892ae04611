package chain_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// hostile changes a signed transaction in one to three places. What it signs stays signed over
// the old body, so that most changes reach deep before a signature fails.
func hostile(r *rand.Rand, s chaintest.Signed) chaintest.Signed {
	tx := *s.Tx
	tx.Outputs = slices.Clone(tx.Outputs)
	tx.Attachments = slices.Clone(tx.Attachments)
	tx.Inputs = slices.Clone(tx.Inputs)
	w := chain.Witness{}
	for _, in := range s.Witness {
		in.Choices, in.Data = slices.Clone(in.Choices), slices.Clone(in.Data)
		w = append(w, in)
	}
	for range 1 + r.IntN(3) {
		in := &w[r.IntN(len(w))]
		switch r.IntN(12) {
		case 0:
			in.OutBase = r.Uint32() >> r.IntN(32)
		case 1:
			in.Exit = r.Uint32N(9)
		case 2:
			in.Choices = append(in.Choices, r.Uint64()>>r.IntN(64))
		case 3:
			if n := len(in.Choices); n > 0 {
				in.Choices[r.IntN(n)] = r.Uint64() >> r.IntN(64)
			}
		case 4:
			in.Choices = in.Choices[:len(in.Choices)/2]
		case 5:
			in.Data = append(in.Data, make([]byte, r.IntN(100)))
		case 6:
			in.Data = in.Data[:len(in.Data)/2]
		case 7:
			if n := len(in.Data); n > 0 {
				k := r.IntN(n)
				in.Data[k] = append(slices.Clone(in.Data[k]), 0)[:r.IntN(len(in.Data[k])+1)]
			}
		case 8:
			if n := len(tx.Outputs); n > 0 {
				tx.Outputs = tx.Outputs[:r.IntN(n)]
			}
		case 9:
			if n := len(tx.Outputs); n > 0 {
				tx.Outputs = append(tx.Outputs, tx.Outputs[r.IntN(n)])
			}
		case 10:
			tx.Inputs = append(tx.Inputs, tx.Inputs[r.IntN(len(tx.Inputs))])
			w = append(w, w[r.IntN(len(w))])
		case 11:
			if n := len(tx.Attachments); n > 0 {
				tx.Attachments = tx.Attachments[:r.IntN(n)]
			}
		}
	}
	return chaintest.Signed{Tx: &tx, Witness: w}
}

// TestHostileTransactionsAreRefusedWithoutPanic changes exits of every kind.
func TestHostileTransactionsAreRefusedWithoutPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	refused := map[chain.Code]int{}
	try := func(j *job, s chaintest.Signed) {
		for range 300 {
			err := j.check(hostile(r, s))
			if err == nil {
				continue
			}
			var rule *chain.RuleError
			if !errors.As(err, &rule) {
				t.Fatalf("not a broken rule: %v", err)
			}
			refused[rule.Code]++
		}
	}
	kinds(t, func(t *testing.T, level chain.Level, kind chain.JobKind) {
		j := mustJob(t, level, kind)
		exits := j.exits()
		for _, name := range slices.Sorted(maps.Keys(exits)) { // the same changes in every run
			try(j, j.draft(exits[name].exit).Sign())
		}
	})
	j := mustJob(t, chain.LevelOptimistic, chain.JobInfer)
	try(j, j.refute(j.claimed("claim"), carol.Lock(), "other").Sign())
	j = mustJob(t, chain.LevelZK, chain.JobProve)
	try(j, j.refute(j.claimed("invalid"), carol.Lock(), "output").Sign())
	if len(refused) < 12 {
		t.Errorf("rules %v: the changes have worn out", refused)
	}
}

// FuzzCheckTx validates whatever decodes, as a spender of everything in a ledger.
func FuzzCheckTx(f *testing.F) {
	j := mustJob(f, chain.LevelZK, chain.JobInfer)
	for _, name := range []string{"accept", "prove"} {
		s := j.draft(j.exits()[name].exit).Sign()
		f.Add(s.Tx.Encode(), s.Witness.Encode())
	}
	view := anything{Memory: j.Store}
	for o, e := range j.Store.Unspent {
		view.all = append(view.all, chain.UTXO{Outpoint: o, Entry: e})
	}
	sortUTXOs(view.all)
	f.Fuzz(func(t *testing.T, body, witness []byte) {
		tx, err := chain.DecodeTx(body)
		if err != nil {
			return
		}
		w, err := chain.DecodeWitness(witness)
		if err != nil {
			return
		}
		_, err = j.CheckTx(j.Env(), view, j.Store, tx, w)
		if err != nil && !errors.As(err, new(*chain.RuleError)) && !errors.As(err, new(*chain.UnavailableError)) {
			t.Fatal(err)
		}
	})
}

// anything is a view in which every outpoint names some unspent output.
type anything struct {
	*chaintest.Memory
	all []chain.UTXO
}

func (a anything) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	if e, ok, err := a.Memory.Entry(o); ok {
		return e, ok, err
	}
	return a.all[o.Index%uint32(len(a.all))].Entry, true, nil
}
