//go:build cgo

package nvml

/*
#cgo LDFLAGS: -ldl
#include "driver.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/weisyn/wes/gpu"
)

// Library is the driver's library in this process. It is not safe for concurrent use.
type Library struct {
	c       *C.wes_nvml
	units   []unit
	lost    []gpu.Finding
	watched bool // the driver reports errors to us
}

// unit is a device, or a MIG instance of a board. Handles are the library's.
type unit struct {
	device        gpu.Device
	handle, board unsafe.Pointer
}

// maxBoards bounds what the library may claim to have.
const maxBoards = 256

// Open loads the library of that name, and lists the devices. They are watched for errors
// from then on.
func Open(name string) (*Library, error) {
	l := &Library{c: (*C.wes_nvml)(C.calloc(1, C.sizeof_wes_nvml))}
	if err := l.load(name); err != nil {
		l.free()
		return nil, fmt.Errorf("open NVML: %w", err)
	}
	if err := l.check("nvmlInit", C.wes_init(l.c)); err != nil {
		l.free()
		return nil, fmt.Errorf("open NVML: %w", err)
	}
	if err := l.list(); err != nil {
		return nil, errors.Join(fmt.Errorf("open NVML: %w", err), l.Close())
	}
	l.watch()
	return l, nil
}

func (l *Library) load(name string) error {
	path := C.CString(name)
	defer C.free(unsafe.Pointer(path))
	if l.c.handle = C.dlopen(path, C.RTLD_LAZY|C.RTLD_LOCAL); l.c.handle == nil {
		return fmt.Errorf("%w: %s", ErrNoLibrary, C.GoString(C.dlerror()))
	}
	if missing := C.wes_load(l.c); missing != nil {
		return fmt.Errorf("%w: %s", ErrIncomplete, C.GoString(missing))
	}
	return nil
}

func (l *Library) free() {
	if l.c.handle != nil {
		C.dlclose(l.c.handle)
	}
	C.free(unsafe.Pointer(l.c))
}

// Close gives the library back.
func (l *Library) Close() error {
	C.wes_unwatch(l.c)
	err := l.check("nvmlShutdown", C.wes_shutdown(l.c))
	l.free()
	return err
}

func (l *Library) check(call string, code C.wes_code) error {
	if code == 0 {
		return nil
	}
	return &Error{call, int(code), C.GoString(C.wes_text(l.c, code))}
}

func (l *Library) list() error {
	var version [80]C.char // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE
	if err := l.check("nvmlSystemGetDriverVersion", C.wes_driver(l.c, &version[0], C.uint(len(version)-1))); err != nil {
		return err
	}
	var n C.uint
	if err := l.check("nvmlDeviceGetCount", C.wes_count(l.c, &n)); err != nil {
		return err
	}
	if n > maxBoards {
		return fmt.Errorf("%w: %d devices", ErrIncomplete, n)
	}
	for i := range int(n) {
		if err := l.add(i, C.GoString(&version[0])); err != nil {
			l.lost = append(l.lost, gpu.Finding{
				Subject: fmt.Sprintf("device %d", i), Status: gpu.Broken, Why: err.Error(), Do: "see what nvidia-smi says; restart the machine",
			})
		}
	}
	return nil
}

// add lists a board, or its MIG instances where it is divided: then it cannot be used as a
// whole.
func (l *Library) add(index int, driver string) error {
	var board unsafe.Pointer
	if err := l.check("nvmlDeviceGetHandleByIndex", C.wes_device(l.c, C.uint(index), &board)); err != nil {
		return err
	}
	whole, instances, err := l.describe(board)
	if err != nil {
		return err
	}
	whole.Driver, whole.Index = driver, index
	if instances == 0 {
		l.units = append(l.units, unit{whole, board, board})
		return nil
	}
	for i := range min(instances, maxBoards) {
		var handle unsafe.Pointer
		if C.wes_mig_device(l.c, board, C.uint(i), &handle) != 0 {
			continue // instances need not be numbered without gaps
		}
		part, _, err := l.describe(handle)
		if err != nil {
			return err
		}
		part.Driver, part.Index, part.ComputeCapability, part.PCI = driver, index, whole.ComputeCapability, whole.PCI
		l.units = append(l.units, unit{part, handle, board})
	}
	return nil
}

func (l *Library) describe(handle unsafe.Pointer) (d gpu.Device, instances int, err error) {
	var c C.wes_description
	if err := l.check("describe device", C.wes_describe(l.c, handle, &c)); err != nil {
		return d, 0, err
	}
	d = gpu.Device{UUID: C.GoString(&c.uuid[0]), Name: C.GoString(&c.name[0]), Memory: uint64(c.memory.total), PCI: C.GoString(&c.pci.bus_id[0])}
	if c.major > 0 {
		d.ComputeCapability = fmt.Sprintf("%d.%d", c.major, c.minor)
	}
	return d, int(c.mig), nil
}

// watch asks for the errors of each board. A board whose driver reports none is watched by
// its sensors alone.
func (l *Library) watch() {
	if C.wes_events(l.c) != 0 {
		return
	}
	for _, u := range l.units {
		if C.wes_watch(l.c, u.board) == 0 {
			l.watched = true
		}
	}
}

// Devices lists what Open found.
func (l *Library) Devices() []gpu.Device {
	var all []gpu.Device
	for _, u := range l.units {
		all = append(all, u.device)
	}
	return all
}

// Findings says which devices could not be listed.
func (l *Library) Findings() []gpu.Finding { return l.lost }

// Observe reads the sensors of all devices and the errors reported since it was last called.
func (l *Library) Observe() []gpu.Observation {
	xids := l.xids()
	var all []gpu.Observation
	for _, u := range l.units {
		o := gpu.Observation{UUID: u.device.UUID, XIDs: xids[u.board]}
		var r C.wes_reading
		switch C.wes_read(l.c, u.handle, u.board, &r) {
		case 0:
			o.Reading = &gpu.Reading{
				Temperature: celsius(r.temperature), Slowdown: celsius(r.slowdown), Shutdown: celsius(r.shutdown),
				Used: uint64(r.memory.used), Total: uint64(r.memory.total), Utilization: int(min(r.utilization, 100)),
			}
		case codeGPULost, codeResetRequired:
			o.Gone = true
		}
		all = append(all, o)
	}
	return all
}

// celsius bounds what a sensor says; more than an int32 is nonsense.
func celsius(v C.uint) int { return int(min(uint64(v), math.MaxInt16)) }

// maxEvents bounds the errors of one observation; the next one takes the others.
const maxEvents = 256

// xids are the errors by board. An error of a MIG instance counts for all of its board.
func (l *Library) xids() map[unsafe.Pointer][]uint64 {
	found := map[unsafe.Pointer][]uint64{}
	if !l.watched {
		return found
	}
	for range maxEvents {
		var e C.wes_event
		if C.wes_next(l.c, &e) != 0 {
			break // no more of them
		}
		if e._type == C.WES_XID {
			found[e.device] = append(found[e.device], uint64(e.data))
		}
	}
	return found
}
