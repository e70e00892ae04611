//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package gpu

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestADeviceBelongsToOneProcessUntilItDies(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "claims")
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), claimFolder+"="+folder)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "1\n" {
		t.Fatalf("the other process holds %q devices: %v", line, err)
	}
	c := claim(t, folder, devices(1, 1))
	if len(c.Devices) != 1 || c.Devices[0].UUID != "GPU-1" || len(c.Held) != 1 || !strings.Contains(c.Held[0].Subject, "GPU-0") {
		t.Errorf("devices %v, held %v; want GPU-1, and GPU-0 held", c.Devices, c.Held)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err == nil {
		t.Error("the other process was killed, and ended well")
	}
	if c := claim(t, folder, devices(1)); len(c.Devices) != 1 {
		t.Error("the device is held by a dead process")
	}
}

func claim(t *testing.T, folder string, list []Device) *Claims {
	t.Helper()
	c, err := Claim(folder, list)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestADeviceThatIsListedTwiceIsClaimedOnce(t *testing.T) {
	folder := t.TempDir()
	c := claim(t, folder, append(devices(1), devices(1)...))
	if len(c.Devices) != 1 || len(c.Held) != 0 {
		t.Errorf("devices %v, held %v", c.Devices, c.Held)
	}
	if again := claim(t, folder, devices(1)); len(again.Devices) != 0 || len(again.Held) != 1 {
		t.Error("two claims of one device")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if free := claim(t, folder, devices(1)); len(free.Devices) != 1 {
		t.Error("a device that was given back is held")
	}
}

func TestClaimRefusesWhatIsNoUUID(t *testing.T) {
	folder := t.TempDir()
	for _, uuid := range []string{"", "../x", "GPU 1", "GPU\n", strings.Repeat("G", 200)} {
		if c, err := Claim(folder, []Device{{UUID: uuid}}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.20q: %v, %v", uuid, c, err)
		}
	}
	if _, err := Claim(filepath.Join(folder, "a", "b"), nil); err == nil {
		t.Error("a folder that cannot be made was accepted")
	}
}
