package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/verify"
)

// A package is a program as it travels: all that an operator needs to execute and prove it.
//
//	"WESX" 1 | length u64 | model file | number of weights u32 | each: bytes per cell u8 (2 or 4), cells u64, cells
//
// Integers are little-endian. A value has one encoding.
const packageMagic = "WESX\x01"

// MaxPackage bounds a package, in bytes.
const MaxPackage = 4 << 30

// Errors of packages.
var (
	ErrPackage = errors.New("not a model package")
	ErrLimit   = errors.New("the model exceeds this machine's limits")
	ErrWeights = errors.New("the weights are not those that the model file commits to")
)

// Limits are what this machine takes on. A zero field is no limit.
type Limits struct {
	Memory uint64 // bytes that a proof may take
	Units  uint64 // of work; see Footprint
}

// Footprint is what a proof of one run costs, as far as it follows from the layout.
type Footprint struct {
	Units  uint64 // of work: about the lookups that take the same time
	Memory uint64 // bytes
}

// stepsOfUnit is how many steps through decision trees take the time of a lookup, measured on two cores.
const stepsOfUnit = 64

// FootprintOf estimates. The factors were fitted to measured proofs, of 2·10^2 to 2·10^7 lookups,
// which they meet within a sixth in memory and within a half in time.
func FootprintOf(z layer.Sizes) Footprint {
	return Footprint{
		Units:  uint64(z.Lookups) + uint64(z.TableRows) + uint64(z.WeightCells)/14 + uint64(z.TreeSteps)/stepsOfUnit + 2000,
		Memory: 12<<20 + 160*uint64(z.Lookups) + 64*uint64(z.TableRows) + 16*uint64(z.WeightCells),
	}
}

// EncodePackage returns the package of a program.
func EncodePackage(p *Program) []byte { return append([]byte(packageMagic), encodeBody(p.Prepared)...) }

// Contents is a package that was read. Nothing of it has been computed yet.
type Contents struct {
	Model     *verify.Model // as the package says; commitments are not checked
	Summary   Summary       // zero where the model file says nothing readable
	Footprint Footprint
	sum       [32]byte
	weights   graph.Weights
}

// ReadPackage reads a package of a stranger. All lengths are bounded by the bytes that are there.
func ReadPackage(data []byte, l Limits) (*Contents, error) {
	if len(data) < len(packageMagic) || string(data[:len(packageMagic)]) != packageMagic {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrPackage)
	}
	m, weights, err := readBody(data[len(packageMagic):])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPackage, err)
	}
	c := &Contents{Model: m, Footprint: FootprintOf(m.System().Sizes()), sum: sha256.Sum256(data), weights: weights}
	if err := l.check(c.Footprint); err != nil {
		return nil, err
	}
	if err := m.Graph.CheckWeights(m.System().Info, weights); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPackage, err)
	}
	canonical := append([]byte(packageMagic), appendWeights(appendModel(nil, m), weights)...)
	if !bytes.Equal(canonical, data) {
		return nil, fmt.Errorf("%w: not in its canonical form", ErrPackage)
	}
	if json.Unmarshal(m.Report, &c.Summary) != nil {
		c.Summary = Summary{}
	}
	return c, nil
}

func (l Limits) check(f Footprint) error {
	if l.Memory > 0 && f.Memory > l.Memory {
		return fmt.Errorf("%w: a proof takes about %d MiB, at most %d are allowed", ErrLimit, f.Memory>>20, l.Memory>>20)
	}
	if l.Units > 0 && f.Units > l.Units {
		return fmt.Errorf("%w: %d units of work, at most %d are allowed", ErrLimit, f.Units, l.Units)
	}
	return nil
}

// Adopt makes a package a program: it commits to the weights itself, and compares. A package that was
// adopted before comes from the cache.
func (l *Line) Adopt(ctx context.Context, c *Contents) (*Program, error) {
	key := sha256.Sum256(append([]byte("wes/adopted/v1"), c.sum[:]...))
	if p := l.Cache.load(key); p != nil {
		return p, nil
	}
	prepared, err := prover.Prepare(ctx, c.Model.Graph, c.weights, c.Model.Transcript, c.Model.Report, l.options())
	if err != nil {
		return nil, fmt.Errorf("adopt model: %w", err)
	}
	if !bytes.Equal(prepared.Model.Encode(), c.Model.Encode()) {
		return nil, ErrWeights
	}
	return &Program{Prepared: prepared, Summary: c.Summary, NotCached: l.Cache.store(key, prepared)}, nil
}
