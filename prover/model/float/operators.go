package float

import (
	"cmp"
	"slices"
	"strings"
)

// Operator describes the rule for one ONNX operator.
type Operator struct {
	Name     string `json:"operator"`     // with its domain, but for the default one
	Form     string `json:"form"`         // what it becomes in the integer graph: keys of Forms, joined by "+"
	Integers bool   `json:"integers"`     // activations may be integers or truth values
	Note     string `json:"restrictions"` // what else is demanded
}

// Activations names the types that activations may have.
func (o *Operator) Activations() string {
	if o.Integers {
		return "floats, integers"
	}
	return "floats"
}

// What operators become in the integer graph.
const (
	formSum      = "sum"
	formTable    = "table"
	formProduct  = "product"
	formMaximum  = "maximum"
	formView     = "view"
	formTail     = "tail"
	formPublic   = "public"
	formConstant = "constant"
)

// Forms explains the forms, in the order of their frequency in networks.
func Forms() [][2]string {
	return [][2]string{
		{formSum, "joins the sum that a layer accumulates: weights, biases, factors, residuals, means"},
		{formTable, "a function of one number, looked up behind a sum"},
		{formProduct, "products of two activations, summed"},
		{formMaximum, "maxima of two cells, in a tree"},
		{formView, "moves cells; nothing is committed for it"},
		{formTail, "ends the graph: whoever verifies computes it from proven numbers"},
		{formPublic, "follows from a public input alone: whoever verifies computes it too"},
		{formConstant, "computed when the model is imported"},
	}
}

// Operators lists what Import supports, sorted by name: the rules, and nothing else.
func Operators() []Operator {
	var list []Operator
	for name := range rules {
		o := descriptions[name]
		o.Name, o.Integers = name, acceptsIntegers(name)
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Operator) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return list
}

const (
	constantsOnly = "operands are constant"
	weighted      = "weights and bias are constant; 1 or 2 spatial axes"
	unrolled      = "unrolled; other operands than the first and initial states are constant; sequences have their whole length"
	byConstant    = "other operands than the first are constant"
)

