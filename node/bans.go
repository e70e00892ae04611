package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/weisyn/wes/node/p2p"
)

// loadBans reads the bans of an earlier run; none if there is no file.
func loadBans(file string) ([]p2p.Ban, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%d bytes, more than %d", info.Size(), maxFile)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(file)
	}
	var all []p2p.Ban
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: bans in %s: %w: remove the file to forget them", ErrHome, file, err)
	}
	return all, nil
}

// saveBans replaces the file.
func saveBans(file string, all []p2p.Ban) error {
	text, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode bans: %w", err)
	}
	return writeFile(file, text)
}
