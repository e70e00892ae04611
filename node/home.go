package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weisyn/wes/node/p2p"
)

// Names in a home folder.
const (
	storeFolder    = "store"        // chain/store: headers, blocks, outputs
	resourceFolder = "resources"    // chain/ures
	keyFolder      = "keys"         // node/keystore
	nodeKeyFile    = "node.key"     // seed of the key that peers know this node by, 32 bytes
	networkFile    = "network.toml" // definition of the network that the folder belongs to
	banFile        = "bans.json"    // of package p2p
	marketFolder   = "market"       // node/trade: jobs and what they are about
	queueFolder    = "queue"        // node/fleet: tasks and outcomes
	workFolder     = "work"         // programs of this process's worker
	lockFile       = "lock"
	apiFile        = "api.url" // of the running node
)

// ErrHome is returned for a home folder that cannot be used; the text says what to do.
var ErrHome = errors.New("unusable home folder")

// errHeld is what lock returns for a file that another process has locked.
var errHeld = errors.New("held by another process")

// home is a locked home folder.
type home struct {
	dir  string
	lock *os.File
}

// openHome makes what is missing of a home folder, and takes it for this process. A folder
// belongs to the network that it was made for.
func openHome(dir string, n *Network) (*home, error) {
	h := &home{dir: dir}
	for _, d := range []string{"", resourceFolder, keyFolder} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("open home: %w", err)
		}
	}
	f, err := os.OpenFile(h.path(lockFile), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open home: %w", err)
	}
	h.lock = f
	err = lock(f)
	if errors.Is(err, errHeld) {
		err = fmt.Errorf("%w: a node runs in %s: stop it, or choose another folder with --home", ErrHome, dir)
	}
	if err == nil {
		err = h.claim(n)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open home: %w", err), f.Close())
	}
	return h, nil
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

func (h *home) close() error { return h.lock.Close() }

// claim writes the definition of the network into a new folder, and compares it in an old one.
func (h *home) claim(n *Network) error {
	old := &Network{}
	err := readTOML(h.path(networkFile), old)
	if errors.Is(err, fs.ErrNotExist) {
		text, err := n.Encode()
		if err != nil {
			return err
		}
		return writeFile(h.path(networkFile), text)
	}
	if err == nil {
		err = old.validate()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHome, err)
	}
	if old.Chain() != n.Chain() {
		return fmt.Errorf("%w: %s holds network %s (chain %v), not %s (chain %v): choose another folder with --home",
			ErrHome, h.dir, old.Name, old.Chain(), n.Name, n.Chain())
	}
	return nil
}

// nodeKey returns the seed of this node's identity, made at the first start.
func (h *home) nodeKey() ([]byte, error) {
	name := h.path(nodeKeyFile)
	seed, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		seed = make([]byte, 32)
		rand.Read(seed)
		return seed, writeFile(name, seed)
	}
	if err != nil {
		return nil, fmt.Errorf("node key: %w", err)
	}
	if len(seed) != 32 {
		return nil, fmt.Errorf("%w: %s has %d bytes, not 32: remove it to get a new identity", ErrHome, name, len(seed))
	}
	return seed, nil
}

// Identity returns the name that peers know the node of a home folder by. The key behind it is made
// if there is none, so that others can be told before the node first starts.
func Identity(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("open home: %w", err)
	}
	seed, err := (&home{dir: dir}).nodeKey()
	if err != nil {
		return "", err
	}
	name, err := p2p.NameOf(seed)
	return string(name), err
}

// writeFile replaces a file, readable for its owner only, whole or not at all.
func writeFile(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
