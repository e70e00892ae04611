//go:build linux && cgo

package nvml

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/nvml/nvmltest"
)

// open loads the library of a test after it has been told what to say.
func open(t *testing.T, dir, state string) *Library {
	t.Helper()
	nvmltest.Say(t, dir, state)
	l, err := Open(filepath.Join(dir, nvmltest.Name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

const (
	first  = "GPU-00000000-0000-0000-0000-000000000000"
	second = "GPU-00000001-0000-0000-0000-000000000000"
)

func TestDevicesAreListedWithWhatTheDriverSays(t *testing.T) {
	l := open(t, nvmltest.Build(t), "devices 0 2")
	want := gpu.Device{
		UUID: second, Name: "NVIDIA Test 80GB", Memory: 80 << 30, ComputeCapability: "9.0",
		Driver: "570.00.01", PCI: "00000000:02:00.0", Index: 1,
	}
	if got := l.Devices(); len(got) != 2 || got[1] != want || got[0].UUID != first {
		t.Errorf("%+v, want %+v", got, want)
	}
	if f := l.Findings(); len(f) != 0 {
		t.Errorf("findings %v", f)
	}
	inventory := gpu.Inventory{Devices: l.Devices()}
	if err := inventory.Validate(); err != nil {
		t.Error(err)
	}
}

func TestABoardThatCannotBeOpenedIsAFinding(t *testing.T) {
	l := open(t, nvmltest.Build(t), "devices 0 2\nhandle 0 15")
	if got := l.Devices(); len(got) != 1 || got[0].UUID != second {
		t.Errorf("devices %v", got)
	}
	if f := l.Findings(); len(f) != 1 || f[0].Status != gpu.Broken || !strings.Contains(f[0].Why, "code 15") {
		t.Errorf("findings %v", f)
	}
}

func TestInstancesTakeThePlaceOfADividedBoard(t *testing.T) {
	l := open(t, nvmltest.Build(t), "devices 0 2\nmig 1 2\nxid 1 48")
	var uuids []string
	for _, d := range l.Devices() {
		uuids = append(uuids, d.UUID)
	}
	want := []string{first, "MIG-00000001-0000-0000-0000-000000000001", "MIG-00000001-0000-0000-0000-000000000003"}
	if !slices.Equal(uuids, want) {
		t.Fatalf("%v, want %v", uuids, want)
	}
	if d := l.Devices()[1]; d.Memory != 10<<30 || d.PCI == "" || d.ComputeCapability != "9.0" {
		t.Errorf("instance %+v", d)
	}
	for i, o := range l.Observe() {
		if got := len(o.XIDs); (i > 0) != (got == 1) {
			t.Errorf("%s has %d errors; those of a board count for its instances", o.UUID, got)
		}
	}
}

func TestObservationsFollowTheSensors(t *testing.T) {
	dir := nvmltest.Build(t)
	l := open(t, dir, "devices 0 2\ntemperature 1 91")
	want := gpu.Reading{Temperature: 91, Slowdown: 87, Shutdown: 92, Used: 1 << 30, Total: 80 << 30, Utilization: 7}
	if got := l.Observe(); len(got) != 2 || got[1].UUID != second || got[1].Reading == nil || *got[1].Reading != want || got[0].Reading.Temperature != 45 {
		t.Errorf("%+v", got)
	}
	nvmltest.Say(t, dir, "devices 0 2\nxid 0 31\nxid 1 79\nxid 0 13\nlost 1 15")
	got := l.Observe()
	if !slices.Equal(got[0].XIDs, []uint64{31, 13}) || !slices.Equal(got[1].XIDs, []uint64{79}) {
		t.Errorf("errors %v and %v", got[0].XIDs, got[1].XIDs)
	}
	if got[0].Gone || !got[1].Gone || got[1].Reading != nil {
		t.Errorf("%+v: the second board is lost", got)
	}
	nvmltest.Say(t, dir, "devices 0 2\nxid 0 31\nxid 1 79\nxid 0 13\nlost 0 17")
	if got := l.Observe(); len(got[0].XIDs)+len(got[1].XIDs) != 0 || got[0].Gone || got[0].Reading == nil {
		t.Errorf("%+v: errors are reported once, and an unknown sensor is not a lost device", got)
	}
}

func TestADriverWithoutOptionalCallsStillLists(t *testing.T) {
	l := open(t, nvmltest.Build(t), "devices 0 1\nbare 0 1\nxid 0 79")
	if d := l.Devices()[0]; d.UUID != first || d.ComputeCapability != "" || d.PCI != "" {
		t.Errorf("%+v", d)
	}
	if o := l.Observe()[0]; o.Reading == nil || *o.Reading != (gpu.Reading{Used: 1 << 30, Total: 80 << 30}) || o.XIDs != nil {
		t.Errorf("%+v, %+v", o, o.Reading)
	}
}

func TestWhatIsMissingIsExplained(t *testing.T) {
	dir := nvmltest.Build(t)
	library := filepath.Join(dir, nvmltest.Name)
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, state string
		is          error
		status      gpu.Status
		do          string
	}{
		"no file":          {filepath.Join(dir, "none.so"), "", ErrNoLibrary, gpu.Missing, "install its driver"},
		"no library":       {text, "", ErrNoLibrary, gpu.Missing, "install its driver"},
		"other library":    {"libc.so.6", "", ErrIncomplete, gpu.Broken, "newer NVIDIA driver"},
		"no kernel module": {library, "init 0 9", nil, gpu.Broken, "modprobe"},
		"two versions":     {library, "init 0 18", nil, gpu.Broken, "restart the machine"},
		"no permission":    {library, "init 0 4", nil, gpu.Broken, "/dev/nvidia"},
		"other code":       {library, "init 0 999", nil, gpu.Broken, "nvidia-smi"},
		"absurd count":     {library, "devices 0 100000", ErrIncomplete, gpu.Broken, "newer NVIDIA driver"},
	} {
		nvmltest.Say(t, dir, c.state)
		l, err := Open(c.path)
		if l != nil || err == nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f := Explain(err); f.Status != c.status || !strings.Contains(f.Do, c.do) || f.Why == "" || f.Subject != Subject {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestSymbolsOfTheDriverAreNotLinked keeps the program startable where the dynamic linker
// resolves all symbols at the start, and the driver is not installed.
func TestSymbolsOfTheDriverAreNotLinked(t *testing.T) {
	self := exec.Command(os.Args[0], "-test.run", "^$")
	self.Env = append(os.Environ(), "LD_BIND_NOW=1")
	if out, err := self.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
