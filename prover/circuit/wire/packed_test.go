package wire

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// TestPackedListsAreWhatGnarkPacked packs random lists with gnark, as levels and as starts of
// instructions, and unpacks them here.
func TestPackedListsAreWhatGnarkPacked(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		made := cs.NewR1CS(0)
		// Differences of all widths, rising or with both signs, in lists around the block sizes.
		n := []int{0, 1, 5, 127, 128, 129, 255, 256, 300, 1024, 1100}[r.IntN(11)]
		width, signed := r.IntN(66), r.IntN(2) == 1
		level := make([]uint32, n)
		made.Instructions = make([]constraint.PackedInstruction, n)
		var sum uint64
		for i := range n {
			if i%50 == 0 {
				width = r.IntN(66)
			}
			delta := r.Uint64() & (1<<width - 1)
			if signed && r.IntN(2) == 1 {
				delta = -delta
			}
			sum += delta
			level[i] = uint32(sum)
			made.Instructions[i] = constraint.PackedInstruction{
				BlueprintID: constraint.BlueprintID(level[i]), ConstraintOffset: uint32(i), WireOffset: r.Uint32(), StartCallData: sum,
			}
		}
		made.Levels = [][]uint32{level}
		var b bytes.Buffer
		if _, err := made.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		parts, refusal := split(b.Bytes())
		if refusal != nil {
			t.Fatal(refusal)
		}
		words, _, refusal := parts.levels.words32(8, nil)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if got, wrong := unpack(words, nil, n); wrong != "" || !slices.Equal(got, level) {
			t.Fatalf("round %d: level of %d: %s\ngot  %v\nwant %v", round, n, wrong, got, level)
		}
		if _, wrong := unpack(words, nil, n-1); n > 0 && wrong == "" {
			t.Errorf("round %d: %d integers pass as %d", round, n, n-1)
		}
		s := system{calldata: make([]uint32, 2*n)}
		if refusal := s.readInstructions(parts.instructions); refusal != nil {
			t.Fatalf("round %d: %v", round, refusal)
		}
		for i, in := range made.Instructions {
			if want := (instruction{uint32(in.BlueprintID), in.ConstraintOffset, in.WireOffset, in.StartCallData}); s.instructions[i] != want {
				t.Fatalf("round %d: instruction %d: got %+v, want %+v", round, i, s.instructions[i], want)
			}
		}
	}
}

// FuzzUnpack reads packed lists from strangers: they never make it panic, or give more integers
// than asked for.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 3, 0, 0, 0, 0x80, 0x80, 0x80, 5, 3, 0, 0, 0})
	f.Add([]byte{128, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var short []uint32
		var long []uint64
		for ; len(b) >= 8; b = b[8:] {
			short = append(short, binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]))
			long = append(long, binary.LittleEndian.Uint64(b))
		}
		const limit = 1000
		if out, _ := unpack(short, nil, limit); len(out) > limit {
			t.Errorf("%d integers of 32 bits", len(out))
		}
		if out, _ := unpack(long, nil, limit); len(out) > limit {
			t.Errorf("%d integers of 64 bits", len(out))
		}
	})
}
