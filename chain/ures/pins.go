package ures

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Pin is a resource that is kept.
type Pin struct {
	CID     string    `json:"cid"`
	Name    string    `json:"name,omitempty"`
	Size    uint64    `json:"size"` // bytes of all blocks
	Replica bool      `json:"replica,omitempty"`
	Since   time.Time `json:"since"`
}

// pins is the list of what is kept, in a file that is replaced whole.
type pins struct {
	file string
	mu   struct {
		sync.Mutex
		all map[string]Pin
	}
}

func openPins(file string) (*pins, error) {
	p := &pins{file: file}
	p.mu.all = map[string]Pin{}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read pins: %w", err)
	}
	var list []Pin
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read pins: %s: %w", file, err)
	}
	for _, x := range list {
		p.mu.all[x.CID] = x
	}
	return p, nil
}

// list returns the pins, by age.
func (p *pins) list() []Pin {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sorted()
}

func (p *pins) sorted() []Pin {
	list := []Pin{}
	for _, x := range p.mu.all {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b Pin) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.CID, b.CID)
	})
	return list
}

func (p *pins) get(cid string) (Pin, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.mu.all[cid]
	return x, ok
}

// set pins, or pins anew: an own pin is never turned into a replica.
func (p *pins) set(x Pin) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, known := p.mu.all[x.CID]
	if known && !before.Replica {
		x.Replica, x.Since = false, before.Since
		if x.Name == "" {
			x.Name = before.Name
		}
	}
	p.mu.all[x.CID] = x
	if err := p.save(); err != nil {
		if delete(p.mu.all, x.CID); known {
			p.mu.all[x.CID] = before
		}
		return err
	}
	return nil
}

// remove unpins; false if there was no pin.
func (p *pins) remove(cid string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, known := p.mu.all[cid]
	if !known {
		return false, nil
	}
	delete(p.mu.all, cid)
	if err := p.save(); err != nil {
		p.mu.all[cid] = before
		return false, err
	}
	return true, nil
}

func (p *pins) save() error {
	raw, err := json.MarshalIndent(p.sorted(), "", " ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(p.file+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write pins: %w", err)
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(p.file+".new", p.file)
	}
	if err != nil {
		return fmt.Errorf("write pins: %w", err)
	}
	return nil
}
