package msm

import (
	"context"
	"fmt"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils"
)

// CPU is the engine of this process: gnark-crypto's transforms and large multiplications,
// and the kernel of package commit for small scalars and for batches.
type CPU struct {
	mu struct {
		sync.Mutex
		domains map[int]*fft.Domain // by size
	}
}

var _ Engine = (*CPU)(nil)

// NewCPU makes the engine.
func NewCPU() *CPU {
	c := new(CPU)
	c.mu.domains = map[int]*fft.Domain{}
	return c
}

// Name is "cpu".
func (c *CPU) Name() string { return "cpu" }

// Close lets go of the tables of roots of unity.
func (c *CPU) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.mu.domains)
	return nil
}

// Load keeps a reference to points.
func (c *CPU) Load(_ context.Context, points []bn254.G1Affine) (Bases, error) {
	if err := CheckLoad(len(points)); err != nil {
		return nil, fmt.Errorf("load bases: %w", err)
	}
	return &cpuBases{points: points}, nil
}

// NTT runs gnark-crypto's transform. Tables of roots are kept, each of about four times the
// size of the values.
func (c *CPU) NTT(ctx context.Context, values []fr.Element, t Transform) error {
	if err := CheckNTT(len(values)); err != nil {
		return fmt.Errorf("transform: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("transform: %w", err)
	}
	d := c.domain(len(values))
	var options []fft.Option
	if t.Coset {
		options = append(options, fft.OnCoset())
	}
	if t.Inverse {
		d.FFTInverse(values, fft.DIF, options...)
	} else {
		d.FFT(values, fft.DIF, options...)
	}
	utils.BitReverse(values)
	return nil
}

// domain returns the roots of unity of an order.
func (c *CPU) domain(size int) *fft.Domain {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.mu.domains[size]
	if d == nil {
		d = fft.NewDomain(uint64(size))
		c.mu.domains[size] = d
	}
	return d
}