// descriptions has a line for every rule.
var descriptions = map[string]Operator{
	"Add":                {Form: formSum},
	"Sub":                {Form: formSum},
	"Sum":                {Form: formSum},
	"Mean":               {Form: formSum},
	"Max":                {Form: formMaximum},
	"Min":                {Form: formMaximum},
	"Mul":                {Form: formSum + "+" + formProduct},
	"Div":                {Form: formSum + "+" + formTable + "+" + formProduct},
	"Neg":                {Form: formSum},
	"Conv":               {Form: formSum, Note: weighted},
	"Gemm":               {Form: formSum + "+" + formProduct},
	"MatMul":             {Form: formSum + "+" + formProduct},
	"Einsum":             {Form: formSum + "+" + formProduct, Note: "one or two operands; letters, each once an operand, no ellipsis"},
	"ConvTranspose":      {Form: formSum, Note: weighted + "; no auto_pad, no output_shape"},
	"BatchNormalization": {Form: formSum, Note: "statistics are constant; no training mode"},

	"LSTM": {Form: formSum + "+" + formTable + "+" + formProduct, Note: unrolled},
	"GRU":  {Form: formSum + "+" + formTable + "+" + formProduct, Note: unrolled},
	"RNN":  {Form: formSum + "+" + formTable, Note: unrolled},

	"QuantizeLinear":   {Form: formTable, Note: "to int8 and uint8; scale and zero point are constant; by channel of constants only"},
	"DequantizeLinear": {Form: formView, Note: "of int8, uint8, and constants of int32; scale and zero point are constant, those of activations as they were quantised; by channel of constants only"},
	"QLinearConv":      {Form: formSum + "+" + formTable, Note: weighted + "; scales and zero points are constant"},
	"QLinearMatMul":    {Form: formSum + "+" + formProduct + "+" + formTable, Note: "scales and zero points are constant"},
	"ConvInteger":      {Form: formSum, Note: weighted + "; zero points are constant; a Cast to floats follows"},
	"MatMulInteger":    {Form: formSum, Note: "the second operand and zero points are constant; a Cast to floats follows"},

	"LayerNormalization":    {Form: formProduct + "+" + formTable, Note: "the first output; scale and bias are constant"},
	"InstanceNormalization": {Form: formProduct + "+" + formTable, Note: "scale and bias are constant"},
	"GroupNormalization":    {Form: formProduct + "+" + formTable, Note: "scale and bias are constant"},

	"Relu":            {Form: formTable},
	"LeakyRelu":       {Form: formTable},
	"Clip":            {Form: formTable, Note: "bounds are constant"},
	"Sigmoid":         {Form: formTable + "+" + formTail},
	"Tanh":            {Form: formTable},
	"Erf":             {Form: formTable},
	"Exp":             {Form: formTable},
	"Log":             {Form: formTable},
	"Sqrt":            {Form: formTable},
	"Reciprocal":      {Form: formTable},
	"Abs":             {Form: formTable},
	"Softplus":        {Form: formTable},
	"HardSwish":       {Form: formTable},
	"Sign":            {Form: formTable},
	"Floor":           {Form: formTable},
	"Ceil":            {Form: formTable},
	"Round":           {Form: formTable},
	"Pow":             {Form: formTable, Note: "one constant exponent"},
	"Gelu":            {Form: formTable},
	"Softsign":        {Form: formTable + "+" + formProduct},
	"Mish":            {Form: formTable + "+" + formProduct},
	"PRelu":           {Form: formTable, Note: "slopes are constant"},
	"Selu":            {Form: formTable},
	"Celu":            {Form: formTable},
	"ThresholdedRelu": {Form: formTable + "+" + formProduct},
	"Elu":             {Form: formTable},
	"HardSigmoid":     {Form: formTable},

	"MaxPool":           {Form: formMaximum, Note: "the first output; 1 or 2 spatial axes"},
	"AveragePool":       {Form: formSum, Note: "1 or 2 spatial axes"},
	"GlobalMaxPool":     {Form: formMaximum},
	"GlobalAveragePool": {Form: formSum},
	"ReduceMean":        {Form: formSum, Note: "axes are constant"},
	"ReduceSum":         {Form: formSum, Note: "axes are constant"},
	"ReduceSumSquare":   {Form: formTable + "+" + formSum, Note: "axes are constant"},
	"ReduceL1":          {Form: formTable + "+" + formSum, Note: "axes are constant"},
	"ReduceL2":          {Form: formTable + "+" + formSum, Note: "axes are constant"},
	"ReduceMax":         {Form: formMaximum, Note: "axes are constant"},
	"ReduceMin":         {Form: formMaximum, Note: "axes are constant"},
	"ReduceProd":        {Form: formConstant, Note: constantsOnly},

	"Identity":     {Form: formView},
	"Dropout":      {Form: formView, Note: "the first output; no training mode"},
	"Cast":         {Form: formView + "+" + formTable, Note: "activations: between floats, between integers, from integers to floats, to truth values"},
	"Flatten":      {Form: formView},
	"Reshape":      {Form: formView, Note: "the shape is constant, or that of an activation"},
	"Squeeze":      {Form: formView, Note: byConstant},
	"Unsqueeze":    {Form: formView, Note: byConstant},
	"Transpose":    {Form: formView},
	"Concat":       {Form: formView, Note: "all operands are activations, or all are constant"},
	"Slice":        {Form: formView, Note: byConstant + "; the result is not empty"},
	"Split":        {Form: formView, Note: byConstant + "; no part is empty"},
	"Gather":       {Form: formView + "+" + formSum, Note: "constant indices, or an integer input that indexes the first axis of a constant table"},
	"Pad":          {Form: formView, Note: byConstant + "; by zeros, edge or reflect"},
	"Tile":         {Form: formView, Note: byConstant},
	"DepthToSpace": {Form: formView},
	"SpaceToDepth": {Form: formView},
	"Resize":       {Form: formView + "+" + formSum, Note: byConstant + "; nearest and linear; no antialias, aspect ratios, tf_crop_and_resize"},
	"Upsample":     {Form: formView + "+" + formSum, Note: byConstant + "; nearest and linear"},

	"Softmax":    {Form: formMaximum + "+" + formTable + "+" + formProduct + "+" + formTail},
	"LogSoftmax": {Form: formMaximum + "+" + formTable + "+" + formSum, Note: "before opset 13 along the last axis only"},
	"ArgMax":     {Form: formTail, Note: "at the end of the graph; no select_last_index"},
	"ArgMin":     {Form: formTail, Note: "at the end of the graph; no select_last_index"},

	"ai.onnx.ml.LinearClassifier":       {Form: formSum + "+" + formTail, Note: "integer labels; no PROBIT"},
	"ai.onnx.ml.TreeEnsembleClassifier": {Form: formPublic + "+" + formTail, Note: "reads an input; integer labels; no BRANCH_MEMBER, PROBIT, SOFTMAX_ZERO; thresholds are floats"},
	"ai.onnx.ml.TreeEnsembleRegressor":  {Form: formPublic, Note: "reads an input; sums and means; no BRANCH_MEMBER, post_transform; thresholds are floats"},

	"ai.onnx.ml.LinearRegressor": {Form: formSum, Note: "no post_transform"},
	"ai.onnx.ml.Normalizer":      {Form: formTail, Note: "L1, behind the probabilities of a classifier"},
	"ai.onnx.ml.Scaler":          {Form: formSum},

	"Constant":        {Form: formConstant, Note: "numbers and tensors, not strings or sparse"},
	"ConstantOfShape": {Form: formConstant, Note: constantsOnly},
	"CumSum":          {Form: formConstant, Note: constantsOnly},
	"Trilu":           {Form: formSum},
	"IsNaN":           {Form: formConstant, Note: "of activations too: none is"},
	"Shape":           {Form: formConstant, Note: "of activations too"},
	"Size":            {Form: formConstant, Note: "of activations too"},
	"Range":           {Form: formConstant, Note: constantsOnly},
	"Expand":          {Form: formView, Note: byConstant},
	"Where":           {Form: formSum + "+" + formProduct, Note: "both sides are floats, or all operands are constant"},
	"Mod":             {Form: formConstant, Note: constantsOnly},
	"Sin":             {Form: formConstant, Note: constantsOnly},
	"Cos":             {Form: formConstant, Note: constantsOnly},

	"Equal":          {Form: formSum + "+" + formTable},
	"Less":           {Form: formSum + "+" + formTable},
	"LessOrEqual":    {Form: formSum + "+" + formTable},
	"Greater":        {Form: formSum + "+" + formTable},
	"GreaterOrEqual": {Form: formSum + "+" + formTable},
	"Not":            {Form: formSum},
	"And":            {Form: formProduct},
	"Or":             {Form: formMaximum},
	"Xor":            {Form: formSum + "+" + formTable},
}
