package transcript

import (
	"errors"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func kinds() []Kind { return []Kind{SHA256, Poseidon2} }

func start(t *testing.T, k Kind, domain string) *Transcript {
	t.Helper()
	tr, err := New(k, domain)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func scalars(v ...uint64) []fr.Element {
	out := make([]fr.Element, len(v))
	for i, x := range v {
		out[i].SetUint64(x)
	}
	return out
}

func TestKindNamesRoundTrip(t *testing.T) {
	for _, k := range kinds() {
		got, err := ParseKind(k.String())
		if err != nil || got != k {
			t.Errorf("ParseKind(%q) = %v, %v", k.String(), got, err)
		}
	}
	if _, err := ParseKind("kind(3)"); !errors.Is(err, ErrUnknownKind) {
		t.Errorf("ParseKind of an unknown name: %v", err)
	}
	for _, k := range []Kind{0, 3, 255} {
		if _, err := New(k, "d"); !errors.Is(err, ErrUnknownKind) {
			t.Errorf("New(%v): %v", k, err)
		}
	}
}

// TestGoldenChallenges pins both kinds: a change here breaks every proof made
// before it.
func TestGoldenChallenges(t *testing.T) {
	want := map[Kind][3]string{
		SHA256: {
			"5ed765446912b68c9c7d4c9fcd77b795a4505d80eb291ac2c17d85c64a22e50",
			"175bf4f98022c0ac346f4420406f5e995e79edb30a39e2d9d48a2a6de5d562d3",
			"1455c5ed286cb070a32faffff47f38f7440e79317e1c0421ce5f2704505a1e05",
		},
		Poseidon2: {
			"290c6dcd853f0c1dc16b50e625b6e3aa367892efd7c6e424e36d8b65fff77c25",
			"22c8127770dc66659da9ba8c20bd27b9be597889ec03957f8989c08e0641ae8e",
			"2e112a3f8f133d13495486fa3dfd62e1d9b59e4e32abb638a1be77455d4f88e3",
		},
	}
	for _, k := range kinds() {
		tr := start(t, k, "golden")
		tr.AppendUint64("version", 1)
		tr.AppendScalars("values", scalars(1, 2, 3)...)
		var d [32]byte
		for i := range d {
			d[i] = byte(i) | 0xc0
		}
		tr.AppendDigest("bulk", d)
		one := tr.Challenge("one")
		tr.AppendScalars("empty")
		three := tr.Challenges("three", 3)
		got := [3]string{one.Text(16), three[0].Text(16), three[2].Text(16)}
		if got != want[k] {
			t.Errorf("%v: got %q, want %q", k, got, want[k])
		}
	}
}

// TestDifferentSequencesDiffer draws one challenge after each of many
// sequences, in both kinds, and demands that all draws are distinct.
func TestDifferentSequencesDiffer(t *testing.T) {
	var digest, digestOfScalars [32]byte
	digest[31], digestOfScalars[15], digestOfScalars[31] = 1, 1, 2
	sequences := map[string]func(*Transcript){
		"nothing":       func(tr *Transcript) {},
		"ab":            func(tr *Transcript) { tr.AppendScalars("m", scalars(1, 2)...) },
		"ba":            func(tr *Transcript) { tr.AppendScalars("m", scalars(2, 1)...) },
		"ab relabelled": func(tr *Transcript) { tr.AppendScalars("n", scalars(1, 2)...) },
		"ab label with a zero": func(tr *Transcript) {
			tr.AppendScalars("m\x00", scalars(1, 2)...)
		},
		"ab zero padded":       func(tr *Transcript) { tr.AppendScalars("m", scalars(1, 2, 0)...) },
		"ab twice zero padded": func(tr *Transcript) { tr.AppendScalars("m", scalars(1, 2, 0, 0)...) },
		"a then b": func(tr *Transcript) {
			tr.AppendScalars("m", scalars(1)...)
			tr.AppendScalars("m", scalars(2)...)
		},
		"b then a": func(tr *Transcript) {
			tr.AppendScalars("m", scalars(2)...)
			tr.AppendScalars("m", scalars(1)...)
		},
		"one scalar": func(tr *Transcript) { tr.AppendScalars("m", scalars(1)...) },
		"no scalars": func(tr *Transcript) { tr.AppendScalars("m") },
		"no scalars, then ab": func(tr *Transcript) {
			tr.AppendScalars("m")
			tr.AppendScalars("m", scalars(1, 2)...)
		},
		"integer":           func(tr *Transcript) { tr.AppendUint64("m", 1) },
		"digest":            func(tr *Transcript) { tr.AppendDigest("m", digest) },
		"digest like ab":    func(tr *Transcript) { tr.AppendDigest("m", digestOfScalars) },
		"challenge":         func(tr *Transcript) { tr.Challenge("m") },
		"challenge of draw": func(tr *Transcript) { tr.Challenge("draw") },
		"no challenges":     func(tr *Transcript) { tr.Challenges("m", 0) },
		"two challenges":    func(tr *Transcript) { tr.Challenges("m", 2) },
		"challenge twice":   func(tr *Transcript) { tr.Challenge("m"); tr.Challenge("m") },
	}
	seen := map[fr.Element]string{}
	for _, k := range kinds() {
		for _, domain := range []string{"", "d", "dm"} {
			for name, f := range sequences {
				tr := start(t, k, domain)
				f(tr)
				c := tr.Challenge("draw")
				id := k.String() + "/" + domain + "/" + name
				if other, ok := seen[c]; ok {
					t.Errorf("%s and %s draw the same challenge", id, other)
				}
				seen[c] = id
			}
		}
	}
}

func TestChallengesOfOneDrawAreDistinct(t *testing.T) {
	for _, k := range kinds() {
		seen := map[fr.Element]bool{}
		for _, c := range start(t, k, "d").Challenges("many", 101) {
			if seen[c] {
				t.Fatalf("%v: repeated challenge", k)
			}
			seen[c] = true
		}
	}
}

func TestEqualSequencesAgree(t *testing.T) {
	for _, k := range kinds() {
		a, b := start(t, k, "d"), start(t, k, "d")
		for i := range 20 {
			a.AppendScalars("s", scalars(uint64(i), 7)...)
			b.AppendScalars("s", scalars(uint64(i), 7)...)
			if a.Challenge("c") != b.Challenge("c") {
				t.Fatalf("%v: draw %d differs", k, i)
			}
		}
	}
}

func BenchmarkRound(b *testing.B) {
	for _, k := range kinds() {
		b.Run(k.String(), func(b *testing.B) {
			tr, err := New(k, "bench")
			if err != nil {
				b.Fatal(err)
			}
			v := scalars(1, 2, 3)
			for b.Loop() {
				tr.AppendScalars("round", v...)
				tr.Challenge("r")
			}
		})
	}
}
