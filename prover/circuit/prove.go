package circuit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
)

// Accelerator proves Groth16 on a device. gpu/groth16 has one.
type Accelerator interface {
	// Name is for reports.
	Name() string
	// NewProvingKey makes an empty key for Prove to take.
	NewProvingKey(c ecc.ID) groth16.ProvingKey
	Prove(cs constraint.ConstraintSystem, pk groth16.ProvingKey, w witness.Witness, o ...backend.ProverOption) (groth16.Proof, error)
	// Free gives back what a key holds of the device.
	Free(pk groth16.ProvingKey)
}

// Options say what a Prover may use.
type Options struct {
	CacheBytes int64 // of loaded packages to keep; default 4 GiB
	// Accelerator is nil where the CPU does everything. With one only the package used last
	// is kept, as its key is on the device too, whose memory is reserved for one job.
	Accelerator Accelerator
}

const defaultCache = 4 << 30

// Prover proves, and keeps the packages it used last in memory.
type Prover struct {
	cache       cache
	accelerator Accelerator
}

// NewProver makes a Prover.
func NewProver(o Options) *Prover {
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCache
	}
	p := &Prover{cache: cache{limit: o.CacheBytes}, accelerator: o.Accelerator}
	if p.accelerator != nil {
		p.cache.most, p.cache.free = 1, p.free
	}
	return p
}

// free drops a package from the device.
func (p *Prover) free(l *loaded) {
	if p.accelerates(l.manifest.System()) {
		p.accelerator.Free(l.pk.(groth16.ProvingKey))
	}
}

// Stages that Prove and Setup report.
const (
	StageLoad   = "load"
	StageProve  = "prove"
	StageVerify = "verify"
	StageSRS    = "srs"
	StageSetup  = "setup"
	StageCheck  = "check"
	StageWrite  = "write"
)

// Progress is told the stage that begins. It may be nil.
type Progress func(stage string)

func (p Progress) begin(stage string) {
	if p != nil {
		p(stage)
	}
}

// Result is a proof with what it proves.
type Result struct {
	Proof  []byte   // gnark's compressed encoding
	Public *Witness // what a verifier needs besides the key
	Report Report
}

// Report says how a proof was made. Times are in seconds.
type Report struct {
	Scheme      string  `json:"scheme"`
	Curve       string  `json:"curve"`
	Constraints int     `json:"constraints"`
	Origin      Origin  `json:"setup"`
	Warning     string  `json:"warning,omitempty"`
	Device      string  `json:"device"` // "cpu" or the accelerator's name
	Cached      bool    `json:"cached"` // the package was in memory
	LoadS       float64 `json:"load_s"`
	ProveS      float64 `json:"prove_s"`
	VerifyS     float64 `json:"verify_s"`
	ProofBytes  int     `json:"proof_bytes"`
}

// Prove proves that a witness satisfies the circuit of the package in dir, and verifies the
// proof. gnark cannot be stopped: ctx is looked at between stages. Errors are *InputError for
// what is not usable, *UnsatisfiedError for a witness that is none, *DeviceError for an accelerator
// that failed, and others for failures of this program or machine.
func (p *Prover) Prove(ctx context.Context, dir string, witness []byte, t Target, progress Progress) (*Result, error) {
	start := time.Now()
	progress.begin(StageLoad)
	pack, err := Open(dir)
	if err != nil {
		return nil, err
	}
	w, err := pack.witness(witness)
	if err != nil {
		return nil, err
	}
	l, cached, release, err := p.acquire(ctx, pack)
	if err != nil {
		return nil, err
	}
	defer release()
	r := &Result{Public: w.PublicPart(), Report: report(pack.Manifest, p.device(pack.Manifest.System()), cached)}
	r.Report.LoadS = time.Since(start).Seconds()
	return r, p.run(ctx, l, w, t, progress, r)
}

// run fills in the proof.
func (p *Prover) run(ctx context.Context, l *loaded, w *Witness, t Target, progress Progress, r *Result) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	progress.begin(StageProve)
	start := time.Now()
	var err error
	if r.Proof, err = p.prove(l, w, t); err != nil {
		return err
	}
	r.Report.ProveS, r.Report.ProofBytes = time.Since(start).Seconds(), len(r.Proof)
	progress.begin(StageVerify)
	start = time.Now()
	if err := l.vk.Verify(r.Public, r.Proof, t); err != nil {
		return p.refuted(l.manifest.System(), err)
	}
	r.Report.VerifyS = time.Since(start).Seconds()
	return nil
}

// refuted blames a proof that does not hold on the device that made it, or else on the keys.
func (p *Prover) refuted(s System, err error) error {
	if p.accelerates(s) {
		return &DeviceError{p.accelerator.Name(), err}
	}
	return unusable(ProvingFile, "it does not fit the verifying key: %w", err)
}

func (p *Prover) prove(l *loaded, w *Witness, t Target) ([]byte, error) {
	g, err := w.gnark()
	if err != nil {
		return nil, err
	}
	s := l.manifest.System()
	l.proving.Lock()
	defer l.proving.Unlock()
	var made proof
	if p.accelerates(s) {
		made, err = p.accelerator.Prove(l.cs, l.pk.(groth16.ProvingKey), g, s.proverOptions(t)...)
		err = p.blamed(solved(err))
	} else {
		made, err = s.prove(l.cs, l.pk, g, t)
		err = solved(err)
	}
	if err != nil {
		return nil, err
	}
	return encode(made)
}

// blamed makes the accelerator answer for an error that is not the witness's.
func (p *Prover) blamed(err error) error {
	var unsatisfied *UnsatisfiedError
	if err == nil || errors.As(err, &unsatisfied) {
		return err
	}
	return &DeviceError{p.accelerator.Name(), err}
}

// acquire gives a loaded package, which stays in memory until it is released.
func (p *Prover) acquire(ctx context.Context, pack *Package) (l *loaded, cached bool, release func(), err error) {
	e, cached, err := p.cache.get(ctx, pack.digest, memory(pack.Manifest), func() (*loaded, error) {
		s := pack.Manifest.System()
		pk := s.newProvingKey()
		if p.accelerates(s) {
			pk = p.accelerator.NewProvingKey(s.Curve)
		}
		return pack.load(pk)
	})
	if err != nil {
		return nil, false, nil, err
	}
	return e.value, cached, func() { p.cache.release(e) }, nil
}

func (p *Prover) accelerates(s System) bool {
	return p.accelerator != nil && s.Scheme == backend.GROTH16
}

func (p *Prover) device(s System) string {
	if p.accelerates(s) {
		return p.accelerator.Name()
	}
	return "cpu"
}

// witness reads a full witness of the right form.
func (p *Package) witness(b []byte) (*Witness, error) {
	if err := p.CanProve(); err != nil {
		return nil, err
	}
	w, err := DecodeWitness(p.Manifest.System().Curve, b)
	if err != nil {
		return nil, err
	}
	return w, w.check(p.Manifest.Public, p.Manifest.Secret)
}

func report(m *Manifest, device string, cached bool) Report {
	return Report{
		Scheme: m.Scheme, Curve: m.Curve, Constraints: m.Constraints, Origin: m.Origin,
		Warning: m.Origin.Warning(), Device: device, Cached: cached,
	}
}

// String is the report's one line.
func (r Report) String() string {
	return fmt.Sprintf("%s over %s, %d constraints, on %s", r.Scheme, r.Curve, r.Constraints, r.Device)
}
