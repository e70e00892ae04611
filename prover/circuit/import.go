package circuit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/consensys/gnark/constraint"
	"github.com/weisyn/wes/prover/circuit/wire"
)

// imported takes keys of a stranger, which wire.CheckKeys checks against the circuit and each
// other. Whether a Groth16 key is for the circuit shows when a proof made with it is verified.
func (r *SetupRequest) imported(cs constraint.ConstraintSystem) (*keys, error) {
	encoded, err := readAll(r.VerifyingKey, maxFile)
	if err != nil {
		return nil, &InputError{r.VerifyingKey, err}
	}
	vk, err := DecodeVerifyingKey(r.System, encoded)
	if err != nil {
		return nil, &InputError{r.VerifyingKey, err}
	}
	pk, err := readProvingKey(r.ProvingKey, r.System)
	if err != nil {
		return nil, &InputError{r.ProvingKey, err}
	}
	if err := wire.CheckKeys(cs, pk, vk.key); err != nil {
		return nil, unusable(r.ProvingKey+" and "+r.VerifyingKey, "%w", err)
	}
	return &keys{Origin{Kind: OriginImported}, pk, vk.key}, nil
}

// readProvingKey decodes a key, compressed or raw, without the checks of its points.
func readProvingKey(path string, s System) (provingKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	if err := scanEither(f, s, info.Size()); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	pk := s.newProvingKey()
	n, err := pk.UnsafeReadFrom(bufio.NewReaderSize(f, 1<<20))
	if err == nil && n != info.Size() {
		err = errTrailing
	}
	if err != nil {
		return nil, fmt.Errorf("proving key: %w", err)
	}
	return pk, nil
}

// scanEither accepts the compressed encoding and the raw one.
func scanEither(f io.ReadSeeker, s System, size int64) error {
	_, raw := wire.ProvingKey(s.Curve, s.Scheme, bufio.NewReaderSize(f, 1<<20), size, true)
	if raw == nil {
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, compressed := wire.ProvingKey(s.Curve, s.Scheme, bufio.NewReaderSize(f, 1<<20), size, false)
	if compressed == nil {
		return nil
	}
	// The encoding that was meant is the one that went wrong later.
	var a, b *wire.Error
	if errors.As(raw, &a) && errors.As(compressed, &b) && b.Offset > a.Offset {
		return compressed
	}
	return raw
}
