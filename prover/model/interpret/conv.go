package interpret

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weisyn/wes/prover/graph"
)

// convolve adds a convolution of x to acc, whose shape is shape. At every output position
// the cells under the kernel are gathered into a patch in the order of the weights
// [k_0][k_1]…[ic], and each output channel adds the inner product of its weights and the
// patch.
func convolve(acc []int64, c *graph.Conv, x tensor, w []int32, shape []int) {
	k := newKernel(c, x, w, shape)
	n := graph.Elements(shape) / c.OutChannels
	workers := runtime.GOMAXPROCS(0)
	block := min(maxBlock, (n+workers-1)/workers)
	jobs := k.jobs(n, block, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, len(jobs)) {
		wg.Go(func() {
			p := &patches{data: make([]int64, block*k.size), at: make([]int, block)}
			for j := int(next.Add(1)) - 1; j < len(jobs); j = int(next.Add(1)) - 1 {
				p.gather(k, jobs[j])
				k.multiply(acc, p, jobs[j])
			}
		})
	}
	wg.Wait()
}

// job is a run of output positions and a run of the output channels of one group; no two
// jobs of a convolution write the same cell.
type job struct{ first, n, group, from, to int }

// jobs splits n output positions into blocks, and channels too when there are few blocks.
func (k *kernel) jobs(n, block, workers int) []job {
	parts := 1
	if blocks := (n + block - 1) / block * k.conv.Groups; blocks < workers {
		parts = min(workers, k.outCh)
	}
	var jobs []job
	for first := 0; first < n; first += block {
		for g := range k.conv.Groups {
			for p := range parts {
				from := g * k.outCh
				jobs = append(jobs, job{first, min(block, n-first), g, from + p*k.outCh/parts, from + (p+1)*k.outCh/parts})
			}
		}
	}
	return jobs
}

// maxBlock is the number of patches that are gathered before the weights are read once more.
const maxBlock = 32

// kernel is a convolution prepared for one input shape.
type kernel struct {
	conv    *graph.Conv
	x       []int64
	w       []int32
	shape   []int // of the output
	in, out []int // strides of input and output
	inShape []int
	taps    [][]int // every kernel position, one index per spatial axis, in weight order
	inCh    int     // input channels of a group
	outCh   int     // output channels of a group
	size    int     // weights of an output channel
}

func newKernel(c *graph.Conv, x tensor, w []int32, shape []int) *kernel {
	k := &kernel{
		conv: c, x: x.cells, w: w, shape: shape, in: strides(x.shape), out: strides(shape), inShape: x.shape,
		inCh: c.InChannels / c.Groups, outCh: c.OutChannels / c.Groups, taps: [][]int{nil},
	}
	for _, s := range c.Spatial {
		var longer [][]int
		for _, t := range k.taps {
			for i := range s.Kernel {
				longer = append(longer, append(slices.Clone(t), i))
			}
		}
		k.taps = longer
	}
	k.size = len(k.taps) * k.inCh
	return k
}

// patches are the gathered inputs of consecutive output positions.
type patches struct {
	data []int64 // [position][kernel.size]
	at   []int   // index of channel 0 of each position in the output
	n    int
}

// gather collects the patches of a job. Positions count the cells of the output without
// its channel axis in row-major order.
func (p *patches) gather(k *kernel, j job) {
	p.n = j.n
	index := make([]int, len(k.shape))
	for i := range j.n {
		k.position(j.first+i, index)
		p.at[i] = 0
		for a, v := range index {
			p.at[i] += v * k.out[a]
		}
		k.gather(p.data[i*k.size:(i+1)*k.size], index, j.group)
	}
}

// position writes the index of an output position, with channel 0.
func (k *kernel) position(n int, index []int) {
	for a := len(index) - 1; a >= 0; a-- {
		if a == k.conv.Channel {
			index[a] = 0
			continue
		}
		index[a] = n % k.shape[a]
		n /= k.shape[a]
	}
}

// gather collects one patch; taps outside the input are zero.
func (k *kernel) gather(patch []int64, index []int, group int) {
	base := group * k.inCh * k.in[k.conv.Channel]
	for a, v := range index {
		base += v * k.in[a]
	}
	for _, s := range k.conv.Spatial {
		base -= index[s.Axis] * k.in[s.Axis]
	}
	step := k.in[k.conv.Channel]
	for i, tap := range k.taps {
		cells := patch[i*k.inCh : (i+1)*k.inCh]
		at, inside := base, true
		for j, s := range k.conv.Spatial {
			v := s.Tap(index[s.Axis], tap[j])
			inside = inside && v >= 0 && v < k.inShape[s.Axis]
			at += v * k.in[s.Axis]
		}
		if !inside {
			clear(cells)
			continue
		}
		for c := range cells {
			cells[c] = k.x[at+c*step]
		}
	}
}

// multiply adds the inner products of all patches with the weights of the output channels
// of a job, four channels at a time.
func (k *kernel) multiply(acc []int64, p *patches, j job) {
	step := k.out[k.conv.Channel]
	oc := j.from
	for ; oc+4 <= j.to; oc += 4 {
		w := k.w[oc*k.size : (oc+4)*k.size]
		for i := range p.n {
			s := dot4(p.data[i*k.size:(i+1)*k.size], w)
			for c, v := range s {
				acc[p.at[i]+(oc+c)*step] += v
			}
		}
	}
	for ; oc < j.to; oc++ {
		w := k.w[oc*k.size : (oc+1)*k.size]
		for i := range p.n {
			acc[p.at[i]+oc*step] += dot(p.data[i*k.size:(i+1)*k.size], w)
		}
	}
}

func dot(x []int64, w []int32) int64 {
	w = w[:len(x)]
	var s int64
	for i, v := range x {
		s += v * int64(w[i])
	}
	return s
}

// dot4 is the inner product of x with each of the four rows of w.
func dot4(x []int64, w []int32) [4]int64 {
	n := len(x)
	w0, w1, w2, w3 := w[:n], w[n:][:n], w[2*n:][:n], w[3*n:][:n]
	var s0, s1, s2, s3 int64
	for i, v := range x {
		s0 += v * int64(w0[i])
		s1 += v * int64(w1[i])
		s2 += v * int64(w2[i])
		s3 += v * int64(w3[i])
	}
	return [4]int64{s0, s1, s2, s3}
}
