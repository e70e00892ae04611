# A node that executes and proves on CPUs, with ONNX Runtime. From the root of the repository:
#
#   docker build -f docker/cpu.Dockerfile -t wes .
#   docker run -v wes:/var/lib/wes -p 4871:4871 -p 4871:4871/udp wes

FROM golang:1.26-bookworm AS build
# npm downloads the package that the library is taken from; nothing of it is run.
RUN apt-get update \
    && apt-get install -y --no-install-recommends npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -buildvcs=false -o /out/wes ./cmd/wes \
    && /out/wes deps \
    && cp "$HOME"/.cache/wes/onnxruntime/*/libonnxruntime.so.1 /out/

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin wes \
    && install -d -o wes -g wes -m 700 /var/lib/wes
COPY --from=build /out/wes /usr/local/bin/wes
COPY --from=build /out/libonnxruntime.so.1 /usr/local/lib/wes/libonnxruntime.so.1
ENV WES_HOME=/var/lib/wes \
    WES_CACHE=/var/lib/wes/cache \
    WES_ONNXRUNTIME_LIB=/usr/local/lib/wes/libonnxruntime.so.1
USER wes
VOLUME /var/lib/wes
# Peers, the API and remote workers. The API is on loopback unless api and api_token say otherwise.
EXPOSE 4871/tcp 4871/udp 4872/tcp 4873/tcp
# A node is ready once it has synced; see /readyz. A fresh one may take long.
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 \
    CMD ["curl", "-fsS", "http://127.0.0.1:4872/readyz"]
ENTRYPOINT ["wes"]
CMD ["node"]
