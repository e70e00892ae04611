package layer

import "github.com/weisyn/wes/prover/graph"

// Work counts what a stage of proving does: the floor that its time is compared with.
type Work struct {
	GroupAdditions  int64 `json:"group_additions"` // at most: zero cells cost nothing
	Multiplications int64 `json:"multiplications"` // of field elements
	SmallProducts   int64 `json:"small_products"`  // of small integers and field elements, added up unreduced
	Bytes           int64 `json:"bytes"`           // written at least once
}

// Sizes are the counts that a proof's cost follows from.
type Sizes struct {
	Lookups     int `json:"lookups"`
	TableRows   int `json:"table_rows"`
	Cells       int `json:"cells"`
	WeightCells int `json:"weight_cells"`
	Activations int `json:"activations"` // cells of Rescale and Max tensors, without padding
	TreeSteps   int `json:"tree_steps"`  // nodes and votes that rows meet in decision trees, once and for each reader
}

// Sizes counts the layout.
func (s *System) Sizes() Sizes {
	z := Sizes{Lookups: s.LeafCount, TableRows: s.RowCount, Cells: s.CellCount, WeightCells: s.Weights.Rows * s.Weights.Cols, TreeSteps: s.Effort.Steps}
	for i := range s.Graph.Nodes {
		switch s.Graph.Nodes[i].Op.(type) {
		case *graph.Rescale, *graph.Max:
			z.Activations += graph.Elements(s.Info.Shapes[i])
		}
	}
	return z
}

const elementBytes = 32

// Work counts multiplications and bytes of each stage. The factors for a lookup and a table
// row are those of package lookup: building the trees and one pass over each layer.
func (s *System) Work() map[string]Work {
	z := s.Sizes()
	read := int64(s.Weights.Reads) * int64(s.Weights.Cols)
	contract := Work{SmallProducts: read, Bytes: 4 * read}
	for _, b := range s.Weights.Blocks {
		shape := &s.convs[b.Conv]
		cells := int64(graph.Elements(s.Info.Shapes[s.Graph.Nodes[b.Node].Inputs[b.Term]]))
		taps := int64(1)
		if n := len(shape.conv.Spatial); n > 0 {
			taps = int64(shape.conv.Spatial[n-1].Kernel)
		}
		contract.SmallProducts += cells * taps
		contract.Multiplications += 4 * int64(shape.size())
		contract.Bytes += 4*cells + 2*elementBytes*int64(shape.size())
	}
	for i := range s.products {
		contract.add(s.products[i].work(), int64(len(s.classes(s.products[i].node))))
	}
	return map[string]Work{
		"commit":   {GroupAdditions: int64(z.Cells), Bytes: 4 * int64(z.Cells)},
		"lookup":   {Multiplications: 10*int64(z.Lookups) + 14*int64(z.TableRows), Bytes: 3 * elementBytes * int64(z.Lookups)},
		"contract": contract,
		"open": {
			Multiplications: 5 * int64(z.Cells), SmallProducts: 2*int64(z.Cells) + int64(z.WeightCells),
			Bytes: (4+elementBytes+elementBytes/2)*int64(z.Cells) + 4*int64(z.WeightCells),
		},
	}
}

// work counts one claim on a product: both operands are summed once, and two factors go
// through the sumcheck.
func (p *productShape) work() Work {
	cells, size := int64(0), int64(p.size())
	for i := range p.operands {
		cells += int64(graph.Elements(p.operands[i].shape))
	}
	return Work{Multiplications: 5 * size, SmallProducts: cells, Bytes: 4*cells + 2*elementBytes*size}
}

// add counts another stage's work n times.
func (w *Work) add(o Work, n int64) {
	w.GroupAdditions += n * o.GroupAdditions
	w.Multiplications += n * o.Multiplications
	w.SmallProducts += n * o.SmallProducts
	w.Bytes += n * o.Bytes
}
