package circuit_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/circuit"
)

const (
	packStart = 9       // bytes before the manifest
	maxKey    = 1 << 20 // bytes
)

func packedForm(tb testing.TB, f *fixture) []byte {
	tb.Helper()
	p, _ := f.open(tb)
	var b bytes.Buffer
	if err := p.Pack(&b); err != nil {
		tb.Fatal(err)
	}
	if int64(b.Len()) != p.Manifest.PackedSize() {
		tb.Fatalf("%d bytes, said to be %d", b.Len(), p.Manifest.PackedSize())
	}
	return b.Bytes()
}

func unpack(tb testing.TB, b []byte) (*circuit.Package, error) {
	tb.Helper()
	return circuit.Unpack(bytes.NewReader(b), filepath.Join(tb.TempDir(), "package"), int64(len(b)))
}

func TestPackedPackageIsTheSamePackage(t *testing.T) {
	for _, s := range []int{0, 4} {
		f := tiny(t, circuit.Systems()[s], true)
		b := packedForm(t, f)
		p, err := unpack(t, b)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.CheckParts(); err != nil {
			t.Error(err)
		}
		var again bytes.Buffer
		if err := p.Pack(&again); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("packed again it is another: %v", err)
		}
		h, err := circuit.ReadHead(bytes.NewReader(b), maxKey)
		if err != nil {
			t.Fatal(err)
		}
		if _, k := f.open(t); !bytes.Equal(h.Key.Encode(), k.Encode()) || !h.Manifest.SameAs(p.Manifest) {
			t.Error("the head is of another package")
		}
		r, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), p.Dir, f.witness, circuit.TargetGnark, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Key.Verify(r.Public, r.Proof, circuit.TargetGnark); err != nil {
			t.Error(err)
		}
	}
}

func TestDamagedPackedPackagesAreRefused(t *testing.T) {
	f := tiny(t, circuit.Systems()[0], false)
	good := packedForm(t, f)
	p, _ := f.open(t)
	key := packStart + len(p.Manifest.Encode())
	ccs := key + int(p.Manifest.Verifying.Size)
	for name, change := range map[string]func([]byte) []byte{
		"magic":               func(b []byte) []byte { b[0]++; return b },
		"version":             func(b []byte) []byte { b[4]++; return b },
		"long manifest":       func(b []byte) []byte { binary.LittleEndian.PutUint32(b[5:], 1<<31); return b },
		"manifest":            func(b []byte) []byte { b[packStart+20] ^= 1; return b },
		"verifying key":       func(b []byte) []byte { b[key] ^= 1; return b },
		"constraint system":   func(b []byte) []byte { b[ccs] ^= 1; return b },
		"proving key":         func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"trailing byte":       func(b []byte) []byte { return append(b, 0) },
		"short":               func(b []byte) []byte { return b[:len(b)-1] },
		"end of the head":     func(b []byte) []byte { return b[:ccs] },
		"end of the manifest": func(b []byte) []byte { return b[:key] },
		"beginning":           func(b []byte) []byte { return b[:3] },
		"nothing":             func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "package")
			_, err := circuit.Unpack(bytes.NewReader(change(slices.Clone(good))), dir, 1<<30)
			wantInputError(t, err)
			left, err := os.ReadDir(filepath.Dir(dir))
			if err != nil || len(left) > 0 {
				t.Errorf("%v is left: %v", left, err)
			}
		})
	}
}

// counted tells how much is read.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

func TestBoundsOfPackedPackagesHoldBeforeThePartsAreRead(t *testing.T) {
	f := tiny(t, circuit.Systems()[4], false)
	good := packedForm(t, f)
	p, _ := f.open(t)
	head := packStart + len(p.Manifest.Encode())
	r := &counted{r: bytes.NewReader(good)}
	_, err := circuit.Unpack(r, filepath.Join(t.TempDir(), "package"), int64(len(good)-1))
	wantInputError(t, err, "want at most")
	if r.n > head {
		t.Errorf("%d bytes were read of a package that is too large", r.n)
	}
	r = &counted{r: bytes.NewReader(good)}
	_, err = circuit.ReadHead(r, p.Manifest.Verifying.Size-1)
	wantInputError(t, err, "want at most")
	if r.n > head {
		t.Errorf("%d bytes were read of a package whose key is too large", r.n)
	}
}

func TestVerifiersPackageIsNotPacked(t *testing.T) {
	p, _ := tiny(t, circuit.Systems()[0], false).open(t)
	v, err := p.WriteVerifier(filepath.Join(t.TempDir(), "verifier"))
	if err != nil {
		t.Fatal(err)
	}
	wantInputError(t, v.Pack(io.Discard), "no proving key")
	if v.Manifest.PackedSize() != 0 {
		t.Error("it has a size")
	}
}

func TestDamagedPackageIsNotPacked(t *testing.T) {
	f := tiny(t, circuit.Systems()[0], false)
	dir := f.copied(t)
	edit(t, filepath.Join(dir, circuit.ProvingFile), damages["a bit"])
	p, err := circuit.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantInputError(t, p.Pack(io.Discard), circuit.ProvingFile)
}

func TestImportedPackageIsTheSame(t *testing.T) {
	f, other := tiny(t, circuit.Systems()[0], false), tiny(t, circuit.Systems()[0], true)
	p, _ := f.open(t)
	in := func(name string) string { return filepath.Join(f.dir, name) }
	q, err := circuit.Setup(t.Context(), circuit.SetupRequest{
		System: f.system, Circuit: in(circuit.CircuitFile), Out: filepath.Join(t.TempDir(), "package"),
		ProvingKey: in(circuit.ProvingFile), VerifyingKey: in(circuit.VerifyingFile),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := other.open(t)
	lie := *p.Manifest
	lie.Constraints--
	if !p.Manifest.SameAs(q.Manifest) || p.Manifest.SameAs(o.Manifest) || lie.SameAs(q.Manifest) {
		t.Error("a package and its import are the same, and no others")
	}
}

func TestProofsAreAsLongAsTheManifestSays(t *testing.T) {
	for _, s := range circuit.Systems() {
		for _, commits := range []bool{false, true} {
			f := tiny(t, s, commits)
			p, _ := f.open(t)
			if r := f.prove(t, circuit.NewProver(circuit.Options{})); len(r.Proof) != p.Manifest.ProofBytes() {
				t.Errorf("%v with %d commitments: %d bytes, said to be %d", s, p.Manifest.Commitments, len(r.Proof), p.Manifest.ProofBytes())
			}
		}
	}
}

func FuzzUnpack(f *testing.F) {
	good := packedForm(f, tiny(f, circuit.Systems()[0], false))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("WESG\x01\x02\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, headErr := circuit.ReadHead(bytes.NewReader(b), maxKey)
		p, err := circuit.Unpack(bytes.NewReader(b), filepath.Join(t.TempDir(), "package"), 1<<24)
		var input *circuit.InputError
		if err != nil {
			if !errors.As(err, &input) {
				t.Fatal(err)
			}
			return
		}
		if headErr == nil && !h.Manifest.SameAs(p.Manifest) {
			t.Error("the head is of another package")
		}
		var again bytes.Buffer
		if err := p.Pack(&again); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("packed again it is another: %v", err)
		}
	})
}
