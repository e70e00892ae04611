package wallet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/weisyn/wes/chain"
)

// File reserves for all processes that share it. It is
//
//	{"version": 1, "pending": [{"tx", "owner", "inputs": [{"tx", "index"}],
//	  "others": [{"tx", "index"}], "change": [{"index", "output"}], "until"}]}
//
// with hashes and encoded outputs in hexadecimal. Losing it is safe once all transactions that
// were under way are in blocks.
type File struct{ Path string }

var _ Reservations = (*File)(nil)

const (
	reserveVersion = 1
	maxReserveFile = 64 << 20         // bytes
	lockTime       = 20 * time.Second // how long a process waits for another
	lockPause      = 5 * time.Millisecond
)

// errHeld is what lock returns for a file that another process has locked.
var errHeld = errors.New("held by another process")

type reserveFile struct {
	Version int             `json:"version"`
	Pending []reserveRecord `json:"pending"`
}

type reserveRecord struct {
	Tx     hexBytes        `json:"tx"`
	Owner  hexBytes        `json:"owner"`
	Inputs []reserveInput  `json:"inputs"`
	Others []reserveInput  `json:"others,omitempty"`
	Change []reserveChange `json:"change,omitempty"`
	Until  uint64          `json:"until"`
}

type reserveInput struct {
	Tx    hexBytes `json:"tx"`
	Index uint32   `json:"index"`
}

type reserveChange struct {
	Index  uint32   `json:"index"`
	Output hexBytes `json:"output"`
}

// hexBytes are bytes in hexadecimal.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text)
	return err
}

func (b hexBytes) hash() (h chain.Hash, err error) {
	if len(b) != chain.HashSize {
		return h, fmt.Errorf("%x is no hash", []byte(b))
	}
	return chain.Hash(b), nil
}

// Pending implements Reservations.
func (f *File) Pending(now uint64) ([]Pending, error) {
	all, err := f.read()
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	m := Memory{}
	m.mu.all = all
	return m.Pending(now)
}

// Add implements Reservations.
func (f *File) Add(p *Pending, now uint64, dead map[chain.Hash]bool) error {
	return f.change(func(all []Pending) ([]Pending, error) { return reserve(all, p, now, dead) })
}

// Remove implements Reservations.
func (f *File) Remove(id chain.Hash) error {
	return f.change(func(all []Pending) ([]Pending, error) { return without(all, id), nil })
}

// change rewrites the file, one process at a time.
func (f *File) change(do func([]Pending) ([]Pending, error)) (err error) {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return fmt.Errorf("write reservations: %w", err)
	}
	held, err := f.lock()
	if err != nil {
		return fmt.Errorf("lock reservations: %w", err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	all, err := f.read()
	if err != nil {
		return fmt.Errorf("read reservations: %w", err)
	}
	if all, err = do(all); err != nil {
		return err
	}
	if err := f.write(all); err != nil {
		return fmt.Errorf("write reservations: %w", err)
	}
	return nil
}

// lock waits for the lock, which ends when the file is closed or the process ends.
func (f *File) lock() (*os.File, error) {
	file, err := os.OpenFile(f.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(lockTime); ; <-time.After(lockPause) {
		err := lock(file)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, errHeld) || time.Now().After(end) {
			return nil, errors.Join(fmt.Errorf("%s: %w", file.Name(), err), file.Close())
		}
	}
}

func (f *File) read() ([]Pending, error) {
	in, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	raw, err := io.ReadAll(io.LimitReader(in, maxReserveFile+1))
	if err != nil {
		return nil, err
	}
	all, err := decodeReserved(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; when no transaction is under way, remove the file", f.Path, err)
	}
	return all, nil
}

func (f *File) write(all []Pending) error {
	raw, err := encodeReserved(all)
	if err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(f.Path), filepath.Base(f.Path)+".*")
	if err != nil {
		return err
	}
	_, err = t.Write(raw)
	if err == nil {
		err = t.Sync()
	}
	err = errors.Join(err, t.Close())
	if err == nil {
		err = os.Rename(t.Name(), f.Path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return nil
}

func encodeReserved(all []Pending) ([]byte, error) {
	file := reserveFile{Version: reserveVersion, Pending: []reserveRecord{}}
	for _, p := range all {
		out := reserveRecord{Tx: p.ID[:], Owner: p.Owner[:], Until: p.Until}
		out.Inputs, out.Others = inputsOf(p.Inputs), inputsOf(p.Others)
		for _, c := range p.Change {
			out.Change = append(out.Change, reserveChange{c.Index, c.Output.Encode()})
		}
		file.Pending = append(file.Pending, out)
	}
	return json.MarshalIndent(&file, "", " ")
}

func inputsOf(all []chain.Outpoint) []reserveInput {
	list := make([]reserveInput, 0, len(all))
	for _, o := range all {
		list = append(list, reserveInput{o.Tx[:], o.Index})
	}
	return list
}

func outpointsOf(all []reserveInput) ([]chain.Outpoint, error) {
	var list []chain.Outpoint
	for _, in := range all {
		h, err := in.Tx.hash()
		if err != nil {
			return nil, err
		}
		list = append(list, chain.Outpoint{Tx: h, Index: in.Index})
	}
	return list, nil
}

func decodeReserved(raw []byte) ([]Pending, error) {
	if len(raw) > maxReserveFile {
		return nil, fmt.Errorf("more than %d bytes", maxReserveFile)
	}
	var file reserveFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.Version != reserveVersion {
		return nil, fmt.Errorf("version %d, want %d", file.Version, reserveVersion)
	}
	var all []Pending
	for i := range file.Pending {
		p, err := file.Pending[i].pending()
		if err != nil {
			return nil, err
		}
		all = append(all, *p)
	}
	return all, nil
}

func (r *reserveRecord) pending() (*Pending, error) {
	p := &Pending{Until: r.Until}
	var err error
	if p.ID, err = r.Tx.hash(); err != nil {
		return nil, err
	}
	if p.Owner, err = r.Owner.hash(); err != nil {
		return nil, err
	}
	if p.Inputs, err = outpointsOf(r.Inputs); err != nil {
		return nil, err
	}
	if p.Others, err = outpointsOf(r.Others); err != nil {
		return nil, err
	}
	for _, c := range r.Change {
		o, err := chain.DecodeOutput(c.Output)
		if err != nil {
			return nil, fmt.Errorf("change %d: %w", c.Index, err)
		}
		p.Change = append(p.Change, Change{c.Index, o})
	}
	return p, nil
}
