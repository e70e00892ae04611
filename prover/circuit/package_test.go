package circuit_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/circuit"
)

// copied is a package that a test may damage.
func (f *fixture) copied(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "package")
	if err := os.CopyFS(dir, os.DirFS(f.dir)); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func edit(tb testing.TB, path string, change func([]byte) []byte) {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func wantInputError(tb testing.TB, err error, words ...string) {
	tb.Helper()
	var e *circuit.InputError
	if !errors.As(err, &e) {
		tb.Errorf("got %v, want an error of input", err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			tb.Errorf("error %q does not say %q", err, w)
		}
	}
}

var damages = map[string]func([]byte) []byte{
	"a bit":     func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
	"truncated": func(b []byte) []byte { return b[:len(b)-1] },
	"longer":    func(b []byte) []byte { return append(b, 0) },
	"empty":     func([]byte) []byte { return nil },
}

func TestDamagedPartsAreNamed(t *testing.T) {
	for _, s := range []int{0, 4} { // BN254
		f := tiny(t, circuit.Systems()[s], false)
		for _, name := range []string{circuit.ManifestFile, circuit.CircuitFile, circuit.ProvingFile, circuit.VerifyingFile} {
			for what, change := range damages {
				t.Run(f.system.SchemeName()+" "+name+" "+what, func(t *testing.T) {
					dir := f.copied(t)
					edit(t, filepath.Join(dir, name), change)
					_, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), dir, f.witness, circuit.TargetGnark, nil)
					wantInputError(t, err, name)
				})
			}
			t.Run("without "+name, func(t *testing.T) {
				dir := f.copied(t)
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				_, err := circuit.Open(dir)
				wantInputError(t, err, name)
			})
		}
	}
}

