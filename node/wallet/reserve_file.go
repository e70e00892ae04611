package wallet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/weisyn/wes/chain"
)

// File reserves for all processes that share it. It is a log of lines in JSON,
//
//	{"version": 2}
//	{"add": {"tx", "owner", "inputs": [{"tx", "index"}], "others": [{"tx", "index"}],
//	  "change": [{"index", "output"}], "until"}}
//	{"remove": TX}
//
// with hashes and encoded outputs in hexadecimal, which is written anew when most of it is obsolete.
// Losing it is safe once all transactions that were under way are in blocks.
type File struct {
	Path string

	mu struct {
		sync.Mutex
		log  reserveLog
		of   os.FileInfo // the file that log is from; nil: none was read
		size int64       // bytes of its whole lines
	}
}

var _ Reservations = (*File)(nil)

const (
	maxReserveFile = 64 << 20         // bytes
	lockTime       = 20 * time.Second // how long a process waits for another
	lockPause      = 5 * time.Millisecond
	// A log of more than spareLines and a multiple of what is reserved is written anew.
	spareLines, spareFactor = 256, 4
)

// errHeld is what lock returns for a file that another process has locked.
var errHeld = errors.New("held by another process")

// Pending implements Reservations.
func (f *File) Pending(now uint64) ([]Pending, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.catchUp(); err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	return unexpired(f.mu.log.all, now), nil
}

// Add implements Reservations.
func (f *File) Add(p *Pending, now uint64, dead map[chain.Hash]bool) error {
	return f.change(func(all []Pending) ([]Pending, error) { return reserve(all, p, now, dead) })
}

// Remove implements Reservations.
func (f *File) Remove(id chain.Hash) error {
	return f.change(func(all []Pending) ([]Pending, error) { return without(all, id), nil })
}

// change writes what changes, one process at a time.
func (f *File) change(do func([]Pending) ([]Pending, error)) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return fmt.Errorf("write reservations: %w", err)
	}
	held, err := f.lock()
	if err != nil {
		return fmt.Errorf("lock reservations: %w", err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if err := f.catchUp(); err != nil {
		return fmt.Errorf("read reservations: %w", err)
	}
	all, err := do(f.mu.log.all)
	if err != nil {
		return err
	}
	if err := f.write(all); err != nil {
		f.forget()
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

// forget has the file read from its start.
func (f *File) forget() { f.mu.log, f.mu.of, f.mu.size = reserveLog{}, nil, 0 }

// catchUp reads what other processes have written.
func (f *File) catchUp() error {
	in, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		f.forget()
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	is, err := in.Stat()
	if err != nil {
		return err
	}
	if f.mu.of == nil || !os.SameFile(f.mu.of, is) || is.Size() < f.mu.size {
		f.forget()
		f.mu.of = is
	}
	if is.Size() == f.mu.size {
		return nil
	}
	if err := f.readFrom(in); err != nil {
		f.forget()
		return fmt.Errorf("%s: %w; when no transaction is under way, remove the file", f.Path, err)
	}
	return nil
}

func (f *File) readFrom(in io.ReaderAt) error {
	raw, err := io.ReadAll(io.NewSectionReader(in, f.mu.size, maxReserveFile+1))
	if err != nil {
		return err
	}
	if len(raw) > maxReserveFile {
		return fmt.Errorf("more than %d bytes", maxReserveFile)
	}
	n, err := f.mu.log.read(raw)
	f.mu.size += int64(n)
	if err == nil && f.mu.log.lines == 0 {
		return errors.New("no whole line")
	}
	return err
}

// write makes the file, and what is known of it, hold a list.
func (f *File) write(all []Pending) error {
	lines := changes(f.mu.log.all, all)
	if len(lines) == 0 {
		return nil
	}
	if f.mu.of == nil || f.mu.log.lines > spareLines+spareFactor*len(all) {
		return f.replace(all)
	}
	raw, err := encodeLines(lines)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(f.Path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err = out.Truncate(f.mu.size); err == nil { // of a line that was not finished
		_, err = out.WriteAt(raw, f.mu.size)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	f.mu.log = reserveLog{all, f.mu.log.lines + len(lines)}
	f.mu.size += int64(len(raw))
	return nil
}

// replace writes a file that has nothing obsolete.
func (f *File) replace(all []Pending) error {
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
	f.forget()
	return f.catchUp()
}
