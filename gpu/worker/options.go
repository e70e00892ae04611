package worker

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Options say what a child is and what it may consume.
type Options struct {
	Command      []string      // program and arguments, to which the socket's path is added; default: this program with "worker"
	Env          []string      // NAME=value, added to a minimal environment; see environment
	Memory       int64         // resident bytes of the process, looked at 20 times a second on Linux; 0: no limit
	AddressSpace int64         // bytes, held by the system on Linux; 0: no limit. CUDA needs far more than it uses
	CPU          time.Duration // processor time of one job, all threads; 0: no limit
	Grace        time.Duration // what a cancelled job gets to end by itself; default 2 s, negative: nothing
	beat         time.Duration // default 1 s
	connect      time.Duration // what a child may take to say that it is ready; default 30 s
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return o, err
		}
		o.Command = []string{self, "worker"}
	}
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	o.Grace = max(o.Grace, 0)
	if o.beat == 0 {
		o.beat = time.Second
	}
	if o.connect == 0 {
		o.connect = 30 * time.Second
	}
	if o.Memory < 0 || o.AddressSpace < 0 || o.CPU < 0 {
		return o, fmt.Errorf("negative limit: memory %d, address space %d, processor time %v", o.Memory, o.AddressSpace, o.CPU)
	}
	return o, nil
}

func (o *Options) limits() limits {
	return limits{Beat: o.beat, Grace: max(o.Grace, o.beat), Memory: o.Memory, AddressSpace: o.AddressSpace}
}

// inherited are the variables that finding libraries and devices needs.
var inherited = []string{"LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "SYSTEMROOT"}

// environment has an empty home and temporary folder, what is inherited, and then extra,
// which wins.
func environment(dir string, extra []string) []string {
	env := []string{"HOME=" + dir, "TMPDIR=" + dir, "TMP=" + dir, "TEMP=" + dir}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); slices.Contains(inherited, name) {
			env = append(env, v)
		}
	}
	return append(env, extra...)
}
