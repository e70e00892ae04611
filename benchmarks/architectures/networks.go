package architectures

import (
	"fmt"

	"github.com/weisyn/wes/prover/model/onnx"
)

// Network is an architecture that can be written as an ONNX model.
type Network struct {
	Name     string
	Title    string
	Input    []int
	Ids      int64 // of the input's cells, if these are ids of tokens: all are below
	Integers bool  // input or first output is of integers
	Make     func(seed uint64) *onnx.Model
}

// Networks lists the architectures of the proof benchmark that are made by code.
func Networks() []Network {
	return []Network{
		{"vgg11_32", "VGG-11, 32×32", []int{1, 3, 32, 32}, 0, false, func(s uint64) *onnx.Model { return vgg("vgg11", s, 1, 1, 2, 2, 2) }},
		{"vgg16_32", "VGG-16, 32×32", []int{1, 3, 32, 32}, 0, false, func(s uint64) *onnx.Model { return vgg("vgg16", s, 2, 2, 3, 3, 3) }},
		ResNet18(224),
		{"mobilenet_v2_224", "MobileNetV2, 224×224", []int{1, 3, 224, 224}, 0, false, mobileNetV2},
	}
}

// vgg is VGG for 32×32 images: five stages of 3×3 convolutions, each followed by a 2×2
// maximum, and one fully connected layer of ten classes.
func vgg(name string, seed uint64, stages ...int) *onnx.Model {
	b := newBuilder(name, seed, 1, 3, 32, 32)
	x, in := "input", 3
	for i, out := range []int{64, 128, 256, 512, 512} {
		for range stages[i] {
			x = b.relu(b.conv(x, in, out, 3, 1, 1))
			in = out
		}
		x = b.maxPool(x, 2, 2, 0)
	}
	return b.finish(b.linear(b.flatten(x), in, 10), 1, 10)
}

// ResNet18 has the shapes of torchvision's resnet18 with normalisation folded into the
// convolutions, as its exporter writes it, for square images of a size.
func ResNet18(size int) Network {
	name := fmt.Sprintf("resnet18_%d", size)
	return Network{name, fmt.Sprintf("ResNet-18, %d×%d", size, size), []int{1, 3, size, size}, 0, false, func(seed uint64) *onnx.Model {
		return resnet18(name, seed, size)
	}}
}

func resnet18(name string, seed uint64, size int) *onnx.Model {
	b := newBuilder(name, seed, 1, 3, size, size)
	x := b.maxPool(b.relu(b.conv("input", 3, 64, 7, 2, 1)), 3, 2, 1)
	in := 64
	for stage, out := range []int{64, 128, 256, 512} {
		for block := range 2 {
			stride := 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			x = b.basicBlock(x, in, out, stride)
			in = out
		}
	}
	x = b.flatten(b.node("GlobalAveragePool", nil, x))
	return b.finish(b.linear(x, in, 1000), 1, 1000)
}

func (b *builder) basicBlock(x string, in, out, stride int) string {
	y := b.conv(b.relu(b.conv(x, in, out, 3, stride, 1)), out, out, 3, 1, 1)
	if stride != 1 || in != out {
		x = b.conv(x, in, out, 1, stride, 1)
	}
	return b.relu(b.node("Add", nil, y, x))
}

// mobileNetV2 has the shapes of torchvision's mobilenet_v2 with normalisation folded.
func mobileNetV2(seed uint64) *onnx.Model {
	b := newBuilder("mobilenet_v2", seed, 1, 3, 224, 224)
	x := b.relu6(b.conv("input", 3, 32, 3, 2, 1))
	in := 32
	// expansion, channels, blocks, stride of the first block
	for _, s := range [][4]int{{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}} {
		for block := range s[2] {
			stride := 1
			if block == 0 {
				stride = s[3]
			}
			x = b.invertedResidual(x, in, s[1], s[0], stride)
			in = s[1]
		}
	}
	x = b.relu6(b.conv(x, in, 1280, 1, 1, 1))
	x = b.flatten(b.node("GlobalAveragePool", nil, x))
	return b.finish(b.linear(x, 1280, 1000), 1, 1000)
}

func (b *builder) invertedResidual(x string, in, out, expansion, stride int) string {
	y, hidden := x, in*expansion
	if expansion != 1 {
		y = b.relu6(b.conv(y, in, hidden, 1, 1, 1))
	}
	y = b.relu6(b.conv(y, hidden, hidden, 3, stride, hidden))
	y = b.conv(y, hidden, out, 1, 1, 1)
	if stride == 1 && in == out {
		return b.node("Add", nil, x, y)
	}
	return y
}

// Kernels is a stack of four convolutions of 32 channels over 64×64 cells whose kernel
// grows: its activations stay, its multiply-accumulates grow with the square of the kernel.
func Kernels(kernel int) Network {
	name := fmt.Sprintf("kernels_%d", kernel)
	return Network{name, fmt.Sprintf("4 layers of 32 channels, 64×64, kernel %d×%d", kernel, kernel), []int{1, 32, 64, 64}, 0, false, func(seed uint64) *onnx.Model {
		b := newBuilder(name, seed, 1, 32, 64, 64)
		x := "input"
		for range 4 {
			x = b.relu(b.conv(x, 32, 32, kernel, 1, 1))
		}
		return b.finish(x, 1, 32, 64, 64)
	}}
}
