package node

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// KeyFolder is where a home folder has its keys, as package keystore keeps them.
func KeyFolder(home string) string { return filepath.Join(home, keyFolder) }

// ErrStopped is returned where a running node is needed, and none has its API in the home folder.
var ErrStopped = errors.New("no node runs")

// RunningURL returns where the API of the node that runs in a home folder listens. A node that
// was killed leaves it behind.
func RunningURL(home string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(home, apiFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w in %s", ErrStopped, home)
	}
	if err != nil {
		return "", fmt.Errorf("address of the API: %w", err)
	}
	text := strings.TrimSpace(string(raw))
	if u, err := url.Parse(text); err != nil || u.Host == "" {
		return "", fmt.Errorf("%w: %s holds no URL: start the node again", ErrHome, filepath.Join(home, apiFile))
	}
	return text, nil
}

// HomeNetwork returns the network that the home folder belongs to or, if there is no folder yet,
// the one that the configuration names.
func (c *Config) HomeNetwork() (*Network, error) {
	n := &Network{}
	err := readTOML(filepath.Join(c.Home, networkFile), n)
	if errors.Is(err, fs.ErrNotExist) {
		return OpenNetwork(c.Network)
	}
	if err == nil {
		err = n.validate()
	}
	if err != nil {
		return nil, fmt.Errorf("open home: %w: %w", ErrHome, err)
	}
	return n, nil
}