func TestKeysOfAnotherSetupDoNotPass(t *testing.T) {
	for _, s := range []int{0, 4} {
		f := tiny(t, circuit.Systems()[s], false)
		other := f.setup(t, circuit.SetupRequest{Out: filepath.Join(t.TempDir(), "other"), Unsafe: true})
		dir := f.copied(t)
		mixed := *other.Manifest
		p, err := circuit.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		mixed.Verifying = p.Manifest.Verifying
		for _, name := range []string{circuit.ProvingFile, circuit.CircuitFile} {
			b, err := os.ReadFile(filepath.Join(other.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			edit(t, filepath.Join(dir, name), func([]byte) []byte { return b })
		}
		edit(t, filepath.Join(dir, circuit.ManifestFile), func([]byte) []byte { return mixed.Encode() })
		_, err = circuit.NewProver(circuit.Options{}).Prove(t.Context(), dir, f.witness, circuit.TargetGnark, nil)
		wantInputError(t, err, "does not fit the verifying key")
	}
}

func TestPackagesAreWrittenWholeOrNotAtAll(t *testing.T) {
	f := tiny(t, circuit.Systems()[0], false)
	parent := t.TempDir()
	out := filepath.Join(parent, "package")
	_, err := f.trySetup(t, circuit.SetupRequest{Out: out, Unsafe: true, Circuit: file(t, f.ccs[:len(f.ccs)/2])})
	wantInputError(t, err, "constraint system")
	if entries, _ := os.ReadDir(parent); len(entries) != 0 {
		t.Errorf("a failed setup left %v", entries)
	}
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	f.setup(t, circuit.SetupRequest{Out: out, Unsafe: true}) // an empty folder is taken
	_, err = f.trySetup(t, circuit.SetupRequest{Out: out, Unsafe: true})
	wantInputError(t, err, "exists already")
	if entries, _ := os.ReadDir(parent); len(entries) != 1 {
		t.Errorf("setups left %v", entries)
	}
}

func TestVerifiersPackageKeepsTheLabelAndProvesNothing(t *testing.T) {
	for _, s := range []int{0, 4} {
		f := tiny(t, circuit.Systems()[s], false)
		p, _ := f.open(t)
		v, err := p.WriteVerifier(filepath.Join(t.TempDir(), "verifier"))
		if err != nil {
			t.Fatal(err)
		}
		if v.Manifest.Origin != p.Manifest.Origin || v.Manifest.Origin.Warning() == "" {
			t.Errorf("origin %v, want that of the package: %v", v.Manifest.Origin, p.Manifest.Origin)
		}
		k, err := v.VerifyingKey()
		if err != nil {
			t.Fatal(err)
		}
		r := f.prove(t, circuit.NewProver(circuit.Options{}))
		if err := k.Verify(r.Public, r.Proof, circuit.TargetGnark); err != nil {
			t.Error(err)
		}
		_, err = circuit.NewProver(circuit.Options{}).Prove(t.Context(), v.Dir, f.witness, circuit.TargetGnark, nil)
		wantInputError(t, err, "no proving key")
	}
}

func TestSetupHasOneSource(t *testing.T) {
	for _, r := range []circuit.SetupRequest{
		{}, {SRS: "a", Unsafe: true}, {ProvingKey: "a"}, {VerifyingKey: "a"}, {Unsafe: true, ProvingKey: "a", VerifyingKey: "b"},
	} {
		if err := r.Validate(); err == nil {
			t.Errorf("%+v is accepted", r)
		} else if none := r == (circuit.SetupRequest{}); none != errors.Is(err, circuit.ErrNoSource) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestConstraintSystemOfAnotherKindIsRefused(t *testing.T) {
	all := circuit.Systems()
	ccs := tiny(t, all[0], false).ccs // Groth16 over BN254
	for i, words := range map[int]string{1: "another curve", 4: "scs.NewBuilder", 7: "constraint system"} {
		_, err := circuit.Setup(t.Context(), circuit.SetupRequest{
			System: all[i], Circuit: file(t, ccs), Out: filepath.Join(t.TempDir(), "p"), Unsafe: true,
		}, nil)
		wantInputError(t, err, words)
	}
}

func TestManifestHasOneEncoding(t *testing.T) {
	p, _ := tiny(t, circuit.Systems()[0], false).open(t)
	good := string(p.Manifest.Encode())
	if _, err := circuit.DecodeManifest([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string]string{
		"other version":     strings.Replace(good, `"version": 1`, `"version": 2`, 1),
		"other scheme":      strings.Replace(good, `groth16`, `stark`, 1),
		"curve's old name":  strings.Replace(good, `bn254`, `bls12_381`, 1),
		"unknown field":     strings.Replace(good, `"public"`, `"extra": 1, "public"`, 1),
		"twice":             strings.Replace(good, `"public": 1`, `"public": 2, "public": 1`, 1),
		"negative":          strings.Replace(good, `"secret": 1`, `"secret": -1`, 1),
		"huge":              strings.Replace(good, `"secret": 1`, `"secret": 99999999999`, 1),
		"unknown origin":    strings.Replace(good, `"unsafe"`, `"heaven"`, 1),
		"ceremony of none":  strings.Replace(good, `"unsafe"`, `"ceremony"`, 1),
		"no gnark":          strings.Replace(good, `v0.15.0`, ``, 1),
		"space":             good + " ",
		"two":               good + good,
		"digest upper case": strings.ReplaceAll(good, p.Manifest.Verifying.SHA256, strings.ToUpper(p.Manifest.Verifying.SHA256)),
		"long":              good + strings.Repeat(" ", 1<<16),
		"empty":             "",
	} {
		_, err := circuit.DecodeManifest([]byte(bad))
		if err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func FuzzManifest(f *testing.F) {
	p, _ := tiny(f, circuit.Systems()[0], false).open(f)
	f.Add(p.Manifest.Encode())
	f.Add([]byte(`{"version": 1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := circuit.DecodeManifest(b)
		if err == nil && string(m.Encode()) != string(b) {
			t.Errorf("%q encodes as %q", b, m.Encode())
		}
	})
}
