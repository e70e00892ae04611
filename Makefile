# Two commands do everything on a machine with Go, a C compiler and npm:
#
#   make demo   installs what is missing, builds, and runs a market of five processes
#   make test   runs the tests
#
# Without a C compiler or npm both work too, on the interpreter.

GO       ?= go
FUZZTIME ?= 20s
CC       ?= cc
WES      := build/wes

# The distributions of ICICLE that make icicle builds; see gpu/msm/icicle.
ICICLE_TAGS ?= icicle icicle_v3

# cgo serves to load ONNX Runtime, the NVIDIA driver's library and, by tag, ICICLE.
export CGO_ENABLED ?= $(shell command -v $(CC) >/dev/null 2>&1 && echo 1 || echo 0)

# Packages whose goroutines share memory; the others only start them through these.
RACE := ./chain ./chain/replica/... ./chain/store ./chain/ures ./gpu/... ./node/... ./prover ./prover/circuit ./prover/circuit/service ./prover/circuit/wire ./prover/commit ./prover/lookup ./prover/model/emit ./prover/model/interpret ./prover/pipeline ./prover/sumcheck

.PHONY: help build deps demo test race fuzz simulate conformance bench icicle gpu-test check clean
.DEFAULT_GOAL := help

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile
	@echo "more: make build deps race fuzz simulate conformance bench icicle gpu-test check clean"

build:
	$(GO) build -o $(WES) ./cmd/wes

deps: build
	@if [ $(CGO_ENABLED) = 0 ]; then echo "no C compiler: the interpreter executes, the results are the same"; \
	else $(WES) deps || echo "no ONNX Runtime: the interpreter executes, the results are the same"; fi

demo: deps
	@$(WES) demo --out build/demo

test:
	$(GO) test -timeout 15m ./...

race:
	CGO_ENABLED=1 $(GO) test -race -short -timeout 30m $(RACE)

# Every fuzz target of every package, one after the other.
fuzz:
	@set -e; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for name in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -c6-); do \
			echo "$$dir $$name"; $(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) $$dir; \
		done; \
	done

# 10,000 schedules of faults and adversaries over networks of nodes, and as many over a market, from
# as many seeds. A failure prints how to replay it.
SCHEDULES ?= 10000
simulate:
	$(GO) test -count 1 -timeout 120m ./chain/chaintest/simulator -run RandomSchedules -schedules $(SCHEDULES)
	$(GO) test -count 1 -timeout 120m ./market/markettest -run RandomSchedules -schedules $(SCHEDULES)

# The node tests of ONNX, all of them: results must be no worse than prover/model/conformance/results.json.
# UPDATE=1 records them. The cases are those of Debian's package libonnx-testdata.
ONNX_CASES ?= /usr/share/libonnx-testdata/data
conformance:
	@[ -d $(ONNX_CASES) ] || apt-get install -y libonnx-testdata
	$(GO) test ./prover/model/conformance -count 1 -v -run AllCases -data $(ONNX_CASES) $(if $(UPDATE),-update)

# Every suite, for benchmarks/results. The program is built again to be sure that it knows its
# revision, which the report names.
bench: deps
	$(GO) build -buildvcs=auto -o $(WES) ./cmd/wes
	$(WES) bench --out benchmarks/results

# ICICLE's native libraries, then the tests of both engines that use them, on ICICLE's CPU
# device, and a program with each: build/wes-icicle, build/wes-icicle_v3. Needs cmake, ninja and a
# C++ compiler; with nvcc, the CUDA backend is built too.
icicle:
	@set -e; for tag in $(ICICLE_TAGS); do \
		prefix=$(CURDIR)/build/icicle/$$tag; \
		gpu/msm/icicle/build.sh $$tag $$prefix; \
		export CGO_ENABLED=1 CGO_LDFLAGS="-L$$prefix/lib -Wl,-rpath,$$prefix/lib"; \
		$(GO) test -tags $$tag -count 1 -timeout 15m ./gpu/msm/...; \
		$(GO) test -tags $$tag -count 1 ./gpu/groth16; \
		$(GO) test -tags $$tag -count 1 -run 'TestScripts/(device|circuit)' ./cmd/wes; \
		$(GO) build -tags $$tag -o build/wes-$$tag ./cmd/wes; \
	done

# On a GPU host only; see tools/gpu-test.sh. The log is build/gpu-test.log.
gpu-test:
	@mkdir -p build; { tools/gpu-test.sh 2>&1; echo $$? > build/gpu-test.status; } | tee build/gpu-test.log; \
	exit $$(cat build/gpu-test.status)

check: build/tools/staticcheck
	@unformatted=$$(build/tools/gofumpt -l .); \
	if [ -n "$$unformatted" ]; then echo "run gofumpt -w on:"; echo "$$unformatted"; exit 1; fi
	@before=$$(cat prover/vec/*.s | cksum); $(GO) generate ./...; \
	[ "$$before" = "$$(cat prover/vec/*.s | cksum)" ] || { echo "generated files were not up to date"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet ./...
	CGO_ENABLED=0 $(GO) vet ./...
	@[ $(CGO_ENABLED) = 0 ] || { set -x; $(GO) vet -tags icicle ./... && $(GO) vet -tags icicle_v3 ./...; }
	CGO_ENABLED=0 GOARCH=arm64 $(GO) build ./...
	CGO_ENABLED=0 GOOS=darwin $(GO) build ./...
	CGO_ENABLED=0 GOOS=windows $(GO) build ./...
	build/tools/staticcheck ./...
	$(GO) test -count 1 .

build/tools/staticcheck: tools/go.mod tools/go.sum
	@mkdir -p build/tools
	CGO_ENABLED=0 $(GO) build -C tools -o ../build/tools/ tool
	@touch $@

clean:
	rm -rf build
