package float

import "math"

// rule imports one ONNX operator: it returns the values of its first outputs.
type rule func(*call) ([]*value, error)

// rules maps ONNX operators to their importers.
var rules = map[string]rule{
	"Add":                importAdd,
	"Sub":                importSub,
	"Sum":                importSum,
	"Mul":                importMul,
	"Div":                importDiv,
	"Neg":                importNeg,
	"Conv":               importConv,
	"Gemm":               importGemm,
	"MatMul":             importMatMul,
	"BatchNormalization": importBatchNorm,

	"Relu":      importRelu,
	"LeakyRelu": importLeakyRelu,
	"Clip":      importClip,
	"Sigmoid":   importSigmoid,
	"Tanh":      importTanh,

	"MaxPool":           importMaxPool,
	"AveragePool":       importAveragePool,
	"GlobalMaxPool":     importGlobalMaxPool,
	"GlobalAveragePool": importGlobalAveragePool,
	"ReduceMean":        importReduceMean,

	"Identity":  importIdentity,
	"Dropout":   importDropout,
	"Cast":      importCast,
	"Flatten":   importFlatten,
	"Reshape":   importReshape,
	"Squeeze":   importSqueeze,
	"Unsqueeze": importUnsqueeze,
	"Transpose": importTranspose,
	"Concat":    importConcat,
	"Slice":     importSlice,
	"Split":     importSplit,
	"Gather":    importGather,
	"Pad":       importPad,

	"Softmax": importSoftmax,
	"ArgMax":  importArgMax,

	"ai.onnx.ml.LinearClassifier":       importLinearClassifier,
	"ai.onnx.ml.LinearRegressor":        importLinearRegressor,
	"ai.onnx.ml.Normalizer":             importNormalizer,
	"ai.onnx.ml.Scaler":                 importScaler,
	"ai.onnx.ml.TreeEnsembleClassifier": importTreeClassifier,
	"ai.onnx.ml.TreeEnsembleRegressor":  importTreeRegressor,

	"Constant":        importConstant,
	"ConstantOfShape": importConstantOfShape,
	"Shape":           importShape,
	"Size":            importSize,
	"Range":           importRange,
	"Expand":          importExpand,
	"Where":           importWhere,
	"Equal":           foldBinary("Equal"),
	"Pow":             foldBinary("Pow"),
	"Min":             foldBinary("Min"),
	"Max":             foldBinary("Max"),
	"Sqrt":            foldUnary(math.Sqrt),
	"Floor":           foldUnary(math.Floor),
	"Ceil":            foldUnary(math.Ceil),
	"Abs":             foldUnary(math.Abs),
	"Reciprocal":      foldUnary(func(x float64) float64 { return 1 / x }),
}
