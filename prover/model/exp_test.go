package model

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
	"strconv"

	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
)

func envInt(name string) int { v, _ := strconv.Atoi(os.Getenv(name)); return v }

func TestExp(t *testing.T) {
	dir, name := os.Getenv("DIR"), os.Getenv("MODEL")
	if name == "" { t.Skip() }
	data, _ := os.ReadFile(dir + "/" + name + ".onnx")
	m, err := onnx.Parse(data, onnx.Limits{})
	if err != nil { t.Fatal(err) }
	batch := envInt("BATCH")
	fg, err := float.Import(m, float.Options{Batch: batch})
	if err != nil { t.Fatal(err) }
	data, _ = os.ReadFile(dir + "/" + name + ".input.json")
	in, err := tensor.ParseJSON(data)
	if err != nil { t.Fatal(err) }
	s, err := Samples(fg, in)
	if err != nil { t.Fatal(err) }
	t0 := time.Now()
	low, err := Lower(context.Background(), fg, s, Options{WeightBits: envInt("WB"), MaxShift: envInt("MS"), Ranges: Ranges(envInt("RM"))})
	if err != nil { t.Fatal(err) }
	fmt.Println(name, "time", time.Since(t0), "nodes", len(low.Graph.Nodes))
	for _, o := range low.Report.Outputs { fmt.Printf("%+v\n", o) }
	fmt.Println("tables", low.Report.Tables)
	if os.Getenv("V") != "" {
	for _, l := range low.Report.Layers { fmt.Printf("%+v\n", l) } }
}
