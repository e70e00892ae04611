package circuit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// A package that can prove travels as one file:
//
//	"WESG" 1 | length of the manifest u32 | manifest.json | verifying.key | circuit.ccs | proving.key
//
// Integers are little-endian. The manifest says how long the parts are and what their digests are,
// so that a package has one packed form. What is needed to judge a package comes first.
const packMagic = "WESG\x01"

// packed are the parts in the order of the packed form.
func (m *Manifest) packed() []file {
	return []file{{VerifyingFile, m.Verifying}, {CircuitFile, *m.Circuit}, {ProvingFile, *m.Proving}}
}

// PackedSize is the size of the packed form in bytes, 0 of a verifier's package.
func (m *Manifest) PackedSize() int64 {
	if m.Proving == nil {
		return 0
	}
	n := int64(len(packMagic) + 4 + len(m.Encode()))
	for _, f := range m.packed() {
		if f.Size > maxFile {
			return math.MaxInt64
		}
		n += f.Size
	}
	return n
}

// Pack writes the packed form. Its errors are *InputError for parts that are not the manifest's.
func (p *Package) Pack(w io.Writer) error {
	if err := p.CanProve(); err != nil {
		return err
	}
	m := p.Manifest.Encode()
	head := append(binary.LittleEndian.AppendUint32([]byte(packMagic), uint32(len(m))), m...)
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	for _, f := range p.Manifest.packed() {
		if err := p.packPart(w, f); err != nil {
			return err
		}
	}
	return nil
}

func (p *Package) packPart(w io.Writer, f file) error {
	r, err := os.Open(p.path(f.name))
	if err != nil {
		return &InputError{p.path(f.name), cause(err)}
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w, sum), r, f.Size); err != nil {
		return fmt.Errorf("pack %s: %w", f.name, cause(err))
	}
	if err := f.matches([sha256.Size]byte(sum.Sum(nil))); err != nil {
		return &InputError{p.path(f.name), err}
	}
	return nil
}

// Head is the beginning of a packed package: all that tells whether to take it on. The sizes of
// the circuit are what its manifest says; a setup from its keys counts itself (SameAs).
type Head struct {
	Manifest *Manifest
	Key      *VerifyingKey
}

// ReadHead reads the head of a stranger's packed package, with a verifying key of at most maxKey
// bytes. Its errors are *InputError.
func ReadHead(r io.Reader, maxKey int64) (*Head, error) {
	m, err := readPackedManifest(r)
	if err == nil && m.Verifying.Size > maxKey {
		err = fmt.Errorf("a verifying key of %d bytes, want at most %d", m.Verifying.Size, maxKey)
	}
	if err != nil {
		return nil, &InputError{packedForm, err}
	}
	k, err := m.readKey(r)
	if err != nil {
		return nil, &InputError{packedForm, err}
	}
	return &Head{m, k}, nil
}

// packedForm is what errors are about.
const packedForm = "packed package"

var errPacked = errors.New("it does not begin as one")

// readPackedManifest reads up to the first part.
func readPackedManifest(r io.Reader) (*Manifest, error) {
	var start [len(packMagic) + 4]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return nil, short(err)
	}
	n := binary.LittleEndian.Uint32(start[len(packMagic):])
	if string(start[:len(packMagic)]) != packMagic || n > maxManifest {
		return nil, errPacked
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, short(err)
	}
	m, err := decodeManifest(b)
	if err == nil && m.Proving == nil {
		err = errors.New("it has no proving key")
	}
	return m, err
}

// short names the end of a file that is not whole.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is not whole")
	}
	return err
}

// readKey reads the verifying key, whose size is within bounds.
func (m *Manifest) readKey(r io.Reader) (*VerifyingKey, error) {
	b := make([]byte, m.Verifying.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, short(err)
	}
	f := file{VerifyingFile, m.Verifying}
	if err := f.matches(sha256.Sum256(b)); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return m.verifyingKey(b)
}

// verifyingKey decodes the key of a package.
func (m *Manifest) verifyingKey(b []byte) (*VerifyingKey, error) {
	k, err := DecodeVerifyingKey(m.System(), b)
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(k.Encode(), b):
		return nil, errors.New("the verifying key is not in its compressed encoding")
	case k.Public != m.Public || k.Commitments != m.Commitments:
		return nil, fmt.Errorf("the verifying key has %d public values and %d commitments, the manifest %d and %d", k.Public, k.Commitments, m.Public, m.Commitments)
	}
	return k, nil
}

// Unpack makes a package in dir, which must not exist or be empty, of its packed form of at most
// max bytes. The parts have the manifest's digests; what they hold is not looked at. Its errors are
// *InputError for bytes that are not a packed package.
func Unpack(r io.Reader, dir string, max int64) (*Package, error) {
	m, err := readPackedManifest(r)
	if err == nil && m.PackedSize() > max {
		err = fmt.Errorf("%d bytes, want at most %d", m.PackedSize(), max)
	}
	if err != nil {
		return nil, &InputError{packedForm, err}
	}
	return whole(dir, func(temp string) error {
		for _, f := range m.packed() {
			if err := f.unpack(r, temp); err != nil {
				return &InputError{packedForm, fmt.Errorf("%s: %w", f.name, err)}
			}
		}
		if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			return &InputError{packedForm, errTrailing}
		}
		return m.write(temp)
	})
}

// unpack writes a part.
func (f file) unpack(r io.Reader, dir string) error {
	made, err := writePart(filepath.Join(dir, f.name), func(w io.Writer) error {
		_, err := io.CopyN(w, r, f.Size)
		return short(err)
	})
	if err != nil {
		return err
	}
	sum, err := hex.DecodeString(made.SHA256)
	if err != nil {
		return err
	}
	return f.matches([sha256.Size]byte(sum))
}

// SameAs reports whether two packages are of one circuit and one verifying key, whatever they say of
// the setup's origin.
func (m *Manifest) SameAs(o *Manifest) bool {
	return m.Scheme == o.Scheme && m.Curve == o.Curve && m.Constraints == o.Constraints && m.Public == o.Public &&
		m.Secret == o.Secret && m.Commitments == o.Commitments && m.Verifying == o.Verifying &&
		m.Circuit != nil && o.Circuit != nil && *m.Circuit == *o.Circuit
}
