package chain

import (
	"crypto/sha256"
	"math"
	"testing"
)

// dumbRoot is the definition of MerkleRoot, by recursion over levels.
func dumbRoot(level [][]byte) Hash {
	if len(level) == 1 {
		return Hash(level[0])
	}
	var above [][]byte
	for i := 0; i < len(level); i += 2 {
		if i+1 == len(level) {
			above = append(above, level[i])
			continue
		}
		h := sha256.Sum256(append(append([]byte{1}, level[i]...), level[i+1]...))
		above = append(above, h[:])
	}
	return dumbRoot(above)
}

func TestMerkleRootFollowsItsDefinition(t *testing.T) {
	r := newSource(3)
	for n := 1; n < 70; n++ {
		var leaves []Hash
		var level [][]byte
		for range n {
			h := r.hash()
			leaf := sha256.Sum256(append([]byte{0}, h[:]...))
			leaves, level = append(leaves, h), append(level, leaf[:])
		}
		if MerkleRoot(leaves) != dumbRoot(level) {
			t.Fatalf("root of %d leaves", n)
		}
	}
}

// TestMerkleRootTellsListsApart has the two classic confusions: a repeated last leaf, and an
// inner node that is passed off as a leaf.
func TestMerkleRootTellsListsApart(t *testing.T) {
	a, b, c := digest(1), digest(2), digest(3)
	if MerkleRoot([]Hash{a, b, c}) == MerkleRoot([]Hash{a, b, c, c}) {
		t.Error("a repeated leaf goes unseen")
	}
	if MerkleRoot([]Hash{a, b, c}) == MerkleRoot([]Hash{merkleNode(merkleLeaf(a), merkleLeaf(b)), c}) {
		t.Error("a node passes for a leaf")
	}
	if MerkleRoot(nil) != (Hash{}) {
		t.Error("the root of nothing is not zero")
	}
}

func TestTagsSeparateStructures(t *testing.T) {
	seen := map[Hash]string{}
	for _, tag := range []string{tagTx, tagWitness, tagSig, tagToken, tagJob, tagResult, tagProof, tagSeal, tagUTXO} {
		h := tagged(tag)
		if seen[h] != "" {
			t.Errorf("%s and %s", tag, seen[h])
		}
		seen[h] = tag
	}
}

func TestWitnessDoesNotEnterTheTransactionID(t *testing.T) {
	tx := sampleTx()
	b := &Block{Txs: []*Tx{tx}, Witnesses: []Witness{sampleWitness()}}
	txs, witnesses := b.Roots()
	b.Witnesses[0][0].Data[0][0] ^= 1
	again, changed := b.Roots()
	if txs != again || witnesses == changed {
		t.Error("the roots do not separate bodies from witnesses")
	}
}

func TestSumsRefuseToOverflowPerToken(t *testing.T) {
	other := digest(7)
	sum := totals{}
	if !sum.addAll(Value{{TokenID{}, math.MaxUint64}, {other, 5}}) || !sum.addAll(Value{{other, math.MaxUint64 - 5}}) {
		t.Fatal("a sum that fits is refused")
	}
	if sum.addAll(Native(1)) {
		t.Error("the native token overflows unseen")
	}
	if sum.add(Coin{other, 1}) {
		t.Error("another token overflows unseen")
	}
}

func TestValueLessTakesOnlyWhatIsThere(t *testing.T) {
	v := Value{{TokenID{}, 5}, {digest(1), 7}}
	rest, ok := v.Less(digest(1), 7)
	if !ok || !rest.Equal(Native(5)) {
		t.Errorf("7 of 7 leave %v, %v", rest, ok)
	}
	if _, ok := v.Less(TokenID{}, 6); ok {
		t.Error("takes 6 of 5")
	}
	if _, ok := v.Less(digest(2), 1); ok {
		t.Error("takes of a token that is not there")
	}
}

func TestTokenIDDependsOnInputAndIndex(t *testing.T) {
	a := NewTokenID(Outpoint{digest(1), 2}, 3)
	for _, b := range []TokenID{
		NewTokenID(Outpoint{digest(2), 2}, 3), NewTokenID(Outpoint{digest(1), 3}, 3), NewTokenID(Outpoint{digest(1), 2}, 4),
	} {
		if a == b {
			t.Error("two issues have one token")
		}
	}
}

// TestIdentitiesAreFixed guards every hash that is signed or names something.
func TestIdentitiesAreFixed(t *testing.T) {
	tx, w, h := sampleTx(), sampleWitness(), sampleHeader()
	r := sampleResult()
	var lines []byte
	add := func(h Hash) { lines = append(lines, h[:]...) }
	add(tx.ID())
	add(w.Hash())
	add(h.Hash())
	add(SigHash(digest(1), tx.ID(), 2, &tx.Outputs[0]))
	add(NewTokenID(tx.Inputs[0], 3))
	add(JobID(digest(1), Key{publicKey(2)}, [16]byte{3}, digest(4)))
	add(r.Digest(digest(5)))
	add(SealHash(&h))
	add((&Claim{
		Kind: JobInfer, Key: VerifyingKey{digest(1), 2, 3}, Chain: digest(4), Job: digest(5), Payee: digest(6), Model: digest(7),
		Input: digest(8), Output: digest(9), Proof: digest(10), InputLen: 11, OutputLen: 12, ProofLen: 13,
	}).ID())
	add(LockHash(everyLock()[1]))
	golden(t, "identities", lines)
	if got, want := FormatAddress(MainPrefix, digest(0x5a)), "wes1qtfd95kj6tfd95kj6tfd95kj6tfd95kj6tfd95kj6tfd95kj6tfdqm8622z"; got != want {
		t.Errorf("address %s, want %s", got, want)
	}
}

// TestEveryFieldOfAClaimEntersItsID keeps a cache of proofs from answering for another claim.
func TestEveryFieldOfAClaimEntersItsID(t *testing.T) {
	base := Claim{}
	seen := map[Hash]string{base.ID(): "nothing"}
	for name, change := range map[string]func(c *Claim){
		"kind": func(c *Claim) { c.Kind++ }, "key": func(c *Claim) { c.Key.Hash[0]++ }, "chain": func(c *Claim) { c.Chain[0]++ },
		"job": func(c *Claim) { c.Job[0]++ }, "payee": func(c *Claim) { c.Payee[0]++ }, "model": func(c *Claim) { c.Model[0]++ },
		"input": func(c *Claim) { c.Input[0]++ }, "output": func(c *Claim) { c.Output[0]++ }, "proof": func(c *Claim) { c.Proof[0]++ },
		"key length": func(c *Claim) { c.Key.Len++ }, "input length": func(c *Claim) { c.InputLen++ },
		"output length": func(c *Claim) { c.OutputLen++ }, "proof length": func(c *Claim) { c.ProofLen++ },
	} {
		c := base
		change(&c)
		if other := seen[c.ID()]; other != "" {
			t.Errorf("%s and %s have one claim", name, other)
		}
		seen[c.ID()] = name
	}
}
