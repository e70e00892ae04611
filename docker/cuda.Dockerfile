# A node whose commitments and Groth16 proofs are made by NVIDIA GPUs, through ICICLE. From the root of the
# repository, on a host with the NVIDIA container toolkit:
#
#   docker build -f docker/cuda.Dockerfile -t wes:cuda .
#   docker run --gpus all -v wes:/var/lib/wes wes:cuda devices
#
# This image was not built or run on a GPU by the project: it takes the steps of make icicle, which are
# tested without one. wes devices says what it finds; what a GPU fails at, the CPU does.
#
# ONNX Runtime is the one for CPUs. Its CUDA provider needs cuDNN and a package for CUDA: mount that and
# name its libonnxruntime.so with WES_ONNXRUNTIME_LIB.

FROM golang:1.26-bookworm AS go

FROM nvidia/cuda:12.6.3-devel-ubuntu24.04 AS build
# Architectures to compile for: A100, RTX 30, RTX 40 and L40, H100. Each takes minutes.
ARG CUDA_ARCH="80;86;89;90"
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:$PATH
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates cmake g++ git ninja-build npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# The libraries take longest, and depend on little.
COPY gpu/msm/icicle/build.sh gpu/msm/icicle/build.sh
RUN CUDA_ARCH="$CUDA_ARCH" gpu/msm/icicle/build.sh icicle /opt/icicle && rm -rf /opt/icicle/cmake
COPY . .
ENV CGO_ENABLED=1 \
    CGO_LDFLAGS="-L/opt/icicle/lib -Wl,-rpath,/opt/icicle/lib"
RUN go build -trimpath -buildvcs=false -tags icicle -o /out/wes ./cmd/wes \
    && /out/wes deps \
    && cp "$HOME"/.cache/wes/onnxruntime/*/libonnxruntime.so.1 /out/

FROM nvidia/cuda:12.6.3-runtime-ubuntu24.04
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libgomp1 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin wes \
    && install -d -o wes -g wes -m 700 /var/lib/wes
COPY --from=build /opt/icicle/lib /opt/icicle/lib
COPY --from=build /out/wes /usr/local/bin/wes
COPY --from=build /out/libonnxruntime.so.1 /usr/local/lib/wes/libonnxruntime.so.1
ENV WES_HOME=/var/lib/wes \
    WES_CACHE=/var/lib/wes/cache \
    WES_ONNXRUNTIME_LIB=/usr/local/lib/wes/libonnxruntime.so.1 \
    ICICLE_BACKEND_INSTALL_DIR=/opt/icicle/lib/backend
USER wes
VOLUME /var/lib/wes
EXPOSE 4871/tcp 4871/udp 4872/tcp 4873/tcp
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 \
    CMD ["curl", "-fsS", "http://127.0.0.1:4872/readyz"]
ENTRYPOINT ["wes"]
CMD ["node"]
