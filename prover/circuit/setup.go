package circuit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/constraint"
	"github.com/weisyn/wes/prover/circuit/srs"
	"github.com/weisyn/wes/prover/circuit/wire"
)

// maxFile bounds constraint systems and keys, in bytes.
const maxFile = 64 << 30

// SetupRequest says what to make a package of. Exactly one of SRS, Unsafe, and the pair of
// ProvingKey and VerifyingKey is given.
type SetupRequest struct {
	System       System `json:"-"`
	Circuit      string // constraint system, gnark's encoding
	Out          string // folder of the package, which must not exist or be empty
	SRS          string // file of a ceremony: .ptau, or gnark's encoding for PLONK
	Unsafe       bool   // random numbers of this machine
	ProvingKey   string // gnark's encoding, compressed or raw
	VerifyingKey string // gnark's encoding, compressed or raw
}

// ErrNoSource is the error of a setup without a source of randomness.
var ErrNoSource = errors.New("a setup needs random numbers that nobody knows, since who knows them can forge proofs")

// Validate checks that the request says one thing.
func (r *SetupRequest) Validate() error {
	keys := r.ProvingKey != "" || r.VerifyingKey != ""
	sources := 0
	for _, given := range []bool{r.SRS != "", r.Unsafe, keys} {
		if given {
			sources++
		}
	}
	switch {
	case sources == 0:
		return ErrNoSource
	case sources > 1:
		return errors.New("a setup has one source: a ceremony's file, this machine, or two keys")
	case keys && (r.ProvingKey == "" || r.VerifyingKey == ""):
		return errors.New("an import needs both keys")
	}
	return nil
}

// keys are what a setup makes.
type keys struct {
	origin Origin
	pk     provingKey
	vk     verifyingKey
}

// Setup makes a package. It belongs in a process of its own: gnark cannot be stopped, and a
// stranger's files may cost more memory than there is. Errors are *InputError for files that
// cannot be used.
func Setup(ctx context.Context, r SetupRequest, progress Progress) (*Package, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if err := CheckNew(r.Out); err != nil {
		return nil, err
	}
	progress.begin(StageLoad)
	encoded, err := readAll(r.Circuit, maxFile)
	if err != nil {
		return nil, &InputError{r.Circuit, err}
	}
	cs, shape, err := decodeConstraintSystem(r.System, encoded)
	if err != nil {
		return nil, &InputError{r.Circuit, err}
	}
	k, err := r.keys(ctx, cs, shape, progress)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	progress.begin(StageWrite)
	return k.write(r, shape, encoded)
}

func (r *SetupRequest) keys(ctx context.Context, cs constraint.ConstraintSystem, shape wire.CCSShape, progress Progress) (*keys, error) {
	switch {
	case r.ProvingKey != "":
		progress.begin(StageCheck)
		return r.imported(cs)
	case shape.Domain < 2 && r.System.Scheme == backend.PLONK:
		return nil, unusable(r.Circuit, "one row is too small for PLONK, which needs two")
	case r.SRS != "":
		return r.ceremony(ctx, cs, shape, progress)
	case r.System.Scheme == backend.PLONK:
		progress.begin(StageSRS)
		canonical, lagrange, err := unsafeSRS(r.System.Curve, shape.Domain)
		if err != nil {
			return nil, err
		}
		return plonkKeys(cs, canonical, lagrange, Origin{Kind: OriginUnsafe}, progress)
	}
	progress.begin(StageSetup)
	pk, vk, err := groth16.Setup(cs)
	return &keys{Origin{Kind: OriginUnsafe}, pk, vk}, err
}

// ceremony takes the reference string from a file, whose points are checked.
func (r *SetupRequest) ceremony(ctx context.Context, cs constraint.ConstraintSystem, shape wire.CCSShape, progress Progress) (*keys, error) {
	progress.begin(StageSRS)
	f, err := srs.Open(r.SRS, r.System.Curve)
	if err != nil {
		return nil, r.reference(err)
	}
	defer f.Close()
	origin := Origin{Kind: OriginCeremony, SRS: f.Describe().SHA256}
	if r.System.Scheme == backend.PLONK {
		canonical, lagrange, err := f.KZG(ctx, shape.Domain)
		if err != nil {
			return nil, r.reference(err)
		}
		return plonkKeys(cs, canonical, lagrange, origin, progress)
	}
	origin.Kind = OriginPhase2
	progress.begin(StageSetup)
	pk, vk, err := f.Groth16(ctx, cs)
	return &keys{origin, pk, vk}, r.reference(err)
}

// reference tells a reference string that cannot be used from other failures.
func (r *SetupRequest) reference(err error) error {
	switch {
	case errors.Is(err, srs.ErrTooSmall):
		return unusable(r.SRS, "%w; take the ceremony's file for more powers", err)
	case errors.Is(err, srs.ErrInvalid), errors.Is(err, srs.ErrUnsupported), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return &InputError{r.SRS, err}
	}
	return err
}

func plonkKeys(cs constraint.ConstraintSystem, canonical, lagrange kzg.SRS, o Origin, progress Progress) (*keys, error) {
	progress.begin(StageSetup)
	pk, vk, err := plonk.Setup(cs, canonical, lagrange)
	if err != nil {
		return nil, err
	}
	return &keys{o, pk, vk}, nil
}

func (k *keys) write(r SetupRequest, shape wire.CCSShape, encoded []byte) (*Package, error) {
	vk, err := encode(k.vk)
	if err != nil {
		return nil, err
	}
	p, err := write(r.Out, describe(r.System, shape, k.origin), []part{
		rawBytes(CircuitFile, encoded),
		{ProvingFile, func(w io.Writer) error {
			_, err := k.pk.WriteRawTo(w)
			return err
		}},
		rawBytes(VerifyingFile, vk),
	})
	var input *InputError
	if err != nil && !errors.As(err, &input) {
		err = fmt.Errorf("write package: %w", err)
	}
	return p, err
}

// WriteVerifier makes a package with which proofs can be verified but not made.
func (p *Package) WriteVerifier(dir string) (*Package, error) {
	vk, err := p.read(file{VerifyingFile, p.Manifest.Verifying})
	if err != nil {
		return nil, err
	}
	m := *p.Manifest
	m.Circuit, m.Proving = nil, nil
	return write(dir, &m, []part{rawBytes(VerifyingFile, vk)})
}
