#!/bin/sh
# Builds the native libraries of ICICLE: build.sh TAG PREFIX, with the tag icicle or icicle_v3.
# Sources come from the Go module; nothing is written there. ICICLE's CPU device is always
# built; the CUDA backend of icicle-gnark too where nvcc is found. That of icicle is not open:
# its owner's archive is unpacked to PREFIX/lib/backend by hand.
#
# ICICLE_CURVES names the curves to build. The program needs all four of the tag icicle, the
# default there: gnark's Groth16 links them. The tests of gpu/msm need bn254 alone, which is
# all that the tag icicle_v3 uses.
# ICICLE_G2=OFF leaves out what gnark's Groth16 needs, most of the time of a CUDA build; the
# program does not link without it.
# CUDA_ARCH names the architectures, for example "80;90"; without it, those of this machine.
set -eu

tag=$1
prefix=$2
here=$(cd "$(dirname "$0")" && pwd)

missing=
for tool in cmake ninja c++; do
	command -v $tool >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
	echo "missing:$missing; on Debian and Ubuntu: apt-get install cmake ninja-build g++, and clang for faster code" >&2
	exit 1
fi

case $tag in
icicle)
	module=github.com/ingonyama-zk/icicle-gnark/v3
	curves=${ICICLE_CURVES:-bn254 bls12_381 bls12_377 bw6_761}
	set -- -DG2="${ICICLE_G2:-ON}" -DCUDA_BACKEND=OFF
	if command -v nvcc >/dev/null; then
		set -- -DG2="${ICICLE_G2:-ON}" -DCUDA_BACKEND=ON ${CUDA_ARCH:+"-DCUDA_ARCH=$CUDA_ARCH"}
	fi
	;;
icicle_v3)
	module=github.com/ingonyama-zk/icicle/v3
	curves=bn254
	set -- -DFETCHCONTENT_SOURCE_DIR_TASKFLOW="$here/taskflow" \
		-DG2=OFF -DECNTT=OFF -DHASH=OFF -DPOSEIDON=OFF -DPOSEIDON2=OFF -DSUMCHECK=OFF -DFRI=OFF
	;;
*)
	echo "unknown tag $tag: it is icicle or icicle_v3" >&2
	exit 1
	;;
esac

# ICICLE changes the compiler to clang after it was configured, which makes CMake forget
# all settings when it runs again; naming the compiler avoids that.
if command -v clang >/dev/null && command -v clang++ >/dev/null; then
	set -- "$@" -DCMAKE_C_COMPILER="$(command -v clang)" -DCMAKE_CXX_COMPILER="$(command -v clang++)"
fi

${GO:-go} mod download $module
source=$(${GO:-go} list -m -f '{{.Dir}}' $module)/icicle
for curve in $curves; do
	cmake -S "$source" -B "$prefix/cmake/$curve" -G Ninja -DCURVE="$curve" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_INSTALL_PREFIX="$prefix" "$@"
	cmake --build "$prefix/cmake/$curve" --target install
done
