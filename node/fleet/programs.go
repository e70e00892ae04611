package fleet

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// transferWithin bounds the transfer of one program.
const transferWithin = 6 * time.Hour

// Put stores a program under a name, in place of one of that name. Tasks that were submitted
// before it must be done first. It returns ErrFull when the programs' bound is reached.
func (q *Queue) Put(ctx context.Context, name string, r io.Reader) error {
	if !isProgram(name) {
		return fmt.Errorf("%w: program %.80q", ErrTask, name)
	}
	ctx, cancel := context.WithTimeout(ctx, transferWithin)
	defer cancel()
	bounded := &io.LimitedReader{R: r, N: q.config.MaxPrograms + 1}
	_, err := q.programs.Put(ctx, jetstream.ObjectMeta{Name: name}, bounded)
	switch {
	case isFull(err) || bounded.N == 0:
		return errors.Join(ErrFull, q.Remove(ctx, name))
	case err != nil:
		return fmt.Errorf("put program: %w", err)
	}
	return nil
}

// Has says whether there is a program of this name.
func (q *Queue) Has(ctx context.Context, name string) (bool, error) {
	_, err := q.digest(ctx, name)
	if errors.Is(err, ErrNoProgram) {
		return false, nil
	}
	return err == nil, err
}

// Remove deletes a program, if it is there.
func (q *Queue) Remove(ctx context.Context, name string) error {
	err := q.programs.Delete(ctx, name)
	if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		return fmt.Errorf("remove program: %w", err)
	}
	return nil
}

// digest is the SHA-256 of a program, which the store took when it was put; nothing without a
// name.
func (q *Queue) digest(ctx context.Context, name string) ([]byte, error) {
	if name == "" {
		return []byte{}, nil
	}
	info, err := q.programs.GetInfo(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, ErrNoProgram
	}
	if err != nil {
		return nil, fmt.Errorf("find program: %w", err)
	}
	text, ok := strings.CutPrefix(info.Digest, "SHA-256=")
	sum, err := base64.URLEncoding.DecodeString(text)
	if !ok || err != nil || len(sum) != digestSize {
		return nil, fmt.Errorf("%w: digest %.80q of program %s", ErrWire, info.Digest, name)
	}
	return sum, nil
}
