package store

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/weisyn/wes/chain"
)

// snapshotReader reads the parts of a snapshot in their order, and checks what needs nothing
// but the file.
type snapshotReader struct {
	from   *bufio.Reader
	sum    hash.Hash
	height uint64 // of the ledger
	last   []byte // outpoint or hash of the last item of a list
}

func newSnapshotReader(from io.Reader) *snapshotReader {
	return &snapshotReader{from: bufio.NewReaderSize(from, 1<<16), sum: sha256.New()}
}

// refuse says that the file is no snapshot.
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshot, fmt.Sprintf(format, args...))
}

// read fills b, whose size is bounded.
func (r *snapshotReader) read(b []byte) error {
	if _, err := io.ReadFull(r.from, b); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return refuse("it ends early")
		}
		return err
	}
	r.sum.Write(b)
	return nil
}

// item reads a length of 4 bytes and as many bytes; nil at the end of a list.
func (r *snapshotReader) item(limit uint32) ([]byte, error) {
	var size [4]byte
	if err := r.read(size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > limit {
		return nil, refuse("an item of %d bytes exceeds %d", n, limit)
	}
	if n == 0 {
		return nil, nil
	}
	b := make([]byte, n)
	return b, r.read(b)
}

func (r *snapshotReader) head() error {
	var b [len(snapshotMagic) + 4 + 8]byte
	if err := r.read(b[:]); err != nil {
		return err
	}
	if string(b[:len(snapshotMagic)]) != snapshotMagic {
		return refuse("it does not begin with %q", snapshotMagic)
	}
	if v := binary.BigEndian.Uint32(b[len(snapshotMagic):]); v != snapshotVersion {
		return refuse("version %d, this program reads %d", v, snapshotVersion)
	}
	r.height = binary.BigEndian.Uint64(b[len(b)-8:])
	if r.height == 0 || r.height == 1<<64-1 {
		return refuse("height %d", r.height)
	}
	return nil
}

func (r *snapshotReader) header() (h chain.StoredHeader, err error) {
	var raw [chain.HeaderSize + 1]byte
	if err := r.read(raw[:]); err != nil {
		return h, err
	}
	if h.Header, err = chain.DecodeHeader(raw[:chain.HeaderSize]); err != nil {
		return h, refuse("%v", err)
	}
	switch raw[chain.HeaderSize] {
	case 0:
		return h, nil
	case sealSize:
		h.Seal = make([]byte, sealSize)
		return h, r.read(h.Seal)
	}
	return h, refuse("a seal of %d bytes", raw[chain.HeaderSize])
}

// above requires that the items of a list ascend.
func (r *snapshotReader) above(name []byte) error {
	if bytes.Compare(r.last, name) >= 0 {
		return refuse("%x is out of order", name)
	}
	r.last = name
	return nil
}

// output returns the next unspent output; nil after the last.
func (r *snapshotReader) output() (*chain.UTXO, error) {
	raw, err := r.item(maxOutputSize)
	if err != nil || raw == nil {
		r.last = nil
		return nil, err
	}
	u, err := chain.DecodeUTXO(raw)
	if err != nil {
		return nil, refuse("an output: %v", err)
	}
	if !holds(u.Outpoint) || u.Entry.Height > r.height || !u.Entry.Output.Kept() {
		return nil, refuse("output %v:%d can't be unspent at height %d", u.Outpoint.Tx, u.Outpoint.Index, r.height)
	}
	return &u, r.above(binary.BigEndian.AppendUint16(bytes.Clone(u.Outpoint.Tx[:]), uint16(u.Outpoint.Index)))
}

// key returns the next verifying key; nil after the last.
func (r *snapshotReader) key() ([]byte, chain.Hash, error) {
	raw, err := r.item(chain.MaxKeySize)
	if err != nil || raw == nil {
		return nil, chain.Hash{}, err
	}
	h := chain.Hash(sha256.Sum256(raw))
	return raw, h, r.above(h[:])
}

// end requires the hash of all before, and nothing after it.
func (r *snapshotReader) end() error {
	want := r.sum.Sum(nil)
	got := make([]byte, len(want))
	if err := r.read(got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return refuse("it hashes to %x, its end says %x", want, got)
	}
	if _, err := r.from.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.Join(err, refuse("bytes after its end"))
	}
	return nil
}
