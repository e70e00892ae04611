package probe

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/nvml"
	"github.com/weisyn/wes/gpu/worker"
)

// The methods of a child. Their replies are JSON: a gpu.Inventory, a list of
// gpu.Observation.
const (
	methodProbe   = "devices.probe"
	methodObserve = "devices.observe"
)

// Methods are the child's side. The driver's library stays open for the life of the child,
// so that no error is missed between two observations; devices that come later are for the
// next child.
func Methods() map[string]worker.Method {
	d := &driver{}
	return map[string]worker.Method{methodProbe: d.probe, methodObserve: d.observe}
}

// driver is the library in a child, once it has been opened. Jobs come one at a time.
type driver struct{ library *nvml.Library }

func (d *driver) open() error {
	if d.library != nil {
		return nil
	}
	library, err := nvml.Open(nvml.Name)
	if err != nil {
		return err
	}
	d.library = library
	return nil
}

func (d *driver) probe(context.Context, *worker.Request) ([][]byte, error) {
	if err := d.open(); err != nil {
		return encode(gpu.Inventory{Findings: []gpu.Finding{nvml.Explain(err)}})
	}
	devices := d.library.Devices()
	found := gpu.Finding{Subject: nvml.Subject, Status: gpu.Found, Why: "it lists no device", Do: "see what nvidia-smi says"}
	if len(devices) > 0 {
		found.Why, found.Do = fmt.Sprintf("version %s, devices: %d", devices[0].Driver, len(devices)), ""
	}
	return encode(gpu.Inventory{Devices: devices, Findings: append([]gpu.Finding{found}, d.library.Findings()...)})
}

func (d *driver) observe(context.Context, *worker.Request) ([][]byte, error) {
	if err := d.open(); err != nil {
		return nil, err
	}
	return encode(d.library.Observe())
}

func encode(v any) ([][]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode reply: %w", err)
	}
	return [][]byte{b}, nil
}
