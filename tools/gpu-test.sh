#!/bin/sh
# Tests what only a GPU can show, on a machine with an NVIDIA driver, nvcc, cmake and ninja:
# ICICLE's CUDA device against the contract of all engines, its times, an inference proof
# whose execution (ONNX Runtime's CUDA provider, after its self-test) and commitments (ICICLE)
# are both done by the GPU, and a Groth16 proof of a circuit; then the benchmark.
# WES_ONNXRUNTIME_LIB names a library of ONNX Runtime with the CUDA provider beside it.
set -eu

fail() {
	echo "gpu-test: $*" >&2
	exit 1
}

go=${GO:-go}
prefix=$PWD/build/icicle/icicle
out=build/gpu-test
models=testdata/models

nvidia-smi -L >/dev/null 2>&1 || fail "no GPU: nvidia-smi lists none"
command -v nvcc >/dev/null || fail "no nvcc: install the CUDA toolkit"
[ -n "${WES_ONNXRUNTIME_LIB:-}" ] || fail "set WES_ONNXRUNTIME_LIB to libonnxruntime.so of a package with CUDA"
[ -e "$(dirname "$WES_ONNXRUNTIME_LIB")/libonnxruntime_providers_cuda.so" ] || fail "no CUDA provider beside $WES_ONNXRUNTIME_LIB"

nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv
gpu/msm/icicle/build.sh icicle "$prefix"

export CGO_ENABLED=1 CGO_LDFLAGS="-L$prefix/lib -Wl,-rpath,$prefix/lib"
export ICICLE_BACKEND_INSTALL_DIR="$prefix/lib/backend" WES_ICICLE_DEVICE=CUDA
WES_TEST_LARGE=1 $go test -tags icicle -count 1 -timeout 20m -v ./gpu/msm/icicle
$go test -tags icicle -run '^$' -bench . -timeout 20m ./gpu/msm/icicle

$go build -tags icicle -o build/wes-icicle ./cmd/wes
rm -rf $out
prove() {
	dir=$1
	shift
	WES_CACHE=$out/cache-$dir build/wes-icicle ai prove $models/resnet20_cifar.onnx \
		--input $models/resnet20_cifar.input.json --out $out/$dir --json "$@" >$out/$dir.json
	cat $out/$dir.json
}
mkdir -p $out
prove gpu --engine onnxruntime --device icicle
prove cpu --engine interpreter --device cpu
grep -q '"engine_reason": ".*on cuda' $out/gpu.json || fail "ONNX Runtime's CUDA provider did not pass its self-test"
grep -q '"committer": "icicle' $out/gpu.json || fail "ICICLE did not commit"
for file in model.wes proof.wes output.json; do
	cmp $out/gpu/$file $out/cpu/$file || fail "$file differs between GPU and CPU"
done

# A circuit, by gnark's ICICLE on the device and by the CPU.
circuit=$out/circuit
build/wes-icicle prove example --constraints 65536 --out $circuit
build/wes-icicle prove setup $circuit/circuit.ccs --scheme groth16 --curve bn254 --unsafe-setup --out $circuit/package
for device in icicle cpu; do
	build/wes-icicle prove prove $circuit/package --witness $circuit/witness.json --out $circuit/$device --device $device --json >$circuit/$device.json
	cat $circuit/$device.json
	grep -q "\"device\": \"$device\"" $circuit/$device.json || fail "$device did not prove the circuit"
	build/wes-icicle prove verify $circuit/package --proof $circuit/$device/proof.bin --public $circuit/$device/public.json
done

# What is published of a GPU host: engines beside each other, circuits, ONNX Runtime's providers.
build/wes-icicle devices
build/wes-icicle bench msm ntt groth16 onnx --out benchmarks/results/gpu
echo "gpu-test: passed; the measurements are in benchmarks/results/gpu"
