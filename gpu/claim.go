package gpu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// errHeld is what lock returns for a file that another process has locked.
var errHeld = errors.New("held by another process")

// Claims are the devices that belong to this process among all that use the same folder.
// A process can hold a device once: a second Claim of it finds it held, too.
type Claims struct {
	Devices []Device  // those that this process now owns
	Held    []Finding // one for each device that another owns
	files   []*os.File
}

// ClaimFolder is where processes of one machine meet.
func ClaimFolder() string { return filepath.Join(os.TempDir(), "wes-devices") }

// Claim locks a file in folder for each device, so that one device is offered by one
// process. The kernel drops the locks of a process that ends, however it ends; child
// processes do not inherit them. The files stay: who removes one that others have open
// makes two of it. Systems without flock(2) have no such locks, and there every process
// gets all devices.
func Claim(folder string, devices []Device) (*Claims, error) {
	// Sticky and open to all, as users of one machine share its devices.
	if err := os.Mkdir(folder, 0o700); err == nil {
		err = os.Chmod(folder, 0o777|fs.ModeSticky)
		if err != nil {
			return nil, fmt.Errorf("claim devices: %w", err)
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("claim devices: %w", err)
	}
	c := &Claims{}
	seen := map[string]bool{}
	for _, d := range devices {
		if seen[d.UUID] {
			continue
		}
		seen[d.UUID] = true
		if err := c.add(folder, d); err != nil {
			return nil, errors.Join(fmt.Errorf("claim device: %w", err), c.Close())
		}
	}
	return c, nil
}

func (c *Claims) add(folder string, d Device) error {
	if err := validateUUID(d.UUID); err != nil {
		return err
	}
	name := filepath.Join(folder, strings.ReplaceAll(d.UUID, "/", "_")+".lock")
	f, err := openLock(name)
	if err != nil {
		return err
	}
	switch err := lock(f); {
	case errors.Is(err, errHeld):
		c.Held = append(c.Held, Finding{
			Subject: "device " + d.UUID, Status: Broken,
			Why: "it belongs to another process, which holds " + name,
			Do:  "stop the other node, or let it have the device",
		})
		return f.Close()
	case err != nil:
		return errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	c.Devices, c.files = append(c.Devices, d), append(c.files, f)
	return nil
}

// openLock opens a file, or makes it. A file of another user can be opened for reading
// only, which a lock is content with.
func openLock(name string) (*os.File, error) {
	f, err := os.Open(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	f, err = os.OpenFile(name, os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if errors.Is(err, fs.ErrExist) {
		return os.Open(name)
	}
	return f, err
}

// Close gives the devices back.
func (c *Claims) Close() error {
	var err error
	for _, f := range c.files {
		err = errors.Join(err, f.Close())
	}
	c.Devices, c.files = nil, nil
	return err
}
