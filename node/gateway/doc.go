// Package gateway is the HTTP of the market: the Open Inference Protocol v2 for programs that know
// KServe or Triton, /v1 for those that want jobs, and a client for Go programs.
//
//	GET    /v2                                    server metadata
//	GET    /v2/health/live, /v2/health/ready      200, or 503
//	GET    /v2/models/M[/versions/V]              model metadata
//	GET    /v2/models/M[/versions/V]/ready        200, or 503
//	GET    /v2/models/M[/versions/V]/config       what Triton's clients ask for
//	POST   /v2/models/M[/versions/V]/infer        tensors in, tensors out
//	POST   /v2/repository/index                   the models
//	POST   /v1/jobs                               submit
//	GET    /v1/jobs                               the newest first: ?limit=N&cursor=C&open=true
//	GET    /v1/jobs/ID                            with the outputs, once they are known
//	GET    /v1/jobs/ID/events                     server-sent events, without the outputs
//	DELETE /v1/jobs/ID                            cancel
//	GET    /v1/jobs/ID/proof, /explain, /bids
//	GET    /v1/models, /v1/models/M, /v1/operators, /v1/channels, /v1/devices
//	GET    /v1/openapi.json                       the description of all this
//
// M is the alias of a model or its CID.
//
// # Inference
//
// The protocol is that of kserve/open-inference-protocol, specification/protocol/inference_rest.md,
// with the binary tensor extension of triton-inference-server/server, docs/protocol/
// extension_binary_data.md. What the market needs travels in parameters of the request
// (verification, max_price, deadline_ms), what it tells in those of the response (job_id,
// proof_status, proof_cid, price, operator, tx). Tensors come back as soon as they are known; the
// proof may still be pending, and /v1/jobs/ID has it later. A client that goes away ends its wait,
// not the job.
//
// Amounts are decimal strings of base units; times are ms since 1970.
//
// # Errors
//
// The body is {"error": TEXT}, in /v1 with "reason": CODE. The code is also in the header
// Wes-Reason, and the id of the job, if there is one already, in Wes-Job.
//
// # Bounds
//
// The size of a body before and after it is inflated, the memory for bodies of all requests, the
// requests and streams at once, the depth of JSON, the number and size of tensors are bounded.
// Nothing is allocated before its bound is checked. Who sends or reads too slowly is cut off.
package gateway
