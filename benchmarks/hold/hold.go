// Package hold keeps modules required until the packages that use them are here.
package hold

import (
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/nats-io/nats-server/v2/server"
	_ "github.com/nats-io/nats.go"
	_ "github.com/nats-io/nats.go/jetstream"
)
