package msm

import (
	"context"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Engine is a place to compute. Its methods may be called from several goroutines. When
// ctx ends, they soon return an error that wraps the one of ctx.
type Engine interface {
	// Name says where the engine computes, for reports.
	Name() string
	// Load makes points ready to be multiplied, any number of times. The caller must not
	// change them until the Bases are closed.
	Load(ctx context.Context, points []bn254.G1Affine) (Bases, error)
	// NTT transforms values in place. Their number must be a power of two up to [MaxNTT],
	// else the error is a LengthError. After any other error they are undefined.
	NTT(ctx context.Context, values []fr.Element, t Transform) error
	// Close frees what the engine holds. Its Bases must not be used afterwards.
	Close() error
}

// Bases are points G_0, …, G_{n-1} that are resident in an engine.
type Bases interface {
	// MSM multiplies a batch: point i is Σ_j scalars[i·n+j]·G_j. The number of scalars
	// must be a multiple of n. Every scalar must be below 2^width, which is 1 to [MaxWidth],
	// else the error is a [WidthError]; narrow scalars take less time.
	MSM(ctx context.Context, scalars []fr.Element, width int) ([]bn254.G1Affine, error)
	// Rows multiplies a row-major matrix of small integers: point i is Σ_j
	// rows[i·cols+j]·G_j, for cols of 1 to n. The last row may be short; its missing
	// values count as zeros. progress, if not nil, hears how many rows are done; it is never
	// called by two goroutines at once, and done grows.
	Rows(ctx context.Context, rows []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error)
	// Close frees the points.
	Close() error
}

const (
	// MaxWidth is the width of any canonical scalar, in bits.
	MaxWidth = fr.Bits
	// MaxBases is the largest number of points of [Engine.Load].
	MaxBases = 1 << 26
	// MaxNTT is the largest size of a transform: the field has no roots of unity of higher
	// order.
	MaxNTT = 1 << 28
)

// Transform says which transform an NTT is. The zero value takes the coefficients of a
// polynomial to its values on the powers of gnark-crypto's generator of that order.
type Transform struct {
	Inverse bool // from values to coefficients
	Coset   bool // the values are on the coset that gnark-crypto's domains use
}

// Transforms are all of them.
func Transforms() []Transform {
	return []Transform{{}, {Inverse: true}, {Coset: true}, {Inverse: true, Coset: true}}
}

// String names the transform.
func (t Transform) String() string {
	name := "forward"
	if t.Inverse {
		name = "inverse"
	}
	if t.Coset {
		return "coset " + name
	}
	return name
}

// ErrUnavailable is returned by engines that this program or machine does not have. The
// error around it says what to do.
var ErrUnavailable = errors.New("engine is not available")

// WidthError reports a scalar that does not fit the width it was announced with.
type WidthError struct {
	Index int // position of the scalar
	Width int // bits announced
}

func (e *WidthError) Error() string {
	return fmt.Sprintf("scalar %d does not fit into %d bits", e.Index, e.Width)
}
