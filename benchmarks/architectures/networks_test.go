package architectures

import (
	"testing"

	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
)

func TestNetworksHaveThePublishedSizes(t *testing.T) {
	// Multiply-accumulates in millions and parameters in thousands.
	want := map[string][2]int64{"vgg11_32": {152, 9225}, "vgg16_32": {313, 14719}, "resnet18_224": {1814, 11684}, "mobilenet_v2_224": {300, 3487}}
	for _, n := range Networks() {
		g := imported(t, n)
		if got := [2]int64{g.MACs() / 1e6, g.Params() / 1e3}; got != want[n.Name] {
			t.Errorf("%s: %d M multiply-accumulates and %d k parameters, want %v", n.Name, got[0], got[1], want[n.Name])
		}
	}
}

// imported is a network after a round through its file.
func imported(t *testing.T, n Network) *float.Graph {
	t.Helper()
	data, err := n.Make(1).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Parse(data, onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := float.Import(m, float.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
