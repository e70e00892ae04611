package model

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
)

func TestZZ(t *testing.T) {
	dir := "/work/shared/models"
	for _, name := range []string{"lenet5_28", "resnet20_cifar", "mobilenet_v2_224"} {
		data, _ := os.ReadFile(dir + "/" + name + ".onnx")
		m, err := onnx.Parse(data, onnx.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		fg, err := float.Import(m, float.Options{Batch: 1})
		if err != nil {
			fg, err = float.Import(m, float.Options{Batch: 1})
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _ = os.ReadFile(dir + "/" + name + ".input.json")
		in, _ := tensor.ParseJSON(data)
		s, err := Samples(fg, in)
		if err != nil {
			t.Fatal(err)
		}
		t0 := time.Now()
		low, err := Lower(context.Background(), fg, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := time.Since(t0)
		var want struct{ Output struct{ Data []float32 } }
		data, _ = os.ReadFile(dir + "/" + name + ".expected.json")
		json.Unmarshal(data, &want)
		got, _, _ := low.run(context.Background(), s[0])
		var c comparison
		c.add(&low.Graph.Outputs[0], got[0], want.Output.Data)
		a := c.accuracy("")
		ms, bits, shifted, wide, cells := 0, 0, 0, 0, 0
		wb := map[int]int{}
		for _, l := range low.Report.Layers {
			ms = max(ms, l.MaxShift)
			bits = max(bits, l.WeightBits)
			wb[l.WeightBits]++
			if l.MinShift != l.MaxShift { shifted++ }
			if max(l.Hi, -l.Lo) >= 1<<24 { wide++ }
			cells += l.Cells
		}
		fmt.Printf("%s max %.5f mean %.5f largest %.3f top1 %d/%d cos %.6f tables %v maxshift %d bits %v perchannel %d/%d acc>2^24 %d cells %d nodes %d time %v\n", name, a.MaxAbs, a.MeanAbs, a.Largest, a.Top1, a.Lines, a.Cosine, low.Report.Tables, ms, wb, shifted, len(low.Report.Layers), wide, cells, len(low.Graph.Nodes), d)
		_ = graph.MaxShift
	}
}
