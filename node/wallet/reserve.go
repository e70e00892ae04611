package wallet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/weisyn/wes/chain"
)

// reserveTime is how long outputs stay reserved, in ms of the ledger's time: the age at which a
// mempool gives transactions up is longer, but a wallet that waited so long should look again.
const reserveTime = 3_600_000

// Reservations are outputs that transactions under way use.
type Reservations interface {
	// Held returns those reserved at a time of the ledger, in ms.
	Held(now uint64) (map[chain.Outpoint]bool, error)
	// Take reserves outputs until a time. It fails with ErrTaken if one is reserved already, and
	// then reserves none.
	Take(all []chain.Outpoint, now, until uint64) error
	// Free gives outputs back.
	Free(all []chain.Outpoint) error
}

// ErrTaken is returned by Take: another transaction was faster.
var ErrTaken = errors.New("an output is reserved by another transaction")

// Memory reserves for one process.
type Memory struct {
	mu struct {
		sync.Mutex
		until map[chain.Outpoint]uint64
	}
}

var _ Reservations = (*Memory)(nil)

// Held implements Reservations.
func (m *Memory) Held(now uint64) (map[chain.Outpoint]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return held(m.mu.until, now), nil
}

func held(until map[chain.Outpoint]uint64, now uint64) map[chain.Outpoint]bool {
	all := map[chain.Outpoint]bool{}
	for o, end := range until {
		if end > now {
			all[o] = true
		}
	}
	return all
}

// Take implements Reservations.
func (m *Memory) Take(all []chain.Outpoint, now, until uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.until == nil {
		m.mu.until = map[chain.Outpoint]uint64{}
	}
	return take(m.mu.until, all, now, until)
}

func take(set map[chain.Outpoint]uint64, all []chain.Outpoint, now, until uint64) error {
	for o, end := range set {
		if end <= now {
			delete(set, o)
		}
	}
	for _, o := range all {
		if set[o] > now {
			return ErrTaken
		}
	}
	for _, o := range all {
		set[o] = until
	}
	return nil
}

// Free implements Reservations.
func (m *Memory) Free(all []chain.Outpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range all {
		delete(m.mu.until, o)
	}
	return nil
}

// File reserves for all processes that share it.
type File struct{ Path string }

var _ Reservations = (*File)(nil)

// lockTime is how long a process waits for another, and after how long a lock is of a process
// that died.
const lockTime = 20 * time.Second

// reservation is an element of the file.
type reservation struct {
	Tx    string `json:"tx"`
	Index uint32 `json:"index"`
	Until uint64 `json:"until"`
}

// Held implements Reservations.
func (f *File) Held(now uint64) (map[chain.Outpoint]bool, error) {
	set, err := f.read()
	if err != nil {
		return nil, err
	}
	return held(set, now), nil
}

// Take implements Reservations.
func (f *File) Take(all []chain.Outpoint, now, until uint64) error {
	return f.change(func(set map[chain.Outpoint]uint64) error { return take(set, all, now, until) })
}

// Free implements Reservations.
func (f *File) Free(all []chain.Outpoint) error {
	return f.change(func(set map[chain.Outpoint]uint64) error {
		for _, o := range all {
			delete(set, o)
		}
		return nil
	})
}

func (f *File) read() (map[chain.Outpoint]uint64, error) {
	raw, err := os.ReadFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[chain.Outpoint]uint64{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	var list []reservation
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read reservations: %s: %w; remove the file to forget them", f.Path, err)
	}
	set := map[chain.Outpoint]uint64{}
	for _, r := range list {
		o := chain.Outpoint{Index: r.Index}
		if n, err := hex.Decode(o.Tx[:], []byte(r.Tx[:min(len(r.Tx), 2*chain.HashSize)])); err != nil || n != chain.HashSize {
			return nil, fmt.Errorf("read reservations: %s: %q is no hash; remove the file to forget them", f.Path, r.Tx)
		}
		set[o] = r.Until
	}
	return set, nil
}

// change rewrites the file, one process at a time.
func (f *File) change(do func(map[chain.Outpoint]uint64) error) error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return fmt.Errorf("write reservations: %w", err)
	}
	release, err := lock(f.Path + ".lock")
	if err != nil {
		return err
	}
	defer release()
	set, err := f.read()
	if err != nil {
		return err
	}
	if err := do(set); err != nil {
		return err
	}
	list := []reservation{}
	for o, until := range set {
		list = append(list, reservation{o.Tx.String(), o.Index, until})
	}
	raw, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.Path+".new", raw, 0o600); err != nil {
		return fmt.Errorf("write reservations: %w", err)
	}
	if err := os.Rename(f.Path+".new", f.Path); err != nil {
		return fmt.Errorf("write reservations: %w", err)
	}
	return nil
}

// lock makes a file that nobody else has, and waits while somebody has it.
func lock(path string) (release func(), err error) {
	for end := time.Now().Add(lockTime); ; {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return func() { _ = os.Remove(path) }, file.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("lock reservations: %w", err)
		}
		if i, err := os.Stat(path); err == nil && time.Since(i.ModTime()) > lockTime {
			_ = os.Remove(path) // its process is gone
			continue
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("lock reservations: another process holds %s", path)
		}
		<-time.After(10 * time.Millisecond)
	}
}
