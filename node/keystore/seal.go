package keystore

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// seal makes the file of a seed.
func (s *Store) seal(seed [ed25519.SeedSize]byte, p Protection) (*file, error) {
	public := NewSigner(seed).Public()
	f := &file{Version: formatVersion, Public: hex.EncodeToString(public[:])}
	if p.Unprotected {
		f.Unprotected = hex.EncodeToString(seed[:])
		return f, nil
	}
	if p.Passphrase == "" {
		return nil, ErrEmpty
	}
	work := s.WorkFactor
	if work == 0 {
		work = DefaultWorkFactor
	}
	if work < 1 || work > MaxWorkFactor {
		return nil, fmt.Errorf("encrypt a key: a work factor of %d, at most %d", work, MaxWorkFactor)
	}
	r, err := age.NewScryptRecipient(p.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypt a key: %w", err)
	}
	r.SetWorkFactor(work)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, r)
	if err == nil {
		if _, err = w.Write(seed[:]); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("encrypt a key: %w", err)
	}
	f.Encrypted = out.Bytes()
	return f, nil
}

func open(encrypted []byte, passphrase func() (string, error)) ([]byte, error) {
	p, err := passphrase()
	if err != nil {
		return nil, err
	}
	if p == "" {
		return nil, ErrEmpty
	}
	id, err := age.NewScryptIdentity(p)
	if err != nil {
		return nil, err
	}
	id.SetMaxWorkFactor(MaxWorkFactor) // a file of a stranger shall not take all memory
	r, err := age.Decrypt(bytes.NewReader(encrypted), id)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFile, err)
	}
	seed, err := io.ReadAll(io.LimitReader(r, ed25519.SeedSize+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFile, err)
	}
	return seed, nil
}
